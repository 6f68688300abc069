//! Responses that were made before, asked for as a stream: wherever they are kept.

use harness::chat::refused;
use harness::http::{Answer, Request};
use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::upstream::{Script, Upstream};
use serde_json::{Value, json};

async fn send(organization: &Organization, key: &Key, request: Request) -> Answer {
    let request = request.header("authorization", &format!("Bearer {}", key.secret));
    let address = *organization.nodes.last().expect("there is a data plane");
    request.send(address).await.expect("the data plane answers")
}

async fn get(organization: &Organization, key: &Key, tail: &str) -> Answer {
    let request = Request::new("GET", &format!("/v1/responses/{tail}"));
    send(organization, key, request).await
}

async fn create(organization: &Organization, key: &Key, body: &Value) -> Value {
    let request = Request::new("POST", "/v1/responses").json(body);
    send(organization, key, request).await.expect(200).json()
}

fn events(stream: &Answer) -> Vec<Value> {
    assert_eq!(stream.headers.need("content-type"), "text/event-stream");
    let text = stream.text();
    let events = text.split_terminator("\n\n").map(|event| {
        let (name, data) = event.split_once("\ndata: ").expect("two lines");
        let data: Value = serde_json::from_str(data).expect("JSON");
        assert_eq!(name.strip_prefix("event: "), data.get("type").and_then(Value::as_str));
        data
    });
    events.collect()
}

fn numbers(events: &[Value]) -> Vec<u64> {
    let number = |event: &Value| event.get("sequence_number").and_then(Value::as_u64);
    events.iter().map(|event| number(event).expect("a number")).collect()
}

#[tokio::test]
async fn a_response_that_is_kept_here_is_told_as_a_stream_from_wherever_it_broke_off() {
    let (organization, key) = Organization::with_sandbox(Installation::shared().await).await;
    let made = create(&organization, &key, &json!({"model": "echo", "input": "one two"})).await;
    let id = made.pointer("/id").and_then(Value::as_str).expect("it has one");

    let all = events(&get(&organization, &key, &format!("{id}?stream=true")).await.expect(200));
    let rest = get(&organization, &key, &format!("{id}?stream=true&starting_after=3")).await;
    let rest = events(&rest.expect(200));
    let beyond = get(&organization, &key, &format!("{id}?stream=true&starting_after=900")).await;
    let beyond = events(&beyond.expect(200));

    assert_eq!(numbers(&all), (0..9).collect::<Vec<_>>(), "{all:?}");
    let kinds: Vec<_> = all
        .iter()
        .map(|event| event.pointer("/type").and_then(Value::as_str))
        .collect();
    assert_eq!(kinds.first(), Some(&Some("response.created")));
    assert_eq!(kinds.last(), Some(&Some("response.completed")));
    assert_eq!(all.last().and_then(|event| event.get("response")), Some(&made));
    let delta = all.iter().find_map(|event| event.get("delta"));
    assert_eq!(delta, made.pointer("/output/0/content/0/text"));
    assert_eq!(rest[..], all[4..]);
    assert_eq!(numbers(&beyond), [901]);
    assert_eq!(beyond[0].get("response"), Some(&made));

    let whole = get(&organization, &key, &format!("{id}?stream=false&starting_after=3")).await;
    assert_eq!(whole.expect(200).json(), made);
    let wrong = get(&organization, &key, &format!("{id}?stream=true&starting_after=x")).await;
    let wrong = refused(&wrong, 400, "invalid_request");
    assert_eq!(wrong.get("param"), Some(&json!("starting_after")));
    let unknown = get(&organization, &key, "resp_unknown?stream=true").await;
    refused(&unknown, 404, "response_not_found");
}

#[tokio::test]
async fn a_providers_response_is_told_as_a_stream_once_it_is_over() {
    let upstream = Upstream::start().await;
    let organization = Organization::make(Installation::shared().await).await;
    organization.provider("up", "openai", Some(&upstream.base_url())).await;
    organization.model("m", "up/m", &json!({})).await;
    let key = organization.key("main").await;
    organization.settled(&key, &["m"]).await;
    let object = |status: &str, output: Value| {
        json!({"id": "resp_replayed_1", "object": "response", "created_at": 1, "status": status, "model": "m",
            "error": null, "output": output, "x_future": 1.50,
            "usage": {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}})
    };
    let message = json!([{"id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": "Hello.", "annotations": []}]}]);
    let at = "/v1/responses/resp_replayed_1";
    upstream.on("m", Script::json(200, &object("queued", json!([]))));
    create(
        &organization,
        &key,
        &json!({"model": "m", "input": "x", "background": true}),
    )
    .await;

    upstream.on(at, Script::json(200, &object("in_progress", json!([]))));
    let early = get(&organization, &key, "resp_replayed_1?stream=true").await;
    upstream.on(at, Script::json(200, &object("completed", message.clone())));
    let stream = get(&organization, &key, "resp_replayed_1?stream=true&starting_after=1").await;

    let early = refused(&early, 400, "invalid_request");
    assert_eq!(early.get("param"), Some(&json!("stream")));
    let events = events(&stream.expect(200));
    assert_eq!(numbers(&events), (2..9).collect::<Vec<_>>());
    assert_eq!(
        events.last().and_then(|event| event.get("response")),
        Some(&object("completed", message))
    );
    assert_eq!(upstream.seen().last().expect("it was asked").target, at);
}
