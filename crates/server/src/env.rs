//! The only place that reads the environment. Everything is read before anything is done, and every mistake is
//! reported, not just the first one.

mod values;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use gatewright_contract::{AddressPolicy, Egress};
use gatewright_control::CatalogKeys;
use gatewright_store::DatabaseUrl;
use url::Url;

use crate::topology::{self, Topology};

pub(crate) use values::Reader;

/// What can be set: the variable, the flag of the same name, and what it is for.
pub const VARIABLES: [(&str, &str, &str); 21] = [
    (
        "GATEWRIGHT_LISTEN",
        "listen",
        "public listener: data plane, control API, dashboard [default: 127.0.0.1:8080]",
    ),
    (
        "GATEWRIGHT_ADMIN_LISTEN",
        "admin-listen",
        "private listener: metrics, fleet and debug pages [default: 127.0.0.1:8081]",
    ),
    (
        "GATEWRIGHT_ROLE",
        "role",
        "what this node of a cluster does: all, control or proxy [default: all]",
    ),
    (
        "GATEWRIGHT_DATA_DIR",
        "data-dir",
        "journal, database file, snapshot, generated master key [default: ./gatewright-data]",
    ),
    (
        "GATEWRIGHT_DATABASE_URL",
        "database-url",
        "postgres://… in a cluster [default: an SQLite file in the data directory]",
    ),
    (
        "GATEWRIGHT_REDIS_URL",
        "redis-url",
        "redis://… joins the cluster [default: none, a single node]",
    ),
    (
        "GATEWRIGHT_MASTER_KEY",
        "master-key",
        "32 bytes in base64 that seal provider secrets; `new,old` rotates",
    ),
    (
        "GATEWRIGHT_BOOTSTRAP",
        "bootstrap",
        "a configuration file to apply at start",
    ),
    (
        "GATEWRIGHT_PUBLIC_URL",
        "public-url",
        "the address people use, for links and cookies [default: from the listener]",
    ),
    (
        "GATEWRIGHT_LOG",
        "log",
        "what is logged: a tracing filter [default: info]",
    ),
    (
        "GATEWRIGHT_KEEPALIVE",
        "keepalive",
        "how often a silent stream gets a comment line [default: 10s]",
    ),
    (
        "GATEWRIGHT_BODY_LIMIT",
        "body-limit",
        "the largest request body, in bytes [default: 33554432]",
    ),
    (
        "GATEWRIGHT_MAX_REQUESTS",
        "max-requests",
        "requests a node has under way at once before it refuses those of whoever has most [default: 4096]",
    ),
    (
        "GATEWRIGHT_TRUSTED_PROXY_HOPS",
        "trusted-proxy-hops",
        "proxies of yours before this node, whose X-Forwarded-For or Forwarded is believed [default: 0]",
    ),
    (
        "GATEWRIGHT_RESPONSE_TTL",
        "response-ttl",
        "how long stored responses can be referred to [default: 30d]",
    ),
    (
        "GATEWRIGHT_USAGE_RETENTION",
        "usage-retention",
        "how long single requests are kept, by whole months [default: for ever]",
    ),
    (
        "GATEWRIGHT_CACHE_BYTES",
        "cache-bytes",
        "what the cache of answers may take: in memory on a single node, for each organization in Redis [default: 268435456]",
    ),
    (
        "GATEWRIGHT_WORKERS",
        "workers",
        "threads that serve requests [default: one per processor]",
    ),
    (
        "GATEWRIGHT_CATALOG_KEY",
        "catalog-key",
        "ed25519 public keys in base64 whose catalogues may be taken over [default: none, nobody's]",
    ),
    (
        "GATEWRIGHT_ALLOW_PRIVATE_PROVIDERS",
        "allow-private-providers",
        "whether providers, and files that callers name, may have private addresses [default: true on a single node, false in a cluster]",
    ),
    (
        "GATEWRIGHT_EGRESS_HOSTS",
        "egress-hosts",
        "the only hosts that providers may have: api.example.com,*.example.org [default: any host]",
    ),
];

/// As long as OpenAI keeps responses.
const A_MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const DATA_DIRECTORY: &str = "gatewright-data";

/// Where the command line finds a control plane, and as whom it calls it.
pub(crate) const URL: &str = "GATEWRIGHT_URL";
pub(crate) const TOKEN: &str = "GATEWRIGHT_TOKEN";

/// What one process carries with the usual memory limits: an open stream takes about 60 kB.
const MAX_REQUESTS: NonZeroUsize = NonZeroUsize::new(4096).expect("it is not zero");

/// The environment, and the flags laid over it, as texts.
#[derive(Debug, Clone, Default)]
pub struct Strings {
    values: BTreeMap<String, OsString>,
}

/// Everything a server is told from outside.
#[derive(Debug, Clone)]
pub struct Settings {
    pub topology: Topology,
    pub listen: SocketAddr,
    pub admin_listen: SocketAddr,
    pub data_directory: PathBuf,
    /// The listener's own address when absent.
    pub public_url: Option<Url>,
    pub log: String,
    pub keepalive: Duration,
    pub body_limit_bytes: usize,
    /// How many proxies stand before the node and note whom they were called by.
    pub trusted_proxy_hops: usize,
    pub max_requests: NonZeroUsize,
    pub response_time_to_live: Duration,
    /// How long single requests are kept; for ever when absent.
    pub usage_retention: Option<Duration>,
    pub cache_bytes: u64,
    pub workers: NonZeroUsize,
    pub egress: Egress,
    pub catalog_keys: CatalogKeys,
    pub traces: Traces,
}

