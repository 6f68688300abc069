//! What had been spent in a window before its budget counted in it. A request says itself in which budgets' windows it
//! counts; those before could not. They are added up as long as records of such requests may come in, and then no more.
//!
//! Sums of usage know organizations, teams, keys, models and providers, and are a few rows. For people, end users, tags
//! and credentials, and for windows that begin within an hour that is only kept whole, the rows themselves are read,
//! and what was kept of those that were removed.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_contract::{Budget, BudgetShare, Counting};
use gatewright_types::api::{LimitScope, TagScope, Which};
use gatewright_types::{BudgetId, DisplayName, OrganizationId, TagName};
use sea_orm::sea_query::{Expr, ExprTrait as _, Func, IntoCondition as _, OnConflict};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, DatabaseTransaction, DbBackend, DbErr, EntityTrait as _,
    IntoActiveModel as _, QueryFilter as _, QueryOrder as _, QueryResult, QuerySelect as _, Value,
};
use uuid::Uuid;

use super::counting::{self, written};
use super::kept;
use crate::adjustments;
use crate::buckets::kept_for;
use crate::db::Db;
use crate::entity::budget_counting;
use crate::entity::budget_opening::{Column, Entity, Model};
use crate::entity::usage;
use crate::error::DatabaseError;
use crate::rollup::{DAY, HOUR, MINUTE};
use crate::scope::Scope;
use crate::stored;
use crate::usage::{MINTED_WITHIN, first_id_of};
use crate::usage_parts::hold_parts;

/// Nodes hear of a budget within seconds, and hand records over as fast. Those that could not for longer are late.
const SETTLED_AFTER: TimeDelta = TimeDelta::hours(1);
const PAGE: u64 = 5_000;

/// How a budget's opening stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// More may come in.
    Open,
    Settled,
}

/// What was spent, by the window or part of one, and by the name where the budget is for each.
type Spent = BTreeMap<(i64, String), (i64, i64)>;

impl Db {
    /// Adds up anew what a budget's opening is, until it is settled. A budget whose windows were changed begins anew.
    pub async fn open_budget(
        &self,
        organization: OrganizationId,
        budget: &Budget,
        now: DateTime<Utc>,
    ) -> Result<Opening, DatabaseError> {
        let counting = self.begun(organization, budget, now).await?;
        if counting::is_settled(&self.read, &counting).await? {
            return Ok(Opening::Settled);
        }
        let spent = self
            .at_one_moment(async |transaction| {
                hold_parts(transaction).await?;
                let scope = Scope::new(transaction, organization);
                scope.spent_before(budget, counting.since, now).await
            })
            .await?;
        let opening = match now - counting.since >= SETTLED_AFTER {
            true => Opening::Settled,
            false => Opening::Open,
        };
        self.keep_opening(&counting, spent, opening).await?;
        Ok(opening)
    }

    async fn begun(
        &self,
        organization: OrganizationId,
        budget: &Budget,
        now: DateTime<Utc>,
    ) -> Result<budget_counting::Model, DbErr> {
        if let Some(known) = counting::of(&self.read, organization, budget).await? {
            return Ok(known);
        }
        let transaction = self.begin().await?;
        let begun = counting::begin(&transaction, organization, budget, now).await?;
        transaction.commit().await?;
        Ok(begun)
    }

    async fn keep_opening(
        &self,
        counting: &budget_counting::Model,
        mut spent: Spent,
        opening: Opening,
    ) -> Result<(), DbErr> {
        spent.entry((counting.from_ms, String::new())).or_default();
        let rows = spent
            .into_iter()
            .map(|((from_ms, name), (cost_nanos, requests))| Model {
                organization: counting.organization,
                budget: counting.budget,
                from_ms,
                name,
                cost_nanos,
                requests,
                settled: opening == Opening::Settled,
            });
        let rows: Vec<_> = rows.map(Model::into_active_model).collect();
        let again = OnConflict::columns([Column::Organization, Column::Budget, Column::FromMs, Column::Name])
            .update_columns([Column::CostNanos, Column::Requests, Column::Settled])
            .to_owned();
        let transaction = self.begin().await?;
        for portion in rows.chunks(100) {
            Entity::insert_many(portion.to_vec())
                .on_conflict(again.clone())
                .exec_without_returning(&transaction)
                .await?;
        }
        transaction.commit().await
    }
}

