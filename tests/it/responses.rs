//! Responses that later requests refer to: kept here for providers without a memory, noted for those that have one, and
//! the same on every node.

mod background;

use std::time::Duration;

use gatewright_types::UsageUnit;
use harness::chat::{refused, request_id};
use harness::environment::Topology;
use harness::http::{Answer, Request};
use harness::installation::{Installation, Options};
use harness::organization::{Key, Organization};
use harness::upstream::{Script, Upstream};
use harness::wait::{SOON, eventually};
use serde_json::{Value, json};
use tokio::time::Instant;

/// A caller of `/v1/responses`, who reaches another node with each call.
struct Client<'a> {
    organization: &'a Organization,
    key: &'a Key,
}

impl Client<'_> {
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
    let organization = Organization::make(installation).await;
    organization.provider("up", kind, Some(&upstream.base_url())).await;
    organization.model("m", "up/m", &json!({})).await;
    let key = organization.key("main").await;
    organization.settled(&key, &["m"]).await;
    (organization, key)
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
    let client = Client {
        organization: &organization,
        key: &key,
    };
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
    let client = Client {
        organization: &organization,
        key: &key,
    };
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
    let client = Client {
        organization: &organization,
        key: &key,
    };
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
    let ours = Client {
        organization: &ours,
        key: &our_key,
    };
    let bridged = Client {
        organization: &bridged,
        key: &bridged_key,
    };
    let theirs = Client {
        organization: &theirs,
        key: &their_key,
    };
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
    let client = Client {
        organization: &organization,
        key: &key,
    };
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
    let client = Client {
        organization: &organization,
        key: &key,
    };
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

#[tokio::test]
async fn stored_responses_expire_and_outlive_a_restart_until_then() {
    let mut installation = Installation::start(Options {
        environment: vec![("GATEWRIGHT_RESPONSE_TTL", "8s".to_owned())],
        ..Options::default()
    })
    .await;
    let (organization, key) = Organization::with_sandbox(&installation).await;
    let client = Client {
        organization: &organization,
        key: &key,
    };
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
    let client = Client {
        organization: &organization,
        key: &key,
    };
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
    let client = Client {
        organization: &organization,
        key: &key,
    };

    let asked = json!({"model": "echo", "input": "word ".repeat((8 << 20) / 5)});
    let answer = client.create(0, &asked).await.expect(200);

    assert_eq!(answer.headers.need("x-gw-response-stored"), "false");
    let gone = client.call(1, "GET", &id(&answer)).await;
    refused(&gone, 404, "response_not_found");
}

#[tokio::test]
async fn a_conversation_of_two_hundred_responses_goes_on_once_more_and_then_no_further() {
    let (organization, key) = Organization::with_sandbox(Installation::shared().await).await;
    let client = Client {
        organization: &organization,
        key: &key,
    };
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
    let client = Client {
        organization: &organization,
        key: &key,
    };
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

#[tokio::test]
async fn the_conversation_before_is_billed_with_each_request() {
    let (organization, key) = Organization::with_sandbox(Installation::shared().await).await;
    let client = Client {
        organization: &organization,
        key: &key,
    };
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
    let client = Client {
        organization: &organization,
        key: &key,
    };
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
