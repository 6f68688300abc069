//! The roll call.

use std::time::Duration;

use gatewright_contract::Revision;
use gatewright_coord::{Fleet, LocalFleet, NodeReport, RedisFleet};
use gatewright_types::NodeId;

use crate::{PATIENCE, redis};

fn report(node: NodeId, revision: u64) -> NodeReport {
    NodeReport {
        node,
        role: "proxy".to_owned(),
        revision: Some(Revision(revision)),
        started_at: "2026-01-02T03:04:05Z".parse().expect("a time"),
        version: "0.1.0".to_owned(),
    }
}

async fn fleets(database: u8, time_to_live: Duration) -> Vec<Fleet> {
    let local = Fleet::Local(LocalFleet::new(time_to_live));
    let shared = redis(database)
        .await
        .map(|(_, redis)| Fleet::Redis(RedisFleet::new(redis, time_to_live)));
    std::iter::once(local).chain(shared).collect()
}

#[tokio::test]
async fn the_latest_report_of_each_node_is_listed() {
    for fleet in fleets(11, PATIENCE).await {
        let (one, other) = (NodeId::mint(), NodeId::mint());
        for report in [report(other, 1), report(one, 1), report(one, 2)] {
            fleet.report(&report).await.expect("reported");
        }

        let nodes = fleet.nodes().await.expect("it answers");

        assert_eq!(nodes, [report(one, 2), report(other, 1)]);
    }
}

#[tokio::test]
async fn a_node_that_fell_silent_is_not_listed() {
    for fleet in fleets(12, Duration::from_millis(50)).await {
        fleet.report(&report(NodeId::mint(), 1)).await.expect("reported");

        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !fleet.nodes().await.expect("it answers").is_empty() {
            assert!(tokio::time::Instant::now() < deadline, "the node stays listed");
            tokio::task::yield_now().await;
        }
    }
}
