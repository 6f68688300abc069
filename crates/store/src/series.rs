//! Sums of usage over time, read from the rollups at the finest grain that gives the asked span at most 200 buckets, but by
//! the hour where it is longer than half a day, and by the day where it is longer than two weeks: hundreds of keys make
//! hundreds of sums a minute, a thousand an hour, and a few thousand a day. What is asked of the whole span is read from
//! coarser sums as far as whole ones are in it. Sums by minute are kept for two weeks, by hour for thirteen months, by day for ever.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use gatewright_types::api::{Totals, UsageBucket, UsageGroup, UsageSeries, UsageSeriesQuery};
use gatewright_types::{KeyId, Nanos, OrganizationId, TeamId};
use sea_orm::{ConnectionTrait as _, DbBackend, DbErr, QueryResult, Value};
use uuid::Uuid;

use crate::buckets::{Buckets, Piece, kept_for};
use crate::error::DatabaseError;
use crate::rollup::{HOUR, MINUTE, Sums, counter_columns};
use crate::scope::Scope;
use crate::stored;
use crate::system::System;

/// Groups beyond these, by number of requests, are only in the totals: an organization may have any number of keys.
const MOST_GROUPS: usize = 50;
/// Whose requests are summed up: columns that have to have these values, after the organization's own.
#[derive(Debug, Clone)]
struct Part {
    columns: Vec<&'static str>,
    values: Vec<Value>,
}

impl Scope<'_> {
    /// Sums in at most 200 buckets, whole ones. Not split, every bucket is there; split, those that have requests are,
    /// for the 50 busiest groups. Nothing when `to` is not after `from`.
    pub async fn usage_series(&self, query: &UsageSeriesQuery) -> Result<UsageSeries, DatabaseError> {
        Ok(self.series(query, stored::now()).await?)
    }

    async fn series(&self, query: &UsageSeriesQuery, now: DateTime<Utc>) -> Result<UsageSeries, DbErr> {
        let buckets = Buckets::of(query.from.timestamp(), query.to.timestamp(), now.timestamp());
        let bucket_seconds = u32::try_from(buckets.length).unwrap_or(u32::MAX);
        let part = Part::of(self.id, query);
        let backend = self.connection.get_database_backend();
        let rows = self
            .rows(&buckets_sql(backend, buckets, &part, query.by), &part)
            .await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let start = time(row.try_get_by_index(0)?)?;
            found.push((start, group(query.by, row)?, sums_at(row, 2)?));
        }
        let all = match query.by {
            UsageGroup::None | UsageGroup::Model | UsageGroup::Provider | UsageGroup::Team => {
                let mut all = Sums::default();
                found.iter().for_each(|(_, _, sums)| all.add(sums));
                busiest(&mut found);
                all
            }
            UsageGroup::Key => {
                let total = self.rows(&totals_sql(buckets, &part), &part).await?;
                total.first().map_or(Ok(Sums::default()), |row| sums_at(row, 0))?
            }
        };
        let found = found.iter().map(|(start, group, sums)| UsageBucket {
            start: *start,
            group: group.clone(),
            totals: totals(sums),
        });
        let found = found.collect();
        let buckets = match query.by {
            UsageGroup::None => filled(buckets, found)?,
            UsageGroup::Model | UsageGroup::Provider | UsageGroup::Team | UsageGroup::Key => found,
        };
        Ok(UsageSeries {
            bucket_seconds,
            totals: totals(&all),
            buckets,
        })
    }

    async fn rows(&self, sql: &str, part: &Part) -> Result<Vec<QueryResult>, DbErr> {
        let backend = self.connection.get_database_backend();
        let statement = stored::statement(backend, sql, part.values.clone());
        self.connection.query_all_raw(statement).await
    }
}

impl System<'_> {
    /// Removes sums by minute and by hour that are too old to be shown so finely; tells how many.
    pub async fn prune_rollups(&self, now: DateTime<Utc>) -> Result<u64, DatabaseError> {
        let mut removed = 0;
        for granularity in [MINUTE, HOUR] {
            let before = now.timestamp() - kept_for(granularity);
            let sql =
                format!(r#"DELETE FROM usage_rollup WHERE granularity_seconds = {granularity} AND "start" < {before}"#);
            removed += self.db.write.execute_unprepared(&sql).await?.rows_affected();
        }
        Ok(removed)
    }
}

