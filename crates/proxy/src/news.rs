//! What nodes tell each other of breakers. A breaker that opens on one is taken on by the others, which go on to probe by
//! themselves; and every node reports now and then how all that it calls does. Without Redis each knows what it sees.

use std::sync::Arc;
use std::time::Duration;

use gatewright_contract::BreakerChange;
use gatewright_coord::{HealthBoard, Heard, Tiding};
use gatewright_routing::{Health, Moment, Standing, Vitals};
use gatewright_types::api::{BreakerState, HealthReport, LastProbe, RestingCredential, TargetReport};
use gatewright_types::{NodeId, ProviderId, UpstreamModel};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::{Instant, sleep_until};

use crate::gateway::Gateway;

/// Changes that wait to be told. More than that at once is an outage, of which the others learn by themselves.
const ROOM: usize = 256;
const REPORT_EVERY: Duration = Duration::from_secs(2);
const LISTEN_FOR: Duration = Duration::from_secs(60);

/// Where changes are left to be told to other nodes.
#[derive(Debug, Clone)]
pub(crate) struct News {
    sender: mpsc::Sender<BreakerChange>,
    receiver: Arc<Mutex<mpsc::Receiver<BreakerChange>>>,
}

impl News {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = mpsc::channel(ROOM);
        Self {
            sender,
            receiver: Arc::new(Mutex::new(receiver)),
        }
    }

    pub(crate) fn tell(&self, change: BreakerChange) {
        if self.sender.try_send(change).is_err() {
            tracing::debug!("other nodes are not told of a breaker: too many change at once");
        }
    }
}

impl Gateway {
    /// Shares what this node knows of providers with the others until told to stop.
    pub async fn share_health(self, board: HealthBoard, node: NodeId, mut stop: watch::Receiver<bool>) {
        let news = self.parts.upstream.news().clone();
        let mut receiver = news.receiver.lock().await;
        let mut tidings = board.tidings();
        let mut report_at = Instant::now();
        while !*stop.borrow() {
            tokio::select! {
                Some(mut change) = receiver.recv() => {
                    change.from = Some(node);
                    tell(&board, &change).await;
                }
                heard = tidings.next(LISTEN_FOR) => self.hear(&board, node, heard).await,
                () = sleep_until(report_at) => {
                    self.report(&board, node).await;
                    report_at = Instant::now() + REPORT_EVERY;
                }
                _ = stop.changed() => {}
            }
        }
    }

    async fn hear(&self, board: &HealthBoard, node: NodeId, heard: Heard) {
        match heard {
            Heard::Tiding(text) => self.take_on(node, &text),
            Heard::Missed => match board.standing().await {
                Ok(standing) => standing.iter().for_each(|text| self.take_on(node, text)),
                Err(error) => tracing::debug!(%error, "what other nodes know of providers cannot be read"),
            },
            Heard::Nothing => {}
        }
    }

    fn take_on(&self, node: NodeId, text: &str) {
        match serde_json::from_str::<BreakerChange>(text) {
            Ok(change) if change.from != Some(node) => self.health().take_on(&change, now()),
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "what another release tells of a breaker is passed over"),
        }
    }

    async fn report(&self, board: &HealthBoard, node: NodeId) {
        let report = serde_json::to_string(&report_of(self.health(), node, now()));
        let Ok(report) = report else { return };
        if let Err(error) = board.report(node, report).await {
            tracing::debug!(%error, "how providers do cannot be reported");
        }
    }
}

/// Puts a change where every node hears of it.
async fn tell(board: &HealthBoard, change: &BreakerChange) {
    let Ok(text) = serde_json::to_string(change) else {
        return;
    };
    let tiding = Tiding {
        subject: change.subject.name(),
        text,
        stands: change.until_ms.is_some(),
    };
    if let Err(error) = board.tell(&tiding).await {
        tracing::debug!(%error, "other nodes are not told of a breaker");
    }
}

fn report_of(health: &Health, node: NodeId, now: Moment) -> HealthReport {
    let deployments = health.deployments().into_iter();
    let resting = health.resting().all(now).into_iter();
    HealthReport {
        targets: deployments
            .map(|(provider, model, vitals)| target_of(node, provider, model, &vitals, now))
            .collect(),
        resting: resting
            .map(|(credential, until)| RestingCredential {
                credential,
                until: until.into(),
            })
            .collect(),
    }
}

fn target_of(node: NodeId, provider: ProviderId, model: UpstreamModel, vitals: &Vitals, now: Moment) -> TargetReport {
    let (state, open_until) = match vitals.standing(now) {
        Standing::Closed => (BreakerState::Closed, None),
        Standing::HalfOpen => (BreakerState::HalfOpen, None),
        Standing::Open { until } => (BreakerState::Open, Some(until.into())),
    };
    let tally = vitals.tally(now);
    TargetReport {
        node,
        provider,
        model,
        state,
        since: vitals.changed().map(Into::into),
        open_until,
        requests: tally.requests,
        failures: tally.failures,
        latency_ms: vitals.latency_micros(now).map(|micros| micros / 1_000),
        in_flight: vitals.in_flight(),
        tokens_within_a_minute: vitals.tokens_within_a_minute(now),
        answered_at: vitals.answered().map(Into::into),
        probe: vitals
            .probed()
            .map(|(at, outcome)| LastProbe { at: at.into(), outcome }),
    }
}

fn now() -> Moment {
    chrono::Utc::now().into()
}
