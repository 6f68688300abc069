//! Running installations of the product in either topology. Ordinary tests share one per test process; a test that breaks
//! things starts its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::api::{Api, Caller};
use crate::environment::{self, Topology};
use crate::http::{Answer, Request};
use crate::postgres;
use crate::process::{Process, directory, free_port};
use crate::redis::Redis;
use crate::wait::eventually;

pub const ROOT_EMAIL: &str = "root@example.test";
pub const ROOT_PASSWORD: &str = "correct horse battery staple 7";
pub const ROOT_TOKEN: &str = "gwt-test-token-0123456789";
/// The organization that every installation has from the start.
pub const ROOT_ORGANIZATION: &str = "root";
/// 32 bytes, 0 to 31.
pub const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

const START: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(60);

/// How an installation differs from the usual one.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Further environment variables for all nodes.
    pub environment: Vec<(&'static str, String)>,
    pub bootstrap: Bootstrap,
    /// Further arguments for nodes with a control plane.
    pub arguments: Vec<&'static str>,
    /// A PostgreSQL database of the test's own.
    pub postgres: Option<String>,
}

/// The configuration file that is applied at start.
#[derive(Debug, Clone, Default)]
pub enum Bootstrap {
    /// One organization with an owner and the owner's token.
    #[default]
    Usual,
    /// None: the installation waits for its setup link to be used.
    Nothing,
    Given(Value),
}

#[derive(Debug)]
pub struct Installation {
    pub topology: Topology,
    pub nodes: Vec<Node>,
    /// A cluster's own.
    pub redis: Option<Redis>,
    /// A cluster's database.
    pub database: Option<String>,
    directory: TempDir,
    root: OnceCell<Api>,
    bootstrap: Option<PathBuf>,
    options: Options,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    All,
    Control,
    Proxy,
}

/// One process of the product and what it needs to be started again.
#[derive(Debug)]
pub struct Node {
    pub role: Role,
    pub address: SocketAddr,
    pub admin: SocketAddr,
    pub data: PathBuf,
    pub process: Process,
    log: PathBuf,
    arguments: Vec<&'static str>,
    environment: Vec<(String, String)>,
}

static SHARED: OnceCell<Installation> = OnceCell::const_new();
static PATIENT: OnceCell<Installation> = OnceCell::const_new();