/// Puts empty buckets where there were no requests.
fn filled(buckets: Buckets, found: Vec<UsageBucket>) -> Result<Vec<UsageBucket>, DbErr> {
    let mut found = found.into_iter().peekable();
    let mut all = Vec::new();
    let mut start = buckets.first;
    while start < buckets.end {
        let at = time(start)?;
        let bucket = found.next_if(|bucket| bucket.start == at);
        all.push(bucket.unwrap_or_else(|| UsageBucket {
            start: at,
            group: None,
            totals: Totals::default(),
        }));
        start += buckets.length;
    }
    Ok(all)
}

impl Part {
    fn of(organization: OrganizationId, query: &UsageSeriesQuery) -> Self {
        let asked = [
            (
                UsageGroup::Model,
                query.model.as_ref().map(|model| model.as_str().into()),
            ),
            (
                UsageGroup::Provider,
                query.provider.as_ref().map(|name| name.as_str().into()),
            ),
            (UsageGroup::Team, query.team.map(|team| team.uuid().into())),
            (UsageGroup::Key, query.key.map(|key| key.uuid().into())),
        ];
        let mut part = Self {
            columns: Vec::new(),
            values: vec![organization.uuid().into()],
        };
        for (group, value) in asked {
            if let (Some(column), Some(value)) = (column(group), value) {
                part.columns.push(column);
                part.values.push(value);
            }
        }
        part
    }

