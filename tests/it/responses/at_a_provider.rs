//! Responses that a provider with a memory keeps itself: asked for where they were made, and known on every node.

use harness::chat::refused;
use harness::installation::Installation;
use harness::organization::Organization;
use harness::upstream::{Script, Upstream};
use harness::wait::{SOON, eventually};
use serde_json::json;

use super::{Client, claude, id, member, organization, response_object, text};

#[tokio::test]
async fn a_provider_with_a_memory_is_asked_by_the_credential_that_made_the_response() {
    let installation = Installation::shared().await;
    let upstream = Upstream::start().await;
    let organization = Organization::make(installation).await;
    let provider = organization.provider("up", "openai", Some(&upstream.base_url())).await;
    organization.credential(&provider, "sk-another-secret-0002").await;
    organization.model("m", "up/m", &json!({})).await;
    organization
        .provider("other", "anthropic", Some(&upstream.base_url()))
        .await;
    organization.model("claude", "other/claude", &json!({})).await;
    let key = organization.key("main").await;
    organization.settled(&key, &["m", "claude"]).await;
    let client = Client::of(&organization, &key);
    let object = response_object("resp_native_2", "completed");
    upstream.on("m", Script::json(200, &object));
    upstream.on("/v1/responses/resp_native_2", Script::json(200, &object));
    upstream.on("/v1/responses/resp_native_2/cancel", Script::json(200, &object));
    upstream.on(
        "/v1/responses/resp_native_2/input_items?limit=2&order=asc",
        Script::json(200, &json!({"object": "list", "data": []})),
    );
    let by = |seen: usize| {
        let seen = upstream.seen().into_iter().nth(seen).expect("it was sent");
        (seen.method, seen.target, seen.headers.need("authorization").to_owned())
    };

    let first = json!({"model": "m", "input": "x", "background": true, "x_future": [1.50]});
    let answer = client.create(0, &first).await.expect(200);
    assert_eq!(answer.json(), object);
    assert_eq!(upstream.only().json(), first);
    let (_, _, maker) = by(0);

    let next = json!({"model": "m", "previous_response_id": "resp_native_2", "input": "y", "store": false});
    for node in 0..3 {
        client.create(node, &next).await.expect(200);
        assert_eq!(
            by(node + 1),
            ("POST".to_owned(), "/v1/responses".to_owned(), maker.clone())
        );
    }
    assert_eq!(upstream.seen().last().expect("one").json(), next);
    assert_eq!(client.call(1, "GET", "resp_native_2").await.expect(200).json(), object);
    client.call(1, "POST", "resp_native_2/cancel").await.expect(200);
    let listed = client.call(1, "GET", "resp_native_2/input_items?limit=2&order=asc&api-version=1");
    listed.await.expect(200);
    for (seen, method, tail) in [
        (4, "GET", ""),
        (5, "POST", "/cancel"),
        (6, "GET", "/input_items?limit=2&order=asc"),
    ] {
        let target = format!("/v1/responses/resp_native_2{tail}");
        assert_eq!(by(seen), (method.to_owned(), target, maker.clone()));
    }

    // The model leads elsewhere by now: the response is still where it was made.
    let models = organization
        .owner
        .get(&organization.path("/models"))
        .await
        .expect(200)
        .json();
    let listed = member(&models, "/items").as_array().expect("models").iter();
    let model = listed.clone().find(|model| model["name"] == "m").expect("it is there");
    let path = organization.path(&format!("/models/{}", text(model, "/id")));
    let moved = json!({"route": {"target": "other/claude"}});
    organization.owner.patch(&path, &moved).await.expect(200);
    upstream.on("claude", claude(&json!([{"type": "text", "text": "Hi."}]), "end_turn"));
    eventually("the model leads elsewhere", SOON, async || {
        // Not stored: until then it is answered under the same name, by whichever credential has its turn.
        let asked = json!({"model": "m", "input": "x", "store": false});
        let answer = client.create(0, &asked).await;
        (answer.status == 200 && answer.headers.need("x-gw-provider") == "other").then_some(())
    })
    .await;
    let bridged = client.create(0, &json!({"model": "m", "input": "x"})).await.expect(200);
    let before = upstream.seen().len();
    client.create(0, &next).await.expect(200);
    assert_eq!(
        by(before),
        ("POST".to_owned(), "/v1/responses".to_owned(), maker.clone())
    );

    let across = json!({"model": "claude", "previous_response_id": "resp_native_2", "input": "y"});
    let across = refused(&client.create(0, &across).await, 400, "invalid_request");
    assert!(text(&across, "/message").contains("'input'"), "{across}");
    organization.model("native", "up/m", &json!({})).await;
    organization.settled(&key, &["native"]).await;
    let back = json!({"model": "native", "previous_response_id": id(&bridged), "input": "y"});
    let back = refused(&client.create(0, &back).await, 400, "invalid_request");
    assert_eq!(text(&back, "/param"), "previous_response_id");

    client.call(0, "DELETE", "resp_native_2").await.expect(200);
    refused(&client.call(1, "GET", "resp_native_2").await, 404, "response_not_found");
}

#[tokio::test]
async fn a_streams_response_at_a_provider_is_known_everywhere_and_its_bytes_pass_unread() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(Installation::shared().await, &upstream, "openai").await;
    let client = Client::of(&organization, &key);
    let event = |kind: &str, status: &str| {
        let data = json!({"type": kind, "response": response_object("resp_native_3", status)});
        format!("event: {kind}\ndata: {data}\n\n")
    };
    let events = [
        event("response.created", "in_progress"),
        event("response.completed", "completed"),
    ];
    upstream.on("m", Script::stream(&events));
    upstream.on(
        "/v1/responses/resp_native_3",
        Script::json(
            404,
            &json!({"error": {"message": "gone", "type": "invalid_request_error"}}),
        ),
    );

    let asked = json!({"model": "m", "input": "x", "stream": true});
    let streamed = client.create(0, &asked).await.expect(200).text();
    assert!(streamed.starts_with(&events.concat()), "{streamed}");

    let next = json!({"model": "m", "input": "x", "previous_response_id": "resp_native_3", "stream": true});
    client.create(1, &next).await.expect(200);
    refused(&client.call(1, "GET", "resp_native_3").await, 404, "response_not_found");
    let forgotten = client.create(0, &next).await;
    refused(&forgotten, 400, "previous_response_not_found");
}