impl Scope<'_> {
    /// Those of the budgets whose openings are not settled.
    pub async fn not_opened<'a>(&self, budgets: &'a [Budget]) -> Result<Vec<&'a Budget>, DatabaseError> {
        let countings = budget_counting::Entity::find()
            .filter(budget_counting::Column::Organization.eq(self.id.uuid()))
            .all(&self.connection)
            .await?;
        let settled: HashSet<(Uuid, i64)> = Entity::find()
            .select_only()
            .columns([Column::Budget, Column::FromMs])
            .filter(Column::Organization.eq(self.id.uuid()))
            .filter(Column::Name.eq(""))
            .filter(Column::Settled.eq(true))
            .into_tuple()
            .all(&self.connection)
            .await?
            .into_iter()
            .collect();
        let settled = countings
            .into_iter()
            .filter(|row| settled.contains(&(row.budget, row.from_ms)));
        let settled: HashMap<Uuid, String> = settled.map(|row| (row.budget, row.counting)).collect();
        let is_open = |budget: &&Budget| settled.get(&budget.id.uuid()) != Some(&written(budget));
        Ok(budgets.iter().filter(is_open).collect())
    }

    /// What requests cost that a budget is for and that do not count in it, in the window of a moment.
    async fn spent_before(&self, budget: &Budget, since: DateTime<Utc>, now: DateTime<Utc>) -> Result<Spent, DbErr> {
        let counting = budget.counting(since);
        match (sums_of(&budget.scope), grain(counting, since, now)) {
            (Some(condition), Some(grain)) => self.spent_by_sums(budget, since, grain, condition).await,
            _ => self.spent_by_rows(budget, since).await,
        }
    }

    /// Everything of the window, without what counts in the budget already.
    async fn spent_by_sums(
        &self,
        budget: &Budget,
        since: DateTime<Utc>,
        grain: i64,
        (column, value): (&str, Option<Value>),
    ) -> Result<Spent, DbErr> {
        let counting = budget.counting(since);
        let (first, end) = bounds(counting, since);
        let sql = format!(
            "SELECT \"start\", CAST(SUM(cost_nanos) AS BIGINT), CAST(SUM(requests) AS BIGINT) FROM usage_rollup \
             WHERE organization = ?1 AND granularity_seconds = ?2 AND \"start\" >= ?3 AND \"start\" < ?4{} \
             GROUP BY \"start\"",
            match &value {
                Some(_) => format!(" AND {column} = ?5"),
                None => String::new(),
            }
        );
        let values: [Value; 4] = [
            self.id.uuid().into(),
            grain.into(),
            first.timestamp().into(),
            end.map_or(i64::MAX, |end| end.timestamp()).into(),
        ];
        let backend = self.connection.get_database_backend();
        let statement = stored::statement(backend, &sql, values.into_iter().chain(value));
        let mut spent = Spent::new();
        for row in self.connection.query_all_raw(statement).await? {
            let start = DateTime::from_timestamp(row.try_get_by_index(0)?, 0).unwrap_or_default();
            let from_ms = budget.share(counting, start, None).from_ms;
            add(
                &mut spent,
                (from_ms, String::new()),
                (row.try_get_by_index(1)?, row.try_get_by_index(2)?),
            );
        }
        for (from_ms, counted_nanos, counted) in self.counted(budget.id.uuid()).await? {
            if let Some((cost_nanos, requests)) = spent.get_mut(&(from_ms, String::new())) {
                *cost_nanos = Ord::max(*cost_nanos - counted_nanos, 0);
                *requests = Ord::max(*requests - counted, 0);
            }
        }
        Ok(spent)
    }

    async fn spent_by_rows(&self, budget: &Budget, since: DateTime<Utc>) -> Result<Spent, DbErr> {
        let counting = budget.counting(since);
        let (first, end) = bounds(counting, since);
        let backend = self.connection.get_database_backend();
        let mut spent = Spent::new();
        for kept in kept::of(&self.connection, self.id, budget.id, first).await? {
            let at = DateTime::from_timestamp_millis(kept.from_ms).unwrap_or_default();
            let from_ms = budget.share(counting, at, None).from_ms;
            let counted = (kept.counted_from_ms != kept::COUNTS_IN_NONE).then_some(kept.counted_from_ms);
            if end.is_none_or(|end| at < end) && !counts_already(counting, from_ms, counted) {
                add(&mut spent, (from_ms, kept.name), (kept.cost_nanos, kept.requests));
            }
        }
        let mut after = first_id_of(first - MINTED_WITHIN);
        loop {
            let mut rows = usage::Entity::find()
                .filter(usage::Column::Organization.eq(self.id.uuid()))
                .filter(usage::Column::Id.gt(after))
                .filter(usage::Column::StartedAt.gte(first))
                .filter(of_rows(&budget.scope, backend));
            if let Some(end) = end {
                rows = rows
                    .filter(usage::Column::Id.lt(first_id_of(end + MINTED_WITHIN)))
                    .filter(usage::Column::StartedAt.lt(end));
            }
            let rows = rows
                .order_by_asc(usage::Column::Id)
                .limit(PAGE)
                .all(&self.connection)
                .await?;
            let Some(last) = rows.last() else {
                return Ok(spent);
            };
            let of_page = adjustments::after(after).and(adjustments::up_to(last.id));
            let adjustments = adjustments::of(&self.connection, self.id, of_page).await?;
            after = last.id;
            for row in rows {
                let Some(name) = name_of(&budget.scope, &row)? else {
                    continue;
                };
                let from_ms = budget.share(counting, row.started_at, None).from_ms;
                if !counts_already(counting, from_ms, counted_from(budget.id, &row)?) {
                    let adjustments = adjustments.get(&row.id).map_or(&[][..], Vec::as_slice);
                    let cost = adjustments::with(row.cost_nanos, adjustments).unwrap_or(0);
                    add(&mut spent, (from_ms, name), (cost, 1));
                }
            }
        }
    }

    /// What counts in a budget by itself: where its window begins, nano-dollars and requests.
    async fn counted(&self, budget: Uuid) -> Result<Vec<(i64, i64, i64)>, DbErr> {
        const SQL: &str =
            "SELECT from_ms, cost_nanos, requests FROM budget_spend WHERE organization = ?1 AND budget = ?2";
        let values: [Value; 2] = [self.id.uuid().into(), budget.into()];
        let statement = stored::statement(self.connection.get_database_backend(), SQL, values);
        let rows = self.connection.query_all_raw(statement).await?;
        let read = |row: &QueryResult| {
            Ok((
                row.try_get_by_index(0)?,
                row.try_get_by_index(1)?,
                row.try_get_by_index(2)?,
            ))
        };
        rows.iter().map(read).collect()
    }
}

