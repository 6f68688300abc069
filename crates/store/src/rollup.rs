//! Sums of usage by minute, hour and day. A batch is added up in memory first, so that each row it touches is written
//! once; rows are written in the order of their key, so that two writers never wait for each other in a circle.

use std::collections::BTreeMap;
use std::time::Duration;

use gatewright_contract::UsageRecord;
use gatewright_types::UsageUnit;
use gatewright_types::api::{CacheStatus, LineItem, Outcome};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbBackend, DbErr, Value};
use uuid::Uuid;

use crate::bulk::{self, Wide, insert_of_many, placeholders};
use crate::entity::usage;
use crate::histogram::{Histogram, SLOTS};
use crate::stored;

pub(crate) const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;
const GRANULARITIES: [i64; 3] = [MINUTE, HOUR, DAY];

const KEY_COLUMNS: [&str; 7] = [
    "organization",
    "granularity_seconds",
    "start",
    "model",
    "provider",
    "team",
    "key",
];
const COUNTERS: [&str; 9] = [
    "requests",
    "errors",
    "unpriced",
    "input_tokens",
    "output_tokens",
    "cost_nanos",
    "cache_hits",
    "cache_misses",
    "saved_nanos",
];

static UPSERT: Wide = Wide::new(upsert);

/// Which row a request counts in. What it does not have is the empty text or the nil UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Row<'a> {
    organization: Uuid,
    granularity_seconds: i64,
    start: i64,
    model: &'a str,
    provider: &'a str,
    team: Uuid,
    key: Uuid,
}

/// What a row counts; read back in the order of `counter_columns`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sums {
    /// In the order of `COUNTERS`.
    pub(crate) counters: [i64; COUNTERS.len()],
    pub(crate) duration: Histogram,
    pub(crate) first_token: Histogram,
}

/// Adds records to the sums.
pub(crate) async fn add(transaction: &DatabaseTransaction, records: &[&UsageRecord]) -> Result<(), DbErr> {
    let mut minutes: BTreeMap<Row<'_>, Sums> = BTreeMap::new();
    for record in records {
        minutes.entry(minute_of(record)).or_default().count(record);
    }
    let mut rows: BTreeMap<Row<'_>, Sums> = BTreeMap::new();
    for (minute, sums) in &minutes {
        for granularity_seconds in GRANULARITIES {
            let start = minute.start - minute.start.rem_euclid(granularity_seconds);
            rows.entry(Row {
                granularity_seconds,
                start,
                ..*minute
            })
            .or_default()
            .add(sums);
        }
    }
    let rows: Vec<_> = rows.into_iter().collect();
    bulk::write(transaction, &UPSERT, &rows, |(row, sums)| values(row, sums)).await
}

/// A request whose cost changed after it was counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Adjusted<'a> {
    pub(crate) row: &'a usage::Model,
    pub(crate) delta_nanos: i64,
    /// It had no price until then.
    pub(crate) priced: bool,
}

/// Adds what changed to the sums that are still kept.
pub(crate) async fn adjust(transaction: &DatabaseTransaction, adjusted: &[Adjusted<'_>]) -> Result<(), DbErr> {
    let mut rows: BTreeMap<Row<'_>, (i64, i64)> = BTreeMap::new();
    for adjusted in adjusted {
        let row = counted_in(transaction, adjusted.row, &rows).await?;
        for granularity_seconds in GRANULARITIES {
            let start = adjusted.row.started_at.timestamp();
            let start = start - start.rem_euclid(granularity_seconds);
            let sums = rows
                .entry(Row {
                    granularity_seconds,
                    start,
                    ..row
                })
                .or_default();
            sums.0 = sums.0.saturating_add(adjusted.delta_nanos);
            sums.1 += i64::from(adjusted.priced);
        }
    }
    let condition: Vec<_> = KEY_COLUMNS
        .iter()
        .zip(3..)
        .map(|(column, at)| format!("\"{column}\" = ?{at}"))
        .collect();
    let sql = format!(
        "UPDATE usage_rollup SET cost_nanos = cost_nanos + ?1, unpriced = unpriced - ?2 WHERE {}",
        condition.join(" AND ")
    );
    let backend = transaction.get_database_backend();
    for (row, (delta_nanos, priced)) in rows {
        let values = [Value::from(delta_nanos), Value::from(priced)];
        let values = values.into_iter().chain(key_values(&row));
        transaction
            .execute_raw(stored::statement(backend, &sql, values))
            .await?;
    }
    Ok(())
}

/// The day that a request was counted in. Rows do not tell whether the name in them was a model's of the organization: where
/// nothing was counted under it, it was not.
async fn counted_in<'a>(
    transaction: &DatabaseTransaction,
    row: &'a usage::Model,
    known: &BTreeMap<Row<'a>, (i64, i64)>,
) -> Result<Row<'a>, DbErr> {
    let started = row.started_at.timestamp();
    let named = Row {
        organization: row.organization,
        granularity_seconds: DAY,
        start: started - started.rem_euclid(DAY),
        model: row.model.as_deref().unwrap_or_default(),
        provider: row.provider.as_deref().unwrap_or_default(),
        team: row.team.unwrap_or_default(),
        key: row.key,
    };
    if named.model.is_empty() || known.contains_key(&named) {
        return Ok(named);
    }
    let condition: Vec<_> = KEY_COLUMNS
        .iter()
        .zip(1..)
        .map(|(column, at)| format!("\"{column}\" = ?{at}"))
        .collect();
    let sql = format!("SELECT 1 FROM usage_rollup WHERE {}", condition.join(" AND "));
    let statement = stored::statement(transaction.get_database_backend(), &sql, key_values(&named));
    Ok(match transaction.query_one_raw(statement).await? {
        Some(_) => named,
        None => Row { model: "", ..named },
    })
}

