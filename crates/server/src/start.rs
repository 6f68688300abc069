//! Puts a node together, in the order in which its parts depend on each other: storage, what nodes share, the control
//! plane, the configuration, the journal, the data plane, and the listeners last.

mod control_plane;
mod data_plane;
mod shared;

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{ServiceConfig, get, head, resource, to};
use chrono::Utc;
use gatewright_contract::{Catalog, Keyring, KeyringError};
use gatewright_control::BootstrapError;
use gatewright_coord::{CoordError, NodeReport};
use gatewright_proxy::upstream::Upstream;
use gatewright_proxy::{AnswerMemory, ResponseMemory, Tracing, journal};
use gatewright_store::{DatabaseError, MigrateError, OpenError, WriteError};
use serde_json::json;
use tokio::sync::watch;
use url::Url;

use crate::admin::{self, Inside};
use crate::data_directory::{DataDirectory, DataDirectoryError};
use crate::documents::DocumentsError;
use crate::env::Settings;
use crate::listen::{self, Bound};
use crate::probes::{self, Dependencies};
use crate::redis_memory;
use crate::roll_call;
use crate::running::{Parts, Running};
use crate::tasks::Tasks;
use crate::tls;
use crate::topology::{self, MasterKey, MasterKeyError, Topology};
use crate::welcome::{self, Welcome};
use control_plane::ControlPlane;
use data_plane::DataPlane;
use shared::Shared;

