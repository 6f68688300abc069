//! Budgets, what is added to them for a while, and who asks for more.

use chrono::{DateTime, Utc};
use gatewright_store::BudgetRow;
use gatewright_types::api::{
    Budget, BudgetAlert, BudgetChange, BudgetCourse, BudgetCourseQuery, BudgetDecision, BudgetExplanation,
    BudgetRequest, BudgetRequestQuery, Increase, LimitScopeQuery, NewBudget, NewBudgetRequest, NewIncrease,
};
use gatewright_types::{BudgetId, BudgetRequestId, IncreaseId, Nanos, Page};
use serde_json::json;

use super::reason::check_reason;
use crate::access::Call;
use crate::budget_explanation::explained;
use crate::budget_state;
use crate::endpoint::{Created, Json, NoContent, Path, Path2, Query};
use crate::error::ApiError;

pub(crate) async fn list(call: Call, Query(query): Query<LimitScopeQuery>) -> Result<Json<Page<Budget>>, ApiError> {
    let Page { items, next_cursor } = call.scope().budgets(&query).await?;
    let items = all_told(&call, items).await?;
    Ok(Json(Page { items, next_cursor }))
}

pub(crate) async fn create(call: Call, Json(new): Json<NewBudget>) -> Result<Created<Budget>, ApiError> {
    let (organization, id) = (call.organization.id, BudgetId::mint());
    let audited = call.change("budget.create", id, json!(new));
    let row = call
        .write(audited, async |tx| tx.create_budget(organization, id, &new).await)
        .await?;
    told(&call, row).await.map(Created)
}

pub(crate) async fn read(call: Call, Path(budget): Path<BudgetId>) -> Result<Json<Budget>, ApiError> {
    let row = call.scope().budget(budget).await?.ok_or(ApiError::NotFound)?;
    told(&call, row).await.map(Json)
}

pub(crate) async fn explain(call: Call, Path(budget): Path<BudgetId>) -> Result<Json<BudgetExplanation>, ApiError> {
    let row = call.scope().budget(budget).await?.ok_or(ApiError::NotFound)?;
    let compiled = budget_state::compiled(&row).ok_or_else(not_understood)?;
    let budget = told(&call, row).await?;
    let explained = explained(&call.control, call.organization.id, budget, &compiled).await?;
    Ok(Json(explained))
}

pub(crate) async fn course(
    call: Call,
    Path(budget): Path<BudgetId>,
    Query(query): Query<BudgetCourseQuery>,
) -> Result<Json<BudgetCourse>, ApiError> {
    let row = call.scope().budget(budget).await?.ok_or(ApiError::NotFound)?;
    let compiled = budget_state::compiled(&row).ok_or_else(not_understood)?;
    Ok(Json(call.scope().budget_course(&compiled, query.by, Utc::now()).await?))
}

pub(crate) async fn update(
    call: Call,
    Path(budget): Path<BudgetId>,
    Json(change): Json<BudgetChange>,
) -> Result<Json<Budget>, ApiError> {
    let organization = call.organization.id;
    let audited = call.change("budget.update", budget, json!(change));
    let row = call
        .write(audited, async |tx| {
            tx.change_budget(organization, budget, &change).await
        })
        .await?;
    told(&call, row).await.map(Json)
}

pub(crate) async fn delete(call: Call, Path(budget): Path<BudgetId>) -> Result<NoContent, ApiError> {
    let row = call.scope().budget(budget).await?.ok_or(ApiError::NotFound)?;
    let organization = call.organization.id;
    let detail = json!({"scope": row.scope, "amount": row.spec.amount, "window": row.spec.window});
    let audited = call.change("budget.delete", budget, detail);
    call.write(audited, async |tx| tx.delete_budget(organization, budget).await)
        .await?;
    Ok(NoContent)
}

