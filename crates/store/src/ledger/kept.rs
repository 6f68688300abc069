//! What requests spend that are removed while a budget's window reaches further back: kept for each such budget, by the
//! day of its time zone or the part of a window that rolls, in the transaction that removes them. Of budgets whose
//! spending is in the sums of usage nothing is kept, since those stay.

use std::collections::{BTreeMap, HashMap};
use std::mem;

use chrono::{DateTime, Utc};
use gatewright_contract::{Budget, Counting};
use gatewright_types::api::BudgetWindow;
use gatewright_types::{BudgetId, OrganizationId};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait as _,
    QueryFilter as _, Value,
};
use uuid::Uuid;

use super::counting;
use super::openings::{bounds, counted_from, is_by_sums, is_of, name_of, of_rows, sums_of};
use crate::adjustments::{self, ByRequest};
use crate::bulk::{self, Wide, insert_of_many, placeholders};
use crate::entity::budget_kept::{Column, Entity, Model};
use crate::entity::usage;
use crate::scope::Scope;
use crate::usage::MINTED_WITHIN;

/// For `counted_from_ms`: requests of before a budget counted.
pub(crate) const COUNTS_IN_NONE: i64 = -1;

const COLUMNS: [&str; 7] = [
    "organization",
    "budget",
    "from_ms",
    "name",
    "counted_from_ms",
    "cost_nanos",
    "requests",
];

static UPSERT: Wide = Wide::new(upsert);

/// A budget, and since when its requests are needed.
#[derive(Debug)]
struct Needed {
    budget: Budget,
    counting: Counting,
    since: DateTime<Utc>,
}

/// In the order of the table's key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    budget: Uuid,
    from_ms: i64,
    name: String,
    counted_from_ms: i64,
}

/// Adds up what of an organization's requests has to be kept.
#[derive(Debug)]
pub(crate) struct Keeping {
    organization: OrganizationId,
    needed: Vec<Needed>,
    sums: BTreeMap<Place, (i64, i64)>,
}

impl Keeping {
    /// For requests of before `cut`; nothing where no budget needs them. How these budgets count is noted, if it was not.
    pub(crate) async fn begin(
        transaction: &DatabaseTransaction,
        organization: OrganizationId,
        cut: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Option<Self>, DbErr> {
        let scope = Scope::new(transaction, organization);
        let mut needed = Vec::new();
        for budget in scope.all_budgets().await? {
            let known = counting::begin(transaction, organization, &budget, now).await?;
            let is_open = !counting::is_settled(transaction, &known).await?;
            let of_opening = budget.counting(known.since);
            let opening = (is_open && !is_by_sums(&budget, of_opening, known.since, now))
                .then(|| bounds(of_opening, known.since).0);
            let counting = budget.counting(now);
            let course = is_kept_for(&budget).then(|| counting.since(now));
            let since = opening.into_iter().chain(course).min();
            if let Some(since) = since.filter(|since| *since < cut + MINTED_WITHIN) {
                needed.push(Needed {
                    budget,
                    counting,
                    since,
                });
            }
        }
        Ok((!needed.is_empty()).then_some(Self {
            organization,
            needed,
            sums: BTreeMap::new(),
        }))
    }

    /// Requests of which something may have to be kept.
    pub(crate) fn condition(&self, backend: DbBackend) -> Condition {
        let scopes = self.needed.iter().map(|needed| of_rows(&needed.budget.scope, backend));
        scopes.fold(Condition::any(), Condition::add)
    }

    pub(crate) fn add(&mut self, row: &usage::Model, adjustments: &ByRequest) -> Result<(), DbErr> {
        let adjustments = adjustments.get(&row.id).map_or(&[][..], Vec::as_slice);
        let cost = adjustments::with(row.cost_nanos, adjustments).unwrap_or(0);
        for Needed {
            budget,
            counting,
            since,
        } in &self.needed
        {
            if row.started_at < *since || !is_of(&budget.scope, row)? {
                continue;
            }
            let Some(name) = name_of(&budget.scope, row)? else {
                continue;
            };
            let place = Place {
                budget: budget.id.uuid(),
                from_ms: kept_from(budget, *counting, row.started_at),
                name,
                counted_from_ms: counted_from(budget.id, row)?.unwrap_or(COUNTS_IN_NONE),
            };
            let sums = self.sums.entry(place).or_default();
            sums.0 = sums.0.saturating_add(cost);
            sums.1 += 1;
        }
        Ok(())
    }

    /// Adds it to what was kept already, and begins anew.
    pub(crate) async fn write(&mut self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        let organization = self.organization.uuid();
        let rows: Vec<_> = mem::take(&mut self.sums).into_iter().collect();
        bulk::write(transaction, &UPSERT, &rows, |(place, (cost_nanos, requests))| {
            let values: [Value; COLUMNS.len()] = [
                organization.into(),
                place.budget.into(),
                place.from_ms.into(),
                place.name.as_str().into(),
                place.counted_from_ms.into(),
                (*cost_nanos).into(),
                (*requests).into(),
            ];
            values
        })
        .await
    }
}

/// What was kept for a budget since a moment.
pub(crate) async fn of(
    connection: &impl ConnectionTrait,
    organization: OrganizationId,
    budget: BudgetId,
    since: DateTime<Utc>,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Organization.eq(organization.uuid()))
        .filter(Column::Budget.eq(budget.uuid()))
        .filter(Column::FromMs.gte(since.timestamp_millis()))
        .all(connection)
        .await
}

