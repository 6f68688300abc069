//! Responses that later requests refer to: kept here for providers without a memory, noted for those that have one, and
//! the same on every node.

mod at_a_provider;
mod background;
mod keeping;

use gatewright_types::UsageUnit;
use harness::chat::{refused, request_id};
use harness::http::{Answer, Request};
use harness::installation::Installation;
use harness::organization::{Key, Organization, provider};
use harness::upstream::{Script, Upstream};
use serde_json::{Value, json};

/// A caller of `/v1/responses`, who reaches another node with each call.
struct Client<'a> {
    organization: &'a Organization,
    key: &'a Key,
}

impl<'a> Client<'a> {
    fn of(organization: &'a Organization, key: &'a Key) -> Self {
        Self { organization, key }
    }

    async fn send(&self, node: usize, request: Request) -> Answer {
        let nodes = &self.organization.nodes;
        let address = nodes.get(node % nodes.len()).expect("there is a data plane");
        let request = request.header("authorization", &format!("Bearer {}", self.key.secret));
        request.send(*address).await.expect("the data plane answers")
    }

    async fn create(&self, node: usize, body: &Value) -> Answer {
        self.send(node, Request::new("POST", "/v1/responses").json(body)).await
    }

    async fn call(&self, node: usize, method: &str, tail: &str) -> Answer {
        self.send(node, Request::new(method, &format!("/v1/responses/{tail}")))
            .await
    }
}

async fn organization(installation: &Installation, upstream: &Upstream, kind: &str) -> (Organization, Key) {
    Organization::with_model(installation, &provider(kind, &upstream.base_url()), "m").await
}

fn member<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    let found = member(value, pointer).as_str();
    found.unwrap_or_else(|| panic!("no text at {pointer} in {value}"))
}

fn id(answer: &Answer) -> String {
    text(&answer.json(), "/id").to_owned()
}

fn claude(content: &Value, stop: &str) -> Script {
    let answer = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-real",
        "content": content, "stop_reason": stop, "stop_sequence": null,
        "usage": {"input_tokens": 7, "output_tokens": 3}});
    Script::json(200, &answer)
}

fn claude_stream(text: &str) -> Script {
    let events = [
        json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant",
            "model": "claude-real", "content": [], "stop_reason": null, "usage": {"input_tokens": 7, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}}),
        json!({"type": "message_stop"}),
    ];
    Script::stream(events.map(|event| format!("event: {}\ndata: {event}\n\n", self::text(&event, "/type"))))
}

fn response_object(id: &str, status: &str) -> Value {
    json!({"id": id, "object": "response", "created_at": 1, "status": status, "model": "m", "error": null,
        "output": [], "usage": {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}})
}

/// The response in the last event of a stream.
fn completed(stream: &Answer) -> Value {
    let stream = stream.text();
    let event = stream.split("\n\n").find_map(|block| {
        let data = block.strip_prefix("event: response.completed\ndata: ")?;
        serde_json::from_str::<Value>(data).ok()
    });
    let event = event.unwrap_or_else(|| panic!("no end in {stream}"));
    member(&event, "/response").clone()
}

