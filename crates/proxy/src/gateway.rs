//! What a request needs to be served: built once by the server and shared by all of its workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use gatewright_contract::{Catalog, Published};
use gatewright_routing::{Health, Turns};

use crate::accounts::Accounts;
use crate::authenticate::KeyLookup;
use crate::cache::AnswerMemory;
use crate::counting::Counting;
use crate::journal::Journal;
use crate::limits::Lines;
use crate::metrics::Metrics;
use crate::responses::ResponseMemory;
use crate::shedding::Shedding;
use crate::trace::Tracing;
use crate::upstream::Upstream;

/// The data plane of one node.
#[derive(Debug, Clone)]
pub struct Gateway {
    pub(crate) parts: Arc<GatewayParts>,
}

/// Everything a gateway is made of.
#[derive(Debug)]
pub struct GatewayParts {
    pub published: Published,
    pub key_lookup: KeyLookup,
    pub journal: Journal,
    pub counting: Counting,
    pub upstream: Upstream,
    pub turns: Turns,
    pub responses: ResponseMemory,
    pub answers: AnswerMemory,
    pub accounts: Accounts,
    pub lines: Lines,
    pub metrics: Arc<Metrics>,
    pub tracing: Tracing,
    pub readiness: Readiness,
    pub shedding: Arc<Shedding>,
    pub settings: Settings,
}

#[derive(Debug, Clone)]
pub struct Settings {
    /// The largest request body taken, in bytes.
    pub body_limit_bytes: usize,
    /// How long a body may make no progress.
    pub body_idle: Duration,
    /// How often a silent stream gets a comment line.
    pub keepalive: Duration,
    /// The largest answer held in memory, in bytes.
    pub answer_limit_bytes: usize,
    pub timeouts: PhaseTimeouts,
    /// How many proxies of ours stand before the node, each of which notes whom it was called by.
    pub trusted_proxy_hops: usize,
}

/// Time limits that apply where a model sets none.
#[derive(Debug, Clone, Copy)]
pub struct PhaseTimeouts {
    pub connect: Duration,
    pub first_token: Duration,
    pub between_tokens: Duration,
    pub total: Duration,
}

/// Whether the node can serve, and what it depends on.
#[derive(Clone)]
pub struct Readiness {
    draining: Arc<AtomicBool>,
    ask: Arc<dyn Fn() -> BoxFuture<'static, ReadyState> + Send + Sync>,
}

/// The body of `/readyz`, apart from what the gateway itself knows.
#[derive(Debug, Clone, serde::Serialize)]
pub struct ReadyState {
    /// Whether the node can serve at all.
    pub ready: bool,
    /// Each dependency: `up` or what is wrong with it.
    pub dependencies: std::collections::BTreeMap<&'static str, String>,
}

impl Gateway {
    pub fn new(parts: GatewayParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// What is publicly known of models at this moment.
    pub(crate) fn catalog(&self) -> Catalog {
        let snapshot = self.parts.published.peek();
        snapshot
            .as_ref()
            .map(|snapshot| snapshot.catalog().clone())
            .unwrap_or_default()
    }

    /// How the deployments do that this node calls.
    pub(crate) fn health(&self) -> &Health {
        self.parts.upstream.health()
    }

    /// The journal, for the shipper and for shutting down.
    pub fn journal(&self) -> &Journal {
        &self.parts.journal
    }

    pub fn readiness(&self) -> &Readiness {
        &self.parts.readiness
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            body_limit_bytes: 32 << 20,
            body_idle: Duration::from_secs(30),
            keepalive: Duration::from_secs(10),
            answer_limit_bytes: 64 << 20,
            timeouts: PhaseTimeouts::default(),
            trusted_proxy_hops: 0,
        }
    }
}

impl Default for PhaseTimeouts {
    fn default() -> Self {
        // Reasoning models may think for minutes before their first token.
        Self {
            connect: Duration::from_secs(5),
            first_token: Duration::from_secs(15 * 60),
            between_tokens: Duration::from_secs(5 * 60),
            total: Duration::from_secs(60 * 60),
        }
    }
}

impl Readiness {
    pub fn new(ask: impl Fn() -> BoxFuture<'static, ReadyState> + Send + Sync + 'static) -> Self {
        Self {
            draining: Arc::default(),
            ask: Arc::new(ask),
        }
    }

    /// From now on the node says it is not ready, and takes no new requests.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    pub async fn state(&self) -> ReadyState {
        let mut state = (self.ask)().await;
        if self.is_draining() {
            state.ready = false;
            state.dependencies.insert("process", "draining".to_owned());
        }
        state
    }
}

impl std::fmt::Debug for Readiness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readiness")
            .field("draining", &self.is_draining())
            .finish_non_exhaustive()
    }
}
