//! What was spent in each window of each budget, or in each part of one that rolls. Each request says in which windows it
//! counts, and is added with its row, so that the sums are what the rows say. What had been spent in a window before its
//! budget was made is kept apart, as its opening: no row counts there.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use gatewright_contract::{BudgetShare, UsageRecord};
use gatewright_types::{BudgetId, DisplayName, Nanos, OrganizationId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, QueryResult, Value};
use uuid::Uuid;

use crate::bulk::{self, Wide, insert_of_many, placeholders};
use crate::error::DatabaseError;
use crate::scope::Scope;
use crate::stored;

const COLUMNS: [&str; 6] = ["organization", "budget", "from_ms", "name", "cost_nanos", "requests"];

static UPSERT: Wide = Wide::new(upsert);

/// What was spent in a window, or in a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetSpend {
    pub budget: BudgetId,
    /// As in `BudgetShare`.
    pub from_ms: i64,
    pub name: Option<DisplayName>,
    pub cost: Nanos,
    pub requests: u64,
}

/// Which row is meant. Without a name it is the empty text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Row<'a> {
    organization: Uuid,
    budget: Uuid,
    from_ms: i64,
    name: &'a str,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sums {
    cost_nanos: i64,
    requests: i64,
}

impl Sums {
    const fn add(&mut self, more: Self) {
        self.cost_nanos = self.cost_nanos.saturating_add(more.cost_nanos);
        self.requests += more.requests;
    }
}

impl<'a> Row<'a> {
    fn of(organization: OrganizationId, share: &'a BudgetShare) -> Self {
        Self {
            organization: organization.uuid(),
            budget: share.budget.uuid(),
            from_ms: share.from_ms,
            name: share.name.as_ref().map_or("", |name| name.as_str()),
        }
    }
}

impl Scope<'_> {
    /// All that counts in windows of these budgets that begin at its moment or later, openings included.
    pub async fn spent_since(&self, asked: &[(BudgetId, i64)]) -> Result<Vec<BudgetSpend>, DatabaseError> {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let pairs: Vec<_> = (0..asked.len())
            .map(|at| format!("(?{}, ?{})", 2 * at + 2, 2 * at + 3))
            .collect();
        let of = |table: &str| {
            format!(
                "SELECT one.budget, from_ms, name, cost_nanos, requests FROM asked JOIN {table} one \
                 ON organization = ?1 AND one.budget = asked.budget AND from_ms >= since"
            )
        };
        let sql = format!(
            "WITH asked (budget, since) AS (VALUES {}) \
             SELECT budget, from_ms, name, CAST(SUM(cost_nanos) AS BIGINT), CAST(SUM(requests) AS BIGINT) \
             FROM ({} UNION ALL {}) counted GROUP BY budget, from_ms, name ORDER BY budget, from_ms, name",
            pairs.join(", "),
            of("budget_spend"),
            of("budget_opening")
        );
        let pairs = asked
            .iter()
            .flat_map(|(budget, since_ms)| [budget.uuid().into(), (*since_ms).into()]);
        let values: Vec<Value> = std::iter::once(self.id.uuid().into()).chain(pairs).collect();
        let statement = stored::statement(self.connection.get_database_backend(), &sql, values);
        let rows = self.connection.query_all_raw(statement).await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// All that counts in a budget's windows that begin at this moment or later, openings included.
    pub async fn spent(&self, budget: BudgetId, since_ms: i64) -> Result<Vec<BudgetSpend>, DatabaseError> {
        self.spent_since(&[(budget, since_ms)]).await
    }
}

