//! Proves that what is derived from requests' rows says what the rows say, or tells where it does not. Everything is read
//! as it was at one moment, so that what comes in meanwhile is no difference.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_types::api::{LedgerCheck, LedgerDifference, LedgerSums, LedgerVerification, LedgerVerificationQuery};
use gatewright_types::{BudgetId, KeyId, OrganizationId, TeamId};
use sea_orm::sea_query::ExprTrait as _;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _, QueryResult,
    QuerySelect as _, Value,
};
use uuid::Uuid;

use super::counted::{AddedUp, Counted, Day, Entry, Window};
use super::kept_windows::KeptWindows;
use crate::adjustments;
use crate::buckets::kept_for;
use crate::db::Db;
use crate::entity::usage::{Column, Entity};
use crate::error::DatabaseError;
use crate::rollup::{DAY, HOUR, MINUTE};
use crate::scope::Scope;
use crate::stored;
use crate::usage::{MINTED_WITHIN, first_id_of, window_start};
use crate::usage_parts::{hold_parts, usage_from};

/// So many rows are in memory at a time.
const PAGE: u64 = 5_000;
/// Whoever removes old sums may have another clock.
const CLOCKS_DIFFER_BY: i64 = HOUR;

/// Whole days, in seconds since 1970; what is absent is not limited.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: Option<i64>,
    to: Option<i64>,
}

impl Db {
    /// Compares everything but the counters, which are not in the database.
    pub async fn verify_ledger(
        &self,
        organization: OrganizationId,
        query: &LedgerVerificationQuery,
    ) -> Result<LedgerVerification, DatabaseError> {
        let at = stored::now();
        let verification = self
            .at_one_moment(async |transaction| {
                hold_parts(transaction).await?;
                let asked = Span::of(query);
                let mut span = asked;
                if let Some(from) = usage_from(transaction).await? {
                    // Of the first day some may be gone, because an identifier is not minted at the very moment.
                    span = span.since(from.timestamp() + DAY);
                }
                Scope::new(transaction, organization).verified(asked, span, at).await
            })
            .await?;
        Ok(verification)
    }
}