#[tokio::test]
async fn a_conversation_over_a_bridge_goes_on_on_any_node_with_its_tool_calls() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(Installation::shared().await, &upstream, "anthropic").await;
    let client = Client::of(&organization, &key);
    let call = json!([{"type": "text", "text": "Let me look."},
        {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}}]);
    let tools = json!([{"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}}]);

    upstream.on("m", claude(&call, "tool_use"));
    let first =
        json!({"model": "m", "input": "How is the weather in Oslo?", "instructions": "Be rude.", "tools": tools});
    let first = client.create(0, &first).await.expect(200);
    assert_eq!(first.headers.get("x-gw-response-stored"), None);
    upstream.on(
        "m",
        claude(&json!([{"type": "text", "text": "4 degrees."}]), "end_turn"),
    );
    let second = client
        .create(
            1,
            &json!({"model": "m", "previous_response_id": id(&first), "instructions": "Be brief.", "tools": tools,
                "input": [{"type": "function_call_output", "call_id": "toolu_1", "output": "4"}]}),
        )
        .await
        .expect(200);
    assert_eq!(member(&second.json(), "/previous_response_id"), &json!(id(&first)));
    let third = json!({"model": "m", "previous_response_id": id(&second), "input": "Thanks.", "stream": true});
    upstream.on("m", claude_stream("You are welcome."));
    let third = completed(&client.create(0, &third).await.expect(200));
    let third_id = text(&third, "/id").to_owned();
    upstream.on("m", claude(&json!([{"type": "text", "text": "Bye."}]), "end_turn"));
    let fourth = json!({"model": "m", "previous_response_id": third_id, "input": "Bye."});
    let fourth = client.create(1, &fourth).await.expect(200);

    let seen = upstream.seen();
    let sent = seen.last().expect("four requests").json();
    assert_eq!(member(&sent, "/messages/5/content/0/text"), "You are welcome.");
    let said: Vec<_> = member(&sent, "/messages")
        .as_array()
        .expect("messages")
        .iter()
        .map(|message| json!([message["role"], message["content"].as_array().map_or(1, Vec::len)]))
        .collect();
    let turns = json!([
        ["user", 1],
        ["assistant", 2],
        ["user", 1],
        ["assistant", 1],
        ["user", 1],
        ["assistant", 1],
        ["user", 1]
    ]);
    assert_eq!(Value::from(said), turns, "{sent}");
    assert_eq!(member(&sent, "/messages/1/content/1/id"), "toolu_1");
    assert_eq!(member(&sent, "/messages/2/content/0/tool_use_id"), "toolu_1");
    assert!(
        !sent.to_string().contains("rude"),
        "each request gives its own instructions: {sent}"
    );

    let retrieved = client.call(0, "GET", &id(&fourth)).await.expect(200);
    assert_eq!(retrieved.body, fourth.body);
    assert_eq!(retrieved.headers.need("x-gw-cost-usd"), "0.00");
    let streamed = client.call(1, "GET", &third_id).await.expect(200).json();
    assert_eq!(streamed, third, "what a stream ends with is what is kept of it");
    organization.usage(&request_id(&fourth)).await;
    organization.usage_settles().await;
    assert_eq!(organization.rows().await.len(), 4, "only what was made is metered");
}

#[tokio::test]
async fn what_was_asked_is_listed_page_by_page() {
    let installation = Installation::shared().await;
    let (organization, key) = Organization::with_sandbox(installation).await;
    let client = Client::of(&organization, &key);
    let first = json!({"model": "echo", "input": [{"role": "user", "content": "one"}]});
    let first = client.create(0, &first).await.expect(200);
    let second = json!({"model": "echo", "previous_response_id": id(&first), "input": "two"});
    let second = id(&client.create(0, &second).await.expect(200));

    let texts = async |query: &str| {
        let page = client
            .call(1, "GET", &format!("{second}/input_items{query}"))
            .await
            .expect(200)
            .json();
        let items = member(&page, "/data").as_array().expect("a list").clone();
        assert_eq!(member(&page, "/object"), "list");
        let texts: Vec<_> = items
            .iter()
            .map(|item| text(item, "/content/0/text").to_owned())
            .collect();
        (texts, items, member(&page, "/has_more").clone())
    };

    let (all, items, more) = texts("?order=asc").await;
    let [one, answer, two] = &all[..] else {
        panic!("{all:?}")
    };
    assert_eq!((one.as_str(), two.as_str(), more), ("one", "two", json!(false)));
    assert!(answer.starts_with("You said \"one\""), "{answer}");
    let (page, _, more) = texts("?limit=1").await;
    assert_eq!((page, more), (vec!["two".to_owned()], json!(true)));
    let (page, _, _) = texts(&format!("?order=asc&limit=1&after={}", text(&items[0], "/id"))).await;
    assert_eq!(&page, std::slice::from_ref(answer));

    let missing = client.call(0, "GET", &format!("{second}/input_items?after=x")).await;
    assert_eq!(member(&refused(&missing, 400, "invalid_request"), "/param"), "after");
    let cancelled = client.call(0, "POST", &format!("{second}/cancel")).await;
    refused(&cancelled, 400, "invalid_request");
    let background = json!({"model": "echo", "input": "x", "background": true});
    let background = refused(&client.create(0, &background).await, 400, "invalid_request");
    assert_eq!(member(&background, "/param"), "background");
}

#[tokio::test]
async fn what_was_deleted_or_never_stored_cannot_be_referred_to() {
    let (organization, key) = Organization::with_sandbox(Installation::shared().await).await;
    let client = Client::of(&organization, &key);
    let kept = id(&client
        .create(0, &json!({"model": "echo", "input": "x"}))
        .await
        .expect(200));
    let unkept = json!({"model": "echo", "input": "x", "store": false, "previous_response_id": kept});
    let unkept = id(&client.create(1, &unkept).await.expect(200));

    let deleted = client.call(1, "DELETE", &kept).await.expect(200).json();
    assert_eq!(deleted, json!({"id": kept, "object": "response", "deleted": true}));

    for gone in [&kept, &unkept, "resp_unknown", "a%2Fb"] {
        for (method, tail) in [
            ("GET", ""),
            ("GET", "/input_items"),
            ("DELETE", ""),
            ("POST", "/cancel"),
        ] {
            let answer = client.call(0, method, &format!("{gone}{tail}")).await;
            refused(&answer, 404, "response_not_found");
        }
        let next = json!({"model": "echo", "input": "x", "previous_response_id": gone});
        let error = refused(&client.create(0, &next).await, 400, "previous_response_not_found");
        assert_eq!(text(&error, "/type"), "invalid_request_error");
        assert_eq!(text(&error, "/param"), "previous_response_id");
        assert!(text(&error, "/message").contains(gone), "{error}");
    }
    let stranger = Request::new("GET", &format!("/v1/responses/{kept}"));
    let stranger = stranger.send(organization.chat(&key).address).await.expect("an answer");
    refused(&stranger, 401, "invalid_api_key");
}

#[tokio::test]
async fn another_organizations_responses_do_not_exist() {
    let installation = Installation::shared().await;
    let upstream = Upstream::start().await;
    let (ours, our_key) = organization(installation, &upstream, "openai").await;
    let (theirs, their_key) = organization(installation, &upstream, "openai").await;
    let (bridged, bridged_key) = Organization::with_sandbox(installation).await;
    upstream.on("m", Script::json(200, &response_object("resp_native_1", "completed")));
    let ours = Client::of(&ours, &our_key);
    let bridged = Client::of(&bridged, &bridged_key);
    let theirs = Client::of(&theirs, &their_key);
    let native = id(&ours.create(0, &json!({"model": "m", "input": "x"})).await.expect(200));
    let kept = id(&bridged
        .create(0, &json!({"model": "echo", "input": "x"}))
        .await
        .expect(200));

    for foreign in [native, kept] {
        for (method, tail) in [
            ("GET", ""),
            ("GET", "/input_items"),
            ("DELETE", ""),
            ("POST", "/cancel"),
        ] {
            let answer = theirs.call(0, method, &format!("{foreign}{tail}")).await;
            refused(&answer, 404, "response_not_found");
        }
        let next = json!({"model": "m", "input": "x", "previous_response_id": foreign});
        refused(&theirs.create(0, &next).await, 400, "previous_response_not_found");
    }
    assert_eq!(upstream.seen().len(), 1, "the provider hears of none of it");
}

#[tokio::test]
async fn the_conversation_before_is_billed_with_each_request() {
    let (organization, key) = Organization::with_sandbox(Installation::shared().await).await;
    let client = Client::of(&organization, &key);
    let long = "word ".repeat(400);
    let first = client
        .create(0, &json!({"model": "echo", "input": long}))
        .await
        .expect(200);
    let next = json!({"model": "echo", "input": "x", "previous_response_id": id(&first)});
    let next = client.create(0, &next).await.expect(200);

    let input = async |answer: &Answer| {
        let row = organization.usage(&request_id(answer)).await;
        let line = row.lines.into_iter().find(|line| line.unit == UsageUnit::InputUncached);
        line.map_or(0, |line| line.quantity)
    };
    let (first, next) = (input(&first).await, input(&next).await);
    assert!(first > 100 && next > first, "{first} {next}");
}

#[tokio::test]
async fn items_that_are_only_named_are_put_in_their_place() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(Installation::shared().await, &upstream, "anthropic").await;
    let client = Client::of(&organization, &key);
    let call = json!([{"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": "sea"}}]);
    upstream.on("m", claude(&call, "tool_use"));
    let tools = json!([{"type": "function", "name": "look", "parameters": {"type": "object"}}]);
    let asked = json!({"model": "m", "input": "What is there?", "tools": tools});
    let first = client.create(0, &asked).await.expect(200).json();
    let item = first["output"]
        .as_array()
        .and_then(|output| output.last())
        .expect("a call");
    assert_eq!(item["type"], "function_call");

    upstream.on("m", claude(&json!([{"type": "text", "text": "Water."}]), "end_turn"));
    let next = json!({"model": "m", "tools": tools, "input": [
        {"role": "user", "content": "What is there?"},
        {"type": "item_reference", "id": item["id"]},
        {"type": "function_call_output", "call_id": item["call_id"], "output": "waves"},
    ]});
    client.create(1, &next).await.expect(200);
    let sent = upstream.seen().last().expect("a request").json();
    let used = sent.pointer("/messages/1/content/0").expect("the call itself");
    assert_eq!(
        (&used["name"], &used["input"]),
        (&json!("look"), &json!({"at": "sea"})),
        "{sent}"
    );

    let lost = json!({"model": "m", "input": [{"type": "item_reference", "id": "fc_0_0"}]});
    let error = refused(&client.create(0, &lost).await, 400, "invalid_request");
    assert_eq!(error["param"], "input[0]");
}
