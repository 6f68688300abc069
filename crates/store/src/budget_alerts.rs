//! What was reached of budgets. Whoever takes in usage looks at the budgets that it counts in: a step is a row, so that
//! of several nodes one tells it, and tells it once in a window.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use gatewright_contract::{Budget, BudgetUnit, Counting, UsageRecord};
use gatewright_types::api::{BudgetAction, BudgetAlert, BudgetWindow, LimitScope};
use gatewright_types::{BudgetId, DisplayName, Nanos, OrganizationId};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, SqlErr,
};

use crate::budget_spend::spent_by;
use crate::entity::budget_alert::{Column, Entity, Model};
use crate::entity::budget_request;
use crate::error::DatabaseError;
use crate::scope::Scope;
use crate::system::System;
use crate::{budgets, stored};

/// The alerts of a budget that are told, the newest first.
const TOLD_ALERTS: u64 = 200;

/// A step that a budget reached just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachedStep {
    pub organization: OrganizationId,
    pub budget: BudgetId,
    pub scope: LimitScope,
    pub step: u16,
    pub spent: Nanos,
    pub cap: Nanos,
}

/// A budget whose refusal asks for more, in a window in which nothing did so yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AskingBudget {
    pub organization: OrganizationId,
    pub budget: BudgetId,
    /// The beginning of its window.
    pub asked_in_ms: i64,
}

/// A budget in a window, for whom where it is for each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Touched {
    organization: OrganizationId,
    budget: BudgetId,
    name: Option<DisplayName>,
}

impl Scope<'_> {
    /// What was reached of a budget, the newest first.
    pub async fn budget_alerts(&self, budget: BudgetId) -> Result<Vec<BudgetAlert>, DatabaseError> {
        let rows = Entity::find()
            .filter(Column::Organization.eq(self.id.uuid()))
            .filter(Column::Budget.eq(budget.uuid()))
            .order_by_desc(Column::At)
            .order_by_desc(Column::Step)
            .limit(TOLD_ALERTS)
            .all(&self.connection)
            .await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }
}

impl System<'_> {
    /// Notes what was reached of the budgets that these records count in, and gives what nobody noted before.
    pub async fn note_reached(
        &self,
        records: &[UsageRecord],
        now: DateTime<Utc>,
    ) -> Result<Vec<ReachedStep>, DatabaseError> {
        let touched: BTreeSet<_> = records
            .iter()
            .flat_map(|record| {
                record.budgets.iter().map(|share| Touched {
                    organization: record.organization,
                    budget: share.budget,
                    name: share.name.clone(),
                })
            })
            .collect();
        let budgets = self.counted(touched.iter().map(|one| one.budget)).await?;
        let mut reached = Vec::new();
        for one in &touched {
            let Some(budget) = budgets.get(&(one.organization, one.budget)) else {
                continue;
            };
            if budget.spec.alerts.is_empty() || budget.scope.is_for_each() != one.name.is_some() {
                continue;
            }
            self.note_steps(one, budget, now, &mut reached).await?;
        }
        Ok(reached)
    }

    /// Budgets that refused one of these requests and ask whoever may raise them.
    pub async fn asking_budgets(&self, records: &[UsageRecord]) -> Result<BTreeSet<AskingBudget>, DatabaseError> {
        let refused: Vec<_> = records
            .iter()
            .filter(|record| record.code.as_deref() == Some("budget_exceeded"))
            .filter_map(|record| Some((record, record.over.as_ref()?.parse::<BudgetId>().ok()?)))
            .collect();
        let budgets = self.counted(refused.iter().map(|(_, budget)| *budget)).await?;
        let mut asking = BTreeSet::new();
        for (record, id) in refused {
            let Some(budget) = budgets.get(&(record.organization, id)) else {
                continue;
            };
            if budget.spec.action == BudgetAction::Ask {
                asking.insert(AskingBudget {
                    organization: record.organization,
                    budget: id,
                    asked_in_ms: window_ms(budget, record.started_at),
                });
            }
        }
        let asked = self.asked(&asking).await?;
        asking.retain(|one| !asked.contains(&(one.budget, one.asked_in_ms)));
        Ok(asking)
    }

    async fn asked(&self, asking: &BTreeSet<AskingBudget>) -> Result<HashSet<(BudgetId, i64)>, DbErr> {
        if asking.is_empty() {
            return Ok(HashSet::new());
        }
        let rows: Vec<(uuid::Uuid, Option<i64>)> = budget_request::Entity::find()
            .select_only()
            .column(budget_request::Column::Budget)
            .column(budget_request::Column::AskedInMs)
            .filter(budget_request::Column::Budget.is_in(asking.iter().map(|one| one.budget.uuid())))
            .filter(budget_request::Column::AskedInMs.is_in(asking.iter().map(|one| one.asked_in_ms)))
            .into_tuple()
            .all(&self.db.read)
            .await?;
        let asked = rows.into_iter();
        Ok(asked
            .filter_map(|(budget, ms)| Some((BudgetId::from_uuid(budget), ms?)))
            .collect())
    }

    /// As nodes count by them.
    async fn counted(
        &self,
        ids: impl Iterator<Item = BudgetId>,
    ) -> Result<BTreeMap<(OrganizationId, BudgetId), Budget>, DbErr> {
        let ids: BTreeSet<_> = ids.map(BudgetId::uuid).collect();
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let units = budgets::units(&self.db.read, ids).await?;
        let budgets = units
            .into_iter()
            .filter_map(|(organization, id, unit): (_, _, BudgetUnit)| {
                Some(((organization, id), Budget::compiled(id, &unit)?))
            });
        Ok(budgets.collect())
    }

    async fn note_steps(
        &self,
        one: &Touched,
        budget: &Budget,
        now: DateTime<Utc>,
        reached: &mut Vec<ReachedStep>,
    ) -> Result<(), DbErr> {
        let counting = budget.counting(now);
        let spent = self.spent(one, counting.since(now), None).await?;
        let carried = match budget.carried_from(counting) {
            Some(before) => {
                let then = self.spent(one, before.from, Some(before.to)).await?;
                budget.spec.amount.saturating_sub(then).max(Nanos::ZERO)
            }
            None => Nanos::ZERO,
        };
        let cap = budget.cap(now).saturating_add(carried);
        let steps = reached_steps(&budget.spec.alerts, spent, cap);
        if steps.is_empty() {
            return Ok(());
        }
        let from_ms = window_ms(budget, now);
        let name = one.name.as_ref().map_or("", |name| name.as_str());
        let noted: Vec<i16> = Entity::find()
            .select_only()
            .column(Column::Step)
            .filter(Column::Budget.eq(one.budget.uuid()))
            .filter(Column::Name.eq(name))
            .filter(Column::FromMs.eq(from_ms))
            .into_tuple()
            .all(&self.db.read)
            .await?;
        for step in steps.into_iter().filter(|step| !noted.contains(&stored_step(*step))) {
            let row = Model {
                budget: one.budget.uuid(),
                name: name.to_owned(),
                from_ms,
                step: stored_step(step),
                organization: one.organization.uuid(),
                cap: cap.get(),
                spent: spent.get(),
                at: stored::time(now),
            };
            if insert(&self.db.write, row).await? {
                reached.push(ReachedStep {
                    organization: one.organization,
                    budget: one.budget,
                    scope: budget.scope.clone(),
                    step,
                    spent,
                    cap,
                });
            }
        }
        Ok(())
    }

    async fn spent(&self, one: &Touched, from: DateTime<Utc>, to: Option<DateTime<Utc>>) -> Result<Nanos, DbErr> {
        let name = one.name.as_ref().map_or("", |name| name.as_str());
        let to_ms = to.map_or(i64::MAX, |to| to.timestamp_millis());
        let times = from.timestamp_millis()..to_ms;
        spent_by(&self.db.read, one.organization, one.budget, name, times).await
    }
}

