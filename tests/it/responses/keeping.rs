//! How long responses are kept, how much of them, and what comes of those that cannot be.

use std::time::Duration;

use harness::chat::refused;
use harness::environment::Topology;
use harness::installation::{Installation, Options};
use harness::organization::Organization;
use harness::wait::{SOON, eventually};
use serde_json::json;
use tokio::time::Instant;

use super::{Client, completed, id, text};

#[tokio::test]
async fn stored_responses_expire_and_outlive_a_restart_until_then() {
    let mut installation = Installation::start(Options {
        environment: vec![("GATEWRIGHT_RESPONSE_TTL", "8s".to_owned())],
        ..Options::default()
    })
    .await;
    let (organization, key) = Organization::with_sandbox(&installation).await;
    let client = Client::of(&organization, &key);
    let secret = "the codeword is heliotrope";
    let first = id(&client
        .create(0, &json!({"model": "echo", "input": secret}))
        .await
        .expect(200));

    let data_plane = installation.first_data_plane();
    let node = installation.nodes.get_mut(data_plane).expect("there is one");
    node.restart().await;
    let next = json!({"model": "echo", "input": "y", "previous_response_id": first});
    client.create(0, &next).await.expect(200);
    assert!(
        !everything(&installation).await.contains("heliotrope"),
        "it is sealed at rest"
    );
    assert!(!installation.logs().contains("heliotrope"));

    eventually("it expires", SOON, async || {
        let answer = client.call(0, "GET", &first).await;
        (answer.status == 404).then_some(())
    })
    .await;
    refused(&client.create(0, &next).await, 400, "previous_response_not_found");
}

/// All that is kept outside of the processes' memory.
async fn everything(installation: &Installation) -> String {
    if let Some(redis) = &installation.redis {
        return String::from_utf8_lossy(&redis.everything().await).into_owned();
    }
    let folder = installation.control_node().data.join("responses");
    let folders = std::fs::read_dir(folder).expect("it is there").flatten();
    let files = folders.flat_map(|folder| std::fs::read_dir(folder.path()).expect("a folder").flatten());
    let texts: Vec<_> = files
        .map(|file| std::fs::read_to_string(file.path()).expect("a file"))
        .collect();
    assert!(!texts.is_empty(), "nothing is kept");
    texts.concat()
}

#[tokio::test]
async fn without_redis_responses_are_made_but_not_stored() {
    if Topology::of_this_run() == Topology::Solo {
        return;
    }
    let mut installation = Installation::fresh().await;
    let (organization, key) = Organization::with_sandbox(&installation).await;
    let client = Client::of(&organization, &key);
    let first = id(&client
        .create(0, &json!({"model": "echo", "input": "x"}))
        .await
        .expect(200));
    installation.redis.as_mut().expect("a cluster has one").kill();

    let lost = client
        .create(0, &json!({"model": "echo", "input": "x"}))
        .await
        .expect(200);
    assert_eq!(lost.headers.need("x-gw-response-stored"), "false");
    let streamed = json!({"model": "echo", "input": "x", "stream": true});
    completed(&client.create(0, &streamed).await.expect(200));
    let unstored = json!({"model": "echo", "input": "x", "store": false});
    let unstored = client.create(0, &unstored).await.expect(200);
    assert_eq!(unstored.headers.get("x-gw-response-stored"), None);
    let next = json!({"model": "echo", "input": "x", "previous_response_id": first});
    refused(&client.create(0, &next).await, 503, "not_ready");
    refused(&client.call(0, "GET", &first).await, 503, "not_ready");
    let told = installation
        .logs()
        .matches("cannot be referred to by later requests")
        .count();
    assert_eq!(told, 1, "{}", installation.logs());

    installation.redis.as_mut().expect("a cluster has one").restart().await;
    eventually("responses are stored again", Duration::from_secs(20), async || {
        let answer = client.create(0, &json!({"model": "echo", "input": "x"})).await;
        answer.headers.get("x-gw-response-stored").is_none().then_some(())
    })
    .await;
    for gone in [first, id(&lost)] {
        refused(&client.call(0, "GET", &gone).await, 404, "response_not_found");
        let next = json!({"model": "echo", "input": "x", "previous_response_id": gone});
        refused(&client.create(0, &next).await, 400, "previous_response_not_found");
    }
}

#[tokio::test]
async fn a_response_too_large_to_be_kept_is_made_all_the_same_and_its_caller_is_told() {
    let (organization, key) = Organization::with_sandbox(Installation::shared().await).await;
    let roomy = json!({"kind": "sandbox", "model": "echo", "facts": {"context": 10_000_000}});
    let overlays = organization.path("/catalog/overlays");
    organization.owner.post(&overlays, &roomy).await.expect(201);
    let client = Client::of(&organization, &key);

    let asked = json!({"model": "echo", "input": "word ".repeat((8 << 20) / 5)});
    let answer = client.create(0, &asked).await.expect(200);

    assert_eq!(answer.headers.need("x-gw-response-stored"), "false");
    let gone = client.call(1, "GET", &id(&answer)).await;
    refused(&gone, 404, "response_not_found");
}

#[tokio::test]
async fn a_conversation_of_two_hundred_responses_goes_on_once_more_and_then_no_further() {
    let (organization, key) = Organization::with_sandbox(Installation::shared().await).await;
    let client = Client::of(&organization, &key);
    let mut last = id(&client
        .create(0, &json!({"model": "echo", "input": "x"}))
        .await
        .expect(200));
    for node in 0..200 {
        let next = json!({"model": "echo", "input": "x", "previous_response_id": last});
        last = id(&client.create(node, &next).await.expect(200));
    }

    let next = json!({"model": "echo", "input": "x", "previous_response_id": last});
    let next = refused(&client.create(0, &next).await, 400, "invalid_request");
    let named = (0..201).map(|number| json!({"type": "item_reference", "id": format!("msg_{number}_0")}));
    let named = json!({"model": "echo", "input": named.collect::<Vec<_>>()});
    let named = refused(&client.create(0, &named).await, 400, "invalid_request");

    assert_eq!(text(&next, "/param"), "previous_response_id");
    assert!(text(&next, "/message").contains("more than 200 responses"), "{next}");
    assert_eq!(text(&named, "/param"), "input");
    assert!(text(&named, "/message").contains("more than 200 responses"), "{named}");
}

#[tokio::test]
async fn a_redis_that_answers_nothing_is_waited_for_by_one_request_and_not_by_each() {
    if Topology::of_this_run() == Topology::Solo {
        return;
    }
    let mut installation = Installation::fresh().await;
    let (organization, key) = Organization::with_sandbox(&installation).await;
    let client = Client::of(&organization, &key);
    let create = async || {
        client
            .create(0, &json!({"model": "echo", "input": "x"}))
            .await
            .expect(200)
    };
    installation.redis.as_mut().expect("a cluster has one").hang();

    let began = Instant::now();
    for _ in 0..8 {
        assert_eq!(create().await.headers.need("x-gw-response-stored"), "false");
    }

    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    installation.redis.as_mut().expect("a cluster has one").go_on();
    eventually("responses are stored again", Duration::from_secs(20), async || {
        let answer = create().await;
        answer.headers.get("x-gw-response-stored").is_none().then_some(())
    })
    .await;
}
