//! What is added to requests' costs afterwards. A request's row says what was charged and never changes; each adjustment
//! says what is added to that and to all earlier ones. Identifiers of runs are in the order of their times, and so are a
//! request's adjustments in the order of their key.

use std::collections::{BTreeSet, HashMap};

use gatewright_types::api::{LineItem, UsageAdjustment};
use gatewright_types::{Money, Nanos, OrganizationId, RepriceId};
use sea_orm::sea_query::{Expr, IntoCondition};
use sea_orm::{ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use uuid::Uuid;

use crate::entity::reprice;
use crate::entity::usage_adjustment::{Column, Entity, Model};
use crate::stored;

/// Adjustments by request, of each the oldest first.
pub(crate) type ByRequest = HashMap<Uuid, Vec<Model>>;

/// Why runs were begun.
pub(crate) type Runs = HashMap<Uuid, reprice::Model>;

/// What a request costs with everything that was added, in nano-dollars, over rows of `usage` under a name: what is
/// unpriced still costs nothing.
pub(crate) fn adjusted_cost(usage: &str) -> String {
    format!(
        "COALESCE({usage}.cost_nanos, 0) + COALESCE((SELECT CAST(SUM(delta_nanos) AS BIGINT) FROM usage_adjustment \
         WHERE usage_adjustment.organization = {usage}.organization AND usage_adjustment.request = {usage}.id), 0)"
    )
}

/// The same, and null for what is unpriced still.
pub(crate) fn adjusted_cost_or_null(usage: &str) -> String {
    format!(
        "CASE WHEN {usage}.cost_nanos IS NULL AND NOT EXISTS (SELECT 1 FROM usage_adjustment \
         WHERE usage_adjustment.organization = {usage}.organization AND usage_adjustment.request = {usage}.id) \
         THEN NULL ELSE {} END",
        adjusted_cost(usage)
    )
}

/// The lines that this cost is made of.
pub(crate) fn adjusted_lines(usage: &str) -> String {
    format!(
        "COALESCE((SELECT usage_adjustment.lines FROM usage_adjustment \
         WHERE usage_adjustment.organization = {usage}.organization AND usage_adjustment.request = {usage}.id \
         ORDER BY usage_adjustment.reprice DESC LIMIT 1), {usage}.lines)"
    )
}

/// Those of some requests.
pub(crate) async fn of(
    connection: &impl ConnectionTrait,
    organization: OrganizationId,
    requests: impl IntoCondition,
) -> Result<ByRequest, DbErr> {
    let rows = Entity::find()
        .filter(Column::Organization.eq(organization.uuid()))
        .filter(requests.into_condition())
        .order_by_asc(Column::Request)
        .order_by_asc(Column::Reprice)
        .all(connection)
        .await?;
    let mut by_request = ByRequest::new();
    for row in rows {
        by_request.entry(row.request).or_default().push(row);
    }
    Ok(by_request)
}

/// Of requests after one.
pub(crate) fn after(request: Uuid) -> Expr {
    Column::Request.gt(request)
}

pub(crate) fn up_to(request: Uuid) -> Expr {
    Column::Request.lte(request)
}

/// What a request costs with what was added to it; nothing when still unpriced.
pub(crate) fn with(charged: Option<i64>, adjustments: &[Model]) -> Option<i64> {
    let added = adjustments.iter().map(|adjustment| adjustment.delta_nanos);
    match (charged, adjustments) {
        (None, []) => None,
        _ => Some(added.fold(charged.unwrap_or(0), i64::saturating_add)),
    }
}

/// The runs that adjustments are of.
pub(crate) async fn runs_of(
    connection: &impl ConnectionTrait,
    organization: OrganizationId,
    adjustments: impl Iterator<Item = &Model>,
) -> Result<Runs, DbErr> {
    let ids: BTreeSet<Uuid> = adjustments.map(|adjustment| adjustment.reprice).collect();
    if ids.is_empty() {
        return Ok(Runs::new());
    }
    let runs = reprice::Entity::find()
        .filter(reprice::Column::Organization.eq(organization.uuid()))
        .filter(reprice::Column::Id.is_in(ids))
        .all(connection)
        .await?;
    Ok(runs.into_iter().map(|run| (run.id, run)).collect())
}

/// A request's adjustments as they are told; `lines` are those of its row.
pub(crate) fn read(lines: &[LineItem], adjustments: &[Model], runs: &Runs) -> Result<Vec<UsageAdjustment>, DbErr> {
    let mut price_versions = versions(lines);
    let mut told = Vec::with_capacity(adjustments.len());
    for row in adjustments {
        let lines: Vec<LineItem> = stored::json("line items", &row.lines)?;
        let price_versions_before = std::mem::replace(&mut price_versions, versions(&lines));
        let run = runs.get(&row.reprice);
        told.push(UsageAdjustment {
            reprice: RepriceId::from_uuid(row.reprice),
            reason: run.map(|run| run.reason.clone()),
            created_by: run.map(|run| run.created_by.clone()),
            price_versions_before,
            price_versions: price_versions.clone(),
            difference: Money::from(Nanos::new(row.delta_nanos)),
            cost: Money::from(Nanos::new(row.cost_nanos)),
            lines,
            at: row.created_at,
        });
    }
    Ok(told)
}

/// Each once, in the order of the lines.
fn versions(lines: &[LineItem]) -> Vec<String> {
    let mut versions: Vec<String> = Vec::new();
    let priced = lines.iter().filter(|line| line.price.is_some());
    for version in priced.filter_map(|line| line.price_version.as_ref()) {
        if !versions.contains(version) {
            versions.push(version.clone());
        }
    }
    versions
}