/// The percentages of the cap that were reached. Of nothing there are none.
pub fn reached_steps(alerts: &[u16], spent: Nanos, cap: Nanos) -> Vec<u16> {
    let reached = |step: &u16| i128::from(spent.get()) * 100 >= i128::from(cap.get()) * i128::from(*step);
    match cap > Nanos::ZERO {
        true => alerts.iter().copied().filter(reached).collect(),
        false => Vec::new(),
    }
}

/// The beginning of the window in which something is told once. What rolls has one for each of its lengths.
fn window_ms(budget: &Budget, at: DateTime<Utc>) -> i64 {
    match (budget.counting(at), budget.spec.window) {
        (Counting::Period(period), _) => period.from.timestamp_millis(),
        (Counting::Rolling { .. }, BudgetWindow::Rolling(length)) => {
            let length = i64::try_from(length.get().as_millis()).unwrap_or(i64::MAX).max(1);
            at.timestamp_millis().div_euclid(length) * length
        }
        (Counting::Rolling { .. } | Counting::Total, _) => 0,
    }
}

/// False where another node was first.
async fn insert(connection: &impl ConnectionTrait, row: Model) -> Result<bool, DbErr> {
    let key = [Column::Budget, Column::Name, Column::FromMs, Column::Step];
    let rows = Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::columns(key).do_nothing().to_owned())
        .exec_without_returning(connection)
        .await;
    match rows {
        Ok(rows) => Ok(rows > 0),
        Err(DbErr::RecordNotInserted) => Ok(false),
        // The budget went meanwhile.
        Err(error) if matches!(error.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_))) => Ok(false),
        Err(error) => Err(error),
    }
}

/// At most 1,000.
fn stored_step(step: u16) -> i16 {
    i16::try_from(step).unwrap_or(i16::MAX)
}

fn read(row: &Model) -> Result<BudgetAlert, DbErr> {
    Ok(BudgetAlert {
        step: u16::try_from(row.step).unwrap_or_default(),
        name: (!row.name.is_empty())
            .then(|| stored::parsed("name", &row.name))
            .transpose()?,
        from: (row.from_ms > 0)
            .then(|| DateTime::from_timestamp_millis(row.from_ms))
            .flatten(),
        spent: Nanos::new(row.spent),
        cap: Nanos::new(row.cap),
        at: row.at,
    })
}
