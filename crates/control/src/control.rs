//! What every endpoint and background task of the control plane is given: built once by the server, shared by all.

use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use gatewright_contract::{Catalog, Egress, Keyring};
use gatewright_coord::{Counters, HealthBoard};
use gatewright_store::{Actor, Change, DatabaseError, Db, WriteError, WriteTx};
use url::Url;

use crate::auth::{Passwords, Strangers};
use crate::background::publisher::Publishing;
use crate::catalog::{CatalogFetcher, CatalogKeys, InForce};
use crate::openapi::openapi;
use crate::refusals::StrangerBudget;
use crate::self_test::SelfTester;

/// The control plane's settings, as the server read them.
#[derive(Debug, Clone)]
pub struct ControlSettings {
    /// Used in links; its scheme decides whether cookies are for https only.
    pub public_url: Url,
    /// Which addresses providers may have.
    pub egress: Egress,
    /// Whose catalogues may be taken over.
    pub catalog_keys: CatalogKeys,
    /// A session that was not used for so long is over.
    pub session_idle: Duration,
    /// A session is over after so long, used or not.
    pub session_absolute: Duration,
}

/// What the server builds the control plane of.
#[derive(Debug)]
pub struct Parts {
    pub db: Db,
    pub keyring: Keyring,
    pub settings: ControlSettings,
    pub self_tester: SelfTester,
    pub catalog_fetcher: CatalogFetcher,
    /// How providers do, as the nodes tell it.
    pub health: HealthBoard,
    /// What nodes go by in spending budgets.
    pub counters: Counters,
}

/// The control plane of one process.
#[derive(Debug)]
pub struct Control {
    pub(crate) db: Db,
    pub(crate) keyring: Keyring,
    pub(crate) settings: ControlSettings,
    pub(crate) self_tester: SelfTester,
    pub(crate) catalog_fetcher: CatalogFetcher,
    pub(crate) health: HealthBoard,
    pub(crate) counters: Counters,
    in_force: InForce,
    pub(crate) passwords: Passwords,
    pub(crate) strangers: Strangers,
    /// Refusals that are audited.
    pub(crate) refusals: StrangerBudget,
    /// Reports of leaked secrets.
    pub(crate) leaks: StrangerBudget,
    publishing: Publishing,
    description: OnceLock<Bytes>,
}

impl ControlSettings {
    pub(crate) fn cookie_secure(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// An address of the dashboard with a secret in its fragment, which browsers do not send to servers.
    pub(crate) fn secret_link(&self, page: &str, token: &str) -> String {
        format!(
            "{}/{page}#token={token}",
            self.public_url.as_str().trim_end_matches('/')
        )
    }
}

impl Control {
    pub fn new(parts: Parts) -> Self {
        let Parts {
            db,
            keyring,
            settings,
            self_tester,
            catalog_fetcher,
            health,
            counters,
        } = parts;
        Self {
            db,
            keyring,
            settings,
            self_tester,
            catalog_fetcher,
            health,
            counters,
            in_force: InForce::default(),
            passwords: Passwords::new(),
            strangers: Strangers::default(),
            refusals: StrangerBudget::default(),
            leaks: StrangerBudget::default(),
            publishing: Publishing::default(),
            description: OnceLock::new(),
        }
    }

    /// Where this process and its publisher meet.
    pub fn publishing(&self) -> Publishing {
        self.publishing.clone()
    }

    /// The OpenAPI document, put together when it is first asked for: most processes never are, and it takes megabytes.
    pub(crate) fn description(&self) -> Bytes {
        let description = self.description.get_or_init(|| openapi().to_string().into());
        description.clone()
    }

    /// The catalogue in force, as it is on every node that has caught up.
    pub(crate) async fn catalog(&self) -> Result<Catalog, DatabaseError> {
        self.in_force.catalog(&self.db).await
    }

    /// The one write path. The answer waits until the change is where every node can find it, for a short while at
    /// most: a key may be used the moment it is shown.
    pub(crate) async fn write<T>(
        &self,
        actor: &Actor,
        change: Change,
        work: impl AsyncFnOnce(&mut WriteTx) -> Result<T, WriteError>,
    ) -> Result<T, WriteError> {
        let written = self.db.write(actor, change, work).await?;
        self.publishing.publish(written.revision).await;
        Ok(written.value)
    }
}
