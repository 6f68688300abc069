//! The private listener: metrics, the fleet, and what this node serves. It asks nobody who they are, so it belongs on a
//! network of its own; it tells no secrets.

use std::fmt::Write as _;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig, get};
use gatewright_coord::{Feed, Fleet};
use gatewright_proxy::journal::Journal;
use gatewright_proxy::{Metrics, Readiness};
use serde_json::json;

use crate::follow::FollowStatus;
use crate::{probes, process_metrics};

/// What the private pages show.
#[derive(Debug, Clone)]
pub(crate) struct Inside {
    pub(crate) role: &'static str,
    pub(crate) fleet: Fleet,
    pub(crate) feed: Feed,
    pub(crate) data_plane: Option<InsideDataPlane>,
}

#[derive(Debug, Clone)]
pub(crate) struct InsideDataPlane {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) follow: FollowStatus,
    pub(crate) journal: Journal,
}

pub(crate) fn mount(service: &mut ServiceConfig, inside: &Inside, readiness: &Readiness) {
    probes::mount(service, readiness);
    service
        .app_data(Data::new(inside.clone()))
        .route("/metrics", get().to(metrics))
        .route("/fleet", get().to(fleet))
        .route("/debug/config", get().to(configuration));
}

async fn metrics(inside: Data<Inside>) -> HttpResponse {
    let mut text = String::with_capacity(16 << 10);
    writeln!(
        text,
        "# HELP gatewright_build_info The release and the role of this process.\n# TYPE gatewright_build_info gauge\n\
         gatewright_build_info{{version=\"{}\",role=\"{}\"}} 1",
        env!("CARGO_PKG_VERSION"),
        inside.role,
    )
    .expect("a string takes all that is written to it");
    if let Some(InsideDataPlane {
        metrics,
        follow,
        journal,
    }) = &inside.data_plane
    {
        metrics.render(&mut text);
        follow.render(&mut text);
        let name = "gatewright_journal_backlog_bytes";
        let help = "Usage records on this node's disk, not all of them in the database yet.";
        writeln!(
            text,
            "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {}",
            journal.backlog_bytes()
        )
        .expect("a string takes all that is written to it");
    }
    process_metrics::render(&mut text);
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(text)
}

async fn fleet(inside: Data<Inside>) -> HttpResponse {
    match inside.fleet.nodes().await {
        Ok(nodes) => HttpResponse::Ok().json(json!({ "nodes": nodes })),
        Err(error) => HttpResponse::ServiceUnavailable().json(json!({ "error": error.to_string() })),
    }
}

async fn configuration(inside: Data<Inside>) -> HttpResponse {
    let feed = match inside.feed.state().await {
        Ok(Some(state)) => json!({
            "epoch": state.epoch, "revision": state.revision, "complete": state.is_complete(),
        }),
        Ok(None) => json!(null),
        Err(error) => json!({ "error": error.to_string() }),
    };
    let served = inside
        .data_plane
        .as_ref()
        .and_then(|data_plane| data_plane.follow.served());
    HttpResponse::Ok().json(json!({ "role": inside.role, "served": served, "feed": feed }))
}
