//! What a portion adds, and to what.

use chrono::{DateTime, Utc};
use gatewright_contract::{Budget, BudgetShare};
use gatewright_types::Nanos;
use gatewright_types::api::LineItem;
use sea_orm::{DatabaseTransaction, DbErr, EntityTrait as _, IntoActiveModel as _};

use super::{ChargedRequest, RepriceRun};
use crate::entity::usage_adjustment;
use crate::ledger::openings;
use crate::rollup::Adjusted;
use crate::{budget_spend, rollup, stored};

/// What a request costs now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    pub request: ChargedRequest,
    pub cost: Nanos,
    pub lines: Vec<LineItem>,
}

pub(super) async fn add(
    transaction: &DatabaseTransaction,
    run: &RepriceRun,
    adjustments: &[Adjustment],
    budgets: &[Budget],
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let mut rows = Vec::with_capacity(adjustments.len());
    let mut of_rollups = Vec::with_capacity(adjustments.len());
    let mut of_openings = Vec::with_capacity(adjustments.len());
    let mut of_budgets = Vec::with_capacity(adjustments.len());
    for Adjustment { request, cost, lines } in adjustments {
        let delta_nanos = cost.saturating_sub(request.cost.unwrap_or_default()).get();
        let (row, priced) = (&request.row, request.cost.is_none());
        rows.push(
            usage_adjustment::Model {
                organization: row.organization,
                request: row.id,
                reprice: run.id.uuid(),
                started_at: row.started_at,
                delta_nanos,
                cost_nanos: cost.get(),
                priced,
                lines: stored::to_json(lines),
                created_at: now,
            }
            .into_active_model(),
        );
        of_rollups.push(Adjusted {
            row,
            delta_nanos,
            priced,
        });
        of_openings.push((row, delta_nanos));
        if let Some(shares) = &row.budgets {
            let shares: Vec<BudgetShare> = stored::json("budgets", shares)?;
            of_budgets.push((shares, delta_nanos));
        }
    }
    for portion in rows.chunks(100) {
        usage_adjustment::Entity::insert_many(portion.to_vec())
            .exec_without_returning(transaction)
            .await?;
    }
    // In the order in which requests that come in are added.
    rollup::adjust(transaction, &of_rollups).await?;
    budget_spend::adjust(transaction, run.organization, &of_budgets).await?;
    openings::adjust(transaction, run.organization, budgets, &of_openings).await
}
