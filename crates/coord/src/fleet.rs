//! The roll call: every node tells now and then what it is and which configuration it serves; one that falls silent
//! drops off the list.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chrono::{DateTime, Utc};
use gatewright_contract::Revision;
use gatewright_types::NodeId;
use redis::Script;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::{CoordError, Redis};

const NODES: &str = "gw:{fleet}:1:nodes";
const SEEN: &str = "gw:{fleet}:1:seen";

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeReport {
    pub node: NodeId,
    /// `solo`, `all`, `control` or `proxy`.
    pub role: String,
    /// The configuration it serves; absent while it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    pub started_at: DateTime<Utc>,
    pub version: String,
}

/// The fleet, of one process or by Redis. Clones are the same fleet.
#[derive(Debug, Clone)]
pub enum Fleet {
    Local(LocalFleet),
    Redis(RedisFleet),
}

#[derive(Debug, Clone)]
pub struct LocalFleet {
    time_to_live: Duration,
    nodes: Arc<Mutex<BTreeMap<NodeId, (Instant, NodeReport)>>>,
}

#[derive(Debug, Clone)]
pub struct RedisFleet {
    redis: Redis,
    time_to_live: Duration,
    report: Arc<Script>,
    nodes: Arc<Script>,
}

impl Fleet {
    pub async fn report(&self, report: &NodeReport) -> Result<(), CoordError> {
        match self {
            Self::Local(fleet) => {
                fleet.report(report);
                Ok(())
            }
            Self::Redis(fleet) => fleet.report(report).await,
        }
    }

    /// The nodes heard of lately, by their identifiers.
    pub async fn nodes(&self) -> Result<Vec<NodeReport>, CoordError> {
        match self {
            Self::Local(fleet) => Ok(fleet.nodes()),
            Self::Redis(fleet) => fleet.nodes().await,
        }
    }
}

impl LocalFleet {
    pub fn new(time_to_live: Duration) -> Self {
        Self {
            time_to_live,
            nodes: Arc::default(),
        }
    }

    fn report(&self, report: &NodeReport) {
        self.lock().insert(report.node, (Instant::now(), report.clone()));
    }

    fn nodes(&self) -> Vec<NodeReport> {
        let mut nodes = self.lock();
        nodes.retain(|_, (seen, _)| seen.elapsed() < self.time_to_live);
        nodes.values().map(|(_, report)| report.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<NodeId, (Instant, NodeReport)>> {
        self.nodes.lock().expect("nothing panics while it holds the list")
    }
}

impl RedisFleet {
    pub fn new(redis: Redis, time_to_live: Duration) -> Self {
        let report = Arc::new(Script::new(include_str!("fleet_report.lua")));
        let nodes = Arc::new(Script::new(include_str!("fleet_nodes.lua")));
        Self {
            redis,
            time_to_live,
            report,
            nodes,
        }
    }

    async fn report(&self, report: &NodeReport) -> Result<(), CoordError> {
        let json = serde_json::to_string(report).map_err(|source| CoordError::Malformed {
            what: "a node's report",
            source,
        })?;
        let mut call = self.report.prepare_invoke();
        call.key(NODES)
            .key(SEEN)
            .arg(self.silence())
            .arg(report.node.to_string())
            .arg(json);
        self.redis.run(&call).await
    }

    async fn nodes(&self) -> Result<Vec<NodeReport>, CoordError> {
        let mut call = self.nodes.prepare_invoke();
        call.key(NODES).key(SEEN).arg(self.silence());
        let found: Vec<String> = self.redis.run(&call).await?;
        let mut nodes = Vec::with_capacity(found.len());
        for json in found {
            let report: NodeReport = serde_json::from_str(&json).map_err(|source| CoordError::Malformed {
                what: "a node's report",
                source,
            })?;
            nodes.push(report);
        }
        nodes.sort_by_key(|report| report.node);
        Ok(nodes)
    }

    fn silence(&self) -> u64 {
        u64::try_from(self.time_to_live.as_millis()).unwrap_or(u64::MAX)
    }
}
