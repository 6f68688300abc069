//! Which model answers name: the provider's, or the one that callers ask for, where its `shown_model` says so.

use harness::dialect::DIALECTS;
use harness::http::{Answer, Request};
use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::sse;
use harness::upstream::{Script, Upstream};
use harness::wait::{SOON, eventually};
use serde_json::{Value, json};

/// As the provider names it.
const REAL: &str = "real-2026-11-30";

/// An organization whose models `shown` and `plain` lead to the model `m` of a provider of this kind.
async fn organization(upstream: &Upstream, kind: &str, more: &Value) -> (Organization, Key) {
    let organization = Organization::make(Installation::shared().await).await;
    organization.provider("up", kind, Some(&upstream.base_url())).await;
    for (name, shown) in [("shown", Some("requested")), ("plain", None)] {
        let mut body = json!({"name": name, "route": {"target": "up/m"}});
        for (setting, value) in more.as_object().expect("settings") {
            body[setting] = value.clone();
        }
        if let Some(shown) = shown {
            body["shown_model"] = json!(shown);
        }
        let made = organization
            .owner
            .post(&organization.path("/models"), &body)
            .await
            .expect(201);
        assert_eq!(made.json().get("shown_model").and_then(Value::as_str), shown);
    }
    let key = organization.key("main").await;
    organization.settled(&key, &["shown", "plain"]).await;
    (organization, key)
}

async fn post(organization: &Organization, key: &Key, path: &str, body: &Value) -> Answer {
    let request = Request::new("POST", path).header("x-api-key", &key.secret).json(body);
    let sent = request.send(organization.chat(key).address).await;
    sent.expect("the data plane answers").expect(200)
}

/// Asks until the answer comes from the cache, which is passed by where it is slow.
async fn kept(organization: &Organization, key: &Key, path: &str, body: &Value) -> Answer {
    eventually("the answer is kept", SOON, async || {
        let answer = post(organization, key, path, body).await;
        (answer.headers.need("x-gw-cache") == "hit").then_some(answer)
    })
    .await
}

/// Every name of a model in an answer, in whatever form it is.
fn names(answer: &Answer) -> Vec<String> {
    let text = answer.text();
    let mut names = Vec::new();
    if let Ok(whole) = serde_json::from_str(&text) {
        collect(&whole, &mut names);
    }
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    for data in data.filter(|data| *data != "[DONE]") {
        collect(&serde_json::from_str(data).expect("JSON"), &mut names);
    }
    names.sort();
    names.dedup();
    names
}

fn collect(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_str() {
                    Some(text) if ["model", "modelVersion"].contains(&name.as_str()) => names.push(text.to_owned()),
                    _ => collect(value, names),
                }
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, names)),
        _ => {}
    }
}

fn without_comments(answer: &Answer) -> String {
    let text = answer.text();
    let events = text.split_inclusive("\n\n").filter(|event| !event.starts_with(':'));
    events.collect()
}

