//! How far the canaries of a model's route are, and the hand that moves them.

use gatewright_store::{CanaryMove, CanaryRow, CanarySums};
use gatewright_types::api::{CanaryNumbers, CanaryPlace, CanaryProgress, CanaryState, Route};
use gatewright_types::{ModelId, Money, Page};
use serde_json::json;

use crate::access::Call;
use crate::canary::{mean_cost, mean_latency_us, next_step_at};
use crate::endpoint::{Json, Path};
use crate::error::ApiError;

pub(crate) async fn list(call: Call, Path(model): Path<ModelId>) -> Result<Json<Page<CanaryProgress>>, ApiError> {
    let model = call.scope().model(model).await?.ok_or(ApiError::NotFound)?;
    let rows = call.scope().canaries(model.id).await?;
    let items = rows.into_iter().map(|row| progress(row, &model.route)).collect();
    Ok(Json(Page {
        items,
        next_cursor: None,
    }))
}

/// Gives the candidate everything.
pub(crate) async fn promote(
    call: Call,
    Path(model): Path<ModelId>,
    Json(CanaryPlace { place }): Json<CanaryPlace>,
) -> Result<Json<Page<CanaryProgress>>, ApiError> {
    let to = CanaryMove::Turn {
        percent: 100,
        state: CanaryState::Done,
    };
    put(call, "canary.promote", model, &place, &to).await
}

/// Gives the candidate nothing any more.
pub(crate) async fn roll_back(
    call: Call,
    Path(model): Path<ModelId>,
    Json(CanaryPlace { place }): Json<CanaryPlace>,
) -> Result<Json<Page<CanaryProgress>>, ApiError> {
    let reason = format!("{} rolled it back", call.actor.label);
    put(call, "canary.rollback", model, &place, &CanaryMove::RollBack { reason }).await
}

/// Begins anew with the part that is written.
pub(crate) async fn restart(
    call: Call,
    Path(model): Path<ModelId>,
    Json(CanaryPlace { place }): Json<CanaryPlace>,
) -> Result<Json<Page<CanaryProgress>>, ApiError> {
    let organization = call.organization.id;
    known(&call, model).await?;
    let audited = call.change("canary.restart", model, json!({"place": place}));
    call.write(audited, async |tx| tx.restart_canary(organization, model, &place).await)
        .await?;
    list(call, Path(model)).await
}

async fn put(
    call: Call,
    action: &'static str,
    model: ModelId,
    place: &str,
    to: &CanaryMove,
) -> Result<Json<Page<CanaryProgress>>, ApiError> {
    let organization = call.organization.id;
    known(&call, model).await?;
    let audited = call.change(action, model, json!({"place": place}));
    call.write(audited, async |tx| tx.move_canary(organization, model, place, to).await)
        .await?;
    list(call, Path(model)).await
}

async fn known(call: &Call, model: ModelId) -> Result<(), ApiError> {
    call.scope().model(model).await?.ok_or(ApiError::NotFound)?;
    Ok(())
}

fn progress(row: CanaryRow, route: &Route) -> CanaryProgress {
    let canaries = route.canaries();
    let written = canaries.iter().find(|(place, _)| *place == row.place);
    CanaryProgress {
        next_step_at: written.and_then(|(_, canary)| next_step_at(canary, &row)),
        state: row.state,
        percent: row.percent,
        since: row.since,
        stable: numbers(&row.stable),
        candidate: numbers(&row.candidate),
        reason: row.reason,
        place: row.place,
    }
}

fn numbers(sums: &CanarySums) -> CanaryNumbers {
    CanaryNumbers {
        requests: sums.requests,
        failed: sums.failed,
        latency_ms: mean_latency_us(sums).map(|micros| micros / 1_000),
        cost: mean_cost(sums).map(Money::from),
    }
}