pub(crate) async fn increase(
    call: Call,
    Path(budget): Path<BudgetId>,
    Json(new): Json<NewIncrease>,
) -> Result<Created<Increase>, ApiError> {
    check_amount("amount", new.amount)?;
    check_reason(&new.reason)?;
    check_end("expires_at", new.expires_at)?;
    let (organization, id) = (call.organization.id, IncreaseId::mint());
    let audited = call.change("budget.increase", budget, json!(new));
    let increase = call.write(audited, async |tx| {
        tx.add_increase(organization, budget, id, &new).await
    });
    Ok(Created(increase.await?))
}

pub(crate) async fn end_increase(
    call: Call,
    Path2(budget, increase): Path2<BudgetId, IncreaseId>,
) -> Result<NoContent, ApiError> {
    let organization = call.organization.id;
    let audited = call.change("budget.increase.end", budget, json!({"increase": increase}));
    call.write(audited, async |tx| {
        tx.remove_increase(organization, budget, increase).await
    })
    .await?;
    Ok(NoContent)
}

pub(crate) async fn ask(
    call: Call,
    Path(budget): Path<BudgetId>,
    Json(new): Json<NewBudgetRequest>,
) -> Result<Created<BudgetRequest>, ApiError> {
    check_amount("amount", new.amount)?;
    check_reason(&new.reason)?;
    let (organization, id) = (call.organization.id, BudgetRequestId::mint());
    let audited = call.change("budget.request", budget, json!(new));
    let request = call.write(audited, async |tx| {
        tx.ask_for_budget(organization, budget, id, &new).await
    });
    Ok(Created(request.await?))
}

pub(crate) async fn requests(
    call: Call,
    Query(query): Query<BudgetRequestQuery>,
) -> Result<Json<Page<BudgetRequest>>, ApiError> {
    Ok(Json(call.scope().budget_requests(&query).await?))
}

pub(crate) async fn decide(
    call: Call,
    Path(request): Path<BudgetRequestId>,
    Json(decision): Json<BudgetDecision>,
) -> Result<Json<BudgetRequest>, ApiError> {
    let asked = call.scope().budget_request(request).await?.ok_or(ApiError::NotFound)?;
    if let BudgetDecision::Approve { amount, expires_at } = &decision {
        check_amount("approve.amount", *amount)?;
        check_end("approve.expires_at", *expires_at)?;
    }
    let organization = call.organization.id;
    let detail = json!({"budget": asked.budget, "decision": decision});
    let audited = call.change("budget.request.decide", request, detail);
    let decided = call.write(audited, async |tx| {
        tx.decide_budget_request(organization, request, &decision).await
    });
    Ok(Json(decided.await?))
}

pub(crate) async fn alerts(call: Call, Path(budget): Path<BudgetId>) -> Result<Json<Page<BudgetAlert>>, ApiError> {
    call.scope().budget(budget).await?.ok_or(ApiError::NotFound)?;
    Ok(Json(Page {
        items: call.scope().budget_alerts(budget).await?,
        next_cursor: None,
    }))
}

async fn told(call: &Call, row: BudgetRow) -> Result<Budget, ApiError> {
    let mut told = all_told(call, vec![row]).await?;
    told.pop().ok_or(ApiError::NotFound)
}

async fn all_told(call: &Call, rows: Vec<BudgetRow>) -> Result<Vec<Budget>, ApiError> {
    let states = budget_state::states(&call.control, call.organization.id, &rows, Utc::now()).await?;
    let told = rows.into_iter().zip(states).map(|(row, state)| Budget {
        id: row.id,
        scope: row.scope,
        scope_name: row.scope_name,
        spec: row.spec,
        increases: row.increases,
        state,
        created_at: row.created_at,
        created_by: row.created_by,
    });
    Ok(told.collect())
}

fn check_amount(field: &str, amount: Nanos) -> Result<(), ApiError> {
    match amount > Nanos::ZERO {
        true => Ok(()),
        false => Err(ApiError::field(field, &"must be more than nothing")),
    }
}

fn check_end(field: &str, at: DateTime<Utc>) -> Result<(), ApiError> {
    match at > Utc::now() {
        true => Ok(()),
        false => Err(ApiError::field(field, &"must be in the future")),
    }
}

fn not_understood() -> ApiError {
    ApiError::conflict("this release does not understand the budget: change it, or make it anew")
}
