//! Tells the fleet now and then that this node is there and which configuration it serves.

use std::time::Duration;

use gatewright_coord::{Fleet, NodeReport};

use crate::follow::FollowStatus;
use crate::tasks::Stop;

const REPORT_EVERY: Duration = Duration::from_secs(5);
/// A node that was not heard of for so long is not listed any more.
pub(crate) const SILENCE: Duration = Duration::from_secs(20);

/// Reports until told to stop. A report that fails is made up for by the next one.
pub(crate) async fn run(fleet: Fleet, mut report: NodeReport, follow: Option<FollowStatus>, mut stop: Stop) {
    while !*stop.borrow() {
        report.revision = follow
            .as_ref()
            .and_then(|follow| follow.served())
            .map(|served| served.revision);
        if let Err(error) = fleet.report(&report).await {
            tracing::debug!(%error, "the fleet could not be told that this node is there");
        }
        tokio::select! {
            () = tokio::time::sleep(REPORT_EVERY) => {}
            _ = stop.changed() => {}
        }
    }
}