    fn condition(&self, piece: Piece) -> String {
        let Piece {
            granularity,
            first,
            end,
        } = piece;
        let also: String = self
            .columns
            .iter()
            .zip(2..)
            .map(|(column, at)| format!(r#" AND "{column}" = ?{at}"#))
            .collect();
        format!(
            r#"organization = ?1 AND granularity_seconds = {granularity} AND "start" >= {first} AND "start" < {end}{also}"#
        )
    }
}

fn totals_sql(buckets: Buckets, part: &Part) -> String {
    let counters = counter_columns().collect::<Vec<_>>().join(", ");
    format!(
        "SELECT {} FROM ({}) piece",
        sums(),
        pieces_sql(buckets, part, &counters)
    )
}

/// Some columns of all sums of the span, the coarsest there are.
fn pieces_sql(buckets: Buckets, part: &Part, columns: &str) -> String {
    let pieces = buckets.pieces().into_iter();
    let pieces = pieces.map(|piece| format!("SELECT {columns} FROM usage_rollup WHERE {}", part.condition(piece)));
    pieces.collect::<Vec<_>>().join(" UNION ALL ")
}

fn buckets_sql(backend: DbBackend, buckets: Buckets, part: &Part, by: UsageGroup) -> String {
    let bucket = format!(r#""start" - "start" % {}"#, buckets.length);
    let (condition, sums) = (part.condition(buckets.whole()), sums());
    let group = column(by).map_or_else(|| "0".to_owned(), |column| format!(r#""{column}""#));
    let rows = match (by, backend) {
        // There may be so many that all of them are not to be read.
        (UsageGroup::Key, _) => format!(
            r#"usage_rollup WHERE {condition} AND "key" IN (
                SELECT "key" FROM ({}) piece GROUP BY "key" ORDER BY SUM(requests) DESC, "key" LIMIT {MOST_GROUPS}
            )"#,
            pieces_sql(buckets, part, r#""key", requests"#)
        ),
        (UsageGroup::Team, _) | (_, DbBackend::Postgres) => format!("usage_rollup WHERE {condition}"),
        // Of a minute there are hardly more sums than groups.
        (UsageGroup::Model | UsageGroup::Provider, _) if buckets.granularity() == MINUTE => {
            format!("usage_rollup WHERE {condition}")
        }
        // In the order of the table's key SQLite adds up as it reads. In any other it would first sort rows of fifty numbers.
        (UsageGroup::None | UsageGroup::Model | UsageGroup::Provider, _) => {
            let key = match by {
                UsageGroup::Model => r#""start", model"#,
                UsageGroup::Provider => r#""start", model, provider"#,
                UsageGroup::None | UsageGroup::Team | UsageGroup::Key => r#""start""#,
            };
            let counters = counter_columns().map(|column| format!("SUM({column}) AS {column}"));
            let counters = counters.collect::<Vec<_>>().join(", ");
            format!("(SELECT {key}, {counters} FROM usage_rollup WHERE {condition} GROUP BY {key}) piece")
        }
    };
    format!("SELECT {bucket}, {group}, {sums} FROM {rows} GROUP BY 1, 2 ORDER BY 1, 2")
}

/// Leaves the groups that have the most requests, of equal ones the first.
fn busiest(found: &mut Vec<(DateTime<Utc>, Option<String>, Sums)>) {
    let mut requests: BTreeMap<Option<String>, i64> = BTreeMap::new();
    for (_, group, sums) in &*found {
        let sum = requests.entry(group.clone()).or_default();
        *sum = sum.saturating_add(sums.requests());
    }
    if requests.len() <= MOST_GROUPS {
        return;
    }
    let mut groups: Vec<_> = requests.into_iter().collect();
    groups.sort_by_key(|(_, requests)| Reverse(*requests));
    groups.truncate(MOST_GROUPS);
    let kept: BTreeSet<_> = groups.into_iter().map(|(group, _)| group).collect();
    found.retain(|(_, group, _)| kept.contains(group));
}

/// PostgreSQL adds up 64 bits into a decimal number, which is cast back; no row gives null.
fn sums() -> String {
    let sum = |column| format!("CAST(COALESCE(SUM({column}), 0) AS BIGINT)");
    counter_columns().map(sum).collect::<Vec<_>>().join(", ")
}

const fn column(by: UsageGroup) -> Option<&'static str> {
    match by {
        UsageGroup::None => None,
        UsageGroup::Model => Some("model"),
        UsageGroup::Provider => Some("provider"),
        UsageGroup::Team => Some("team"),
        UsageGroup::Key => Some("key"),
    }
}

/// The second column: what the sums are split by.
fn group(by: UsageGroup, row: &QueryResult) -> Result<Option<String>, DbErr> {
    let id = || row.try_get_by_index::<Uuid>(1);
    match by {
        UsageGroup::None => Ok(None),
        UsageGroup::Model | UsageGroup::Provider => {
            Ok(Some(row.try_get_by_index::<String>(1)?).filter(|name| !name.is_empty()))
        }
        UsageGroup::Team => Ok(Some(id()?)
            .filter(|id| !id.is_nil())
            .map(|id| TeamId::from_uuid(id).to_string())),
        UsageGroup::Key => Ok(Some(id()?)
            .filter(|id| !id.is_nil())
            .map(|id| KeyId::from_uuid(id).to_string())),
    }
}

fn sums_at(row: &QueryResult, first_column: usize) -> Result<Sums, DbErr> {
    let mut column = first_column;
    Sums::from_columns(|| {
        let value = row.try_get_by_index(column);
        column += 1;
        value
    })
}

fn totals(sums: &Sums) -> Totals {
    let [
        requests,
        errors,
        unpriced,
        input_tokens,
        output_tokens,
        cost,
        cache_hits,
        cache_misses,
        saved,
    ] = sums.counters;
    Totals {
        requests: stored::count(requests),
        errors: stored::count(errors),
        unpriced: stored::count(unpriced),
        input_tokens: stored::count(input_tokens),
        output_tokens: stored::count(output_tokens),
        cost: Nanos::new(cost),
        cache_hits: stored::count(cache_hits),
        cache_misses: stored::count(cache_misses),
        saved: Nanos::new(saved),
        duration_ms_p50: sums.duration.percentile_ms(50),
        duration_ms_p95: sums.duration.percentile_ms(95),
        first_token_ms_p50: sums.first_token.percentile_ms(50),
    }
}

fn time(seconds: i64) -> Result<DateTime<Utc>, DbErr> {
    DateTime::from_timestamp(seconds, 0).ok_or_else(|| DbErr::Type(format!("{seconds} is no time")))
}

/// What is asked for a day, for those who look at how it is answered.
#[cfg(test)]
pub(crate) fn statements_of_a_day(backend: DbBackend) -> Vec<(UsageGroup, String)> {
    let now = stored::now().timestamp();
    let day = Buckets::of(now - crate::rollup::DAY, now, now);
    let groups = [
        UsageGroup::Model,
        UsageGroup::Provider,
        UsageGroup::Team,
        UsageGroup::Key,
    ];
    let all = Part {
        columns: Vec::new(),
        values: Vec::new(),
    };
    let split = groups.map(|by| (by, buckets_sql(backend, day, &all, by)));
    let whole =
        [totals_sql(day, &all), buckets_sql(backend, day, &all, UsageGroup::None)].map(|sql| (UsageGroup::None, sql));
    whole.into_iter().chain(split).collect()
}
