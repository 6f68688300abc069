//! Fetches newer catalogues by the installation's schedule. Every control node looks whether a try is due; the one that
//! takes the turn makes it.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use gatewright_store::WriteError;
use gatewright_types::api::CatalogTryOutcome;
use tokio_util::sync::CancellationToken;

use super::repeat;
use crate::catalog::make_try;
use crate::control::Control;

const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Longer than any fetch and its write take. A node that died in its turn is succeeded after so long.
const PATIENCE: Duration = Duration::from_secs(2 * 60);
/// What failed is tried again earlier than what worked.
const AGAIN: Duration = Duration::from_secs(15 * 60);

/// Follows the schedule until it is told to stop.
pub async fn run(control: Arc<Control>, stop: CancellationToken) {
    repeat("refreshing the catalogue", LOOK_EVERY, &stop, || look(&control)).await;
}

/// Makes a try if one is due.
async fn look(control: &Control) -> Result<(), WriteError> {
    let system = control.db.system();
    let Some(turn) = system.take_catalog_turn(Utc::now(), PATIENCE).await? else {
        return Ok(());
    };
    let made = make_try(control, &turn).await?;
    let every = turn.setting.every.get();
    let next_in = match made.outcome {
        CatalogTryOutcome::Failed => every.min(AGAIN),
        CatalogTryOutcome::Unchanged | CatalogTryOutcome::Waiting | CatalogTryOutcome::Approved => every,
    };
    Ok(system.end_catalog_turn(&turn, &made, next_in).await?)
}