impl Installation {
    /// The installation that all tests of this process may use and none may break.
    pub async fn shared() -> &'static Self {
        let options = Options {
            environment: vec![("GATEWRIGHT_KEEPALIVE", "300ms".to_owned())],
            ..Options::default()
        };
        SHARED.get_or_init(|| Self::start(options)).await
    }

    /// Another one, which gives providers a second before a stream begins without them: the fakes that judge by vendors'
    /// own types are many, and share a processor.
    pub async fn patient() -> &'static Self {
        let options = Options {
            environment: vec![("GATEWRIGHT_KEEPALIVE", "1s".to_owned())],
            ..Options::default()
        };
        PATIENT.get_or_init(|| Self::start(options)).await
    }

    pub async fn fresh() -> Self {
        Self::start(Options::default()).await
    }

    /// An installation of this run's topology.
    pub async fn start(options: Options) -> Self {
        Self::start_as(Topology::of_this_run(), options).await
    }

    /// A cluster with a third proxy node; in the other topology there is one node for everything.
    pub async fn with_three_proxies(options: Options) -> Self {
        let mut installation = Self::start(options).await;
        if installation.topology == Topology::Cluster {
            installation.add(Role::Proxy);
            let third = installation.nodes.last_mut().expect("it was added");
            third.ready().await;
        }
        installation
    }

    pub async fn start_as(topology: Topology, options: Options) -> Self {
        let directory = directory(match topology {
            Topology::Solo => "solo",
            Topology::Cluster => "cluster",
        });
        let content = match &options.bootstrap {
            Bootstrap::Usual => Some(usual_bootstrap()),
            Bootstrap::Given(content) => Some(content.clone()),
            Bootstrap::Nothing => None,
        };
        let bootstrap = content.map(|content| {
            let path = directory.path().join("bootstrap.yaml");
            std::fs::write(&path, content.to_string()).expect("the directory is ours");
            path
        });
        let mut installation = Self {
            topology,
            nodes: Vec::new(),
            redis: None,
            database: None,
            directory,
            root: OnceCell::new(),
            bootstrap,
            options,
        };
        match topology {
            Topology::Solo => installation.add(Role::All),
            Topology::Cluster => {
                let postgres = installation.options.postgres.clone();
                installation.database = Some(postgres.unwrap_or_else(postgres::fresh_database));
                installation.redis = Some(Redis::start().await);
                installation.add(Role::Control);
                installation.add(Role::Proxy);
                installation.add(Role::Proxy);
            }
        }
        for node in &mut installation.nodes {
            node.ready().await;
        }
        installation
    }

    /// Starts one more node. It may not be ready yet.
    pub fn add(&mut self, role: Role) {
        let name = format!("node{}", self.nodes.len());
        let data = self.directory.path().join(&name);
        let (address, admin) = (loopback(free_port()), loopback(free_port()));
        let mut environment = vec![
            ("GATEWRIGHT_LISTEN".to_owned(), address.to_string()),
            ("GATEWRIGHT_ADMIN_LISTEN".to_owned(), admin.to_string()),
            ("GATEWRIGHT_DATA_DIR".to_owned(), data.display().to_string()),
            ("GATEWRIGHT_LOG".to_owned(), "info".to_owned()),
        ];
        let mut set = |name: &str, value: &str| environment.push((name.to_owned(), value.to_owned()));
        if let Some(redis) = &self.redis {
            set("GATEWRIGHT_REDIS_URL", &redis.url());
            set("GATEWRIGHT_MASTER_KEY", MASTER_KEY);
            set("GATEWRIGHT_ALLOW_PRIVATE_PROVIDERS", "true");
        }
        if role != Role::Proxy {
            if let Some(bootstrap) = &self.bootstrap {
                set("GATEWRIGHT_BOOTSTRAP", &bootstrap.display().to_string());
            }
            if let Some(database) = &self.database {
                set("GATEWRIGHT_DATABASE_URL", database);
            }
        }
        for (name, value) in &self.options.environment {
            set(name, value);
        }
        let log = self.directory.path().join(format!("{name}.log"));
        let mut arguments = role.arguments();
        if role != Role::Proxy {
            arguments.extend(&self.options.arguments);
        }
        let process = Process::start(&mut command(&arguments, &environment), &log);
        self.nodes.push(Node {
            role,
            address,
            admin,
            data,
            process,
            log,
            arguments,
            environment,
        });
    }

    /// Where the control API is.
    pub fn control(&self) -> SocketAddr {
        self.control_node().address
    }

    pub fn control_node(&self) -> &Node {
        self.nodes
            .iter()
            .find(|node| node.role != Role::Proxy)
            .expect("an installation has a control plane")
    }

    pub fn control_node_mut(&mut self) -> &mut Node {
        self.nodes
            .iter_mut()
            .find(|node| node.role != Role::Proxy)
            .expect("an installation has a control plane")
    }

    /// The nodes that serve the data plane.
    pub fn data_planes(&self) -> Vec<SocketAddr> {
        self.nodes
            .iter()
            .filter(|node| node.role != Role::Control)
            .map(|node| node.address)
            .collect()
    }

    /// The number of the first node that serves the data plane.
    pub fn first_data_plane(&self) -> usize {
        self.nodes
            .iter()
            .position(|node| node.role != Role::Control)
            .expect("an installation has a data plane")
    }

    pub fn first_data_plane_mut(&mut self) -> &mut Node {
        let first = self.first_data_plane();
        self.nodes.get_mut(first).expect("it was found there")
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The person who owns the first organization, signed in.
    pub async fn root(&self) -> Api {
        let root = self
            .root
            .get_or_init(|| Api::sign_in(self.control(), ROOT_EMAIL, ROOT_PASSWORD));
        root.await.clone()
    }

    /// The owner's token of the first organization.
    pub fn root_token(&self) -> Api {
        Api::new(self.control(), Caller::Token(ROOT_TOKEN.to_owned()))
    }

    /// What all nodes have logged.
    pub fn logs(&self) -> String {
        self.nodes.iter().map(|node| node.process.log()).collect()
    }
}

impl Role {
    fn arguments(self) -> Vec<&'static str> {
        match self {
            Self::All => vec!["serve"],
            Self::Control => vec!["serve", "--role", "control"],
            Self::Proxy => vec!["serve", "--role", "proxy"],
        }
    }
}

impl Node {
    pub async fn ready(&mut self) {
        let process = &mut self.process;
        eventually("a node gets ready", START, async || {
            if let Some(status) = process.status() {
                panic!("the node ended with {status}:\n{}", process.log());
            }
            let answer = Request::new("GET", "/readyz").send(self.address).await.ok()?;
            (answer.status == 200).then_some(())
        })
        .await;
    }

    pub async fn readyz(&self) -> Answer {
        Request::new("GET", "/readyz")
            .send(self.address)
            .await
            .expect("the node answers")
    }

    pub async fn metrics(&self) -> Answer {
        Request::new("GET", "/metrics")
            .send(self.admin)
            .await
            .expect("the admin listener answers")
    }

    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Asks it to end and waits until it has.
    pub async fn terminate(&mut self) -> std::process::ExitStatus {
        self.process.signal(Signal::TERM);
        self.process.exit(STOP).await
    }

    /// Gives it another setting from the next start on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(found, _)| found != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Starts it as it was started before. It may not be ready yet.
    pub fn start_again(&mut self) {
        self.process.kill();
        self.process = Process::start(&mut command(&self.arguments, &self.environment), &self.log);
    }

    /// Kills it and starts it again.
    pub async fn restart(&mut self) {
        self.start_again();
        self.ready().await;
    }
}

/// The server with nothing in its environment but what is given.
pub fn command(arguments: &[&str], environment: &[(String, String)]) -> Command {
    let mut command = Command::new(environment::binary());
    command
        .args(arguments)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)));
    command
}

pub fn usual_bootstrap() -> Value {
    json!({
        "version": 1,
        "organization": ROOT_ORGANIZATION,
        "members": [{"email": ROOT_EMAIL, "name": "Root", "role": "owner", "password": {"value": ROOT_PASSWORD}}],
        "tokens": [{"name": "root", "role": "owner", "secret": {"value": ROOT_TOKEN}}],
    })
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}
