//! Calls of the gateway's own that find out how providers do, where `probe` asks for it: one to each provider that nobody
//! calls with success, and one to each deployment whose breaker was open for long enough, in place of a request's. They
//! are nobody's requests: no record is kept, nothing is billed and no limit is touched. Of all nodes one makes each call;
//! without Redis, every node does.

mod ask;
mod schedule;

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use gatewright_coord::{Claim, HealthBoard};
use gatewright_routing::Moment;
use gatewright_types::ProviderId;
use gatewright_types::api::HealthReport;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::gateway::Gateway;
use schedule::{Due, Schedule, Subject};

/// How often it is looked what is due.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Probes of this node that are under way together.
const AT_ONCE: usize = 16;

impl Gateway {
    /// Probes until told to stop.
    pub async fn probe_providers(self, board: HealthBoard, mut stop: watch::Receiver<bool>) {
        let mut schedule = Schedule::default();
        let mut running = FuturesUnordered::new();
        loop {
            tokio::select! {
                () = sleep(LOOK_EVERY) => {}
                Some((subject, again)) = running.next() => {
                    schedule.ended(subject, again);
                    continue;
                }
                _ = stop.wait_for(|stop| *stop) => return,
            }
            schedule.follow(self.parts.published.load().as_deref());
            let room = AT_ONCE.saturating_sub(running.len());
            let due = schedule.take_due(self.health(), room);
            running.extend(due.into_iter().map(|due| self.probe(&board, due)));
        }
    }

    /// Gives back what was probed, and when it may be again.
    async fn probe(&self, board: &HealthBoard, due: Due) -> (Subject, Instant) {
        let Due { subject, probed } = due;
        let (began, every) = (Instant::now(), probed.every);
        match board.claim(&subject.to_string(), every).await {
            Ok(Claim::Made) => {}
            Ok(Claim::Taken { free_in }) => return (subject, began + free_in),
            Err(error) => tracing::debug!(%error, "a provider is probed without asking whether another node does"),
        }
        match &subject {
            Subject::Deployment(_, model) => {
                if let Some(target) = probed.target(model) {
                    self.try_again(target).await;
                }
            }
            Subject::Provider(provider) if !answers_elsewhere(board, *provider, every).await => match &probed.asked {
                Some(target) => self.ask_idle(target).await,
                None => self.list(&probed).await,
            },
            Subject::Provider(_) => {}
        }
        (subject, began + every)
    }
}

/// Whether requests of other nodes were answered there lately.
async fn answers_elsewhere(board: &HealthBoard, provider: ProviderId, within: Duration) -> bool {
    let reports = board.reports().await.unwrap_or_default();
    let now = now();
    reports
        .iter()
        .filter_map(|report| serde_json::from_str::<HealthReport>(report).ok())
        .flat_map(|report| report.targets)
        .filter(|target| target.provider == provider)
        .filter_map(|target| target.answered_at)
        .any(|answered| now.since(answered.into()) < within)
}

fn now() -> Moment {
    chrono::Utc::now().into()
}
