//! Responses that are made in the background: billed once, whoever asks for them, and by a node that starts again.

use std::time::Duration;

use gatewright_types::UsageUnit;
use harness::installation::{Installation, Options};
use harness::upstream::{Script, Upstream};
use harness::wait::eventually;
use serde_json::{Value, json};

use super::{Client, organization, response_object};

#[tokio::test]
async fn what_is_made_in_the_background_is_billed_once_though_nobody_asks_for_it() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(Installation::shared().await, &upstream, "openai").await;
    let client = Client::of(&organization, &key);
    let at = "/v1/responses/resp_background_2";
    let mut queued = response_object("resp_background_2", "queued");
    queued["usage"] = Value::Null;
    upstream.on("m", Script::json(200, &queued));
    upstream.on(at, Script::json(200, &queued));

    let body = json!({"model": "m", "input": "x", "background": true});
    client.create(0, &body).await.expect(200);
    let asked = async |count: usize| {
        let seen = upstream.seen().into_iter().filter(|seen| seen.target == at);
        (seen.count() >= count).then_some(())
    };
    eventually("the provider is asked", Duration::from_secs(30), async || {
        asked(1).await
    })
    .await;
    upstream.on(
        at,
        Script::json(200, &response_object("resp_background_2", "completed")),
    );
    let billed = async || {
        let rows = organization.rows().await;
        rows.into_iter().find(|row| !row.lines.is_empty())
    };
    let billed = eventually("it is billed", Duration::from_secs(60), billed).await;
    client.call(0, "GET", "resp_background_2").await.expect(200);
    organization.usage_settles().await;

    let quantity = |unit| {
        billed
            .lines
            .iter()
            .find(|line| line.unit == unit)
            .map(|line| line.quantity)
    };
    assert_eq!(
        (quantity(UsageUnit::InputUncached), quantity(UsageUnit::OutputText)),
        (Some(5), Some(2))
    );
    let rows = organization.rows().await;
    let rows: Vec<_> = rows.iter().filter(|row| !row.lines.is_empty()).collect();
    assert_eq!(rows.len(), 1, "{rows:?}");
}

#[tokio::test]
async fn what_is_made_in_the_background_is_billed_once_when_it_is_over() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(Installation::shared().await, &upstream, "openai").await;
    organization
        .price("up", "m", &json!({"input": "1", "output": "2"}))
        .await;
    let client = Client::of(&organization, &key);
    let at = "/v1/responses/resp_background_1";
    let mut queued = response_object("resp_background_1", "queued");
    queued["usage"] = Value::Null;
    upstream.on("m", Script::json(200, &queued));
    upstream.on(at, Script::json(200, &queued));

    let made = client
        .create(0, &json!({"model": "m", "input": "x", "background": true}))
        .await
        .expect(200);
    client.call(0, "GET", "resp_background_1").await.expect(200);
    let asked = organization.only_usage().await;
    assert_eq!((asked.lines.len(), asked.estimated), (0, false));
    assert_eq!(made.headers.need("x-gw-cost-usd"), "0.00");

    upstream.on(
        at,
        Script::json(200, &response_object("resp_background_1", "completed")),
    );
    for node in 0..4 {
        client.call(node, "GET", "resp_background_1").await.expect(200);
    }
    client.call(0, "DELETE", "resp_background_1").await.expect(200);
    organization.usage_settles().await;

    let rows = organization.rows().await;
    let billed: Vec<_> = rows.iter().filter(|row| !row.lines.is_empty()).collect();
    let [billed] = &*billed else {
        panic!("billed {} times", billed.len())
    };
    let tokens: Vec<_> = billed.lines.iter().map(|line| (line.unit, line.quantity)).collect();
    assert_eq!(tokens, [(UsageUnit::InputUncached, 5), (UsageUnit::OutputText, 2)]);
    assert_eq!((rows.len(), billed.key.map(|id| id.to_string())), (2, Some(key.id)));
}

#[tokio::test]
async fn what_is_made_in_the_background_is_asked_about_by_a_node_that_starts_again() {
    let upstream = Upstream::start().await;
    let mut installation = Installation::start(Options::default()).await;
    let (organization, key) = organization(&installation, &upstream, "openai").await;
    let client = Client::of(&organization, &key);
    let at = "/v1/responses/resp_background_3";
    let mut queued = response_object("resp_background_3", "queued");
    queued["usage"] = Value::Null;
    upstream.on("m", Script::json(200, &queued));
    upstream.on(
        at,
        Script::json(200, &response_object("resp_background_3", "completed")),
    );
    let body = json!({"model": "m", "input": "x", "background": true});
    client.create(0, &body).await.expect(200);

    let data_plane = installation.first_data_plane();
    let node = installation.nodes.get_mut(data_plane).expect("there is one");
    node.restart().await;

    // Nobody else asks for it.
    let billed = async || {
        let rows = organization.rows().await;
        rows.into_iter().find(|row| !row.lines.is_empty())
    };
    eventually("it is billed", Duration::from_secs(60), billed).await;
    let told = client.call(0, "GET", "resp_background_3").await.expect(200);
    assert_eq!(told.json()["status"], "completed");
    organization.usage_settles().await;
    let rows = organization.rows().await;
    assert_eq!(rows.iter().filter(|row| !row.lines.is_empty()).count(), 1, "{rows:?}");
}