/// How long a start waits for the first configuration before it goes on without one.
const FIRST_CONFIGURATION: Duration = Duration::from_secs(5);
const ADMIN_WORKERS: NonZeroUsize = NonZeroUsize::MIN;

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    DataDirectory(#[from] DataDirectoryError),
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    #[error("the master key cannot be used")]
    Keyring(#[from] KeyringError),
    #[error("the usage journal cannot be opened")]
    Journal(#[source] io::Error),
    #[error("redis cannot be used")]
    Coord(#[from] CoordError),
    #[error(transparent)]
    Database(#[from] OpenError),
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    #[error("the bootstrap file cannot be used")]
    Documents(#[from] DocumentsError),
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
    #[error("the first setup could not be prepared")]
    Setup(#[from] DatabaseError),
    #[error("provider secrets could not be sealed under the newest master key")]
    Reseal(#[from] WriteError),
    #[error("the way out to providers cannot be set up")]
    Upstream(#[from] reqwest::Error),
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: io::Error },
}

/// Starts a node and gives it when it is ready to be asked.
pub async fn start(settings: Settings, tracing: Tracing, welcome: Welcome) -> Result<Running, StartError> {
    tls::choose_provider();
    let data_directory = DataDirectory::take(&settings.data_directory)?;
    let node = journal::node_id(&settings.data_directory).map_err(StartError::Journal)?;
    let keyring = keyring(&settings)?;
    let shared = Shared::open(&settings, &keyring)?;
    let public = bind(settings.listen)?;
    let private = bind(settings.admin_listen)?;
    let public_url = settings
        .public_url
        .clone()
        .unwrap_or_else(|| address_of(public.address));
    let upstream = Upstream::new(settings.egress.clone(), keyring.clone())?;
    // Now, and not when the first request needs it.
    Catalog::embedded();

    let mut shipping = Tasks::new();
    let mut background = Tasks::new();
    let control_plane = match settings.topology.control_plane() {
        Some(spec) => {
            let open = control_plane::Spec {
                spec,
                keyring: keyring.clone(),
                public_url: public_url.clone(),
                health: shared.health.clone(),
                counters: shared.counters.clone(),
            };
            Some(ControlPlane::open(open, &settings, upstream.clone()).await?)
        }
        None => None,
    };
    // Before anything is published, so that the first configuration has it.
    let greeting = match &control_plane {
        Some(control_plane) => welcome::prepare(control_plane.control(), welcome).await?,
        None => welcome::Greeting::default(),
    };
    if let Some(control_plane) = &control_plane {
        control_plane.run(&mut background, &shared, node, &settings);
    }
    let data_plane = match settings.topology.serves_data_plane() {
        true => {
            let database = control_plane.as_ref().map(ControlPlane::database);
            let open = data_plane::Spec {
                settings: &settings,
                shared: &shared,
                node,
                database,
            };
            let data_plane = DataPlane::open(open).await?;
            data_plane.run(&mut background, &mut shipping, &shared);
            Some(data_plane)
        }
        false => None,
    };
    if let Some(control_plane) = &control_plane {
        let journal = data_plane.as_ref().map(DataPlane::journal);
        control_plane.keep_counters(&mut background, &shared, journal);
    }

    let (found, redis_memory) = watch::channel(None);
    if let Some(redis) = shared.redis.clone() {
        background.keep("memory of redis", move |stop| {
            redis_memory::run(redis.clone(), found.clone(), stop)
        });
    }
    let readiness = probes::readiness(Dependencies {
        data_plane: data_plane.as_ref().map(DataPlane::dependency),
        database: control_plane.as_ref().map(ControlPlane::database),
        redis: shared.redis.clone(),
        redis_memory,
    });
    let role = settings.topology.name();
    let report = NodeReport {
        node,
        role: role.to_owned(),
        revision: None,
        started_at: Utc::now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let follow = data_plane.as_ref().map(DataPlane::status);
    let fleet = shared.fleet.clone();
    background.keep("roll call", move |stop| {
        roll_call::run(fleet.clone(), report.clone(), follow.clone(), stop)
    });

    if let Some(data_plane) = &data_plane {
        data_plane.wait_for_configuration(FIRST_CONFIGURATION).await;
    }

    let inside = Inside {
        role,
        fleet: shared.fleet.clone(),
        feed: shared.feed.clone(),
        data_plane: data_plane.as_ref().map(DataPlane::inside),
    };
    let journal = data_plane.as_ref().map(DataPlane::journal);
    let counting = data_plane.as_ref().map(DataPlane::counting);
    let gateway = data_plane.map(|data_plane| {
        data_plane.gateway(data_plane::Serving {
            upstream,
            responses: ResponseMemory::new(
                shared.responses.clone(),
                keyring,
                settings.data_directory.join("background"),
            ),
            answers: AnswerMemory::new(shared.answers.clone()),
            tracing,
            readiness: readiness.clone(),
        })
    });
    if let Some(gateway) = gateway.clone() {
        let board = shared.health.clone();
        background.keep("health of providers", move |stop| {
            gateway.clone().share_health(board.clone(), node, stop)
        });
    }
    if let Some(gateway) = gateway.clone() {
        let board = shared.health.clone();
        background.keep("probes of providers", move |stop| {
            gateway.clone().probe_providers(board.clone(), stop)
        });
    }
    if let Some(gateway) = gateway.clone() {
        background.keep("background responses", move |stop| {
            gateway.clone().bill_background(stop)
        });
    }
    let control = control_plane.map(|control_plane| control_plane.control().clone());
    let (public_address, private_address) = (public.address, private.address);
    let probed = readiness.clone();
    let mount = move |service: &mut ServiceConfig| {
        probes::mount(service, &probed);
        if let Some(gateway) = &gateway {
            gatewright_proxy::edge::configure(gateway.clone())(service);
        }
        match &control {
            Some(control) => gatewright_control::configure(control.clone())(service),
            None => {
                service
                    .service(resource("/").route(get().to(here)).route(head().to(here)))
                    .default_service(to(nothing_here));
            }
        }
    };
    let listening = |address| move |source| StartError::Listen { address, source };
    let public = listen::serve(public, settings.workers, mount).map_err(listening(public_address))?;
    let asked = readiness.clone();
    let private = listen::serve(private, ADMIN_WORKERS, move |service: &mut ServiceConfig| {
        admin::mount(service, &inside, &asked)
    })
    .map_err(listening(private_address))?;

    Ok(Running::new(Parts {
        public_address,
        private_address,
        public_url,
        greeting,
        readiness,
        journal,
        counting,
        shipping,
        background,
        public,
        private,
        data_directory,
    }))
}

fn keyring(settings: &Settings) -> Result<Keyring, MasterKeyError> {
    match &settings.topology {
        Topology::Solo {
            master_key: MasterKey::Generated,
            ..
        } => topology::generated(&settings.data_directory),
        Topology::Solo {
            master_key: MasterKey::Given(keyring),
            ..
        }
        | Topology::Cluster { keyring, .. } => Ok(keyring.clone()),
    }
}

fn bind(address: SocketAddr) -> Result<Bound, StartError> {
    listen::bind(address).map_err(|source| StartError::Listen { address, source })
}

/// Where a browser on this machine finds the listener.
fn address_of(listener: SocketAddr) -> Url {
    let text = match listener.ip().is_unspecified() {
        true => format!("http://127.0.0.1:{}/", listener.port()),
        false => format!("http://{listener}/"),
    };
    Url::parse(&text).expect("a socket address makes an address of the web")
}

const DATA_PLANE_ONLY: &str = "this node serves the data plane only: /v1, /v1beta, /native, /livez and /readyz";

/// Some clients look here whether there is a server at all.
async fn here() -> HttpResponse {
    HttpResponse::Ok().json(json!({"service": "gatewright", "message": DATA_PLANE_ONLY}))
}

async fn nothing_here() -> HttpResponse {
    let message = DATA_PLANE_ONLY;
    HttpResponse::NotFound().json(json!({"error": {"code": "not_found", "message": message}}))
}