/// Adds what requests turned out to cost to the openings that they were added up in.
pub(crate) async fn adjust(
    transaction: &DatabaseTransaction,
    organization: OrganizationId,
    budgets: &[Budget],
    adjusted: &[(&usage::Model, i64)],
) -> Result<(), DbErr> {
    let countings = budget_counting::Entity::find()
        .filter(budget_counting::Column::Organization.eq(organization.uuid()))
        .all(transaction)
        .await?;
    let countings: HashMap<Uuid, _> = countings.into_iter().map(|row| (row.budget, row)).collect();
    for budget in budgets {
        let known = countings.get(&budget.id.uuid());
        let Some(known) = known.filter(|known| known.counting == written(budget)) else {
            continue;
        };
        let counting = budget.counting(known.since);
        let (first, end) = bounds(counting, known.since);
        let mut changed = Spent::new();
        for (row, delta_nanos) in adjusted {
            let within = row.started_at >= first && end.is_none_or(|end| row.started_at < end);
            if !within || !is_of(&budget.scope, row)? {
                continue;
            }
            let from_ms = budget.share(counting, row.started_at, None).from_ms;
            if let Some(name) = name_of(&budget.scope, row)?
                && !counts_already(counting, from_ms, counted_from(budget.id, row)?)
            {
                add(&mut changed, (from_ms, name), (*delta_nanos, 0));
            }
        }
        for ((from_ms, name), (delta_nanos, _)) in changed {
            Entity::update_many()
                .col_expr(Column::CostNanos, Expr::col(Column::CostNanos).add(delta_nanos))
                .filter(Column::Organization.eq(organization.uuid()))
                .filter(Column::Budget.eq(budget.id.uuid()))
                .filter(Column::FromMs.eq(from_ms))
                .filter(Column::Name.eq(name))
                .exec(transaction)
                .await?;
        }
    }
    Ok(())
}

