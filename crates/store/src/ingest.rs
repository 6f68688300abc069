//! Takes in what the nodes' journals deliver, each record once, whatever is repeated, overlaps or breaks off: rows,
//! sums and the number up to which the node may forget its journal are one transaction.
//!
//! A solo server does this in the process that serves requests, so it has to be cheap. Rows go in many to a statement;
//! that is why the SQL here is written by hand. The row's key is the
//! organization and the record's identifier: a record never changes its organization, so that one key is enough both to
//! keep a record from coming in twice and to list an organization's requests in order.

use std::collections::HashSet;

use gatewright_contract::{Batch, UsageRecord};
use gatewright_types::NodeId;
use gatewright_types::api::{CacheStatus, Outcome};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DatabaseTransaction, DbBackend, DbErr, EntityTrait as _,
    IntoActiveModel as _, QueryFilter as _, Statement, Value,
};
use uuid::Uuid;

use crate::budget_spend;
use crate::bulk::{Wide, insert_of_many, list, placeholders, portions};
use crate::canary_usage;
use crate::chargeback::late;
use crate::entity::usage_ack;
use crate::error::DatabaseError;
use crate::request_traces;
use crate::rollup::{self, Tokens};
use crate::stored;
use crate::system::System;

/// What many requests of a batch have in common.
const SHARED: [&str; 19] = [
    "organization",
    "key",
    "team",
    "dialect",
    "model",
    "provider",
    "upstream_model",
    "stream",
    "outcome",
    "status",
    "code",
    "attempts",
    "estimated",
    "service_tier",
    "cache",
    "saved_nanos",
    "owner",
    "downgraded_to",
    "over",
];
/// What they have in common or not, by how an organization works: nothing of it, all the same, or each something else.
const VARIED: [&str; 4] = ["end_user", "tags", "budgets", "credential"];
/// What each has for itself.
const OWN: [&str; 10] = [
    "id",
    "started_at",
    "lines",
    "cost_nanos",
    "input_tokens",
    "output_tokens",
    "duration_us",
    "first_token_us",
    "overhead_us",
    "provider_cost_nanos",
];
/// For records that share all they can.
static INSERT_ALIKE: Wide =
    Wide::new(|backend, rows| insert(backend, rows, &[VARIED.as_slice(), &SHARED].concat(), &OWN));
static INSERT_VARIED: Wide =
    Wide::new(|backend, rows| insert(backend, rows, &SHARED, &[OWN.as_slice(), &VARIED].concat()));
static INSERT: Wide =
    Wide::new(|backend, rows| insert(backend, rows, &[], &[OWN.as_slice(), &VARIED, &SHARED].concat()));
static INSERT_RETURNING: Wide = Wide::new(|backend, rows| INSERT.text(backend, rows) + " RETURNING \"id\"");
/// The longest text kept of what a caller wrote.
const LONGEST_TEXT: usize = 256;

/// What a batch did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ingested {
    /// The database has every record of the node up to this number; 0 for none.
    pub acked: u64,
    /// Records of the batch that the database had not seen.
    pub new: u64,
}

/// What a batch is taken to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    AllNew,
    Repeats,
}

