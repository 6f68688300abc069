//! Cohere's chat, version 2: requests are written as it wants them, and its answers and streams are understood.

use std::fs;
use std::path::{Path, PathBuf};

use gatewright_llm::FailureKind;
use gatewright_llm::chat::{
    Amount, CacheMark, Chat, Effort, Format, Json, Maker, Media, MediaKind, Part, Reasoning, Role, Schema, Signature,
    Source, Text, Thinking, Tool, ToolCall, ToolChoice, ToolResult, Turn,
};
use gatewright_llm::dialect::cohere::Cohere;
use gatewright_llm::dialect::{Outbound, TargetFacts};
use gatewright_llm::event::{Event, Opening, Stop};
use gatewright_types::UsageUnit;
use proptest::prelude::*;
use serde_json::{Number, Value, json};

const TARGET: TargetFacts<'static> = TargetFacts {
    model: "command-a-03-2025",
    output_limit: None,
};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/dialects/cohere")
        .join(name)
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(folder(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn names(of: &str) -> Vec<String> {
    let entries = fs::read_dir(folder(of)).expect(of);
    let names: Vec<_> = entries
        .map(|entry| format!("{of}/{}", entry.expect("an entry").file_name().to_string_lossy()))
        .collect();
    assert!(!names.is_empty(), "{of}");
    names
}

fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut decoder = Cohere.decoder();
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(piece, &mut events);
    }
    decoder.end(&mut events);
    let mut joined: Vec<Event> = Vec::new();
    for event in events {
        match (joined.last_mut(), event) {
            (Some(Event::Add(before)), Event::Add(more)) => *before = [&**before, &*more].concat().into(),
            (_, event) => joined.push(event),
        }
    }
    joined
}

fn stream(case: &str) -> Vec<Event> {
    decode([&*fixture(&format!("streams/{case}.sse"))])
}

fn call(id: &str, name: &str, arguments: &str) -> ToolCall {
    ToolCall {
        id: id.into(),
        name: name.into(),
        arguments: arguments.into(),
        signature: None,
        cache: None,
    }
}

fn tool(name: &str, strict: Option<bool>) -> Tool {
    Tool {
        name: name.into(),
        description: None,
        parameters: Json::parse(r#"{"type":"object","properties":{"b":{},"a":{}}}"#),
        strict,
        cache: None,
    }
}

fn user(parts: Vec<Part>) -> Turn {
    Turn {
        role: Role::User,
        parts,
    }
}

fn image(source: Source) -> Part {
    Part::Media(Media {
        kind: MediaKind::Image,
        source,
        media_type: Some("image/png".into()),
        name: None,
        detail: None,
        cache: None,
    })
}

fn written(chat: &Chat) -> (Value, String) {
    let written = Cohere
        .write_request(chat, TARGET)
        .unwrap_or_else(|error| panic!("{error}"));
    let body = serde_json::from_slice(&written.body).expect("JSON");
    (body, written.dropped.to_string())
}

fn refused(chat: &Chat) -> &'static str {
    Cohere.write_request(chat, TARGET).expect_err("unsupported").param
}

fn part(opening: Opening, text: &str) -> Vec<Event> {
    vec![Event::Open(opening), Event::Add(text.into()), Event::Close]
}

