//! A running node, and how it ends: it stops taking requests, finishes those in flight, hands its records over, and
//! only then stops what they depend on.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use gatewright_contract::Secret;
use gatewright_proxy::Counting;
use gatewright_proxy::Readiness;
use gatewright_proxy::journal::Journal;
use tokio::task::JoinSet;
use url::Url;

use crate::data_directory::DataDirectory;
use crate::listen::{DRAIN, Listening};
use crate::tasks::Tasks;
use crate::welcome::Greeting;

const COUNTING_WITHIN: Duration = Duration::from_secs(5);
const SHIPPING_WITHIN: Duration = Duration::from_secs(10);
const BACKGROUND_WITHIN: Duration = Duration::from_secs(10);

/// A node that was started. Dropping it without `stop` loses no records, but leaves requests unfinished.
#[derive(Debug)]
pub struct Running {
    /// Where the data plane, the control API and the dashboard are, as far as this node serves them.
    pub public_address: SocketAddr,
    /// Where metrics, fleet and debug pages are.
    pub admin_address: SocketAddr,
    pub public_url: Url,
    /// Opens the setup page once, while nobody has an account.
    pub setup_link: Option<String>,
    /// The key of the playground, on the first run that asked for one.
    pub playground_key: Option<Secret>,
    readiness: Readiness,
    journal: Option<Journal>,
    counting: Option<Counting>,
    shipping: Tasks,
    background: Tasks,
    listeners: JoinSet<io::Result<()>>,
    public: ServerHandle,
    private: ServerHandle,
    data_directory: DataDirectory,
}

/// What a node consists of.
pub(crate) struct Parts {
    pub(crate) public_address: SocketAddr,
    pub(crate) private_address: SocketAddr,
    pub(crate) public_url: Url,
    pub(crate) greeting: Greeting,
    pub(crate) readiness: Readiness,
    pub(crate) journal: Option<Journal>,
    pub(crate) counting: Option<Counting>,
    pub(crate) shipping: Tasks,
    pub(crate) background: Tasks,
    pub(crate) public: Listening,
    pub(crate) private: Listening,
    pub(crate) data_directory: DataDirectory,
}

impl Running {
    pub(crate) fn new(parts: Parts) -> Self {
        let mut listeners = JoinSet::new();
        for listening in [parts.public.ended, parts.private.ended] {
            listeners.spawn(async {
                listening
                    .await
                    .unwrap_or_else(|_| Err(io::Error::other("a listener broke")))
            });
        }
        Self {
            public_address: parts.public_address,
            admin_address: parts.private_address,
            public_url: parts.public_url,
            setup_link: parts.greeting.setup_link,
            playground_key: parts.greeting.playground_key,
            readiness: parts.readiness,
            journal: parts.journal,
            counting: parts.counting,
            shipping: parts.shipping,
            background: parts.background,
            listeners,
            public: parts.public.handle,
            private: parts.private.handle,
            data_directory: parts.data_directory,
        }
    }

    /// Waits until a listener fails, which none does by itself.
    pub async fn failed(&mut self) -> io::Error {
        match self.listeners.join_next().await {
            Some(Ok(Err(error))) => error,
            Some(Ok(Ok(()))) | None => io::Error::other("a listener ended by itself"),
            Some(Err(error)) => io::Error::other(error),
        }
    }

    /// Finishes requests in flight, for half a minute at most, and stops.
    pub async fn stop(mut self) {
        self.readiness.drain();
        tracing::info!(
            at_most_seconds = DRAIN.as_secs(),
            "stopping: requests in flight are finished first"
        );
        self.public.stop(true).await;
        if let Some(counting) = &self.counting {
            counting.settle(COUNTING_WITHIN).await;
        }
        self.shipping.stop(SHIPPING_WITHIN).await;
        self.background.stop(BACKGROUND_WITHIN).await;
        self.private.stop(false).await;
        while let Some(ended) = self.listeners.join_next().await {
            if let Ok(Err(error)) = ended {
                tracing::warn!(%error, "a listener ended with an error");
            }
        }
        if let Some(journal) = self.journal {
            journal.close();
        }
        drop(self.data_directory);
        tracing::info!("stopped");
    }
}
