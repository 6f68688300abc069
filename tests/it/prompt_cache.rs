//! What providers keep of prompts, for callers who do not ask for it: who is told, in whose words, what of the request
//! stays as it was, and what it costs.

use gatewright_types::UsageUnit;
use gatewright_types::api::UsageRow;
use harness::chat::request_id;
use harness::http::{Answer, Request};
use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::upstream::{Script, Upstream};
use serde_json::{Value, json};

const CLAUDE: &str = "claude-sonnet-4-5";
const MARK: &str = r#","cache_control":{"type":"ephemeral"}"#;

/// An organization whose models `kept` and `plain` lead to the same one, of which the first asks for prompts to be kept.
async fn organization(upstream: &Upstream, kind: &str, model: &str) -> (Organization, Key) {
    let organization = Organization::make(Installation::shared().await).await;
    organization.provider("up", kind, Some(&upstream.base_url())).await;
    for (name, prompt_cache) in [("kept", "auto"), ("plain", "off")] {
        let new = json!({"name": name, "route": {"target": format!("up/{model}")}, "prompt_cache": prompt_cache});
        let path = organization.path("/models");
        organization.owner.post(&path, &new).await.expect(201);
    }
    let key = organization.key("main").await;
    organization.settled(&key, &["kept", "plain"]).await;
    (organization, key)
}

async fn post(organization: &Organization, key: &Key, path: &str, body: &str) -> Answer {
    let request = Request::new("POST", path).header("x-api-key", &key.secret);
    let request = request.bytes("application/json", body.as_bytes().to_vec());
    let answer = request.send(organization.chat(key).address).await;
    answer.expect("the data plane answers").expect(200)
}

fn claude_says(usage: &Value) -> Script {
    let said = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": CLAUDE, "stop_reason": "end_turn",
        "stop_sequence": null, "content": [{"type": "text", "text": "Hello."}], "usage": usage});
    Script::json(200, &said)
}

fn quantity(row: &UsageRow, unit: UsageUnit) -> u64 {
    let line = row.lines.iter().find(|line| line.unit == unit);
    line.map_or(0, |line| line.quantity)
}

fn sent(upstream: &Upstream) -> Vec<String> {
    let text = |body: Vec<u8>| String::from_utf8(body).expect("text");
    upstream.seen().into_iter().map(|seen| text(seen.body)).collect()
}

#[tokio::test]
async fn a_prompt_for_claude_is_marked_and_what_is_written_and_read_is_billed() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "anthropic", CLAUDE).await;
    let handbook = "A rule. ".repeat(800);
    let body = |model: &str, mark: &str| {
        format!(
            r#"{{"model":"{model}", "max_tokens":9,"system":[ {{"type":"text","text":"{handbook}"{mark}}} ],"messages":[{{"role":"user","content":[{{"type":"text","text":"Why?"{mark}}}]}}],"x_future":-0.50}}"#
        )
    };
    let usage = |written: u64, read: u64| json!({"input_tokens": 10, "cache_creation_input_tokens": written, "cache_read_input_tokens": read, "output_tokens": 5});

    upstream.on(CLAUDE, claude_says(&usage(2_000, 0)));
    let first = post(&organization, &key, "/v1/messages", &body("kept", "")).await;
    upstream.on(CLAUDE, claude_says(&usage(0, 2_000)));
    let second = post(&organization, &key, "/v1/messages", &body("kept", "")).await;
    post(&organization, &key, "/v1/messages", &body("plain", "")).await;
    let own = r#","cache_control":{"type":"ephemeral","ttl":"1h"}"#;
    post(&organization, &key, "/v1/messages", &body("kept", own)).await;

    let expected = [
        body(CLAUDE, MARK),
        body(CLAUDE, MARK),
        body(CLAUDE, ""),
        body(CLAUDE, own),
    ];
    assert_eq!(sent(&upstream), expected);
    let row = organization.usage(&request_id(&first)).await;
    assert_eq!(quantity(&row, UsageUnit::InputCacheWrite5m), 2_000);
    let row = organization.usage(&request_id(&second)).await;
    assert_eq!(quantity(&row, UsageUnit::InputCacheRead), 2_000);
    // 10 at $3, 2,000 at $3.75 and then at $0.30, 5 at $15 per million.
    let costs = [&first, &second].map(|answer| answer.headers.need("x-gw-cost-usd").to_owned());
    assert_eq!(costs, ["0.007605", "0.000705"]);
}

#[tokio::test]
async fn a_translated_prompt_for_claude_is_marked_too() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "anthropic", CLAUDE).await;
    upstream.on(CLAUDE, claude_says(&json!({"input_tokens": 1, "output_tokens": 1})));
    let handbook = "A rule. ".repeat(800);
    let body = |model: &str| json!({"model": model, "messages": [{"role": "system", "content": handbook}, {"role": "user", "content": "Why?"}]});

    for model in ["kept", "plain"] {
        post(&organization, &key, "/v1/chat/completions", &body(model).to_string()).await;
    }

    let marks: Vec<_> = sent(&upstream)
        .iter()
        .map(|body| body.matches("cache_control").count())
        .collect();
    assert_eq!(marks, [2, 0]);
}

#[tokio::test]
async fn requests_to_openai_get_a_key_of_their_beginning_that_names_nobody() {
    let upstream = Upstream::start().await;
    upstream.on("gpt-5.1", Script::answer("Hello.", 5, 2));
    let (one, key_of_one) = organization(&upstream, "openai", "gpt-5.1").await;
    let (other, key_of_other) = organization(&upstream, "openai", "gpt-5.1").await;
    let rest = r#""messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Why?"}],"prompt_cache_retention":"24h"}"#;
    let asked = |model: &str| format!(r#"{{"model":"{model}",{rest}"#);

    let chat = "/v1/chat/completions";
    post(&one, &key_of_one, chat, &asked("kept")).await;
    post(
        &one,
        &key_of_one,
        chat,
        &asked("kept").replace("Why?\"}", "Why?\"},{\"role\":\"user\",\"content\":\"And?\"}"),
    )
    .await;
    post(&other, &key_of_other, chat, &asked("kept")).await;
    post(&one, &key_of_one, chat, &asked("plain")).await;
    let own = format!(r#"{{"prompt_cache_key":"mine","model":"kept",{rest}"#);
    post(&one, &key_of_one, chat, &own).await;
    let messages =
        r#"{"model":"kept","max_tokens":9,"system":"Be brief.","messages":[{"role":"user","content":"Why?"}]}"#;
    post(&one, &key_of_one, "/v1/messages", messages).await;

    let bodies = sent(&upstream);
    let [first, grown, others, plain, kept, translated] = bodies.as_slice() else {
        panic!("{bodies:?}");
    };
    let (key, after) = first
        .strip_prefix(r#"{"prompt_cache_key":""#)
        .and_then(|body| body.split_once("\","))
        .expect("a key");
    assert_eq!(after, format!(r#""model":"gpt-5.1",{rest}"#));
    assert!(
        grown.starts_with(&format!(r#"{{"prompt_cache_key":"{key}","#)),
        "{grown}"
    );
    assert!(!key.contains(&one.slug) && !others.contains(key), "{key}");
    assert_eq!(*plain, asked("gpt-5.1"));
    assert_eq!(*kept, own.replace("kept", "gpt-5.1"));
    let translated: Value = serde_json::from_str(translated).expect("JSON");
    let given = translated
        .get("prompt_cache_key")
        .and_then(Value::as_str)
        .expect("a key");
    assert!(given.starts_with("gw-") && given.len() == key.len(), "{given}");
}