/// Whether OpenTelemetry traces leave the process. The standard `OTEL_*` variables say how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traces {
    Off,
    Exported,
}

/// All that is wrong with the environment, each on its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) name: String,
    pub(crate) message: String,
}

impl Strings {
    /// The environment of this process.
    pub fn of_process() -> Self {
        let known = |name: &str| name.starts_with("GATEWRIGHT_") || name.starts_with("OTEL_");
        let values = std::env::vars_os()
            .filter_map(|(name, value)| name.into_string().ok().map(|name| (name, value)))
            .filter(|(name, _)| known(name))
            .collect();
        Self { values }
    }

    /// The same with one value replaced: a flag goes before a variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: String) -> Self {
        self.values.insert(name.to_owned(), value.into());
        self
    }

    /// A value that is not empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.values
            .get(name)
            .and_then(|value| value.to_str())
            .filter(|text| !text.is_empty())
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Strings {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self {
            values: pairs
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect(),
        }
    }
}

/// Reads one variable that a person names in a configuration file: `{env: NAME}`.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the environment"
)]
pub(crate) fn named_secret(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads all settings.
pub fn read(strings: &Strings) -> Result<Settings, Mistakes> {
    let mut reader = Reader::new(strings);
    let listen = reader.value(
        "GATEWRIGHT_LISTEN",
        values::address,
        SocketAddr::from(([127, 0, 0, 1], 8080)),
    );
    let admin_listen = reader.value(
        "GATEWRIGHT_ADMIN_LISTEN",
        values::address,
        SocketAddr::from(([127, 0, 0, 1], 8081)),
    );
    let data_directory = reader.value("GATEWRIGHT_DATA_DIR", values::path, PathBuf::from(DATA_DIRECTORY));
    let public_url = reader.optional("GATEWRIGHT_PUBLIC_URL", values::public_url);
    let log = reader.value("GATEWRIGHT_LOG", values::log_filter, "info".to_owned());
    let keepalive = reader.value("GATEWRIGHT_KEEPALIVE", values::pause, Duration::from_secs(10));
    let body_limit_bytes = reader.value("GATEWRIGHT_BODY_LIMIT", values::size, 32 << 20);
    let trusted_proxy_hops = reader.value("GATEWRIGHT_TRUSTED_PROXY_HOPS", values::hops, 0);
    let max_requests = reader.value("GATEWRIGHT_MAX_REQUESTS", values::requests, MAX_REQUESTS);
    let response_time_to_live = reader.value("GATEWRIGHT_RESPONSE_TTL", values::pause, A_MONTH);
    let usage_retention = reader.optional("GATEWRIGHT_USAGE_RETENTION", values::usage_retention);
    let cache_bytes = reader.value("GATEWRIGHT_CACHE_BYTES", values::room, 256 << 20);
    let workers = reader.value("GATEWRIGHT_WORKERS", values::workers, processors());
    let private = reader.optional("GATEWRIGHT_ALLOW_PRIVATE_PROVIDERS", values::address_policy);
    let hosts = reader.optional("GATEWRIGHT_EGRESS_HOSTS", values::hosts);
    let catalog_keys = reader.optional("GATEWRIGHT_CATALOG_KEY", |text| {
        CatalogKeys::parse(text).map_err(|error| error.to_string())
    });
    let traces = values::traces(&mut reader);
    let topology = topology::read(&mut reader, &data_directory);
    reader.report_misspelt(strings);

    let mistakes = reader.into_mistakes();
    match topology {
        Some(topology) if mistakes.is_empty() => {
            let usual = match topology {
                Topology::Solo { .. } => AddressPolicy::AllowPrivate,
                Topology::Cluster { .. } => AddressPolicy::PublicOnly,
            };
            Ok(Settings {
                topology,
                listen,
                admin_listen,
                data_directory,
                public_url,
                log,
                keepalive,
                body_limit_bytes,
                trusted_proxy_hops,
                max_requests,
                response_time_to_live,
                usage_retention,
                cache_bytes,
                workers,
                egress: Egress::new(private.unwrap_or(usual), hosts),
                catalog_keys: catalog_keys.unwrap_or_default(),
                traces,
            })
        }
        Some(_) | None => Err(Mistakes(mistakes)),
    }
}

/// Reads only which database there is, and where the data directory: all that a migration needs.
pub(crate) fn read_database(strings: &Strings) -> Result<(DatabaseUrl, PathBuf), Mistakes> {
    let mut reader = Reader::new(strings);
    let data_directory = reader.value("GATEWRIGHT_DATA_DIR", values::path, PathBuf::from(DATA_DIRECTORY));
    let database = reader.optional("GATEWRIGHT_DATABASE_URL", topology::database_url);
    let mistakes = reader.into_mistakes();
    match mistakes.is_empty() {
        true => Ok((
            database.unwrap_or_else(|| topology::database_in(&data_directory)),
            data_directory,
        )),
        false => Err(Mistakes(mistakes)),
    }
}

fn processors() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, Mistake { name, message }) in self.0.iter().enumerate() {
            let line_break = if n == 0 { "" } else { "\n" };
            write!(f, "{line_break}{name} {message}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

#[cfg(test)]
mod tests;
