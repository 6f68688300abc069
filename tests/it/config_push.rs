//! How a change reaches the nodes: in under a second when all is well, and in the end whatever breaks in between.

use std::time::Duration;

use gatewright_types::ProblemCode;
use gatewright_types::api::{MintedKey, Outcome};
use harness::api::{Api, refused};
use harness::chat::{self, Chat, request_id, sandbox};
use harness::environment::Topology;
use harness::installation::{Installation, Options, Role};
use harness::organization::{EFFECT, Key, Organization};
use harness::postgres::Postgres;
use harness::upstream::Upstream;
use harness::wait::{SOON, always, eventually};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// By when a change arrives that nobody was told of.
const HEALED: Duration = Duration::from_secs(10);

fn is_cluster() -> bool {
    Topology::of_this_run() == Topology::Cluster
}

/// Waits until the key gives this status on every node.
async fn everywhere(organization: &Organization, key: &Key, status: u16, within: Duration) {
    for node in 0..organization.nodes.len() {
        let chat = organization.chat_at(node, key);
        eventually(&format!("a key gives {status} on node {node}"), within, async || {
            let answer = chat.try_send(&sandbox("echo", "tokens=1")).await.ok()?;
            (answer.status == status).then_some(())
        })
        .await;
    }
}

async fn revoke(organization: &Organization, key: &Key) {
    organization
        .owner
        .delete(&organization.path(&format!("/keys/{}", key.id)))
        .await
        .expect(200);
}

#[tokio::test]
async fn a_new_key_works_and_a_revoked_one_is_refused_within_a_second_on_every_node() {
    let (organization, _) = Organization::with_sandbox(Installation::shared().await).await;

    for number in 0..5 {
        let key = organization.key(&format!("number {number}")).await;
        everywhere(&organization, &key, 200, EFFECT).await;
        revoke(&organization, &key).await;
        everywhere(&organization, &key, 401, EFFECT).await;
    }
}

