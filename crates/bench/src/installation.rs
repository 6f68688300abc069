//! Gatewright itself, started from its binary as an operator would start it: settings by environment, configuration by a
//! bootstrap file. In one process on embedded storage, or as a control node and proxy nodes on PostgreSQL and Redis.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use gatewright_contract::Keyring;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::control_api::ControlApi;
use crate::processes::{self, Core, Running, free_port};
use crate::servers::{Given, Servers};

/// The model of an upstream that speaks the caller's dialect.
pub(crate) const MODEL: &str = "bench";
/// The model of an upstream that speaks Anthropic's.
pub(crate) const TRANSLATED_MODEL: &str = "bench-translated";
/// The model of the same upstream whose answers are kept.
pub(crate) const CACHED_MODEL: &str = "bench-cached";
/// The key that the bootstrap file imports for callers.
pub(crate) const KEY: &str = "gw-bench-key-for-the-load-generator";
pub(crate) const TOKEN: &str = "gwt-bench-token-for-the-benchmark-itself";

/// The name of a single node.
const SOLO: &str = "solo";

/// Which binary, and with which settings beside those that make a shape.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Binary {
    /// The server to measure
    #[arg(
        long = "binary",
        env = "GATEWRIGHT_BINARY",
        default_value = "target/release/gatewright"
    )]
    path: PathBuf,
    /// A further setting of every node, as NAME=VALUE; may be repeated
    #[arg(long = "setting", value_name = "NAME=VALUE")]
    settings: Vec<String>,
    #[command(flatten)]
    servers: Given,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Shape {
    /// Everything in one process on embedded storage
    Solo,
    /// A control node and proxy nodes on PostgreSQL and Redis
    Cluster,
}

/// Where the bootstrap file's models go.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Upstream<'a> {
    Sandbox,
    /// host:port of something that speaks OpenAI's dialect and Anthropic's, and what requests meet on their way there.
    Address(&'a str, Caps),
}

/// How many limits a request of `KEY` meets, and as many budgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caps {
    None,
    /// All of the key.
    Five,
    /// Of the key, its team and its tag.
    Twenty,
}

/// How many proxy nodes to start, and which cores they and the rest are kept to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placement {
    pub(crate) shape: Shape,
    pub(crate) proxies: usize,
    pub(crate) proxy_core: Option<Core>,
    pub(crate) control_core: Option<Core>,
}

/// What an installation stands on: its files, and the servers of a cluster.
#[derive(Debug)]
pub(crate) struct Ground {
    servers: Option<Servers>,
    directory: TempDir,
}

/// A running installation. Fields are dropped in this order: nodes before what they stand on.
#[derive(Debug)]
pub(crate) struct Installation {
    /// The nodes that answer callers; all of them when solo.
    pub(crate) proxies: Vec<Node>,
    control: Option<Node>,
    pub(crate) servers: Option<Servers>,
    pub(crate) api: ControlApi,
    directory: TempDir,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) running: Running,
    /// host:port of the public listener.
    pub(crate) address: String,
}

struct Starter<'a> {
    binary: &'a Path,
    settings: Vec<(&'a str, &'a str)>,
    directory: &'a Path,
    client: reqwest::Client,
}

impl Installation {
    pub(crate) async fn start(binary: &Binary, placement: Placement, upstream: Upstream<'_>) -> Result<Self> {
        let ground = Ground::prepare(binary, placement.shape).await?;
        Self::start_on(ground, binary, placement, &configuration(upstream)).await
    }

