//! The data plane's part of a node: the configuration it follows, its journal, and the gateway made of both.

use std::sync::Arc;
use std::time::Duration;

use gatewright_contract::Published;
use gatewright_coord::{Feed, UsageStream};
use gatewright_proxy::accounts::Accounts;
use gatewright_proxy::journal::{Damage, Journal, JournalPlace, Shipper};
use gatewright_proxy::upstream::Upstream;
use gatewright_proxy::{
    AnswerMemory, Counting, Gateway, GatewayParts, KeyLookup, Lines, Metrics, Readiness, ResponseMemory,
    Settings as ProxySettings, Shedding, Tracing,
};
use gatewright_routing::Turns;
use gatewright_store::Db;
use gatewright_types::NodeId;
use tokio::time::Instant;

use super::{Shared, StartError};
use crate::admin::InsideDataPlane;
use crate::env::Settings;
use crate::follow::{FollowStatus, Follower, KeySource, OnDisk, lookup};
use crate::probes;
use crate::tasks::Tasks;

/// Records on a node's disk that nobody has taken: beyond this no new request is let in.
const JOURNAL_LIMIT_BYTES: u64 = 1 << 30;
/// How long a stopping node tries to hand over its last records.
const LAST_SHIPMENT: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(super) struct DataPlane {
    published: Published,
    follower: Follower,
    journal: Journal,
    counting: Counting,
    metrics: Arc<Metrics>,
    accounts: Accounts,
    key_lookup: KeyLookup,
    shedding: Arc<Shedding>,
    settings: ProxySettings,
}

/// What a data plane is made of.
#[derive(Debug)]
pub(super) struct Spec<'a> {
    pub(super) settings: &'a Settings,
    pub(super) shared: &'a Shared,
    pub(super) node: NodeId,
    /// At hand on a node that serves the control plane as well.
    pub(super) database: Option<Db>,
}

/// What a gateway needs besides.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) upstream: Upstream,
    pub(super) responses: ResponseMemory,
    pub(super) answers: AnswerMemory,
    pub(super) tracing: Tracing,
    pub(super) readiness: Readiness,
}

impl DataPlane {
    /// Opens the journal and starts from the last good configuration on disk, if there is one.
    pub(super) async fn open(spec: Spec<'_>) -> Result<Self, StartError> {
        let Spec {
            settings,
            shared,
            node,
            database,
        } = spec;
        let place = JournalPlace {
            directory: settings.data_directory.join("journal"),
            node,
            backlog_limit_bytes: JOURNAL_LIMIT_BYTES,
        };
        let (journal, damages) = Journal::open(place).map_err(StartError::Journal)?;
        for Damage {
            file,
            offset_bytes,
            lost_bytes,
        } in damages
        {
            tracing::error!(
                file = %file.display(), offset_bytes, lost_bytes,
                "the usage journal was damaged; the records before the damage are kept, the bytes after it are set aside"
            );
        }
        let on_disk = match (&shared.feed, &database) {
            (Feed::Redis(_), None) => OnDisk::kept_in(&settings.data_directory),
            (Feed::Redis(_) | Feed::Local(_), _) => OnDisk::NotNeeded,
        };
        let published = Published::default();
        let follower = Follower::new(shared.feed.clone(), published.clone(), on_disk);
        follower.restore().await;
        let source = database.map_or_else(|| KeySource::Feed(shared.feed.clone()), KeySource::Database);
        let metrics: Arc<Metrics> = Arc::default();
        Ok(Self {
            published,
            key_lookup: lookup(source, follower.clone()),
            follower,
            journal,
            counting: Counting::default(),
            accounts: Accounts::new(shared.counters.clone(), node, metrics.clone()),
            metrics,
            shedding: Arc::new(Shedding::new(settings.max_requests.get())),
            settings: ProxySettings {
                body_limit_bytes: settings.body_limit_bytes,
                keepalive: settings.keepalive,
                trusted_proxy_hops: settings.trusted_proxy_hops,
                ..ProxySettings::default()
            },
        })
    }

    pub(super) fn run(&self, background: &mut Tasks, shipping: &mut Tasks, shared: &Shared) {
        let follower = self.follower.clone();
        background.keep("follower", move |stop| follower.clone().run(stop));
        let (journal, stream): (Journal, UsageStream) = (self.journal.clone(), shared.usage_stream.clone());
        shipping.keep("shipper", move |stop| {
            Shipper::new(journal.clone(), stream.clone()).run(stop, LAST_SHIPMENT)
        });
        let accounts = self.accounts.clone();
        shipping.keep("accounts", move |stop| accounts.clone().keep_in_step(stop));
    }

    /// A node answers sooner than it knows its callers where this is not waited for; it says it is not ready then.
    pub(super) async fn wait_for_configuration(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        while self.published.peek().is_none() && Instant::now() < deadline {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    pub(super) fn dependency(&self) -> probes::DataPlane {
        probes::DataPlane {
            published: self.published.clone(),
            journal: self.journal.clone(),
        }
    }

    pub(super) fn status(&self) -> FollowStatus {
        self.follower.status()
    }

    pub(super) fn inside(&self) -> InsideDataPlane {
        InsideDataPlane {
            metrics: self.metrics.clone(),
            follow: self.follower.status(),
            journal: self.journal.clone(),
        }
    }

    pub(super) fn counting(&self) -> Counting {
        self.counting.clone()
    }

    pub(super) fn journal(&self) -> Journal {
        self.journal.clone()
    }

    pub(super) fn gateway(self, serving: Serving) -> Gateway {
        let Serving {
            upstream,
            responses,
            answers,
            tracing,
            readiness,
        } = serving;
        Gateway::new(GatewayParts {
            published: self.published,
            key_lookup: self.key_lookup,
            journal: self.journal,
            counting: self.counting,
            upstream,
            turns: Turns::default(),
            responses,
            answers,
            accounts: self.accounts,
            lines: Lines::default(),
            metrics: self.metrics,
            tracing,
            readiness,
            shedding: self.shedding,
            settings: self.settings,
        })
    }
}