/// The sum of what was spent in windows, or parts of one, that begin within these times, openings included. `name` is
/// empty but for a budget for each.
pub(crate) async fn spent_by(
    connection: &impl ConnectionTrait,
    organization: OrganizationId,
    budget: BudgetId,
    name: &str,
    times_ms: Range<i64>,
) -> Result<Nanos, DbErr> {
    const SQL: &str = "SELECT CAST(COALESCE(SUM(cost_nanos), 0) AS BIGINT) FROM ( \
         SELECT cost_nanos FROM budget_spend \
         WHERE organization = ?1 AND budget = ?2 AND name = ?3 AND from_ms >= ?4 AND from_ms < ?5 UNION ALL \
         SELECT cost_nanos FROM budget_opening \
         WHERE organization = ?1 AND budget = ?2 AND name = ?3 AND from_ms >= ?4 AND from_ms < ?5) counted";
    let values = [
        organization.uuid().into(),
        budget.uuid().into(),
        name.into(),
        times_ms.start.into(),
        times_ms.end.into(),
    ];
    let statement = stored::statement(connection.get_database_backend(), SQL, values);
    let row = connection.query_one_raw(statement).await?;
    row.map_or(Ok(Nanos::ZERO), |row| row.try_get_by_index(0).map(Nanos::new))
}

/// Adds records to the sums of the windows that they count in. Rows are written in the order of their key, as other sums
/// are.
pub(crate) async fn add(transaction: &DatabaseTransaction, records: &[&UsageRecord]) -> Result<(), DbErr> {
    // Most requests of a batch count in the same windows.
    let mut alike: HashMap<(OrganizationId, &[BudgetShare]), Sums> = HashMap::new();
    for record in records.iter().filter(|record| !record.budgets.is_empty()) {
        let sums = alike.entry((record.organization, &record.budgets)).or_default();
        sums.add(Sums {
            cost_nanos: record.cost.map_or(0, |cost| cost.get()),
            requests: 1,
        });
    }
    let mut rows: BTreeMap<Row<'_>, Sums> = BTreeMap::new();
    for ((organization, shares), sums) in alike {
        for share in shares {
            rows.entry(Row::of(organization, share)).or_default().add(sums);
        }
    }
    write(transaction, rows).await
}

/// Adds what requests turned out to cost beyond what was added with them, to the same windows.
pub(crate) async fn adjust(
    transaction: &DatabaseTransaction,
    organization: OrganizationId,
    adjusted: &[(Vec<BudgetShare>, i64)],
) -> Result<(), DbErr> {
    let mut rows: BTreeMap<Row<'_>, Sums> = BTreeMap::new();
    for (shares, delta_nanos) in adjusted {
        for share in shares {
            rows.entry(Row::of(organization, share)).or_default().add(Sums {
                cost_nanos: *delta_nanos,
                requests: 0,
            });
        }
    }
    write(transaction, rows).await
}

async fn write(transaction: &DatabaseTransaction, rows: BTreeMap<Row<'_>, Sums>) -> Result<(), DbErr> {
    let rows: Vec<_> = rows.into_iter().collect();
    bulk::write(transaction, &UPSERT, &rows, |(row, sums)| values(row, *sums)).await
}

fn upsert(backend: DbBackend, rows: usize) -> String {
    let mut sql = format!(
        "{} INTO budget_spend ({}) VALUES ",
        insert_of_many(backend),
        COLUMNS.join(", ")
    );
    placeholders(&mut sql, backend, 0, rows, COLUMNS.len());
    sql.push_str(
        " ON CONFLICT (organization, budget, from_ms, name) DO UPDATE SET \
         cost_nanos = budget_spend.cost_nanos + excluded.cost_nanos, \
         requests = budget_spend.requests + excluded.requests",
    );
    sql
}

fn values(row: &Row<'_>, sums: Sums) -> [Value; COLUMNS.len()] {
    [
        row.organization.into(),
        row.budget.into(),
        row.from_ms.into(),
        row.name.into(),
        sums.cost_nanos.into(),
        sums.requests.into(),
    ]
}

pub(crate) fn read(row: &QueryResult) -> Result<BudgetSpend, DbErr> {
    let name: String = row.try_get_by_index(2)?;
    Ok(BudgetSpend {
        budget: BudgetId::from_uuid(row.try_get_by_index(0)?),
        from_ms: row.try_get_by_index(1)?,
        name: (!name.is_empty()).then(|| stored::parsed("name", &name)).transpose()?,
        cost: Nanos::new(row.try_get_by_index(3)?),
        requests: stored::count(row.try_get_by_index(4)?),
    })
}
