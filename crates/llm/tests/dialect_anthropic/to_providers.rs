//! Requests to Claude, made from conversations of any dialect.

use gatewright_llm::chat::{
    Amount, Chat, Effort, Format, Json, Maker, Media, MediaKind, Part, Source, Thinking, Tool, ToolChoice, ToolResult,
};
use gatewright_llm::dialect::anthropic::{Anthropic, AnthropicOn, Envelope};
use gatewright_llm::dialect::{Inbound, Outbound, PathFacts, TargetFacts};
use serde_json::{Value, json};

use crate::fixtures::REQUESTS;
use crate::{ask, assistant, call, request, signed, target, thinking, tool, user, write, written};

#[test]
fn a_request_is_read_as_it_was_written() {
    for (name, _) in REQUESTS {
        let mut chat = request(name);

        let written = write(&chat).expect(name);

        let again = Anthropic.read_request(&written.body, PathFacts::default()).expect(name);
        let dropped: Vec<_> = written.dropped.iter().collect();
        let unheld: Vec<_> = chat.unheld.iter().map(|name| &**name).collect();
        assert_eq!(dropped, unheld, "{name}");
        chat.unheld.clear();
        assert_eq!(again, chat, "{name}");
    }
}

#[test]
fn envelopes_differ_in_what_the_address_says() {
    let chat = Chat {
        stream: true,
        ..ask("Hi.")
    };
    let check = |envelope, members: &str| {
        let written = AnthropicOn(envelope)
            .write_request(&chat, target("claude-sonnet-4-5"))
            .expect("a request");
        let conversation = r#""max_tokens":4096,"messages":[{"role":"user","content":[{"type":"text","text":"Hi."}]}]"#;
        let expected = format!("{{{}}}", members.replace('…', conversation));
        assert_eq!(String::from_utf8(written.body).expect("text"), expected);
    };

    check(Envelope::Direct, r#""model":"claude-sonnet-4-5",…,"stream":true"#);
    check(
        Envelope::Vertex,
        r#""anthropic_version":"vertex-2023-10-16",…,"stream":true"#,
    );
    check(Envelope::Bedrock, r#""anthropic_version":"bedrock-2023-05-31",…"#);
}

#[test]
fn vertex_and_bedrock_fetch_nothing() {
    for envelope in [Envelope::Vertex, Envelope::Bedrock] {
        let refused = AnthropicOn(envelope).write_request(&request("image"), target("claude-sonnet-4-5"));
        assert_eq!(refused.expect_err("a refusal").param, "messages");
    }
}

#[test]
fn what_would_change_the_meaning_is_refused() {
    let check = |change: &dyn Fn(&mut Chat), param: &str| {
        let mut chat = ask("Hi.");
        change(&mut chat);
        assert_eq!(write(&chat).expect_err(param).param, param);
    };
    let media = |kind, media_type: &str| {
        Part::Media(Media {
            kind,
            source: Source::Base64("AAAA".into()),
            media_type: Some(media_type.into()),
            name: None,
            detail: None,
            cache: None,
        })
    };

    check(&|chat| chat.format = Format::Json, "response_format");
    check(&|chat| chat.sampling.choices = Some(2), "n");
    check(&|chat| chat.sampling.top_logprobs = Some(0), "logprobs");
    check(&|chat| chat.turns.clear(), "messages");
    for (kind, media_type) in [
        (MediaKind::Audio, "audio/wav"),
        (MediaKind::Video, "video/mp4"),
        (MediaKind::Image, "image/tiff"),
        (MediaKind::Document, "text/html"),
    ] {
        check(
            &|chat| chat.turns = vec![user(vec![media(kind, media_type)])],
            "messages",
        );
    }
}

#[test]
fn sampling_is_fitted_and_what_is_lost_is_named() {
    let mut chat = ask("Hi.");
    chat.sampling.temperature = Some(2.into());
    chat.sampling.top_p = serde_json::Number::from_f64(0.5);
    chat.sampling.frequency_penalty = Some(1.into());
    chat.sampling.presence_penalty = Some(1.into());
    chat.sampling.seed = Some(7);
    chat.sampling.stop = vec!["\n".into(), "END".into()];
    chat.unheld = vec!["logit_bias".into()];

    let (body, dropped) = written(&chat, "claude-sonnet-4-5");

    assert_eq!(body["temperature"], 1);
    assert_eq!(body["top_p"], Value::Null);
    assert_eq!(body["stop_sequences"], json!(["END"]));
    assert_eq!(
        dropped,
        "logit_bias, frequency_penalty, presence_penalty, seed, temperature, top_p, stop"
    );
    let (body, dropped) = written(&chat, "claude-opus-4-7");
    assert_eq!(body["temperature"], Value::Null);
    assert!(dropped.contains("temperature, top_p"));
}

#[test]
fn thinking_is_asked_for_as_the_model_wants_it() {
    let check = |amount, model: &str, config: Value, effort: Value, dropped: &str| {
        let chat = Chat {
            reasoning: thinking(amount),
            ..ask("Hi.")
        };
        let (body, lost) = written(&chat, model);
        assert_eq!(
            (&body["thinking"], &body["output_config"]["effort"]),
            (&config, &effort),
            "{model} {amount:?}"
        );
        assert_eq!(lost, dropped, "{model} {amount:?}");
    };
    let (old, new) = ("claude-haiku-4-5", "claude-opus-5");

    let medium = json!({"type": "enabled", "budget_tokens": 8192});
    check(Amount::Effort(Effort::Medium), old, medium.clone(), Value::Null, "");
    check(Amount::Adaptive, old, medium, Value::Null, "");
    check(
        Amount::Budget(500),
        old,
        json!({"type": "enabled", "budget_tokens": 1024}),
        Value::Null,
        "reasoning",
    );
    check(Amount::Off, old, json!({"type": "disabled"}), Value::Null, "");
    let adaptive = json!({"type": "adaptive"});
    check(Amount::Effort(Effort::Most), new, adaptive.clone(), json!("max"), "");
    check(Amount::Budget(9000), new, adaptive.clone(), json!("high"), "");
    check(Amount::Adaptive, new, adaptive, Value::Null, "");
    check(Amount::Off, "claude-fable-5", Value::Null, json!("low"), "reasoning");
    check(Amount::Off, "claude-opus-4-8", Value::Null, Value::Null, "");
}

#[test]
fn a_budget_and_the_limit_fit_together() {
    let check = |max_tokens, output_limit, budget, expected: (Option<u64>, u64), lost: &str| {
        let mut chat = Chat {
            reasoning: thinking(Amount::Budget(budget)),
            ..ask("Hi.")
        };
        chat.sampling.max_tokens = max_tokens;
        chat.sampling.temperature = serde_json::Number::from_f64(0.5);
        let facts = TargetFacts {
            model: "claude-sonnet-4-5",
            output_limit,
        };
        let written = Anthropic.write_request(&chat, facts).expect("a request");
        let body: Value = serde_json::from_slice(&written.body).expect("JSON");
        let told = (
            body["thinking"]["budget_tokens"].as_u64(),
            body["max_tokens"].as_u64().expect("a number"),
        );
        assert_eq!(told, expected);
        assert_eq!(written.dropped.to_string(), lost);
    };

    check(None, None, 8192, (Some(8192), 12288), "temperature");
    check(None, Some(64000), 8192, (Some(8192), 64000), "temperature");
    check(Some(9000), None, 8192, (Some(8192), 9000), "temperature");
    check(Some(4000), None, 8192, (Some(3000), 4000), "reasoning, temperature");
    check(Some(1200), None, 8192, (Some(1024), 1200), "reasoning, temperature");
    check(Some(1024), None, 8192, (None, 1024), "reasoning");
}

#[test]
fn a_forced_tool_comes_before_thinking() {
    let chat = Chat {
        reasoning: thinking(Amount::Effort(Effort::High)),
        tools: vec![tool("look")],
        tool_choice: ToolChoice::Required,
        ..ask("Hi.")
    };

    let (body, dropped) = written(&chat, "claude-sonnet-4-5");

    assert_eq!(body["thinking"]["type"], "disabled");
    assert_eq!(body["tool_choice"], json!({"type": "any"}));
    assert_eq!(dropped, "reasoning");
}

#[test]
fn thinking_of_others_is_left_out_and_not_gone_on_with() {
    let round = |signature| Chat {
        reasoning: thinking(Amount::Budget(2000)),
        tools: vec![tool("look")],
        turns: vec![
            user(vec![Part::text("Look.")]),
            assistant(vec![
                Part::Thinking(Thinking {
                    text: "Hm.".into(),
                    signature,
                }),
                Part::ToolCall(call("a", "{}", signed(Maker::Gemini))),
            ]),
            user(vec![Part::ToolResult(ToolResult {
                call: "a".into(),
                name: None,
                parts: vec![Part::text("Nothing.")],
                failed: false,
                cache: None,
            })]),
        ],
        ..Chat::default()
    };

    for foreign in [
        None,
        signed(Maker::Gemini),
        signed(Maker::Openai),
        signed(Maker::Bedrock),
    ] {
        let (body, dropped) = written(&round(foreign), "claude-sonnet-4-5");
        let call = json!([{"type": "tool_use", "id": "a", "name": "look", "input": {}}]);
        assert_eq!(body["messages"][1]["content"], call);
        assert_eq!(body["thinking"]["type"], "disabled");
        assert_eq!(dropped, "reasoning");
    }
    let (body, dropped) = written(&round(signed(Maker::Anthropic)), "claude-sonnet-4-5");
    assert_eq!(body["messages"][1]["content"][0]["signature"], "c2lnbmVk");
    assert_eq!(body["thinking"]["type"], "enabled");
    assert_eq!(dropped, "");
}

#[test]
fn turns_become_messages_that_anthropic_takes() {
    let result = |call: &str| {
        Part::ToolResult(ToolResult {
            call: call.into(),
            name: Some("look".into()),
            parts: vec![Part::text(" ")],
            failed: false,
            cache: None,
        })
    };
    let chat = Chat {
        turns: vec![
            user(vec![Part::text("Look.")]),
            assistant(vec![Part::text("")]),
            user(vec![Part::text("Please.")]),
            assistant(vec![
                Part::ToolCall(call("functions.look:0", "", None)),
                Part::ToolCall(call("b", "nothing", None)),
            ]),
            user(vec![Part::text("And?"), result("functions.look:0"), result("b")]),
        ],
        tools: vec![Tool {
            parameters: Json::parse("{}"),
            ..tool("look")
        }],
        parallel_tools: Some(false),
        user: Some("ada".into()),
        ..Chat::default()
    };

    let (body, dropped) = written(&chat, "claude-sonnet-4-5");

    let expected = json!({
        "model": "claude-sonnet-4-5",
        "max_tokens": 4096,
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Look."}, {"type": "text", "text": "Please."}]},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "functions_look_0", "name": "look", "input": {}},
                {"type": "tool_use", "id": "b", "name": "look", "input": {"INVALID_JSON": "nothing"}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "functions_look_0"},
                {"type": "tool_result", "tool_use_id": "b"},
                {"type": "text", "text": "And?"},
            ]},
        ],
        "tools": [{"name": "look", "input_schema": {"type": "object", "properties": {}}}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
        "metadata": {"user_id": "ada"},
    });
    assert_eq!(body, expected);
    assert_eq!(dropped, "");
}
