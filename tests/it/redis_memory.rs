//! Whether Redis keeps what it is given is told in the log and in `/readyz`.

use harness::environment::Topology;
use harness::installation::{Installation, Node};
use harness::wait::{SOON, eventually};

const TROUBLE: &str = "up, but evicts by allkeys-lru: maxmemory-policy has to be noeviction";
const WARNING: &str = "redis evicts by allkeys-lru";

async fn tells(node: &Node, expected: &str) {
    eventually(&format!("readiness tells {expected:?} of Redis"), SOON, async || {
        let answer = node.readyz().await.expect(200).json();
        let told = answer.pointer("/dependencies/redis")?.as_str()?.to_owned();
        (told == expected).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_redis_that_evicts_is_told_of_by_every_node_until_it_does_not() {
    if Topology::of_this_run() != Topology::Cluster {
        return;
    }
    let mut installation = Installation::fresh().await;
    for node in &installation.nodes {
        tells(node, "up").await;
        assert!(!node.process.log().contains("redis evicts"), "{}", node.process.log());
    }

    let redis = installation.redis.as_ref().expect("a cluster has one");
    let set = ["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"];
    redis.command(&set).await.expect("Redis answers");
    for node in &mut installation.nodes {
        node.restart().await;
    }
    for node in &installation.nodes {
        tells(node, TROUBLE).await;
        assert!(node.process.log().contains(WARNING), "{}", node.process.log());
    }

    let redis = installation.redis.as_ref().expect("a cluster has one");
    let set = ["CONFIG", "SET", "maxmemory-policy", "noeviction"];
    redis.command(&set).await.expect("Redis answers");
    for node in &installation.nodes {
        tells(node, "up").await;
    }
}

#[tokio::test]
async fn a_redis_whose_settings_are_nobodys_business_is_told_of_all_the_same() {
    if Topology::of_this_run() != Topology::Cluster {
        return;
    }
    let mut installation = Installation::fresh().await;
    let redis = installation.redis.as_ref().expect("a cluster has one");
    let set = ["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"];
    redis.command(&set).await.expect("Redis answers");
    redis
        .command(&["ACL", "SETUSER", "default", "-config"])
        .await
        .expect("Redis answers");
    let refused = redis.command(&set).await.expect("Redis answers");
    assert!(refused.starts_with(b"-NOPERM"), "{}", String::from_utf8_lossy(&refused));

    let node = installation.nodes.first_mut().expect("there are nodes");
    node.restart().await;

    tells(node, TROUBLE).await;
}