fn upsert(backend: DbBackend, rows: usize) -> String {
    let mut sql = format!(
        "{} INTO usage_rollup ({}) VALUES ",
        insert_of_many(backend),
        column_list()
    );
    placeholders(
        &mut sql,
        backend,
        0,
        rows,
        KEY_COLUMNS.len() + counter_columns().count(),
    );
    sql.push_str(" ON CONFLICT (\"");
    sql.push_str(&KEY_COLUMNS.join("\", \""));
    sql.push_str("\") DO UPDATE SET ");
    let sums = counter_columns().map(|column| format!("{column} = usage_rollup.{column} + excluded.{column}"));
    sql.push_str(&sums.collect::<Vec<_>>().join(", "));
    sql
}

/// The columns that are summed up, in the order in which `Sums` has them.
pub(crate) fn counter_columns() -> impl Iterator<Item = String> {
    let slots = |name: &'static str| (0..SLOTS).map(move |slot| format!("{name}_{slot:02}"));
    COUNTERS
        .into_iter()
        .map(str::to_owned)
        .chain(slots("duration"))
        .chain(slots("first_token"))
}

impl Sums {
    /// The inverse of how a row is written.
    pub(crate) fn from_columns(mut next: impl FnMut() -> Result<i64, DbErr>) -> Result<Self, DbErr> {
        let mut sums = Self::default();
        let counters = sums.counters.iter_mut();
        for counter in counters.chain(&mut sums.duration.0).chain(&mut sums.first_token.0) {
            *counter = next()?;
        }
        Ok(sums)
    }

    fn count(&mut self, record: &UsageRecord) {
        let error = match record.outcome {
            Outcome::Refused | Outcome::Failed | Outcome::Cut => 1,
            Outcome::Complete | Outcome::ClientGone => 0,
        };
        let unpriced = i64::from(record.upstream.is_some() && record.cost.is_none());
        let tokens = Tokens::of(&record.lines);
        let cost = record.cost.map_or(0, |cost| cost.get());
        let (hit, miss) = match record.cache {
            CacheStatus::Hit => (1, 0),
            CacheStatus::Miss => (0, 1),
            CacheStatus::Off => (0, 0),
        };
        let saved = record.saved.map_or(0, |saved| saved.get());
        let more = [1, error, unpriced, tokens.input, tokens.output, cost, hit, miss, saved];
        self.add_counters(more);
        if record.outcome == Outcome::Complete {
            self.duration.count(Duration::from_micros(record.duration_us));
        }
        if let Some(first_token_us) = record.first_token_us {
            self.first_token.count(Duration::from_micros(first_token_us));
        }
    }

    pub(crate) const fn requests(&self) -> i64 {
        let [requests, ..] = self.counters;
        requests
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.add_counters(other.counters);
        self.duration.add(&other.duration);
        self.first_token.add(&other.first_token);
    }

    fn add_counters(&mut self, more: [i64; COUNTERS.len()]) {
        for (sum, more) in self.counters.iter_mut().zip(more) {
            *sum = sum.saturating_add(more);
        }
    }
}

/// Tokens of a request by direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tokens {
    pub(crate) input: i64,
    pub(crate) output: i64,
}

impl Tokens {
    pub(crate) fn of(lines: &[LineItem]) -> Self {
        let mut tokens = Self::default();
        for line in lines {
            let sum = match line.unit {
                UsageUnit::InputUncached
                | UsageUnit::InputCacheRead
                | UsageUnit::InputCacheWrite5m
                | UsageUnit::InputCacheWrite1h
                | UsageUnit::InputAudio
                | UsageUnit::InputImage => &mut tokens.input,
                UsageUnit::OutputText | UsageUnit::OutputReasoning | UsageUnit::OutputAudio => &mut tokens.output,
                UsageUnit::WebSearch => continue,
            };
            *sum = sum.saturating_add(stored::number(line.quantity));
        }
        tokens
    }
}

fn minute_of(record: &UsageRecord) -> Row<'_> {
    let started = record.started_at.timestamp();
    // A name that is no model of the organization is the caller's invention, and there are endless ones.
    let model = record.model_id.and(record.model.as_deref()).unwrap_or_default();
    Row {
        organization: record.organization.uuid(),
        granularity_seconds: MINUTE,
        start: started - started.rem_euclid(MINUTE),
        model,
        provider: record.upstream.as_ref().map_or("", |upstream| upstream.name.as_str()),
        team: record.team.map_or(Uuid::nil(), |team| team.uuid()),
        key: record.key.uuid(),
    }
}

fn values(row: &Row<'_>, sums: &Sums) -> impl Iterator<Item = Value> + use<> {
    let Sums {
        counters,
        duration,
        first_token,
    } = *sums;
    let sums = counters
        .into_iter()
        .chain(duration.0)
        .chain(first_token.0)
        .map(Value::from);
    key_values(row).into_iter().chain(sums)
}

fn key_values(row: &Row<'_>) -> [Value; KEY_COLUMNS.len()] {
    [
        row.organization.into(),
        row.granularity_seconds.into(),
        row.start.into(),
        row.model.into(),
        row.provider.into(),
        row.team.into(),
        row.key.into(),
    ]
}

fn column_list() -> String {
    let mut list = format!("\"{}\"", KEY_COLUMNS.join("\", \""));
    for column in counter_columns() {
        list.push_str(", ");
        list.push_str(&column);
    }
    list
}
