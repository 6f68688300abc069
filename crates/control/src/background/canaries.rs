//! Judges canaries: their parts grow, or are taken back. Every control node looks at all of them; of several that come to
//! the same, the one that moves a canary on in the database does it, and the others find it moved.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use gatewright_store::{Actor, CanaryMove, CanaryRow, Change, WriteError};
use gatewright_types::RequestId;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::repeat;
use crate::canary::judge;
use crate::control::Control;

const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Judges until it is told to stop.
pub async fn run(control: Arc<Control>, stop: CancellationToken) {
    repeat("judging canaries", LOOK_EVERY, &stop, || look(&control)).await;
}

/// What fails with one organization's canary keeps none of the others waiting.
async fn look(control: &Control) -> Result<(), WriteError> {
    let mut failed = Ok(());
    for (seen, written) in control.db.system().canaries_under_way().await? {
        let Some(to) = judge(&written, &seen, Utc::now()) else {
            continue;
        };
        match go_on(control, &seen, &to).await {
            Ok(()) | Err(WriteError::NotFound) => {}
            Err(error) => failed = Err(error),
        }
    }
    failed
}

async fn go_on(control: &Control, seen: &CanaryRow, to: &CanaryMove) -> Result<(), WriteError> {
    let actor = Actor::system(RequestId::mint().to_string());
    control
        .write(&actor, change(seen, to), async |tx| tx.move_canary_on(seen, to).await)
        .await?;
    match to {
        CanaryMove::RollBack { reason } => tracing::warn!(
            organization.id = %seen.organization,
            model.id = %seen.model,
            place = seen.place,
            reason,
            "a canary was rolled back"
        ),
        CanaryMove::Turn { percent, .. } => tracing::info!(
            organization.id = %seen.organization,
            model.id = %seen.model,
            place = seen.place,
            percent,
            "a canary's part has grown"
        ),
    }
    Ok(())
}

fn change(seen: &CanaryRow, to: &CanaryMove) -> Change {
    let (action, detail) = match to {
        CanaryMove::Turn { percent, .. } => (
            "canary.step",
            json!({"place": seen.place, "from": seen.percent, "percent": percent}),
        ),
        CanaryMove::RollBack { reason } => (
            "canary.rollback",
            json!({"place": seen.place, "from": seen.percent, "reason": reason}),
        ),
    };
    Change::new(seen.organization, action, seen.model, detail)
}
