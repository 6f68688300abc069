//! Works through runs that price requests anew. Several nodes may do it at once: each portion is done by one.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::repeat;
use crate::control::Control;
use crate::ledger::repricing::take_up;

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Works until it is told to stop.
pub async fn run(control: Arc<Control>, stop: CancellationToken) {
    repeat("pricing requests anew", LOOK_EVERY, &stop, || take_up(&control, &stop)).await;
}