impl System<'_> {
    /// Stores what is new in the batch. The acknowledgement advances only when the batch follows what is there already:
    /// never over a gap.
    pub async fn ingest(&self, batch: &Batch) -> Result<Ingested, DatabaseError> {
        // Asking the database which rows it took costs as much as storing them, and usually it takes all.
        if let Some(ingested) = self.try_ingest(batch, Expect::AllNew).await? {
            return Ok(ingested);
        }
        let ingested = self.try_ingest(batch, Expect::Repeats).await?;
        Ok(ingested.ok_or_else(|| DbErr::RecordNotInserted)?)
    }

    /// Nothing, and nothing done, when the batch is not as expected.
    async fn try_ingest(&self, batch: &Batch, expect: Expect) -> Result<Option<Ingested>, DbErr> {
        let transaction = self.db.begin().await?;
        let before = acknowledged(&transaction, batch.node).await?;
        let Some(new) = insert_new(&transaction, &batch.records, expect).await? else {
            transaction.rollback().await?;
            return Ok(None);
        };
        rollup::add(&transaction, &new).await?;
        request_traces::keep(&transaction, &new).await?;
        canary_usage::add(&transaction, &new).await?;
        budget_spend::add(&transaction, &new).await?;
        late::note(&transaction, &new).await?;
        let no_gap = batch.follows <= before;
        let acked = batch.last().filter(|_| no_gap).map_or(before, |last| last.max(before));
        if acked > before {
            usage_ack::Entity::update_many()
                .col_expr(usage_ack::Column::Acked, Expr::value(stored::number(acked)))
                .filter(usage_ack::Column::Node.eq(batch.node.uuid()))
                .exec(&transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(Some(Ingested {
            acked,
            new: u64::try_from(new.len()).unwrap_or(u64::MAX),
        }))
    }

    /// Up to which number the database has the node's records.
    pub async fn acked(&self, node: NodeId) -> Result<u64, DatabaseError> {
        let row = usage_ack::Entity::find_by_id(node.uuid()).one(&self.db.read).await?;
        Ok(row.map_or(0, |row| stored::count(row.acked)))
    }
}

/// The node's number so far. Its row stays locked, so that batches of one node come in one after the other.
async fn acknowledged(transaction: &DatabaseTransaction, node: NodeId) -> Result<u64, DbErr> {
    let row = usage_ack::Model {
        node: node.uuid(),
        acked: 0,
    };
    let lock = OnConflict::column(usage_ack::Column::Node)
        .update_column(usage_ack::Column::Node)
        .to_owned();
    let insert = usage_ack::Entity::insert(row.into_active_model()).on_conflict(lock);
    Ok(stored::count(insert.exec_with_returning(transaction).await?.acked))
}

/// Inserts the records that are not there yet, and returns those; nothing when all were to be new and some are not.
async fn insert_new<'a>(
    transaction: &DatabaseTransaction,
    records: &'a [UsageRecord],
    expect: Expect,
) -> Result<Option<Vec<&'a UsageRecord>>, DbErr> {
    let mut records: Vec<_> = records.iter().collect();
    records.sort_by(|one, other| (shared(one), varied(one)).cmp(&(shared(other), varied(other))));
    let mut new = Vec::with_capacity(records.len());
    for portion in portions(&records) {
        match expect {
            Expect::AllNew => {
                let statement = insert_all(transaction.get_database_backend(), portion);
                let inserted = transaction.execute_raw(statement).await?.rows_affected();
                if usize::try_from(inserted) != Ok(portion.len()) {
                    return Ok(None);
                }
                new.extend(portion);
            }
            Expect::Repeats => {
                let statement = insert_returning(transaction.get_database_backend(), portion);
                let rows = transaction.query_all_raw(statement).await?;
                let ids = rows.iter().map(|row| row.try_get_by_index::<Uuid>(0));
                let mut ids = ids.collect::<Result<HashSet<_>, _>>()?;
                // Taken out as they are met: the batch itself may hold a record twice.
                new.extend(portion.iter().filter(|record| ids.remove(&record.id.uuid())));
            }
        }
    }
    Ok(Some(new))
}

/// What sorted records share is sent once, where they share all they can: half of what a record costs is its values.
fn insert_all(backend: DbBackend, sorted: &[&UsageRecord]) -> Statement {
    let (statement, values): (_, Vec<_>) = match sorted {
        [first, .., last] if shared(first) == shared(last) => match varied(first) == varied(last) {
            true => {
                let same = varied_values(first).into_iter().chain(shared_values(first));
                (
                    &INSERT_ALIKE,
                    sorted
                        .iter()
                        .flat_map(|record| own_values(record))
                        .chain(same)
                        .collect(),
                )
            }
            false => {
                let own_and_varied =
                    |record: &&UsageRecord| own_values(record).into_iter().chain(varied_values(record));
                let each = sorted.iter().flat_map(own_and_varied);
                (&INSERT_VARIED, each.chain(shared_values(first)).collect())
            }
        },
        _ => (&INSERT, all_values(sorted)),
    };
    Statement::from_sql_and_values(backend, statement.text(backend, sorted.len()), values)
}

fn insert_returning(backend: DbBackend, records: &[&UsageRecord]) -> Statement {
    Statement::from_sql_and_values(
        backend,
        INSERT_RETURNING.text(backend, records.len()),
        all_values(records),
    )
}

/// Rows of what each has for itself, to which what they share is added.
fn insert(backend: DbBackend, rows: usize, shared: &[&str], own: &[&str]) -> String {
    let mut sql = format!("WITH own (\"{}\") AS (VALUES ", own.join("\", \""));
    placeholders(&mut sql, backend, 0, rows, own.len());
    sql.push_str(&format!(
        ") {} INTO usage (\"{}\") SELECT own.*",
        insert_of_many(backend),
        [own, shared].concat().join("\", \"")
    ));
    if !shared.is_empty() {
        sql.push_str(", ");
        list(&mut sql, backend, rows * own.len(), shared.len());
    }
    // Without a condition SQLite would take what follows for that of a join.
    sql.push_str(" FROM own WHERE true ON CONFLICT DO NOTHING");
    sql
}