/// The same of one row as `of_rows`.
pub(crate) fn is_of(scope: &LimitScope, row: &usage::Model) -> Result<bool, DbErr> {
    Ok(match scope {
        LimitScope::Organization => true,
        LimitScope::Team(team) => row.team == Some(team.uuid()),
        LimitScope::Key(key) => row.key == key.uuid(),
        LimitScope::User(person) => row.owner == Some(person.uuid()),
        LimitScope::EndUser(Which::One(name)) => row.end_user.as_deref() == Some(name.as_str()),
        LimitScope::EndUser(Which::Each(_)) => row.end_user.is_some(),
        LimitScope::Tag(TagScope { name, value }) => {
            let Some(tags) = &row.tags else { return Ok(false) };
            let tags: BTreeMap<TagName, String> = stored::json("tags", tags)?;
            let tag = tags.get(name);
            tag.is_some_and(|tag| value.as_ref().is_none_or(|value| value.as_str() == tag))
        }
        LimitScope::Provider(provider) => row.provider.as_deref() == Some(provider.as_str()),
        LimitScope::Model(model) => row.model.as_deref() == Some(model.as_str()),
        LimitScope::Credential(credential) => row.credential == Some(credential.uuid()),
    })
}

fn add(spent: &mut Spent, key: (i64, String), (cost_nanos, requests): (i64, i64)) {
    let sums = spent.entry(key).or_default();
    sums.0 = sums.0.saturating_add(cost_nanos);
    sums.1 = sums.1.saturating_add(requests);
}

/// What of a budget's window lies before its counting, and until when requests may belong to it.
pub(crate) fn bounds(counting: Counting, since: DateTime<Utc>) -> (DateTime<Utc>, Option<DateTime<Utc>>) {
    let end = match counting {
        Counting::Period(period) => Some(period.to),
        Counting::Rolling { .. } | Counting::Total => None,
    };
    (counting.since(since), end)
}

/// The coarsest sums that are kept for so long and that windows and their parts are made of.
fn grain(counting: Counting, since: DateTime<Utc>, now: DateTime<Utc>) -> Option<i64> {
    let (first, end) = bounds(counting, since);
    let part = match counting {
        Counting::Rolling { part, .. } => part.num_milliseconds(),
        Counting::Period(_) | Counting::Total => 0,
    };
    let edges = [
        first.timestamp_millis(),
        end.map_or(0, |end| end.timestamp_millis()),
        part,
    ];
    let age = (now - first).num_seconds();
    let fits = |grain: &i64| {
        age < kept_for(*grain).saturating_sub(DAY) && edges.iter().all(|edge| edge.rem_euclid(grain * 1_000) == 0)
    };
    [DAY, HOUR, MINUTE].into_iter().find(fits)
}

/// Whether no rows are read for an opening.
pub(crate) fn is_by_sums(budget: &Budget, counting: Counting, since: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    sums_of(&budget.scope).is_some() && grain(counting, since, now).is_some()
}