impl Scope<'_> {
    /// Of a span that is asked for, and of which all rows are kept in a part.
    async fn verified(&self, asked: Span, span: Span, at: DateTime<Utc>) -> Result<LedgerVerification, DbErr> {
        let mut rows = self.added_up(asked, span).await?;
        let kept = match asked.from {
            None => self.kept_windows(at).await?,
            Some(_) => KeptWindows::default(),
        };
        let all = LedgerSums::from(rows.all);
        let mut verification = LedgerVerification {
            clean: true,
            at,
            from: span.time(span.from),
            to: span.time(span.to),
            requests: all.requests,
            cost: all.cost,
            checks: Vec::new(),
            differences: Vec::new(),
        };
        let unlike = rows.unlike.iter().map(|unlike| LedgerDifference {
            request: Some(unlike.request),
            ..LedgerDifference::between(LedgerCheck::Lines, unlike.lines.into(), unlike.row.into())
        });
        verification.note(LedgerCheck::Lines, all.requests, unlike);
        let unlike = rows.adjustments_unlike.iter().map(|unlike| LedgerDifference {
            request: Some(unlike.request),
            ..LedgerDifference::between(LedgerCheck::Adjustments, unlike.lines.into(), unlike.row.into())
        });
        verification.note(LedgerCheck::Adjustments, rows.adjustments, unlike);

        for (check, granularity, mut counted) in [
            (LedgerCheck::Minutes, MINUTE, rows.minutes),
            (LedgerCheck::Hours, HOUR, rows.hours),
        ] {
            let oldest = at.timestamp() - kept_for(granularity) + CLOCKS_DIFFER_BY;
            // The first whole one: what is older may be gone.
            let since = oldest + (granularity - oldest.rem_euclid(granularity)) % granularity;
            let span = span.since(since);
            counted.retain(|start, _| span.holds(*start));
            let found = self.sums(granularity, span, "\"start\"", read_start).await?;
            let (compared, unlike) = compared(counted, found);
            let unlike = unlike.into_iter().map(|(start, expected, found)| LedgerDifference {
                start: DateTime::from_timestamp(start, 0),
                ..LedgerDifference::between(check, expected.into(), found.into())
            });
            verification.note(check, compared, unlike);
        }

        let columns = "\"start\", provider, team, \"key\"";
        let found = self.sums(DAY, span, columns, read_day).await?;
        let (of_days, unlike) = compared(rows.days, found);
        let unlike = unlike
            .into_iter()
            .map(|(day, expected, found)| of_day(&day, expected, found));
        verification.note(LedgerCheck::Days, of_days, unlike);

        if span.to.is_none() {
            let since_ms = span.from.map(|from| from.saturating_mul(1_000));
            let begins_within = |window: &Window| since_ms.is_none_or(|since| window.from_ms >= since);
            let is_known = |window: &Window| begins_within(window) || kept.are_of(window);
            for (window, sums) in &kept.counted {
                rows.windows.entry(window.clone()).or_default().add(*sums);
            }
            let mut counted = rows.windows;
            counted.retain(|window, _| is_known(window));
            let counted = counted
                .into_iter()
                .map(|(window, sums)| (window, sums.requests_and_cost()));
            let mut found = self.budget_spend(kept.since_ms(since_ms)).await?;
            found.retain(|window, _| is_known(window));
            let (of_windows, unlike) = compared(counted.collect(), found);
            let unlike = unlike
                .into_iter()
                .map(|(window, expected, found)| of_window(&window, expected, found));
            verification.note(LedgerCheck::BudgetSpend, of_windows, unlike);
        }
        Ok(verification)
    }

    /// Reads the rows of a span a page at a time, in the order of their key.
    async fn added_up(&self, asked: Span, span: Span) -> Result<AddedUp, DbErr> {
        let mut added_up = AddedUp::default();
        let mut after = Uuid::nil();
        if let Some(from) = asked.time(asked.from) {
            after = first_id_of(from - MINTED_WITHIN);
        }
        let to = span.time(span.to);
        let beyond = to.map_or(Uuid::max(), |to| first_id_of(to + MINTED_WITHIN));
        loop {
            let rows = Entity::find()
                .filter(Column::Organization.eq(self.id.uuid()))
                .filter(Column::Id.gt(after))
                .filter(Column::Id.lt(beyond))
                .order_by_asc(Column::Id)
                .limit(PAGE)
                .all(&self.connection)
                .await?;
            let last = rows.last().map(|row| row.id);
            let of_page = adjustments::after(after).and(adjustments::up_to(last.unwrap_or(beyond)));
            let mut adjustments = adjustments::of(&self.connection, self.id, of_page).await?;
            for row in rows {
                let adjustments = adjustments.remove(&row.id).unwrap_or_default();
                let at = row.started_at.timestamp();
                if asked.holds(at) {
                    let entry = Entry {
                        id: row.id,
                        started_at: row.started_at,
                        key: row.key,
                        team: row.team,
                        provider: row.provider,
                        outcome: row.outcome,
                        lines: row.lines,
                        cost_nanos: row.cost_nanos,
                        input_tokens: row.input_tokens,
                        output_tokens: row.output_tokens,
                        budgets: row.budgets,
                        adjustments,
                    };
                    match span.holds(at) {
                        true => added_up.add(entry)?,
                        false => added_up.add_to_windows(&entry, Counted::of(&entry))?,
                    }
                }
            }
            let mut of_nothing: Vec<_> = adjustments.into_values().flatten().collect();
            of_nothing.sort_by_key(|adjustment| (adjustment.request, adjustment.reprice));
            for adjustment in of_nothing {
                if span.holds(adjustment.started_at.timestamp()) {
                    added_up.of_nothing(&adjustment);
                }
            }
            match last {
                Some(last) => after = last,
                None => return Ok(added_up),
            }
        }
    }

    /// Sums that were kept, by some of their columns.
    async fn sums<K: Eq + Hash>(
        &self,
        granularity: i64,
        span: Span,
        columns: &str,
        read: fn(&QueryResult) -> Result<(K, usize), DbErr>,
    ) -> Result<HashMap<K, Counted>, DbErr> {
        let sum = |column: &str| format!("CAST(SUM({column}) AS BIGINT)");
        let counters = [
            "requests",
            "errors",
            "unpriced",
            "input_tokens",
            "output_tokens",
            "cost_nanos",
        ]
        .map(sum);
        let sql = format!(
            "SELECT {columns}, {} FROM usage_rollup WHERE organization = ?1 AND granularity_seconds = ?2 \
             AND \"start\" >= ?3 AND \"start\" < ?4 GROUP BY {columns}",
            counters.join(", ")
        );
        let (from, to) = (span.from.unwrap_or(i64::MIN), span.to.unwrap_or(i64::MAX));
        let values: [Value; 4] = [self.id.uuid().into(), granularity.into(), from.into(), to.into()];
        let statement = stored::statement(self.connection.get_database_backend(), &sql, values);
        let rows = self.connection.query_all_raw(statement).await?;
        let mut found = HashMap::with_capacity(rows.len());
        for row in &rows {
            let (key, first) = read(row)?;
            found.insert(key, counted(row, first)?);
        }
        Ok(found)
    }

    async fn budget_spend(&self, since_ms: Option<i64>) -> Result<HashMap<Window, Counted>, DbErr> {
        const SQL: &str = "SELECT budget, from_ms, name, requests, cost_nanos FROM budget_spend \
             WHERE organization = ?1 AND from_ms >= ?2";
        let values: [Value; 2] = [self.id.uuid().into(), since_ms.unwrap_or(i64::MIN).into()];
        let statement = stored::statement(self.connection.get_database_backend(), SQL, values);
        let rows = self.connection.query_all_raw(statement).await?;
        let mut found = HashMap::with_capacity(rows.len());
        for row in &rows {
            let window = Window {
                budget: row.try_get_by_index(0)?,
                from_ms: row.try_get_by_index(1)?,
                name: row.try_get_by_index(2)?,
            };
            let sums = Counted([row.try_get_by_index(3)?, 0, 0, 0, 0, row.try_get_by_index(4)?]);
            found.insert(window, sums);
        }
        Ok(found)
    }
}

