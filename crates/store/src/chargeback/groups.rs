//! What a month came to by what it is split by: one query, which adds up in the database.

use gatewright_types::api::{ChargebackBy, ChargebackKind};
use gatewright_types::{PersonId, ServiceAccountId, TagName, TeamId};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Value};

use super::entries::{COST_CENTRE, Entries, JOINS, NEXT_PARAMETER, id_text};
use crate::stored;

/// Beyond so many, the cheapest are told together.
const MOST_GROUPS: u32 = 50_000;

/// What a report is split by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Split<'a> {
    pub(super) by: ChargebackBy,
    /// With `ChargebackBy::Tag`; none for a tag that no request has.
    pub(super) tag: Option<&'a TagName>,
}

/// A row, before shared cost is spread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) kind: ChargebackKind,
    pub(super) subject: Option<String>,
    pub(super) name: Option<String>,
    pub(super) subjects: i64,
    pub(super) sums: Sums,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sums {
    pub(super) requests: i64,
    pub(super) unpriced: i64,
    pub(super) input_tokens: i64,
    pub(super) output_tokens: i64,
    pub(super) cost_nanos: i64,
}

/// In the order of `Sums`.
const COUNTED: [&str; 5] = ["requests", "unpriced", "input_tokens", "output_tokens", "cost_nanos"];

impl<'a> Split<'a> {
    /// How it stands beside the rows of a locked month.
    pub(super) fn tag_text(self) -> &'a str {
        self.tag.map_or("", TagName::as_str)
    }
}

pub(super) async fn groups(
    connection: &impl ConnectionTrait,
    entries: &Entries,
    split: Split<'_>,
) -> Result<Vec<Group>, DbErr> {
    let backend = connection.get_database_backend();
    let statement = stored::statement(
        backend,
        &sql(backend, entries, split),
        parameters(backend, entries, split),
    );
    let rows = connection.query_all_raw(statement).await?;
    rows.iter().map(read).collect()
}

/// In the order in which `sql` has them.
pub(super) const GROUP_COLUMNS: &str =
    "kind, subject, name, subjects, requests, unpriced, input_tokens, output_tokens, cost_nanos";

pub(super) fn parameters(backend: DbBackend, entries: &Entries, split: Split<'_>) -> Vec<Value> {
    let mut parameters = entries.parameters();
    if let (ChargebackBy::Tag, Some(tag)) = (split.by, split.tag) {
        parameters.push(match backend {
            DbBackend::Postgres => tag.as_str().into(),
            // Names of tags have no quotes.
            _ => format!("$.\"{tag}\"").into(),
        });
    }
    parameters
}

/// Gives `GROUP_COLUMNS`, whatever is nobody's own first, then the dearest.
pub(super) fn sql(backend: DbBackend, entries: &Entries, split: Split<'_>) -> String {
    let By { extra, subject, name } = By::of(backend, split);
    let (persons, shared_subject) = match split.by {
        ChargebackBy::User => ("LEFT JOIN person ON person.id = spent.extra", "NULL"),
        ChargebackBy::Team => ("", subject.as_str()),
        ChargebackBy::CostCentre | ChargebackBy::Tag | ChargebackBy::Customer => ("", "NULL"),
    };
    let shared_name = if split.by == ChargebackBy::Team {
        "team.name"
    } else {
        "NULL"
    };
    let sums = COUNTED.map(|column| format!("CAST(COALESCE(SUM({column}), 0) AS BIGINT) AS {column}"));
    let (sums, counted) = (sums.join(", "), COUNTED.join(", "));
    let entries = entries.sql();
    format!(
        r#"WITH entry AS ({entries}),
        spent AS (SELECT "key", team, {extra} AS extra, {sums} FROM entry GROUP BY 1, 2, 3),
        named AS (
            SELECT CASE WHEN team.shared THEN 'shared' WHEN {subject} IS NULL THEN 'unassigned' ELSE 'own' END AS kind,
                CASE WHEN team.shared THEN {shared_subject} ELSE {subject} END AS subject,
                CASE WHEN team.shared THEN {shared_name} ELSE {name} END AS name, {counted}
            FROM spent {JOINS} {persons}
        ),
        grouped AS (SELECT kind, subject, MAX(name) AS name, {sums} FROM named GROUP BY kind, subject),
        ranked AS (
            SELECT grouped.*, ROW_NUMBER() OVER (
                ORDER BY CASE WHEN kind = 'own' THEN 1 ELSE 0 END, cost_nanos DESC, subject
            ) AS place
            FROM grouped
        )
        SELECT CASE WHEN place > {MOST_GROUPS} THEN 'rest' ELSE kind END AS kind,
            CASE WHEN place <= {MOST_GROUPS} THEN subject END AS subject,
            CASE WHEN place <= {MOST_GROUPS} THEN name END AS name,
            COUNT(*) AS subjects, {sums}
        FROM ranked
        GROUP BY CASE WHEN place > {MOST_GROUPS} THEN {MOST_GROUPS} + 1 ELSE place END, 1, 2, 3
        ORDER BY MIN(place)"#
    )
}