fn event(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

/// What a provider says in a dialect of its own: an answer in one piece, and one in a stream.
fn said(kind: &str) -> (Value, Vec<String>) {
    match kind {
        "anthropic" => {
            let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": REAL,
                "content": [{"type": "text", "text": "My model is \"model\"."}], "stop_reason": "end_turn",
                "usage": {"input_tokens": 7, "output_tokens": 3}});
            let mut start = message.clone();
            start["content"] = json!([]);
            let delta = json!({"type": "content_block_delta", "index": 0,
                "delta": {"type": "text_delta", "text": "{\"model\":\"x\"}"}});
            let stream = vec![
                event("message_start", &json!({"type": "message_start", "message": start})),
                event(
                    "content_block_start",
                    &json!({"type": "content_block_start", "index": 0,
                    "content_block": {"type": "text", "text": ""}}),
                ),
                event("content_block_delta", &delta),
                event("content_block_stop", &json!({"type": "content_block_stop", "index": 0})),
                event(
                    "message_delta",
                    &json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"},
                    "usage": {"output_tokens": 3}}),
                ),
                event("message_stop", &json!({"type": "message_stop"})),
            ];
            (message, stream)
        }
        "openai" => {
            let usage = json!({"input_tokens": 7, "output_tokens": 3, "total_tokens": 10});
            let text = json!({"type": "output_text", "text": "Hi", "annotations": []});
            let output = json!([{"type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
                "content": [text]}]);
            let response = json!({"id": "resp_1", "object": "response", "status": "completed", "model": REAL,
                "output": output, "usage": usage, "metadata": {"model": "mine"}});
            let mut created = response.clone();
            created["status"] = json!("in_progress");
            created["output"] = json!([]);
            let of = |kind: &str, response: &Value| event(kind, &json!({"type": kind, "response": response}));
            let stream = vec![
                of("response.created", &created),
                event(
                    "response.output_text.delta",
                    &json!({"type": "response.output_text.delta", "item_id": "msg_1",
                    "output_index": 0, "content_index": 0, "delta": "Hi"}),
                ),
                of("response.completed", &response),
            ];
            (response, stream)
        }
        "gemini" => {
            let said = json!({"candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]},
                "finishReason": "STOP"}], "modelVersion": REAL,
                "usageMetadata": {"promptTokenCount": 8, "candidatesTokenCount": 2, "totalTokenCount": 10}});
            let stream = vec![sse::data(&said)];
            (said, stream)
        }
        _ => {
            let whole = json!({"id": "c1", "object": "chat.completion", "created": 1, "model": REAL, "choices": [{
                "index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}});
            let chunk = |delta: Value, finish: Value| {
                sse::data(
                    &json!({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": REAL,
                    "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}),
                )
            };
            let stream = vec![
                chunk(json!({"role": "assistant", "content": "H"}), Value::Null),
                chunk(json!({"content": "i \"model\":"}), Value::Null),
                chunk(json!({}), json!("stop")),
                sse::DONE.to_owned(),
            ];
            (whole, stream)
        }
    }
}

#[tokio::test]
async fn answers_that_pass_on_as_they_are_name_the_model_that_was_asked_for_and_differ_in_nothing_else() {
    let kinds = ["openai-compatible", "anthropic", "openai", "gemini"];
    for (kind, dialect) in kinds.into_iter().zip(DIALECTS) {
        let upstream = Upstream::start().await;
        let (whole, stream) = said(kind);
        let (answer, pieces) = (whole.clone(), stream.clone());
        if kind == "gemini" {
            upstream.on("/v1/models/m:generateContent", Script::json(200, &answer));
            let streamed = Script::stream(&pieces);
            upstream.on("/v1/models/m:streamGenerateContent?alt=sse", streamed);
        } else {
            upstream.answer_by(move |asked| match asked["stream"].as_bool() {
                Some(true) => Script::stream(&pieces),
                _ => Script::json(200, &answer),
            });
        }
        let (organization, key) = organization(&upstream, kind, &json!({})).await;
        let ask = async |model: &str, stream: bool| {
            let (path, body) = (dialect.request)(model, "Hi", stream);
            post(&organization, &key, &path, &body).await
        };
        let (whole, stream) = (whole.to_string(), stream.concat());
        let named = |text: &str| text.replace(REAL, "shown");

        assert_eq!(ask("plain", false).await.text(), whole, "{kind}");
        assert_eq!(without_comments(&ask("plain", true).await), stream, "{kind}");
        let shown = ask("shown", false).await;
        assert_eq!(shown.text(), named(&whole), "{kind}");
        assert_eq!(shown.headers.need("x-gw-model"), "m", "{kind}");
        assert_eq!(without_comments(&ask("shown", true).await), named(&stream), "{kind}");
    }
}

#[tokio::test]
async fn translated_and_kept_answers_name_the_model_that_was_asked_for() {
    let upstream = Upstream::start().await;
    let (whole, stream) = said("openai-compatible");
    upstream.answer_by(move |asked| match asked["stream"].as_bool() {
        Some(true) => Script::stream(&stream),
        _ => Script::json(200, &whole),
    });
    let (organization, key) = organization(&upstream, "openai-compatible", &json!({"cache": {"ttl": "1h"}})).await;
    let array = |model: &str| format!("/v1beta/models/{model}:streamGenerateContent");
    for dialect in DIALECTS {
        for (model, name) in [("shown", "shown"), ("plain", REAL)] {
            for whole_first in [true, false] {
                // Each pair asks for something else.
                let says = format!("{whole_first}");
                for (stream, status) in [(!whole_first, "miss"), (!whole_first, "hit"), (whole_first, "hit")] {
                    let (path, body) = (dialect.request)(model, &says, stream);
                    let told = format!("{} {model} {whole_first} {stream}", dialect.name);
                    let answer = match status {
                        "hit" => kept(&organization, &key, &path, &body).await,
                        _ => post(&organization, &key, &path, &body).await,
                    };
                    assert_eq!(answer.headers.need("x-gw-cache"), status, "{told}");
                    assert_eq!(names(&answer), [name], "{told} {}", answer.text());
                }
                if dialect.name == "gemini" {
                    let (_, body) = (dialect.request)(model, &says, true);
                    let answer = kept(&organization, &key, &array(model), &body).await;
                    assert_eq!(names(&answer), [name], "{}", answer.text());
                }
            }
        }
    }
    let uncached = json!({"contents": [{"role": "user", "parts": [{"text": "Another."}]}]});
    let answer = post(&organization, &key, &array("shown"), &uncached).await;
    assert_eq!(answer.headers.need("x-gw-cache"), "miss");
    assert_eq!(names(&answer), ["shown"]);
}

#[tokio::test]
async fn another_setting_gives_nothing_that_was_kept_under_the_one_before() {
    let upstream = Upstream::start().await;
    upstream.on("m", Script::json(200, &said("openai-compatible").0));
    let (organization, key) = organization(&upstream, "openai-compatible", &json!({"cache": {"ttl": "1h"}})).await;
    let ask = async || {
        let body = json!({"model": "plain", "messages": [{"role": "user", "content": "Hi"}]});
        post(&organization, &key, "/v1/chat/completions", &body).await
    };
    assert_eq!(names(&ask().await), [REAL]);
    let listed = organization
        .owner
        .get(&organization.path("/models"))
        .await
        .expect(200)
        .json();
    let mut models = listed["items"].as_array().expect("models").iter();
    let plain = models.find(|model| model["name"] == "plain").expect("the model");
    let path = organization.path(&format!("/models/{}", plain["id"].as_str().expect("an identifier")));
    let change = json!({"route": {"target": "up/m"}, "cache": {"ttl": "1h"}, "shown_model": "requested"});

    organization.owner.patch(&path, &change).await.expect(200);

    eventually("the setting applies", SOON, async || {
        (names(&ask().await) == ["plain"]).then_some(())
    })
    .await;
    let wrong = json!({"route": {"target": "up/m"}, "shown_model": "alias"});
    let refused = organization.owner.patch(&path, &wrong).await.expect(422);
    assert!(refused.text().contains("shown_model"), "{}", refused.text());
}

#[tokio::test]
async fn embeddings_and_completions_name_the_model_that_was_asked_for_whether_new_or_kept() {
    let upstream = Upstream::start().await;
    upstream.answer_by(|asked| {
        let Some(inputs) = asked["input"].as_array() else {
            return Script::json(
                200,
                &json!({"id": "c", "object": "text_completion", "created": 1, "model": REAL,
                    "choices": [{"index": 0, "text": "Hi", "finish_reason": "stop"}],
                    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}),
            );
        };
        let data = (0..inputs.len()).map(|index| json!({"object": "embedding", "index": index, "embedding": [0.5]}));
        let usage = json!({"prompt_tokens": 6, "total_tokens": 6});
        let data = data.collect::<Vec<_>>();
        Script::json(
            200,
            &json!({"object": "list", "model": REAL, "data": data, "usage": usage}),
        )
    });
    let (organization, key) = organization(&upstream, "openai-compatible", &json!({"cache": {"ttl": "1h"}})).await;
    for (model, name) in [("shown", "shown"), ("plain", REAL)] {
        for (inputs, status) in [(vec!["a"], "miss"), (vec!["a", "b"], "miss"), (vec!["b"], "hit")] {
            let body = json!({"model": model, "input": inputs});
            let answer = match status {
                "hit" => kept(&organization, &key, "/v1/embeddings", &body).await,
                _ => post(&organization, &key, "/v1/embeddings", &body).await,
            };
            assert_eq!(answer.headers.need("x-gw-cache"), status, "{model} {inputs:?}");
            let expected = if (model, status) == ("plain", "hit") { "m" } else { name };
            assert_eq!(names(&answer), [expected], "{model} {inputs:?} {}", answer.text());
        }
        let body = json!({"model": model, "prompt": "Hi"});
        let answer = post(&organization, &key, "/v1/completions", &body).await;
        assert_eq!(names(&answer), [name], "{}", answer.text());
    }
}

#[tokio::test]
async fn a_response_that_its_provider_keeps_has_the_same_name_when_it_is_asked_for_later() {
    let upstream = Upstream::start().await;
    let (response, _) = said("openai");
    upstream.on("m", Script::json(200, &response));
    upstream.on("/v1/responses/resp_1", Script::json(200, &response));
    let (organization, key) = organization(&upstream, "openai", &json!({})).await;
    for (model, name) in [("plain", REAL), ("shown", "shown")] {
        let body = json!({"model": model, "input": "Hi"});
        let made = post(&organization, &key, "/v1/responses", &body).await;

        let request = Request::new("GET", "/v1/responses/resp_1").header("x-api-key", &key.secret);
        let sent = request.send(organization.chat(&key).address).await;
        let later = sent.expect("the data plane answers").expect(200);

        assert_eq!(made.text(), response.to_string().replace(REAL, name));
        assert_eq!(later.text(), made.text());
    }
}