impl Span {
    fn of(query: &LedgerVerificationQuery) -> Self {
        let day = |time: DateTime<Utc>| time.timestamp() - time.timestamp().rem_euclid(DAY);
        Self {
            from: query.from.map(day),
            to: query.to.map(|to| day(to + TimeDelta::seconds(DAY - 1))),
        }
    }

    fn since(self, from: i64) -> Self {
        Self {
            from: Some(self.from.map_or(from, |earlier| Ord::max(earlier, from))),
            ..self
        }
    }

    fn holds(self, seconds: i64) -> bool {
        self.from.is_none_or(|from| seconds >= from) && self.to.is_none_or(|to| seconds < to)
    }

    fn time(self, seconds: Option<i64>) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(seconds?, 0)
    }
}

/// Puts what rows say beside what was kept, and tells how many were compared and what differs, in order.
fn compared<K: Ord + Hash>(
    expected: HashMap<K, Counted>,
    found: HashMap<K, Counted>,
) -> (u64, Vec<(K, Counted, Counted)>) {
    let mut both: BTreeMap<K, (Counted, Counted)> = BTreeMap::new();
    for (key, sums) in expected {
        both.entry(key).or_default().0 = sums;
    }
    for (key, sums) in found {
        both.entry(key).or_default().1 = sums;
    }
    let compared = u64::try_from(both.len()).unwrap_or(u64::MAX);
    let unlike = both.into_iter().filter(|(_, (expected, found))| expected != found);
    (
        compared,
        unlike.map(|(key, (expected, found))| (key, expected, found)).collect(),
    )
}

fn of_day(day: &Day, expected: Counted, found: Counted) -> LedgerDifference {
    LedgerDifference {
        start: DateTime::from_timestamp(day.start, 0),
        provider: day.provider.parse().ok(),
        team: Some(day.team).filter(|team| !team.is_nil()).map(TeamId::from_uuid),
        key: Some(KeyId::from_uuid(day.key)),
        ..LedgerDifference::between(LedgerCheck::Days, expected.into(), found.into())
    }
}

fn of_window(window: &Window, expected: Counted, found: Counted) -> LedgerDifference {
    LedgerDifference {
        budget: Some(BudgetId::from_uuid(window.budget)),
        name: window.name.parse().ok(),
        start: window_start(window.from_ms),
        ..LedgerDifference::between(LedgerCheck::BudgetSpend, expected.into(), found.into())
    }
}

fn read_start(row: &QueryResult) -> Result<(i64, usize), DbErr> {
    Ok((row.try_get_by_index(0)?, 1))
}

fn read_day(row: &QueryResult) -> Result<(Day, usize), DbErr> {
    let day = Day {
        start: row.try_get_by_index(0)?,
        provider: row.try_get_by_index(1)?,
        team: row.try_get_by_index(2)?,
        key: row.try_get_by_index(3)?,
    };
    Ok((day, 4))
}

fn counted(row: &QueryResult, first: usize) -> Result<Counted, DbErr> {
    let mut counted = Counted::default();
    for (index, sum) in counted.0.iter_mut().enumerate() {
        *sum = row.try_get_by_index(first + index)?;
    }
    Ok(counted)
}