    /// With a bootstrap file that has the organization `bench`, the token and the key of here.
    pub(crate) async fn start_on(
        ground: Ground,
        binary: &Binary,
        placement: Placement,
        configuration: &Value,
    ) -> Result<Self> {
        let Ground { servers, directory } = ground;
        let path = std::fs::canonicalize(&binary.path);
        let path = path.with_context(|| format!("there is no server at {}", binary.path.display()))?;
        let settings = binary.settings.iter().map(|setting| {
            setting
                .split_once('=')
                .with_context(|| format!("{setting:?} is not of the form NAME=VALUE"))
        });
        let bootstrap = directory.path().join("bootstrap.json");
        std::fs::write(&bootstrap, configuration.to_string())?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(10))
            .build()?;
        let starter = Starter {
            binary: &path,
            settings: settings.collect::<Result<_>>()?,
            directory: directory.path(),
            client: client.clone(),
        };
        let bootstrap = (
            "GATEWRIGHT_BOOTSTRAP",
            bootstrap.to_str().context("a path that is no text")?,
        );
        let (proxies, control) = match &servers {
            None => {
                let node = starter.node(SOLO, "all", placement.proxy_core, &[bootstrap])?;
                (vec![node], None)
            }
            Some(servers) => {
                let (proxies, control) = starter.cluster(placement, servers, bootstrap).await?;
                (proxies, Some(control))
            }
        };
        let control_address = control
            .as_ref()
            .or(proxies.first())
            .map(|node| node.address.clone())
            .unwrap_or_default();
        let api = ControlApi::new(client, &control_address, TOKEN);
        let mut installation = Self {
            proxies,
            control,
            servers,
            api,
            directory,
        };
        for node in &mut installation.proxies {
            knows_key(&installation.api, node).await?;
        }
        Ok(installation)
    }

    /// Where all files are, those of the servers too.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Ends all nodes in the order in which an operator would: callers first.
    pub(crate) async fn stop(self) -> Result<()> {
        for node in self.proxies {
            node.running.stop().await?;
        }
        if let Some(control) = self.control {
            control.running.stop().await?;
        }
        if let Some(servers) = self.servers {
            servers.stop().await?;
        }
        self.directory
            .close()
            .context("the directory of the installation cannot be removed")
    }
}

impl Ground {
    /// Starts what the shape needs beside our own nodes.
    pub(crate) async fn prepare(binary: &Binary, shape: Shape) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("gatewright-bench-")
            .tempdir()
            .context("no directory")?;
        std::fs::create_dir_all(directory.path().join(SOLO))?;
        let servers = match shape {
            Shape::Solo => None,
            Shape::Cluster => Some(Servers::start(&binary.servers, directory.path()).await?),
        };
        Ok(Self { servers, directory })
    }

    /// The file of a single node's database.
    pub(crate) fn database_file(&self) -> PathBuf {
        self.directory.path().join(SOLO).join("gatewright.sqlite")
    }

    pub(crate) const fn servers(&self) -> Option<&Servers> {
        self.servers.as_ref()
    }
}

impl<'a> Starter<'a> {
    async fn cluster(
        &self,
        placement: Placement,
        servers: &Servers,
        bootstrap: (&str, &str),
    ) -> Result<(Vec<Node>, Node)> {
        let master_key = Keyring::mint();
        let shared = [
            ("GATEWRIGHT_REDIS_URL", servers.redis_url.as_str()),
            ("GATEWRIGHT_MASTER_KEY", master_key.expose()),
            // The mock listens on loopback.
            ("GATEWRIGHT_ALLOW_PRIVATE_PROVIDERS", "true"),
        ];
        let database = ("GATEWRIGHT_DATABASE_URL", servers.postgres_url.as_str());
        let settings = [shared.as_slice(), &[database, bootstrap]].concat();

        let mut migrate = self.command("control", placement.control_core, &settings)?;
        migrate.arg("migrate");
        processes::output("gatewright migrate", migrate).await?;
        let mut control = self.node("control", "control", placement.control_core, &settings)?;
        self.is_ready(&mut control).await?;
        let proxies = (1..=placement.proxies)
            .map(|number| self.node(&format!("proxy-{number}"), "proxy", placement.proxy_core, &shared));
        Ok((proxies.collect::<Result<_>>()?, control))
    }

    fn node(&self, name: &str, role: &str, core: Option<Core>, settings: &[(&str, &str)]) -> Result<Node> {
        let (address, admin) = (loopback()?, loopback()?);
        let mut command = self.command(name, core, settings)?;
        command.args(["serve", "--role", role]);
        command
            .env("GATEWRIGHT_LISTEN", &address)
            .env("GATEWRIGHT_ADMIN_LISTEN", admin);
        let running = Running::start(name, command, &self.directory.join(format!("{name}.log")))?;
        Ok(Node { running, address })
    }

    fn command(&self, name: &str, core: Option<Core>, settings: &[(&str, &str)]) -> Result<Command> {
        let data = self.directory.join(name);
        std::fs::create_dir_all(&data)?;
        let mut command = processes::pinned(self.binary, core);
        // Nothing of the environment here may change what is measured.
        command
            .env_clear()
            .env("GATEWRIGHT_DATA_DIR", data)
            .env("GATEWRIGHT_LOG", "info");
        command
            .envs(settings.iter().chain(&self.settings).copied())
            .current_dir(self.directory);
        Ok(command)
    }

    async fn is_ready(&self, node: &mut Node) -> Result<()> {
        let url = format!("http://{}/readyz", node.address);
        let asked = || async {
            self.client
                .get(&url)
                .send()
                .await
                .is_ok_and(|answer| answer.status() == 200)
        };
        node.running.until(asked).await
    }
}