#[test]
fn a_conversation_with_tools_is_written() {
    let mark = Some(CacheMark::FiveMinutes);
    let chat = Chat {
        stream: true,
        instructions: vec![Text {
            text: "Be brief.".into(),
            cache: mark,
        }],
        turns: vec![
            user(vec![
                Part::text("Weather in Oslo?"),
                image(Source::Base64("AAAA".into())),
            ]),
            Turn {
                role: Role::Assistant,
                parts: vec![
                    Part::Thinking(Thinking {
                        text: "Mine.".into(),
                        signature: None,
                    }),
                    Part::Thinking(Thinking {
                        text: "Somebody else's.".into(),
                        signature: Some(Signature {
                            maker: Maker::Anthropic,
                            text: "s".into(),
                        }),
                    }),
                    Part::text("I will look."),
                    Part::ToolCall(call("c1", "get_weather", r#"{"city":"Oslo"}"#)),
                ],
            },
            user(vec![
                Part::ToolResult(ToolResult {
                    call: "c1".into(),
                    name: None,
                    parts: vec![
                        Part::text("3 °C"),
                        image(Source::Url("https://example.com/map.png".into())),
                    ],
                    failed: true,
                    cache: None,
                }),
                Part::text("So?"),
            ]),
        ],
        tools: vec![tool("get_weather", Some(true))],
        parallel_tools: Some(false),
        user: Some("u".into()),
        unheld: vec!["metadata".into()],
        ..Chat::default()
    };

    let (body, dropped) = written(&chat);

    assert_eq!(
        body["messages"],
        json!([
            { "role": "system", "content": [{ "type": "text", "text": "Be brief." }] },
            { "role": "user", "content": [
                { "type": "text", "text": "Weather in Oslo?" },
                { "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA" } }
            ] },
            { "role": "assistant", "content": [{ "type": "thinking", "thinking": "Mine." }], "tool_plan": "I will look.",
              "tool_calls": [{ "id": "c1", "type": "function",
                "function": { "name": "get_weather", "arguments": "{\"city\":\"Oslo\"}" } }] },
            { "role": "tool", "tool_call_id": "c1", "content": [{ "type": "text", "text": "3 °C" }] },
            { "role": "user", "content": [
                { "type": "image_url", "image_url": { "url": "https://example.com/map.png" } },
                { "type": "text", "text": "So?" }
            ] }
        ])
    );
    assert_eq!(
        (&body["model"], &body["stream"]),
        (&json!("command-a-03-2025"), &json!(true))
    );
    assert_eq!((&body["strict_tools"], body.get("tool_choice")), (&json!(true), None));
    assert_eq!(body["tools"][0]["function"]["name"], "get_weather");
    assert_eq!(dropped, "metadata, parallel_tool_calls, user, cache_control, is_error");
}

#[test]
fn numbers_are_kept_within_what_cohere_takes() {
    let mut chat = Chat {
        turns: vec![user(vec![Part::text("x")])],
        ..Chat::default()
    };
    chat.sampling.max_tokens = Some(9);
    chat.sampling.temperature = Number::from_f64(0.7);
    chat.sampling.top_p = Number::from_f64(1.0);
    chat.sampling.top_k = Some(501);
    chat.sampling.frequency_penalty = Number::from_f64(-0.5);
    chat.sampling.presence_penalty = Number::from_f64(0.5);
    chat.sampling.seed = Some(-1);
    chat.sampling.stop = vec!["END".into()];

    let (body, dropped) = written(&chat);

    assert_eq!(
        (
            &body["p"],
            &body["k"],
            &body["frequency_penalty"],
            &body["presence_penalty"]
        ),
        (&json!(0.99), &json!(500), &json!(0.0), &json!(0.5))
    );
    assert_eq!((&body["temperature"], &body["max_tokens"]), (&json!(0.7), &json!(9)));
    assert_eq!((body.get("seed"), &body["stop_sequences"]), (None, &json!(["END"])));
    assert_eq!(dropped, "top_k, seed, top_p, frequency_penalty");
}

#[test]
fn tools_formats_and_thinking_are_asked_for_in_its_words() {
    let base = Chat {
        turns: vec![user(vec![Part::text("x")])],
        ..Chat::default()
    };
    let tools = || vec![tool("f", Some(true)), tool("g", None)];
    let with_choice = |tool_choice| {
        written(&Chat {
            tools: tools(),
            tool_choice,
            ..base.clone()
        })
    };
    let thinking = |amount| {
        let reasoning = Some(Reasoning { amount, shown: None });
        written(&Chat {
            reasoning,
            ..base.clone()
        })
        .0["thinking"]
            .clone()
    };
    let schema = Schema {
        name: "n".into(),
        description: None,
        schema: Json::parse(r#"{"type":"object"}"#).expect("JSON"),
        strict: None,
    };
    let format = |format| written(&Chat { format, ..base.clone() }).0["response_format"].clone();

    let (required, dropped) = with_choice(ToolChoice::Required);
    assert_eq!(
        (&required["tool_choice"], &*dropped),
        (&json!("REQUIRED"), "tools.strict")
    );
    let (named, _) = with_choice(ToolChoice::Named("f".into()));
    assert_eq!(
        (&named["tool_choice"], named["tools"].as_array().map(Vec::len)),
        (&json!("REQUIRED"), Some(1))
    );
    assert_eq!(with_choice(ToolChoice::None).0["tool_choice"], "NONE");
    assert_eq!(thinking(Amount::Off), json!({ "type": "disabled" }));
    assert_eq!(
        thinking(Amount::Budget(500)),
        json!({ "type": "enabled", "token_budget": 500 })
    );
    assert_eq!(
        thinking(Amount::Effort(Effort::High)),
        json!({ "type": "enabled", "token_budget": Effort::High.budget() })
    );
    assert_eq!(thinking(Amount::Adaptive), json!({ "type": "enabled" }));
    assert_eq!(format(Format::Json), json!({ "type": "json_object" }));
    assert_eq!(
        format(Format::Schema(schema)),
        json!({ "type": "json_object", "json_schema": { "type": "object" } })
    );
}

#[test]
fn what_would_change_the_meaning_is_unsupported() {
    let base = Chat {
        turns: vec![user(vec![Part::text("x")])],
        ..Chat::default()
    };
    let sampling = |change: &dyn Fn(&mut Chat)| {
        let mut chat = base.clone();
        change(&mut chat);
        refused(&chat)
    };

    assert_eq!(sampling(&|chat| chat.sampling.choices = Some(2)), "n");
    assert_eq!(sampling(&|chat| chat.sampling.top_logprobs = Some(0)), "logprobs");
    assert_eq!(sampling(&|chat| chat.sampling.stop = vec!["x".into(); 6]), "stop");
    assert_eq!(
        sampling(&|chat| chat.tool_choice = ToolChoice::Named("f".into())),
        "tool_choice"
    );
    let both = |chat: &mut Chat| {
        chat.format = Format::Json;
        chat.tools = vec![tool("f", None)];
    };
    assert_eq!(sampling(&both), "response_format");
    for kind in [MediaKind::Document, MediaKind::Audio, MediaKind::Video] {
        let media = Media {
            kind,
            source: Source::Base64("AAAA".into()),
            media_type: Some("application/pdf".into()),
            name: None,
            detail: None,
            cache: None,
        };
        let with_media = |chat: &mut Chat| chat.turns = vec![user(vec![Part::Media(media.clone())])];
        assert_eq!(sampling(&with_media), "messages");
    }
}

#[test]
fn answers_are_read() {
    let check = |case: &str, parts: &[Part], stop: Stop, (input, cached, output): (u64, u64, u64)| {
        let answer = Cohere
            .read_answer(&fixture(&format!("answers/{case}.json")))
            .expect(case);
        assert_eq!((&*answer.parts, answer.stop), (parts, stop), "{case}");
        let usage = answer.usage.expect(case);
        let cache_read = usage.get(UsageUnit::InputCacheRead);
        assert_eq!(
            (usage.total_input(), cache_read, usage.total_output()),
            (input, cached, output),
            "{case}"
        );
    };
    let oslo = || Part::ToolCall(call("get_weather_4n8", "get_weather", r#"{"city":"Oslo"}"#));
    let time = Part::ToolCall(call("get_time_7xk", "get_time", "{}"));
    let thinking = Part::Thinking(Thinking {
        text: "Six times seven.".into(),
        signature: None,
    });

    check("basic", &[Part::text("Hello! How can I help?")], Stop::End, (5, 0, 8));
    let plan = Part::text("I will look up the weather.");
    check("tools", &[plan, oslo()], Stop::ToolCalls, (60, 0, 18));
    let plan = Part::text("I will look up both.");
    check("parallel-tools", &[plan, oslo(), time], Stop::ToolCalls, (90, 0, 40));
    check(
        "structured",
        &[Part::text(r#"{"name":"Ada","age":36}"#)],
        Stop::End,
        (40, 0, 12),
    );
    check("reasoning", &[thinking, Part::text("42.")], Stop::End, (20, 0, 150));
    check("cached", &[Part::text("Done.")], Stop::Sequence(None), (2100, 2048, 2));
    check(
        "refusal",
        &[Part::text("I can't help with that.")],
        Stop::End,
        (15, 0, 9),
    );
    check("length", &[Part::text("Once upon a")], Stop::Length, (10, 0, 3));
}

#[test]
fn what_is_no_answer_is_a_failure() {
    let failure = |body: &[u8]| Cohere.read_answer(body).expect_err("a failure");

    let told = failure(&fixture("answers/error-before.json"));
    assert_eq!(told.kind, FailureKind::ErrorEvent);
    assert_eq!(
        told.message,
        "invalid request: all elements in messages must have content"
    );
    assert_eq!(failure(b"[]").kind, FailureKind::Malformed);
    assert_eq!(failure(b"{}").kind, FailureKind::Malformed);
    let timeout = br#"{"id":"1","finish_reason":"TIMEOUT","message":{"role":"assistant"}}"#;
    assert_eq!(failure(timeout).kind, FailureKind::Timeout);
}

#[test]
fn streams_are_read() {
    let check = |case: &str, parts: Vec<Vec<Event>>, stop: Stop, output: u64| {
        let mut events = stream(case);
        let usage = events.iter().position(|event| matches!(event, Event::Usage(_)));
        let Event::Usage(usage) = events.remove(usage.expect(case)) else {
            panic!("{case}");
        };
        assert_eq!(usage.total_output(), output, "{case}");
        let start = Event::Start {
            id: Some("29f14a5a".into()),
            model: None,
        };
        let mut expected = vec![start];
        expected.extend(parts.into_iter().flatten());
        expected.push(Event::Stop(stop));
        assert_eq!(events, expected, "{case}");
    };
    let called = |id: &str, name: &str| Opening::ToolCall {
        id: id.into(),
        name: name.into(),
    };
    let oslo = || part(called("get_weather_4n8", "get_weather"), r#"{"city":"Oslo"}"#);

    check("basic", vec![part(Opening::Text, "Hello! ☀")], Stop::End, 8);
    check(
        "tools",
        vec![part(Opening::Text, "I will look."), oslo()],
        Stop::ToolCalls,
        18,
    );
    let time = vec![Event::Open(called("get_time_7xk", "get_time")), Event::Close];
    check(
        "parallel-tools",
        vec![part(Opening::Text, "Both."), oslo(), time],
        Stop::ToolCalls,
        40,
    );
    check(
        "structured",
        vec![part(Opening::Text, r#"{"name":"Ada","age":36}"#)],
        Stop::End,
        12,
    );
    check(
        "reasoning",
        vec![part(Opening::Thinking, "Six times seven."), part(Opening::Text, "42.")],
        Stop::End,
        150,
    );
    check("cached", vec![part(Opening::Text, "Done.")], Stop::Sequence(None), 2);
    check(
        "refusal",
        vec![part(Opening::Text, "I can't help with that.")],
        Stop::End,
        9,
    );
    check("length", vec![part(Opening::Text, "Once upon a")], Stop::Length, 3);
}

#[test]
fn a_call_is_told_when_it_begins() {
    let text = String::from_utf8(fixture("streams/tools.sse")).expect("text");
    let (until_call, _) = text.split_once("event: tool-call-end").expect("a call");
    let mut decoder = Cohere.decoder();
    let mut events = Vec::new();

    decoder.push(until_call.as_bytes(), &mut events);

    assert_eq!(events.last(), Some(&Event::Add(":\"Oslo\"}".into())), "{events:?}");
}

#[test]
fn a_stream_that_breaks_off_has_failed() {
    for (case, kind, message) in [
        ("error-midstream", FailureKind::ErrorEvent, "the model is overloaded"),
        (
            "stall",
            FailureKind::Malformed,
            "the stream ended before the answer did",
        ),
        (
            "cut",
            FailureKind::Malformed,
            "the provider sent an event that is not a JSON object",
        ),
    ] {
        let events = stream(case);

        let Some(Event::Failed(failure)) = events.last() else {
            panic!("{case}: {events:?}");
        };
        assert_eq!((failure.kind, failure.message.as_str()), (kind, message), "{case}");
        assert!(events.contains(&Event::Add("Hel".into())), "{case}: {events:?}");
    }
}

proptest! {
    #[test]
    fn any_cuts_give_the_same_events(
        name in prop::sample::select(names("streams")),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let bytes = fixture(&name);
        let mut ends: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        ends.push(bytes.len());
        ends.sort_unstable();
        let mut from = 0;
        let pieces: Vec<&[u8]> = ends.into_iter().map(|end| &bytes[std::mem::replace(&mut from, end)..end]).collect();

        prop_assert_eq!(decode(pieces), decode([&*bytes]));
    }
}