/// How sums are narrowed to a scope that they know.
pub(crate) fn sums_of(scope: &LimitScope) -> Option<(&'static str, Option<Value>)> {
    match scope {
        LimitScope::Organization => Some(("organization", None)),
        LimitScope::Team(team) => Some(("team", Some(team.uuid().into()))),
        LimitScope::Key(key) => Some(("\"key\"", Some(key.uuid().into()))),
        LimitScope::Model(model) => Some(("model", Some(model.as_str().into()))),
        LimitScope::Provider(provider) => Some(("provider", Some(provider.as_str().into()))),
        LimitScope::User(_) | LimitScope::EndUser(_) | LimitScope::Tag(_) | LimitScope::Credential(_) => None,
    }
}

pub(crate) fn of_rows(scope: &LimitScope, backend: DbBackend) -> Condition {
    use usage::Column;
    match scope {
        LimitScope::Organization => Condition::all(),
        LimitScope::Team(team) => Column::Team.eq(team.uuid()).into_condition(),
        LimitScope::Key(key) => Column::Key.eq(key.uuid()).into_condition(),
        LimitScope::User(person) => Column::Owner.eq(person.uuid()).into_condition(),
        LimitScope::EndUser(Which::One(name)) => Column::EndUser.eq(name.as_str()).into_condition(),
        LimitScope::EndUser(Which::Each(_)) => Column::EndUser.is_not_null().into_condition(),
        LimitScope::Tag(TagScope { name, value }) => tagged(name, value.as_ref(), backend).into_condition(),
        LimitScope::Provider(provider) => Column::Provider.eq(provider.as_str()).into_condition(),
        LimitScope::Model(model) => Column::Model.eq(model.as_str()).into_condition(),
        LimitScope::Credential(credential) => Column::Credential.eq(credential.uuid()).into_condition(),
    }
}

/// Tags are one text: a name and its value stand in it as they do nowhere else, because quotes within values are escaped.
pub(crate) fn tagged(name: &TagName, value: Option<&DisplayName>, backend: DbBackend) -> Expr {
    let mut member = stored::to_json(name) + ":";
    if let Some(value) = value {
        member += &stored::to_json(value);
    }
    let place = match backend {
        DbBackend::Postgres => "strpos",
        _ => "instr",
    };
    let place = Func::cust(place).arg(Expr::col(usage::Column::Tags)).arg(member);
    Expr::expr(place).gt(0)
}

/// Under which name a row counts; nothing where it counts under none.
pub(crate) fn name_of(scope: &LimitScope, row: &usage::Model) -> Result<Option<String>, DbErr> {
    match scope {
        LimitScope::EndUser(Which::Each(_)) => Ok(row.end_user.clone()),
        LimitScope::Tag(TagScope { name, value: None }) => {
            let Some(tags) = &row.tags else { return Ok(None) };
            let mut tags: BTreeMap<TagName, String> = stored::json("tags", tags)?;
            Ok(tags.remove(name))
        }
        LimitScope::Organization
        | LimitScope::Team(_)
        | LimitScope::User(_)
        | LimitScope::Key(_)
        | LimitScope::EndUser(Which::One(_))
        | LimitScope::Tag(_)
        | LimitScope::Provider(_)
        | LimitScope::Model(_)
        | LimitScope::Credential(_) => Ok(Some(String::new())),
    }
}

/// Where a row counts in a budget by itself.
pub(crate) fn counted_from(budget: BudgetId, row: &usage::Model) -> Result<Option<i64>, DbErr> {
    let Some(shares) = &row.budgets else {
        return Ok(None);
    };
    let shares: Vec<BudgetShare> = stored::json("budgets", shares)?;
    let share = shares.into_iter().find(|share| share.budget == budget);
    Ok(share.map(|share| share.from_ms))
}

/// In a window of now, not in one that the budget had before it was changed.
fn counts_already(counting: Counting, from_ms: i64, counted_from_ms: Option<i64>) -> bool {
    let near = match counting {
        Counting::Rolling { part, .. } => part.num_milliseconds(),
        Counting::Period(_) | Counting::Total => 0,
    };
    counted_from_ms.is_some_and(|counted_from_ms| {
        (counted_from_ms - from_ms).abs() <= near && (near == 0 || counted_from_ms.rem_euclid(near) == 0)
    })
}