/// Waits until the node honours the key of the bootstrap file: it is up and has the configuration.
async fn knows_key(api: &ControlApi, node: &mut Node) -> Result<()> {
    let address = node.address.clone();
    node.running
        .until(|| async { api.status_of_key(&address, KEY).await.is_ok_and(|status| status == 200) })
        .await
}

fn loopback() -> Result<String> {
    Ok(format!("127.0.0.1:{}", free_port()?))
}

fn configuration(upstream: Upstream<'_>) -> Value {
    let at = |name: &str, kind: &str, address: &str| {
        json!({
            "name": name,
            "kind": kind,
            "base_url": format!("http://{address}/v1"),
            "credentials": [{"name": "only", "api_key": {"value": "upstream-secret"}}],
        })
    };
    let model = |name: &str, provider: &str| {
        let route = json!({"target": format!("{provider}/bench-model")});
        json!({"name": name, "route": route})
    };
    let kept = |name: &str, provider: &str| {
        let mut model = model(name, provider);
        model["cache"] = json!({"ttl": "1h"});
        model
    };
    let price =
        |provider: &str| json!({"provider": provider, "model": "bench-model", "input": "0.50", "output": "1.50"});
    let (providers, models, prices) = match upstream {
        Upstream::Sandbox => (
            json!([{"name": "upstream", "kind": "sandbox"}]),
            json!([model(MODEL, "upstream")]),
            json!([price("upstream")]),
        ),
        Upstream::Address(address, _) => (
            json!([
                at("upstream", "openai-compatible", address),
                at("other", "anthropic", address)
            ]),
            json!([
                model(MODEL, "upstream"),
                model(TRANSLATED_MODEL, "other"),
                kept(CACHED_MODEL, "upstream")
            ]),
            json!([price("upstream"), price("other")]),
        ),
    };
    let mut document = json!({
        "version": 1,
        "organization": "bench",
        "providers": providers,
        "models": models,
        "prices": prices,
        "tokens": [{"name": "bench", "role": "admin", "secret": {"value": TOKEN}}],
        "keys": [{"name": "load", "secret": {"value": KEY}}],
    });
    let key = &mut document["keys"][0];
    match upstream {
        Upstream::Sandbox | Upstream::Address(_, Caps::None) => {}
        Upstream::Address(_, Caps::Five) => {
            key["limits"] = limits(5);
            key["budgets"] = budgets(5);
        }
        Upstream::Address(_, Caps::Twenty) => {
            key["limits"] = limits(7);
            key["budgets"] = budgets(7);
            key["team"] = json!("capped");
            key["tags"] = json!({"load": "capped"});
            document["tags"] = json!([{"name": "load"}]);
            document["teams"] = json!([{"name": "capped", "limits": limits(7), "budgets": budgets(7)}]);
            let scoped = |mut entry: Value| {
                entry["scope"] = json!({"tag": {"name": "load", "value": "capped"}});
                entry
            };
            document["limits"] = json!([scoped(limits(6))]);
            let of_tag = budgets(6).as_array().cloned().unwrap_or_default();
            document["budgets"] = of_tag.into_iter().map(scoped).collect();
        }
    }
    document
}

/// The first of all there are, none of which is ever reached.
fn limits(count: usize) -> Value {
    let plenty = 1_000_000_000_u64;
    let all = ["rpm", "tpm", "rph", "tph", "rpd", "tpd", "concurrency"];
    all.into_iter()
        .take(count)
        .map(|name| (name.to_owned(), json!(plenty)))
        .collect()
}

fn budgets(count: usize) -> Value {
    let windows = [
        json!("month"),
        json!("day"),
        json!("total"),
        json!({"rolling": "24h"}),
        json!("hour"),
        json!("week"),
        json!({"rolling": "30d"}),
    ];
    let budget = |window| json!({"amount": "1000000", "window": window});
    windows.into_iter().take(count).map(budget).collect()
}

#[cfg(test)]
mod tests {
    use gatewright_types::api::Document;

    use super::*;

    #[test]
    fn the_bootstrap_file_is_one_the_server_reads() {
        let address = |caps| Upstream::Address("127.0.0.1:9", caps);
        for upstream in [
            Upstream::Sandbox,
            address(Caps::None),
            address(Caps::Five),
            address(Caps::Twenty),
        ] {
            let document: Document = serde_json::from_value(configuration(upstream)).expect("a document");

            assert_eq!(
                (document.organization.as_str(), document.keys.map(|keys| keys.len())),
                ("bench", Some(1))
            );
        }
    }
}
