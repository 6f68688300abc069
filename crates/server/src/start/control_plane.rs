//! The control plane's part of a node: database, bootstrap, and the loops that keep feed and usage in step with it.

use std::time::Duration;

use actix_web::web::Data;
use gatewright_contract::Keyring;
use gatewright_control::expiry::Kept;
use gatewright_control::{
    CatalogFetcher, Control, ControlSettings, Parts, bootstrap, canaries, expiry, ingest, key_upkeep, publisher,
    reconciler, refresh, repricing,
};
use gatewright_coord::{Counters, HealthBoard};
use gatewright_proxy::journal::Journal;
use gatewright_proxy::upstream::Upstream;
use gatewright_store::{DatabaseUrl, Db, OpenError};
use gatewright_types::NodeId;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{Shared, StartError};
use crate::documents::{self, Secrets};
use crate::env::Settings;
use crate::tasks::{Stop, Tasks};
use crate::{self_test, topology};

/// Counters of budgets are filled after this time at the latest.
const LEFT_BEHIND: Duration = Duration::from_secs(30);
const SESSION_IDLE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const LARGEST_CATALOG_BYTES: usize = 8 << 20;
const CATALOG_PATIENCE: Duration = Duration::from_secs(15);
const SESSION_ABSOLUTE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[derive(Debug)]
pub(super) struct ControlPlane {
    db: Db,
    control: Data<Control>,
}

/// What a control plane is made of.
#[derive(Debug)]
pub(super) struct Spec<'a> {
    pub(super) spec: &'a topology::ControlPlane,
    pub(super) keyring: Keyring,
    pub(super) public_url: Url,
    pub(super) health: HealthBoard,
    pub(super) counters: Counters,
}

impl ControlPlane {
    /// Opens and migrates the database and applies the bootstrap file.
    pub(super) async fn open(spec: Spec<'_>, settings: &Settings, upstream: Upstream) -> Result<Self, StartError> {
        let db = in_background(spec.spec.database.clone()).await?;
        db.migrate().await?;
        let resealed = db.system().reseal(&spec.keyring).await?;
        if resealed.resealed > 0 {
            tracing::info!(
                count = resealed.resealed,
                "provider secrets are sealed under the newest master key"
            );
        }
        if resealed.unopened > 0 {
            tracing::error!(
                count = resealed.unopened,
                "provider secrets were sealed under a master key that is not given: their providers cannot be used"
            );
        }
        let control = Control::new(Parts {
            db: db.clone(),
            keyring: spec.keyring,
            settings: ControlSettings {
                public_url: spec.public_url,
                egress: settings.egress.clone(),
                catalog_keys: settings.catalog_keys.clone(),
                session_idle: SESSION_IDLE,
                session_absolute: SESSION_ABSOLUTE,
            },
            self_tester: self_test::tester(upstream.clone()),
            catalog_fetcher: catalog_fetcher(upstream),
            health: spec.health,
            counters: spec.counters,
        });
        if let Some(file) = &spec.spec.bootstrap {
            let reports = bootstrap(&control, documents::read(file, Secrets::Resolved)?).await?;
            for report in reports {
                tracing::info!(
                    organization.slug = %report.organization,
                    changes = report.changes.len(),
                    "the bootstrap file was applied"
                );
            }
        }
        Ok(Self {
            db,
            control: Data::new(control),
        })
    }

    /// Starts the loops. They are safe to run on several nodes at once.
    pub(super) fn run(&self, background: &mut Tasks, shared: &Shared, node: NodeId, settings: &Settings) {
        let (db, feed, publishing) = (self.db.clone(), shared.feed.clone(), self.control.publishing());
        background.keep("publisher", move |stop| {
            let (db, feed, publishing) = (db.clone(), feed.clone(), publishing.clone());
            until(stop, move |token| publisher::run(db, feed, publishing, token))
        });
        let (db, stream) = (self.db.clone(), shared.usage_stream.clone());
        background.keep("ingest", move |stop| {
            let (db, stream) = (db.clone(), stream.clone());
            until(stop, move |token| ingest::run(db, stream, node.to_string(), token))
        });
        let control = self.control.clone().into_inner();
        background.keep("refresh", move |stop| {
            let control = control.clone();
            until(stop, move |token| refresh::run(control, token))
        });
        let control = self.control.clone().into_inner();
        background.keep("canaries", move |stop| {
            let control = control.clone();
            until(stop, move |token| canaries::run(control, token))
        });
        let control = self.control.clone().into_inner();
        background.keep("keys", move |stop| {
            let control = control.clone();
            until(stop, move |token| key_upkeep::run(control, token))
        });
        let control = self.control.clone().into_inner();
        background.keep("repricing", move |stop| {
            let control = control.clone();
            until(stop, move |token| repricing::run(control, token))
        });
        let db = self.db.clone();
        let kept = Kept {
            session_idle: SESSION_IDLE,
            usage: settings.usage_retention,
        };
        background.keep("expiry", move |stop| {
            let db = db.clone();
            until(stop, move |token| expiry::run(db, kept, token))
        });
    }

    /// Keeps the counters of budgets at what the ledger says. `journal` is that of this node, where it has one.
    pub(super) fn keep_counters(&self, background: &mut Tasks, shared: &Shared, journal: Option<Journal>) {
        let (db, counters, board) = (self.db.clone(), shared.counters.clone(), shared.health.clone());
        background.keep("reconciler", move |stop| {
            let (db, counters, board, journal) = (db.clone(), counters.clone(), board.clone(), journal.clone());
            until(stop, move |token| async move {
                if let Some(journal) = &journal {
                    await_what_was_left(journal).await;
                }
                reconciler::run(db, counters, board, token).await;
            })
        });
    }

    pub(super) fn database(&self) -> Db {
        self.db.clone()
    }

    pub(super) const fn control(&self) -> &Data<Control> {
        &self.control
    }
}

/// Fetches with the data plane's HTTP client, which knows the addresses nobody may call.
fn catalog_fetcher(upstream: Upstream) -> CatalogFetcher {
    CatalogFetcher::new(move |url| {
        let upstream = upstream.clone();
        Box::pin(async move {
            let fetched = upstream.fetch(&url, LARGEST_CATALOG_BYTES, CATALOG_PATIENCE).await;
            fetched.map_err(|error| error.to_string())
        })
    })
}

/// Runs a loop that is told to stop by a token.
/// A node that was killed finished requests that only its journal knows of: counters that are filled without them would
/// let the same money be spent again.
async fn await_what_was_left(journal: &Journal) {
    if timeout(LEFT_BEHIND, journal.found_is_delivered()).await.is_err() {
        tracing::warn!(
            seconds = LEFT_BEHIND.as_secs(),
            "counters are filled although the database does not have all that this node left when it ended"
        );
    }
}

async fn until<F: Future<Output = ()>>(mut stop: Stop, work: impl FnOnce(CancellationToken) -> F) {
    let token = CancellationToken::new();
    let work = work(token.clone());
    let watch = async {
        // An error means that whoever could say stop is gone, which is the same.
        drop(stop.wait_for(|stop| *stop).await);
        token.cancel();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = work => {}
        () = watch => {}
    }
}

/// Opens the database on a thread of the background: SQLite's own threads take its priority over.
async fn in_background(database: DatabaseUrl) -> Result<Db, OpenError> {
    let mut opening = JoinSet::new();
    opening.spawn(async move { Db::open(&database).await });
    opening.join_all().await.pop().expect("one task was spawned")
}
