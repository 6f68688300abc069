//! What a month came to by day, key, provider, model, tags, unit and price, a day at a time: nobody has to hold a month.

use std::collections::BTreeMap;

use chrono::{NaiveDate, Utc};
use gatewright_types::{KeyId, Month, Nanos, PersonId, TagName, TeamId, UnitPrice, UsageUnit};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Value};
use uuid::Uuid;

use super::entries::{COST_CENTRE, Entries, JOINS, Part};
use super::lock;
use crate::error::DatabaseError;
use crate::scope::Scope;
use crate::stored;

/// What a key spent on a day at a model, of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    pub of: ChargeOf,
    pub unit: ChargeUnit,
}

/// What charges of the same requests have in common; they come one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeOf {
    pub day: NaiveDate,
    /// The requests came in after their month was locked.
    pub correction: bool,
    pub key: KeyId,
    pub key_name: Option<String>,
    pub team: Option<TeamId>,
    pub team_name: Option<String>,
    pub owner: Option<PersonId>,
    /// The person's or service account's whose key it was.
    pub user_name: Option<String>,
    pub cost_centre: Option<String>,
    pub provider: Option<String>,
    pub upstream_model: Option<String>,
    /// What callers said of them.
    pub tags: BTreeMap<TagName, String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChargeUnit {
    /// What all units cost together, by the ledger.
    Whole(Nanos),
    Unit {
        unit: UsageUnit,
        /// None is known.
        price: Option<UnitPrice>,
        price_version: Option<String>,
        quantity: u64,
    },
}

/// A part of a month that is read at once.
#[derive(Debug, Clone)]
pub struct ChargePart {
    month: Month,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    AddedUp(Part),
    Kept(String),
}

impl Scope<'_> {
    /// The parts of a month, in the order of their days.
    pub async fn charge_parts(&self, month: Month) -> Result<Vec<ChargePart>, DatabaseError> {
        let part = |source| ChargePart { month, source };
        if lock::of_month(&self.connection, self.id, month).await?.is_none() {
            let today = Utc::now().date_naive();
            let days = month.days().take_while(|day| *day <= today).map(Part::Day);
            let parts = std::iter::once(Part::Late).chain(days);
            return Ok(parts.map(|of| part(Source::AddedUp(of))).collect());
        }
        let sql = "SELECT DISTINCT day FROM chargeback_charge WHERE organization = ?1 AND month = ?2 ORDER BY day";
        let values: [Value; 2] = [self.id.uuid().into(), month.to_string().into()];
        let statement = stored::statement(self.connection.get_database_backend(), sql, values);
        let rows = self.connection.query_all_raw(statement).await?;
        let day = |row: &QueryResult| Ok(part(Source::Kept(row.try_get_by_index(0)?)));
        Ok(rows.iter().map(day).collect::<Result<_, DbErr>>()?)
    }

    pub async fn charges(&self, part: &ChargePart) -> Result<Vec<Charge>, DatabaseError> {
        let backend = self.connection.get_database_backend();
        let statement = match &part.source {
            Source::AddedUp(of) => {
                let entries = Entries {
                    organization: self.id,
                    month: part.month,
                    part: *of,
                };
                stored::statement(backend, &sql(backend, &entries), entries.parameters())
            }
            Source::Kept(day) => {
                let sql = format!(
                    "SELECT {COLUMNS} FROM chargeback_charge WHERE organization = ?1 AND month = ?2 AND day = ?3 \
                     ORDER BY place"
                );
                let values: [Value; 3] = [
                    self.id.uuid().into(),
                    part.month.to_string().into(),
                    day.as_str().into(),
                ];
                stored::statement(backend, &sql, values)
            }
        };
        let rows = self.connection.query_all_raw(statement).await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }
}

/// The charges of a part of a month that is being locked: a day's places, and the values of its columns.
pub(super) async fn to_keep(
    connection: &impl ConnectionTrait,
    entries: &Entries,
) -> Result<Vec<(i64, Vec<Value>)>, DbErr> {
    let backend = connection.get_database_backend();
    let statement = stored::statement(backend, &sql(backend, entries), entries.parameters());
    let rows = connection.query_all_raw(statement).await?;
    let (mut day, mut place) = (String::new(), 0);
    let mut kept = Vec::with_capacity(rows.len());
    for row in &rows {
        let of: String = row.try_get_by_index(0)?;
        if of != day {
            (day, place) = (of, 0);
        }
        place += 1;
        kept.push((place, values(row)?));
    }
    Ok(kept)
}

/// Of `COLUMNS`, as they were read.
fn values(row: &QueryResult) -> Result<Vec<Value>, DbErr> {
    let text = |at: usize| row.try_get_by_index::<Option<String>>(at).map(Value::from);
    let uuid = |at: usize| row.try_get_by_index::<Option<Uuid>>(at).map(Value::from);
    let number = |at: usize| row.try_get_by_index::<i64>(at).map(Value::from);
    Ok(vec![
        text(0)?,
        row.try_get_by_index::<bool>(1)?.into(),
        uuid(2)?,
        text(3)?,
        uuid(4)?,
        text(5)?,
        uuid(6)?,
        text(7)?,
        text(8)?,
        text(9)?,
        text(10)?,
        text(11)?,
        text(12)?,
        text(13)?,
        number(14)?,
        number(15)?,
        number(16)?,
        text(17)?,
    ])
}