fn shared(record: &UsageRecord) -> impl Ord + '_ {
    let upstream = record.upstream.as_ref();
    (
        (
            record.organization.uuid(),
            record.key.uuid(),
            record.team.map(|team| team.uuid()),
        ),
        record.dialect.as_str(),
        record.model.as_deref(),
        upstream.map(|upstream| {
            (
                upstream.name.as_str(),
                upstream.model.as_ref().map(|model| model.as_str()),
            )
        }),
        record.stream,
        outcome_name(record.outcome),
        (record.status, record.code.as_deref(), record.attempts),
        record.estimated,
        (
            record.served.map(|tier| tier.as_str()),
            cache_name(record.cache),
            record.saved,
        ),
        (
            record.owner.map(|owner| owner.uuid()),
            record.downgraded_to.as_ref().map(|model| model.as_str()),
            record.over.as_deref(),
        ),
    )
}

fn varied(record: &UsageRecord) -> impl Ord + '_ {
    (
        record.end_user.as_ref().map(|name| name.as_str()),
        &record.tags,
        &record.budgets,
        credential(record),
    )
}

fn credential(record: &UsageRecord) -> Option<Uuid> {
    Some(record.upstream.as_ref()?.credential?.uuid())
}

fn all_values(records: &[&UsageRecord]) -> Vec<Value> {
    let all = |record: &&UsageRecord| {
        let common = varied_values(record).into_iter().chain(shared_values(record));
        own_values(record).into_iter().chain(common)
    };
    records.iter().flat_map(all).collect()
}

fn shared_values(record: &UsageRecord) -> [Value; SHARED.len()] {
    let upstream = record.upstream.as_ref();
    [
        record.organization.uuid().into(),
        record.key.uuid().into(),
        record.team.map(|team| team.uuid()).into(),
        record.dialect.as_str().into(),
        record.model.as_deref().map(storable).into(),
        upstream.map(|upstream| upstream.name.as_str()).into(),
        upstream
            .and_then(|upstream| upstream.model.as_ref())
            .map(|model| model.as_str())
            .into(),
        record.stream.into(),
        outcome_name(record.outcome).into(),
        i16::try_from(record.status).unwrap_or(i16::MAX).into(),
        record.code.as_deref().map(storable).into(),
        i64::from(record.attempts).into(),
        record.estimated.into(),
        record.served.map(|tier| tier.as_str()).into(),
        cache_name(record.cache).into(),
        record.saved.map(|saved| saved.get()).into(),
        record.owner.map(|owner| owner.uuid()).into(),
        record.downgraded_to.as_ref().map(|model| model.as_str()).into(),
        record.over.as_deref().map(storable).into(),
    ]
}

fn varied_values(record: &UsageRecord) -> [Value; VARIED.len()] {
    let written = |absent: bool, json: &dyn Fn() -> String| (!absent).then(json);
    [
        record.end_user.as_ref().map(|name| storable(name.as_str())).into(),
        written(record.tags.is_empty(), &|| stored::to_json(&record.tags)).into(),
        written(record.budgets.is_empty(), &|| stored::to_json(&record.budgets)).into(),
        credential(record).into(),
    ]
}

fn own_values(record: &UsageRecord) -> [Value; OWN.len()] {
    let tokens = Tokens::of(&record.lines);
    [
        record.id.uuid().into(),
        stored::time(record.started_at).into(),
        stored::to_json(&record.lines).into(),
        record.cost.map(|cost| cost.get()).into(),
        tokens.input.into(),
        tokens.output.into(),
        stored::number(record.duration_us).into(),
        record.first_token_us.map(stored::number).into(),
        stored::number(record.overhead_us).into(),
        record.charge.map(|charge| charge.get()).into(),
    ]
}

/// Nothing for requests that were not looked for, which most are.
const fn cache_name(cache: CacheStatus) -> Option<&'static str> {
    match cache {
        CacheStatus::Off => None,
        CacheStatus::Hit | CacheStatus::Miss => Some(cache.as_str()),
    }
}

pub(crate) const fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Complete => "complete",
        Outcome::Refused => "refused",
        Outcome::Failed => "failed",
        Outcome::Cut => "cut",
        Outcome::ClientGone => "client_gone",
    }
}

/// A text from outside as any database takes it. PostgreSQL refuses the NUL character, and a record that is refused
/// would come again for ever.
fn storable(text: &str) -> String {
    text.chars()
        .take(LONGEST_TEXT)
        .map(|c| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}