/// The texts in which the ways to split differ.
struct By {
    /// What entries are added up by besides key and team.
    extra: String,
    /// What a row is about.
    subject: String,
    name: &'static str,
}

impl By {
    fn of(backend: DbBackend, split: Split<'_>) -> Self {
        let nothing = || "CAST(NULL AS text)".to_owned();
        match split.by {
            ChargebackBy::CostCentre => Self {
                extra: nothing(),
                subject: COST_CENTRE.to_owned(),
                name: "NULL",
            },
            ChargebackBy::Team => Self {
                extra: nothing(),
                subject: id_text(backend, TeamId::PREFIX, "spent.team"),
                name: "team.name",
            },
            ChargebackBy::Tag => Self {
                extra: match (split.tag, backend) {
                    (None, _) => nothing(),
                    (Some(_), DbBackend::Postgres) => format!("CAST(tags AS jsonb) ->> ?{NEXT_PARAMETER}"),
                    (Some(_), _) => format!("json_extract(tags, ?{NEXT_PARAMETER})"),
                },
                subject: "spent.extra".to_owned(),
                name: "NULL",
            },
            ChargebackBy::User => Self {
                extra: "owner".to_owned(),
                subject: format!(
                    "COALESCE({}, {})",
                    id_text(backend, PersonId::PREFIX, "spent.extra"),
                    id_text(backend, ServiceAccountId::PREFIX, r#""key".service_account"#)
                ),
                name: "CASE WHEN spent.extra IS NULL THEN service_account.name ELSE person.name END",
            },
            ChargebackBy::Customer => Self {
                extra: "end_user".to_owned(),
                subject: "spent.extra".to_owned(),
                name: "NULL",
            },
        }
    }
}

pub(super) fn read(row: &QueryResult) -> Result<Group, DbErr> {
    let kind: String = row.try_get_by_index(0)?;
    Ok(Group {
        kind: stored::one_of("kind", &kind, &ChargebackKind::ALL, ChargebackKind::as_str)?,
        subject: row.try_get_by_index(1)?,
        name: row.try_get_by_index(2)?,
        subjects: row.try_get_by_index(3)?,
        sums: Sums::read(row, 4)?,
    })
}

impl Sums {
    /// Columns in the order of `COUNTED`.
    pub(super) fn read(row: &QueryResult, first: usize) -> Result<Self, DbErr> {
        Ok(Self {
            requests: row.try_get_by_index(first)?,
            unpriced: row.try_get_by_index(first + 1)?,
            input_tokens: row.try_get_by_index(first + 2)?,
            output_tokens: row.try_get_by_index(first + 3)?,
            cost_nanos: row.try_get_by_index(first + 4)?,
        })
    }

    pub(super) const fn negated(self) -> Self {
        Self {
            requests: -self.requests,
            unpriced: -self.unpriced,
            input_tokens: -self.input_tokens,
            output_tokens: -self.output_tokens,
            cost_nanos: -self.cost_nanos,
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.unpriced += other.unpriced;
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.cost_nanos += other.cost_nanos;
    }
}
