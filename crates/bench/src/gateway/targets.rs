//! What can be measured, and how each of it is started in front of a mock of its own.

use std::path::Path;

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::Serialize;
use tokio::process::Command;

use super::nginx;
use super::workload::Share;
use crate::installation::{Binary, Caps, Installation, KEY, Placement, Shape, Upstream};
use crate::processes::{Core, Running, pinned};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Name {
    /// The mock itself
    Direct,
    /// nginx as a plain proxy
    Nginx,
    /// A bare actix-web + reqwest forwarder
    Floor,
    /// Gatewright with everything on
    Gatewright,
}

/// What all targets share.
#[derive(Debug)]
pub(crate) struct Bench<'a> {
    pub(crate) directory: &'a Path,
    pub(crate) gateway_core: Core,
    pub(crate) other_core: Core,
    pub(crate) binary: &'a Binary,
    pub(crate) shape: Shape,
    pub(crate) share: Share,
}

/// A target that answers.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) name: Name,
    pub(crate) address: String,
    /// The good requests it has answered.
    pub(crate) sent: u64,
    front: Front,
    mock: Running,
}

/// What stands between the load generator and the mock.
#[derive(Debug)]
enum Front {
    Nothing,
    Program(Box<Running>),
    Gatewright(Box<Installation>),
}

impl Name {
    pub(crate) const ALL: [Self; 4] = [Self::Direct, Self::Nginx, Self::Floor, Self::Gatewright];

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Nginx => "nginx",
            Self::Floor => "floor",
            Self::Gatewright => "gatewright",
        }
    }
}

impl Bench<'_> {
    pub(crate) async fn start(&self, name: Name, caps: Caps) -> Result<Started> {
        let mut command = self.part("mock", self.other_core)?;
        command.arg("--listen").arg("127.0.0.1:0");
        let (mock, upstream) = Running::announced("mock", command, &self.directory.join("mock.log")).await?;
        let (front, address) = match name {
            Name::Direct => (Front::Nothing, upstream),
            Name::Nginx => {
                let (running, address) = nginx::start(self.directory, self.gateway_core, &upstream, KEY).await?;
                (Front::Program(Box::new(running)), address)
            }
            Name::Floor => {
                let mut command = self.part("floor", self.gateway_core)?;
                command
                    .arg("--upstream")
                    .arg(format!("http://{upstream}"))
                    .arg("--key")
                    .arg(KEY);
                let log = self.directory.join("floor.log");
                let (running, address) = Running::announced("floor", command, &log).await?;
                (Front::Program(Box::new(running)), address)
            }
            Name::Gatewright => {
                let placement = Placement {
                    shape: self.shape,
                    proxies: 1,
                    proxy_core: Some(self.gateway_core),
                    control_core: Some(self.other_core),
                };
                let upstream = Upstream::Address(&upstream, caps);
                let installation = Box::pin(Installation::start(self.binary, placement, upstream)).await?;
                let address = installation.proxies.first().map(|node| node.address.clone());
                (
                    Front::Gatewright(Box::new(installation)),
                    address.context("an installation has a proxy")?,
                )
            }
        };
        Ok(Started {
            name,
            address,
            sent: 0,
            front,
            mock,
        })
    }

    /// One of this binary's own parts, on a core.
    pub(crate) fn part(&self, name: &str, core: Core) -> Result<Command> {
        let binary = std::env::current_exe().context("this program does not know where it is")?;
        let mut command = pinned(&binary, Some(core));
        command.arg(name);
        Ok(command)
    }
}

impl Started {
    /// The process whose tree is accounted for: the gateway, or the mock where there is none.
    pub(crate) fn pid(&self) -> i32 {
        match &self.front {
            Front::Nothing => self.mock.pid(),
            Front::Program(running) => running.pid(),
            Front::Gatewright(installation) => installation
                .proxies
                .first()
                .map_or(self.mock.pid(), |node| node.running.pid()),
        }
    }

    pub(crate) fn installation(&self) -> Option<&Installation> {
        match &self.front {
            Front::Nothing | Front::Program(_) => None,
            Front::Gatewright(installation) => Some(installation),
        }
    }

    /// Where the Redis of a cluster is.
    pub(crate) fn redis_url(&self) -> Option<&str> {
        let servers = self.installation()?.servers.as_ref()?;
        Some(&servers.redis_url)
    }

    /// The end of the gateway's log.
    pub(crate) fn last_words(&self) -> String {
        match &self.front {
            Front::Nothing => self.mock.last_words(),
            Front::Program(running) => running.last_words(),
            Front::Gatewright(installation) => installation
                .proxies
                .iter()
                .map(|node| node.running.last_words())
                .collect(),
        }
    }

    pub(crate) async fn stop(self) -> Result<()> {
        match self.front {
            Front::Nothing => {}
            Front::Program(running) => running.stop().await?,
            Front::Gatewright(installation) => Box::pin(installation.stop()).await?,
        }
        self.mock.stop().await
    }
}
