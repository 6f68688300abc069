//! The board of a single node, on which its control plane tells its data plane.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use gatewright_types::NodeId;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::{Claim, Heard, REPORT_LASTS, Tiding};

/// Whoever is this far behind has missed something.
const ROOM: usize = 256;

#[derive(Debug, Clone)]
pub struct LocalHealthBoard {
    told: broadcast::Sender<String>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    standing: BTreeMap<String, String>,
    reports: BTreeMap<NodeId, (Instant, String)>,
    /// Until when.
    claims: BTreeMap<String, Instant>,
}

#[derive(Debug)]
pub struct LocalTidings {
    told: broadcast::Receiver<String>,
    begun: bool,
}

impl LocalHealthBoard {
    pub fn new() -> Self {
        Self {
            told: broadcast::Sender::new(ROOM),
            state: Arc::default(),
        }
    }

    pub(super) fn claim(&self, subject: &str, lasts: Duration) -> Claim {
        let now = Instant::now();
        let mut state = self.state();
        state.claims.retain(|_, until| *until > now);
        match state.claims.get(subject) {
            Some(until) => Claim::Taken { free_in: *until - now },
            None => {
                state.claims.insert(subject.to_owned(), now + lasts);
                Claim::Made
            }
        }
    }

    pub(super) fn tell(&self, tiding: &Tiding) {
        let Tiding { subject, text, stands } = tiding;
        let mut state = self.state();
        match stands {
            true => state.standing.insert(subject.clone(), text.clone()),
            false => state.standing.remove(subject),
        };
        drop(state);
        // Without listeners nobody has to know.
        let _listeners = self.told.send(text.clone());
    }

    pub(super) fn standing(&self) -> Vec<String> {
        self.state().standing.values().cloned().collect()
    }

    pub(super) fn tidings(&self) -> LocalTidings {
        LocalTidings::of(self.told.subscribe())
    }

    pub(super) fn report(&self, node: NodeId, report: String) {
        self.state().reports.insert(node, (Instant::now(), report));
    }

    pub(super) fn reports(&self) -> Vec<String> {
        let mut state = self.state();
        state.reports.retain(|_, (at, _)| at.elapsed() < REPORT_LASTS);
        state.reports.values().map(|(_, report)| report.clone()).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the board")
    }
}

impl Default for LocalHealthBoard {
    fn default() -> Self {
        Self::new()
    }
}

impl LocalTidings {
    pub(crate) const fn of(told: broadcast::Receiver<String>) -> Self {
        Self { told, begun: false }
    }

    pub(super) async fn next(&mut self, timeout: Duration) -> Heard {
        if !std::mem::replace(&mut self.begun, true) {
            return Heard::Missed;
        }
        match tokio::time::timeout(timeout, self.told.recv()).await {
            Ok(Ok(text)) => Heard::Tiding(text),
            Ok(Err(RecvError::Lagged(_))) => Heard::Missed,
            // The board itself is gone: nothing will be told any more, and the caller keeps its own pace.
            Ok(Err(RecvError::Closed)) => {
                tokio::time::sleep(timeout).await;
                Heard::Nothing
            }
            Err(_) => Heard::Nothing,
        }
    }
}