#[tokio::test]
async fn a_change_of_a_model_takes_effect_within_a_second_on_every_node() {
    let (one, other) = (Upstream::start().await, Upstream::start().await);
    let (organization, key) = Organization::with_upstream(Installation::shared().await, &one, &["m"]).await;
    organization
        .provider("other", "openai-compatible", Some(&other.base_url()))
        .await;
    let models: Vec<gatewright_types::api::Model> = organization.all("/models").await;
    let model = models.first().expect("there is one");

    let path = organization.path(&format!("/models/{}", model.id));
    organization
        .owner
        .patch(&path, &json!({"route": {"target": "other/renamed"}}))
        .await
        .expect(200);

    for node in 0..organization.nodes.len() {
        eventually("a node sends to the new place", EFFECT, async || {
            let answer = organization.chat_at(node, &key).ask("m").await;
            (answer.headers.need("x-gw-model") == "renamed").then_some(())
        })
        .await;
    }

    organization.owner.delete(&path).await.expect(204);
    for node in 0..organization.nodes.len() {
        eventually("a node forgets the model", EFFECT, async || {
            (organization.chat_at(node, &key).ask("m").await.status == 404).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_request_under_way_keeps_the_configuration_it_began_with() {
    let (organization, key) = Organization::with_sandbox(Installation::shared().await).await;
    let mut body = sandbox("echo", "chunks=10 chunk_delay=150ms");
    body.as_object_mut()
        .expect("an object")
        .insert("stream".to_owned(), Value::Bool(true));

    let mut stream = organization.chat(&key).begin(&body).await;
    stream.until("\"content\":\"You").await;
    revoke(&organization, &key).await;
    everywhere(&organization, &key, 401, EFFECT).await;

    let rest = stream.connection.rest().await.expect("the stream goes on to its end");
    assert!(String::from_utf8_lossy(&rest).ends_with("data: [DONE]\n\n"));
}

#[tokio::test]
async fn a_deleted_organization_is_gone_from_every_node() {
    let (organization, key) = Organization::with_sandbox(Installation::shared().await).await;

    organization.owner.delete(&organization.path("")).await.expect(204);

    everywhere(&organization, &key, 401, EFFECT).await;
}

#[tokio::test]
async fn a_restarted_data_plane_serves_at_once_what_it_served_before() {
    let mut installation = Installation::fresh().await;
    let (organization, key) = Organization::with_sandbox(&installation).await;

    let first = installation.first_data_plane();
    let node = installation.nodes.get_mut(first).expect("there is a data plane");
    node.kill();
    node.restart().await;

    organization.chat(&key).ask("echo").await.expect(200);
}

#[tokio::test]
async fn a_flushed_redis_is_filled_again() {
    if !is_cluster() {
        return;
    }
    let mut installation = Installation::fresh().await;
    let (organization, key) = Organization::with_sandbox(&installation).await;
    let redis = installation.redis.as_ref().expect("a cluster has one");

    redis.command(&["FLUSHALL"]).await.expect("Redis answers");

    for node in 0..2 {
        organization.chat_at(node, &key).ask("echo").await.expect(200);
    }
    let later = organization.key("later").await;
    everywhere(&organization, &later, 200, HEALED).await;
    revoke(&organization, &key).await;
    everywhere(&organization, &key, 401, HEALED).await;
    installation.add(Role::Proxy);
    installation.nodes.last_mut().expect("it was added").ready().await;
    let newcomer = Chat {
        address: *installation.data_planes().last().expect("three"),
        secret: later.secret,
    };
    newcomer.ask("echo").await.expect(200);
}

#[tokio::test]
async fn lost_notices_only_cost_time() {
    if !is_cluster() {
        return;
    }
    let installation = Installation::fresh().await;
    let (organization, _) = Organization::with_sandbox(&installation).await;
    let redis = installation.redis.as_ref().expect("a cluster has one");

    for number in 0..3 {
        let key = organization.key(&format!("number {number}")).await;
        everywhere(&organization, &key, 200, HEALED).await;
        redis
            .command(&["CLIENT", "KILL", "TYPE", "pubsub"])
            .await
            .expect("Redis answers");
        revoke(&organization, &key).await;
        everywhere(&organization, &key, 401, HEALED).await;
    }
}

#[tokio::test]
async fn without_redis_known_keys_work_and_unknown_ones_are_told_to_try_again() {
    if !is_cluster() {
        return;
    }
    let mut installation = Installation::fresh().await;
    let (organization, key) = Organization::with_sandbox(&installation).await;

    installation.redis.as_mut().expect("a cluster has one").kill();

    let chats: Vec<_> = (0..2).map(|node| organization.chat_at(node, &key)).collect();
    always("known keys work", Duration::from_secs(3), async || {
        let mut all = true;
        for chat in &chats {
            all &= chat.ask("echo").await.status == 200;
        }
        all
    })
    .await;
    let created = organization.key("made meanwhile").await;
    for node in 0..2 {
        let answer = organization.chat_at(node, &created).ask("echo").await;
        chat::refused(&answer, 503, "not_ready");
        assert!(answer.headers.get("retry-after").is_some());
    }
    for node in installation.nodes.iter().filter(|node| node.role == Role::Proxy) {
        eventually("readiness tells that Redis is away", SOON, async || {
            let answer = node.readyz().await.expect(200).json();
            assert_eq!(answer.get("ready"), Some(&json!(true)));
            (answer.pointer("/dependencies/redis") != Some(&json!("up"))).then_some(())
        })
        .await;
    }

    installation.redis.as_mut().expect("a cluster has one").restart().await;

    everywhere(&organization, &created, 200, HEALED).await;
    revoke(&organization, &key).await;
    everywhere(&organization, &key, 401, HEALED).await;
    for node in installation.nodes.iter().filter(|node| node.role == Role::Proxy) {
        eventually("readiness tells that Redis is back", HEALED, async || {
            let answer = node.readyz().await.expect(200).json();
            (answer.pointer("/dependencies/redis") == Some(&json!("up"))).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_revocation_made_while_redis_was_away_arrives_when_it_is_back() {
    if !is_cluster() {
        return;
    }
    let mut installation = Installation::fresh().await;
    let (organization, key) = Organization::with_sandbox(&installation).await;

    installation.redis.as_mut().expect("a cluster has one").kill();
    revoke(&organization, &key).await;
    installation.redis.as_mut().expect("a cluster has one").restart().await;

    everywhere(&organization, &key, 401, HEALED).await;
}

#[tokio::test]
async fn without_a_control_plane_traffic_flows_and_is_counted_later() {
    if !is_cluster() {
        return;
    }
    let mut installation = Installation::fresh().await;
    let (organization, key) = Organization::with_sandbox(&installation).await;

    installation.control_node_mut().kill();
    let mut requests = Vec::new();
    for node in [0, 1, 0, 1] {
        let answer = organization.chat_at(node, &key).ask("echo").await.expect(200);
        requests.push(request_id(&answer));
    }
    for node in installation.nodes.iter().filter(|node| node.role == Role::Proxy) {
        node.readyz().await.expect(200);
    }
    installation.control_node_mut().restart().await;

    for request in &requests {
        assert_eq!(organization.usage(request).await.outcome, Outcome::Complete);
    }
}

#[tokio::test]
async fn a_proxy_starts_from_its_snapshot_while_redis_is_away() {
    if !is_cluster() {
        return;
    }
    let mut installation = Installation::fresh().await;
    let (organization, key) = Organization::with_sandbox(&installation).await;
    let first = installation.first_data_plane();

    installation.redis.as_mut().expect("a cluster has one").kill();
    let node = installation.nodes.get_mut(first).expect("there is a data plane");
    node.kill();
    node.restart().await;

    organization.chat(&key).ask("echo").await.expect(200);
}

#[tokio::test]
async fn a_proxy_that_never_had_a_configuration_is_not_ready_and_lets_nobody_in() {
    if !is_cluster() {
        return;
    }
    let mut installation = Installation::fresh().await;
    let (organization, key) = Organization::with_sandbox(&installation).await;

    installation.redis.as_mut().expect("a cluster has one").kill();
    installation.add(Role::Proxy);
    let newcomer = installation.nodes.last().expect("it was added");
    let readyz = eventually("the newcomer answers", SOON, async || {
        harness::http::Request::new("GET", "/readyz")
            .send(newcomer.address)
            .await
            .ok()
    })
    .await;

    assert_eq!((readyz.status, readyz.json().get("ready")), (503, Some(&json!(false))));
    harness::http::Request::new("GET", "/livez")
        .send(newcomer.address)
        .await
        .expect("it is alive")
        .expect(200);
    let chat = Chat {
        address: newcomer.address,
        secret: key.secret.clone(),
    };
    chat::refused(&chat.ask("echo").await, 503, "not_ready");
    installation.redis.as_mut().expect("a cluster has one").restart().await;
    eventually("the newcomer gets ready", HEALED, async || {
        (chat.ask("echo").await.status == 200).then_some(())
    })
    .await;
    organization.chat(&key).ask("echo").await.expect(200);
}

#[tokio::test]
async fn without_its_database_a_control_plane_says_so_at_once_and_recovers() {
    if !is_cluster() {
        return;
    }
    let mut postgres = Postgres::start().await;
    let options = Options {
        postgres: Some(postgres.url()),
        ..Options::default()
    };
    let installation = Installation::start(options).await;
    let (organization, key) = Organization::with_sandbox(&installation).await;

    postgres.stop().await;
    let asked = timeout(EFFECT * 5, organization.owner.get(&organization.path("/keys"))).await;
    let readyz = installation.control_node().readyz().await;
    organization.chat(&key).ask("echo").await.expect(200);
    postgres.start_again().await;

    refused(&asked.expect("an answer within seconds"), 503, ProblemCode::Unavailable);
    assert_eq!(readyz.status, 503);
    assert_ne!(readyz.json().pointer("/dependencies/database"), Some(&json!("up")));
    eventually("the control plane is ready again", HEALED, async || {
        (installation.control_node().readyz().await.status == 200).then_some(())
    })
    .await;
    let later = organization.key("later").await;
    everywhere(&organization, &later, 200, EFFECT).await;
}

#[tokio::test]
async fn many_changes_at_once_all_arrive() {
    let (organization, _) = Organization::with_sandbox(Installation::shared().await).await;
    let mut calls = JoinSet::new();
    for number in 0..40 {
        let (owner, path) = (organization.owner.clone(), organization.path("/keys"));
        calls.spawn(async move {
            let body = json!({"name": format!("number {number}")});
            let minted: MintedKey = owner.post(&path, &body).await.expect(201).read();
            Key {
                id: minted.key.id.to_string(),
                secret: minted.secret.expect("it was minted"),
            }
        });
    }
    let keys = calls.join_all().await;

    for key in &keys {
        everywhere(&organization, key, 200, HEALED).await;
    }
    let made = organization
        .audit()
        .await
        .into_iter()
        .filter(|entry| entry.action == "key.create")
        .count();
    assert_eq!(made, 41, "each change has its line in the audit log");
}

#[tokio::test]
async fn control_planes_and_nodes_that_do_everything_join_a_cluster_as_they_come() {
    if !is_cluster() {
        return;
    }
    let mut installation = Installation::fresh().await;
    installation.add(Role::Control);
    installation.add(Role::All);
    for node in &mut installation.nodes {
        node.ready().await;
    }
    let (organization, key) = Organization::with_sandbox(&installation).await;
    assert_eq!(organization.nodes.len(), 3);

    let mut requests = Vec::new();
    for node in installation.nodes.iter().filter(|node| node.role != Role::Proxy) {
        // A session that one control plane gave is good at all of them.
        let there = Api::new(node.address, organization.owner.caller.clone());
        let body = json!({"name": format!("made at {}", node.address)});
        let minted: MintedKey = there.post(&organization.path("/keys"), &body).await.expect(201).read();
        let made = Key {
            id: minted.key.id.to_string(),
            secret: minted.secret.expect("it was minted"),
        };
        everywhere(&organization, &made, 200, EFFECT).await;
    }
    for node in 0..3 {
        requests.push(request_id(
            &organization.chat_at(node, &key).ask("echo").await.expect(200),
        ));
    }

    for request in &requests {
        organization.usage(request).await;
    }
    organization.usage_settles().await;
    let rows = organization.rows().await;
    let counted = |request: &String| rows.iter().filter(|row| row.id.to_string() == *request).count();
    assert!(requests.iter().all(|request| counted(request) == 1), "{rows:?}");
}
