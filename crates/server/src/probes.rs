//! `/livez` and `/readyz`, for all roles.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::web::{Data, ServiceConfig, get};
use actix_web::{HttpResponse, Responder};
use gatewright_contract::Published;
use gatewright_coord::Redis;
use gatewright_proxy::journal::Journal;
use gatewright_proxy::{Readiness, ReadyState};
use gatewright_store::Db;

use crate::redis_memory::{self, Found};

/// Shorter than those who ask are patient.
const ANSWER_WITHIN: Duration = Duration::from_millis(750);

/// What a node's readiness depends on.
#[derive(Debug, Clone)]
pub(crate) struct Dependencies {
    pub(crate) data_plane: Option<DataPlane>,
    pub(crate) database: Option<Db>,
    pub(crate) redis: Option<Redis>,
    pub(crate) redis_memory: Found,
}

#[derive(Debug, Clone)]
pub(crate) struct DataPlane {
    pub(crate) published: Published,
    pub(crate) journal: Journal,
}

/// Mounts both probes.
pub(crate) fn mount(service: &mut ServiceConfig, readiness: &Readiness) {
    service
        .app_data(Data::new(readiness.clone()))
        .route("/livez", get().to(alive))
        .route("/readyz", get().to(ready));
}

async fn alive() -> impl Responder {
    HttpResponse::Ok().json(serde_json::json!({"status": "alive"}))
}

async fn ready(readiness: Data<Readiness>) -> HttpResponse {
    let state = readiness.state().await;
    let mut response = if state.ready {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    };
    response.json(state)
}

/// A data plane is ready while it has a configuration, whatever is away; a control plane needs its database.
pub(crate) fn readiness(dependencies: Dependencies) -> Readiness {
    Readiness::new(move || {
        let dependencies = dependencies.clone();
        Box::pin(async move { dependencies.state().await })
    })
}

impl Dependencies {
    async fn state(&self) -> ReadyState {
        let mut dependencies = BTreeMap::new();
        let (database, redis) = tokio::join!(self.database_is_up(), self.redis_is_up());
        for (name, is_up) in [("database", database), ("redis", redis)] {
            if let Some(is_up) = is_up {
                dependencies.insert(name, if is_up { "up" } else { "out of reach" }.to_owned());
            }
        }
        if redis == Some(true)
            && let Some(trouble) = self.redis_memory.borrow().as_ref().and_then(redis_memory::in_words)
        {
            dependencies.insert("redis", trouble);
        }
        let Some(DataPlane { published, journal }) = &self.data_plane else {
            return ReadyState {
                ready: database.unwrap_or(true),
                dependencies,
            };
        };
        let configured = published.peek().is_some();
        let configuration = if configured { "up" } else { "none yet" };
        dependencies.insert("configuration", configuration.to_owned());
        dependencies.insert(
            "journal",
            if journal.has_room() { "up" } else { "takes nothing more" }.to_owned(),
        );
        ReadyState {
            ready: configured && journal.has_room(),
            dependencies,
        }
    }

    async fn database_is_up(&self) -> Option<bool> {
        let check = self.database.as_ref()?.check();
        Some(
            tokio::time::timeout(ANSWER_WITHIN, check)
                .await
                .is_ok_and(|checked| checked.is_ok()),
        )
    }

    async fn redis_is_up(&self) -> Option<bool> {
        let ping = self.redis.as_ref()?.ping();
        Some(
            tokio::time::timeout(ANSWER_WITHIN, ping)
                .await
                .is_ok_and(|answer| answer.is_ok()),
        )
    }
}