/// In the order in which `read` takes them.
pub(super) const COLUMNS: &str = r#"day, correction, "key", key_name, team, team_name, owner, user_name, cost_centre, provider,
    upstream_model, unit, price, price_version, quantity, requests, cost_nanos, tags"#;
pub(super) const COLUMN_COUNT: usize = 18;

/// Charges of the same requests stand together.
const ORDER: &str =
    r#"day, correction, "key", team, owner, provider, upstream_model, tags, unit, price, price_version"#;

fn sql(backend: DbBackend, entries: &Entries) -> String {
    let (day, lines) = match backend {
        DbBackend::Postgres => (
            "to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
            "CROSS JOIN LATERAL jsonb_array_elements(CAST(entry.lines AS jsonb)) AS line(value)",
        ),
        // Times are texts that begin with the day.
        _ => ("substr(started_at, 1, 10)", ", json_each(entry.lines) AS line"),
    };
    let field = |name: &str| match backend {
        DbBackend::Postgres => format!("line.value ->> '{name}'"),
        _ => format!("json_extract(line.value, '$.{name}')"),
    };
    let [unit, price, version, quantity] = ["unit", "price", "price_version", "quantity"].map(field);
    let common = r#"correction, "key", team, owner, provider, upstream_model, tags"#;
    let entries = entries.sql();
    format!(
        r#"WITH entry AS ({entries}),
        used AS (
            SELECT {day} AS day, entry.correction, entry."key", entry.team, entry.owner, entry.provider,
                entry.upstream_model, entry.tags, {unit} AS unit,
                CASE WHEN cost_nanos IS NULL THEN NULL ELSE {price} END AS price,
                CASE WHEN cost_nanos IS NULL THEN NULL ELSE {version} END AS price_version,
                CAST({quantity} AS BIGINT) AS quantity, requests
            FROM entry {lines}
        ),
        spent AS (
            SELECT day, {common}, unit, price, price_version, CAST(SUM(quantity) AS BIGINT) AS quantity,
                CAST(SUM(requests) AS BIGINT) AS requests, CAST(0 AS BIGINT) AS cost_nanos
            FROM used GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
            UNION ALL
            SELECT {day} AS day, {common}, '' AS unit, CAST(NULL AS text), CAST(NULL AS text), CAST(0 AS BIGINT),
                CAST(SUM(requests) AS BIGINT), CAST(COALESCE(SUM(cost_nanos), 0) AS BIGINT)
            FROM entry GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
        )
        SELECT day, CAST(correction AS boolean) AS correction, spent."key" AS "key", "key".name AS key_name,
            spent.team AS team, team.name AS team_name, spent.owner AS owner,
            CASE WHEN spent.owner IS NULL THEN service_account.name ELSE person.name END AS user_name,
            {COST_CENTRE} AS cost_centre, provider, upstream_model, unit, price, price_version, quantity, requests,
            cost_nanos, spent.tags AS tags
        FROM spent {JOINS} LEFT JOIN person ON person.id = spent.owner
        ORDER BY {ORDER}"#
    )
}

fn read(row: &QueryResult) -> Result<Charge, DbErr> {
    let day: String = row.try_get_by_index(0)?;
    let uuid = |at: usize| row.try_get_by_index::<Option<Uuid>>(at);
    let of = ChargeOf {
        day: stored::parsed("day", &day)?,
        correction: row.try_get_by_index(1)?,
        key: KeyId::from_uuid(row.try_get_by_index(2)?),
        key_name: row.try_get_by_index(3)?,
        team: uuid(4)?.map(TeamId::from_uuid),
        team_name: row.try_get_by_index(5)?,
        owner: uuid(6)?.map(PersonId::from_uuid),
        user_name: row.try_get_by_index(7)?,
        cost_centre: row.try_get_by_index(8)?,
        provider: row.try_get_by_index(9)?,
        upstream_model: row.try_get_by_index(10)?,
        tags: match row.try_get_by_index::<Option<String>>(17)? {
            Some(tags) => stored::json("tags", &tags)?,
            None => BTreeMap::new(),
        },
    };
    let unit: String = row.try_get_by_index(11)?;
    let price: Option<String> = row.try_get_by_index(12)?;
    let unit = match unit.as_str() {
        "" => ChargeUnit::Whole(Nanos::new(row.try_get_by_index(16)?)),
        unit => ChargeUnit::Unit {
            unit: stored::one_of("unit", unit, &UsageUnit::ALL, UsageUnit::as_str)?,
            price: stored::parsed_or_none("price", price.as_deref())?,
            price_version: row.try_get_by_index(13)?,
            quantity: stored::count(row.try_get_by_index(14)?),
        },
    };
    Ok(Charge { of, unit })
}