/// Notes how all of an organization's budgets count, so that what is removed from now on is kept for them.
pub(crate) async fn prepare(
    transaction: &DatabaseTransaction,
    organization: OrganizationId,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    for budget in Scope::new(transaction, organization).all_budgets().await? {
        counting::begin(transaction, organization, &budget, now).await?;
    }
    Ok(())
}

/// Forgets what no window of an organization's budgets reaches any more, and what was kept for budgets that are gone.
pub(crate) async fn prune(
    transaction: &DatabaseTransaction,
    organization: OrganizationId,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let budgets = Scope::new(transaction, organization).all_budgets().await?;
    let mut needed = HashMap::with_capacity(budgets.len());
    for budget in budgets {
        let mut since = budget.counting(now).since(now);
        if let Some(known) = counting::of(transaction, organization, &budget).await?
            && !counting::is_settled(transaction, &known).await?
        {
            since = since.min(bounds(budget.counting(known.since), known.since).0);
        }
        needed.insert(budget.id.uuid(), since.timestamp_millis());
    }
    let of_it = Column::Organization.eq(organization.uuid());
    let gone = Condition::all()
        .add(of_it.clone())
        .add(Column::Budget.is_not_in(needed.keys().copied()));
    Entity::delete_many().filter(gone).exec(transaction).await?;
    for (budget, since_ms) in needed {
        let over = Condition::all()
            .add(of_it.clone())
            .add(Column::Budget.eq(budget))
            .add(Column::FromMs.lt(since_ms));
        Entity::delete_many().filter(over).exec(transaction).await?;
    }
    Ok(())
}

/// Whether what requests spend that are removed is kept for a budget in all of its windows, and not for an opening alone.
pub(crate) fn is_kept_for(budget: &Budget) -> bool {
    sums_of(&budget.scope).is_none()
}

/// Where that begins which a request is added to: never more than what counts in a window together.
fn kept_from(budget: &Budget, counting: Counting, at: DateTime<Utc>) -> i64 {
    let of = |window| Counting::at(window, budget.zone, at).since(at).timestamp_millis();
    match counting {
        Counting::Rolling { .. } => budget.share(counting, at, None).from_ms,
        Counting::Period(_) if budget.spec.window == BudgetWindow::Hour => of(BudgetWindow::Hour),
        Counting::Period(_) | Counting::Total => of(BudgetWindow::Day),
    }
}

fn upsert(backend: DbBackend, rows: usize) -> String {
    let mut sql = format!(
        "{} INTO budget_kept ({}) VALUES ",
        insert_of_many(backend),
        COLUMNS.join(", ")
    );
    placeholders(&mut sql, backend, 0, rows, COLUMNS.len());
    sql.push_str(
        " ON CONFLICT (organization, budget, from_ms, name, counted_from_ms) DO UPDATE SET \
         cost_nanos = budget_kept.cost_nanos + excluded.cost_nanos, requests = budget_kept.requests + excluded.requests",
    );
    sql
}
