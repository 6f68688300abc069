//! Logs and traces of the process. On a terminal logs are for reading; otherwise they are JSON lines, and the access
//! log takes a faster way of its own.

mod access_log;
mod json_line;

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use gatewright_proxy::Tracing;
use opentelemetry::Key;
use opentelemetry::global::BoxedTracer;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::filter::{FilterFn, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::env::{Settings, Traces};
use crate::tls;
use access_log::{AccessLayer, AccessLog};

/// Where the data plane writes one line a request.
const ACCESS: &str = "gatewright::access";
/// Dependencies that tell at `info` what is of interest to their authors.
const TALKATIVE: [&str; 2] = ["actix_server", "sea_orm_migration"];
const LAST_EXPORT: Duration = Duration::from_secs(5);

/// What has to be flushed before the process ends.
#[derive(Debug)]
pub struct Telemetry {
    access_log: Option<AccessLog>,
    traces: Option<SdkTracerProvider>,
}

/// Why logs or traces could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("the thread of the access log could not be started")]
    Thread(#[from] io::Error),
    #[error("the exporter of traces could not be set up")]
    Exporter(#[from] ExporterBuildError),
    #[error("logs were set up twice")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

impl Telemetry {
    /// Sets up logs for the whole process, and the export of traces.
    pub fn install(settings: &Settings) -> Result<Self, TelemetryError> {
        let registry = tracing_subscriber::registry().with(filter(&settings.log));
        let access_log = if io::stdout().is_terminal() {
            registry.with(tracing_subscriber::fmt::layer()).try_init()?;
            None
        } else {
            let (layer, access_log) = AccessLayer::new(io::stdout())?;
            let lines = tracing_subscriber::fmt::layer()
                .json()
                .flatten_event(true)
                .with_filter(others());
            registry.with(layer.with_filter(access())).with(lines).try_init()?;
            Some(access_log)
        };
        let traces = match settings.traces {
            Traces::Exported => Some(exported()?),
            Traces::Off => None,
        };
        Ok(Self { access_log, traces })
    }

    /// What the data plane traces its requests with.
    pub fn tracing(&self) -> Tracing {
        match &self.traces {
            Some(provider) => Tracing::new(BoxedTracer::new(Box::new(provider.tracer("gatewright")))),
            None => Tracing::default(),
        }
    }

    /// Writes out what still waits in memory.
    pub fn flush(self) {
        if let Some(provider) = self.traces
            && let Err(error) = provider.shutdown_with_timeout(LAST_EXPORT)
        {
            tracing::warn!(%error, "the last traces could not be exported");
        }
        if let Some(access_log) = self.access_log {
            access_log.finish();
        }
    }
}

/// What was asked for, without the small talk of others unless they are named.
fn filter(asked: &str) -> EnvFilter {
    let quieted = TALKATIVE.iter().filter(|target| !asked.contains(**target));
    let directives: Vec<_> = quieted
        .map(|target| format!("{target}=warn"))
        .chain([asked.to_owned()])
        .collect();
    EnvFilter::new(directives.join(","))
}

// Both are decided once for each call site, not for each event.
fn access() -> FilterFn {
    filter_fn(|metadata| metadata.target() == ACCESS)
}

fn others() -> FilterFn {
    filter_fn(|metadata| metadata.target() != ACCESS)
}

/// What the standard variables say of this process; its name is ours unless they give another.
fn resource() -> Resource {
    let named = Resource::builder().build();
    let name = named
        .get(&Key::from_static_str("service.name"))
        .map(|name| name.to_string());
    match name {
        Some(name) if !name.starts_with("unknown_service") => named,
        _ => Resource::builder().with_service_name("gatewright").build(),
    }
}

/// The endpoint, headers and sampling come from the standard `OTEL_*` variables, which the exporter reads itself.
fn exported() -> Result<SdkTracerProvider, ExporterBuildError> {
    tls::choose_provider();
    let exporter = SpanExporter::builder().with_http().build()?;
    let resource = resource();
    Ok(SdkTracerProvider::builder()
        .with_resource(resource)
        .with_batch_exporter(exporter)
        .build())
}
