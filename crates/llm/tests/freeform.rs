//! Tools that take a text and not JSON, as both of OpenAI's dialects have them: what every provider is asked instead, and
//! how callers are told of its calls.

mod recorded;

use std::fs;
use std::path::Path;

use bytes::Bytes;
use gatewright_llm::chat::{Chat, Part, ToolCall};
use gatewright_llm::dialect::{PathFacts, ReplyFacts, TargetFacts, inbound};
use gatewright_llm::event::{Answer, Event, Opening, Stop};
use gatewright_llm::{Request, spoken};
use gatewright_types::api::{BedrockApi, Dialect, ProviderKind};
use serde_json::Value;

use crate::recorded::compare;

const CALLERS: [(Dialect, &str); 2] = [
    (Dialect::OpenaiChat, "openai_chat"),
    (Dialect::OpenaiResponses, "openai_responses"),
];

const PROVIDERS: [(ProviderKind, &str); 7] = [
    (ProviderKind::OpenaiCompatible, "local-model"),
    (ProviderKind::Mistral, "mistral-large"),
    (ProviderKind::Anthropic, "claude-sonnet-4-5"),
    (ProviderKind::Gemini, "gemini-3.8-flash"),
    (ProviderKind::Vertex, "claude-sonnet-4-5"),
    (ProviderKind::Bedrock, "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    (ProviderKind::Cohere, "command-a-03-2025"),
];

const PATCH: &str = "*** Begin Patch\n*** Add File: a.txt\n+\"é\"\t\\ 😀\n*** End Patch\n";

fn check_golden(name: &str, text: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/freeform");
    compare(&folder.join(name), text).unwrap_or_else(|differs| panic!("{differs}"));
}

fn request(dialect: Dialect, name: &str) -> Request {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/freeform");
    let body = fs::read(folder.join(format!("{name}.json"))).expect("a request");
    Request::parse(dialect, Bytes::from(body), PathFacts::default()).expect("a request")
}

fn reply(chat: &Chat) -> ReplyFacts<'_> {
    ReplyFacts {
        request_id: "req_0001",
        model: "their-model",
        created: 1_767_225_600,
        usage_wanted: true,
        chat,
    }
}

fn call(arguments: &str) -> Answer {
    let call = ToolCall {
        id: "call_7".into(),
        name: "apply_patch".into(),
        arguments: arguments.into(),
        signature: None,
        cache: None,
    };
    Answer {
        parts: vec![Part::text("Let me see."), Part::ToolCall(call)],
        stop: Stop::ToolCalls,
        ..Answer::default()
    }
}

/// The same answer in pieces of this many characters.
fn stream_of(arguments: &str, size: usize) -> Vec<Event> {
    let opening = Opening::ToolCall {
        id: "call_7".into(),
        name: "apply_patch".into(),
    };
    let letters: Vec<char> = arguments.chars().collect();
    let pieces = letters
        .chunks(size)
        .map(|piece| Event::Add(piece.iter().collect::<String>().into()));
    let mut events = vec![
        Event::Start { id: None, model: None },
        Event::Open(Opening::Text),
        Event::Add("Let me see.".into()),
        Event::Close,
        Event::Open(opening),
    ];
    events.extend(pieces);
    events.extend([Event::Close, Event::Stop(Stop::ToolCalls)]);
    events
}

fn told(dialect: Dialect, chat: &Chat, events: &[Event]) -> String {
    let mut encoder = inbound(dialect).encoder(&reply(chat));
    let mut out = Vec::new();
    for event in events {
        encoder.write(event, &mut out);
    }
    encoder.end(&mut out);
    String::from_utf8(out).expect("text")
}

fn whole(dialect: Dialect, chat: &Chat, answer: &Answer) -> Value {
    let written = inbound(dialect).write_answer(answer, &reply(chat));
    serde_json::from_slice(&written).expect("JSON")
}

fn wrapped(input: &str) -> String {
    serde_json::json!({"input": input}).to_string()
}

/// The call's item or member, and the text it is called with.
fn called(dialect: Dialect, answer: &Value) -> (Value, String) {
    let (call, input) = match dialect {
        Dialect::OpenaiResponses => (&answer["output"][1], &answer["output"][1]["input"]),
        _ => {
            let call = &answer["choices"][0]["message"]["tool_calls"][0];
            (call, &call["custom"]["input"])
        }
    };
    (call.clone(), input.as_str().expect("a text").to_owned())
}

/// The text that a stream's deltas bring.
fn streamed(dialect: Dialect, stream: &str) -> String {
    let events = stream.lines().filter_map(|line| line.strip_prefix("data: "));
    let events = events.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    let pieces = events.filter_map(|event| {
        let piece = match dialect {
            Dialect::OpenaiResponses if event["type"] == "response.custom_tool_call_input.delta" => &event["delta"],
            Dialect::OpenaiResponses => return None,
            _ => &event["choices"][0]["delta"]["tool_calls"][0]["custom"]["input"],
        };
        piece.as_str().map(str::to_owned)
    });
    pieces.collect()
}

#[test]
fn every_provider_is_offered_a_function_of_one_text() {
    for (dialect, caller) in CALLERS {
        let chat = request(dialect, caller).read().expect("a conversation");
        for (kind, model) in PROVIDERS {
            let outbound = spoken(kind, BedrockApi::Converse, dialect, model).and_then(|spoken| spoken.outbound);
            let Some(outbound) = outbound else {
                assert_eq!(dialect, Dialect::OpenaiChat, "only those speak it");
                continue;
            };
            let target = TargetFacts {
                model,
                output_limit: Some(8_192),
            };
            let written = outbound.write_request(&chat, target).expect("a request");
            let body: Value = serde_json::from_slice(&written.body).expect("JSON");
            let text = format!("dropped: {}\n{body:#}\n", written.dropped);
            check_golden(&format!("{caller}-{}.txt", kind.as_str()), &text);
        }
    }
}

#[test]
fn callers_are_told_of_calls_as_they_know_them() {
    for (dialect, caller) in CALLERS {
        let chat = request(dialect, caller).read().expect("a conversation");
        let arguments = wrapped(PATCH);
        let answer = whole(dialect, &chat, &call(&arguments));
        let stream = told(dialect, &chat, &stream_of(&arguments, 7));

        check_golden(&format!("{caller}-told.txt"), &format!("{answer:#}\n\n{stream}"));
        assert_eq!(called(dialect, &answer).1, PATCH);
        for size in [1, 2, 3, 11, 1_000] {
            let stream = told(dialect, &chat, &stream_of(&arguments, size));
            assert_eq!(streamed(dialect, &stream), PATCH, "{caller} {size}");
        }
    }
}

#[test]
fn what_a_model_writes_instead_of_the_one_text_is_told_as_it_is() {
    for (dialect, caller) in CALLERS {
        let chat = request(dialect, caller).read().expect("a conversation");
        for (arguments, input) in [
            ("{}", ""),
            (PATCH, PATCH),
            (r#"{"patch":"x"}"#, r#"{"patch":"x"}"#),
            (r#"{"input":"cut of"#, "cut of"),
        ] {
            let answer = whole(dialect, &chat, &call(arguments));
            let stream = told(dialect, &chat, &stream_of(arguments, 3));

            assert_eq!(called(dialect, &answer).1, input, "{caller}");
            assert_eq!(streamed(dialect, &stream), input, "{caller}");
        }
    }
}

#[test]
fn a_call_that_comes_back_is_what_the_model_wrote() {
    for (dialect, caller) in CALLERS {
        let chat = request(dialect, caller).read().expect("a conversation");
        let (told, _) = called(dialect, &whole(dialect, &chat, &call(&wrapped(PATCH))));
        let next = match dialect {
            Dialect::OpenaiResponses => serde_json::json!({"model": "m", "input": [told,
                {"type": "custom_tool_call_output", "call_id": "call_7", "output": "Done."}]}),
            _ => serde_json::json!({"model": "m", "messages": [
                {"role": "assistant", "content": null, "tool_calls": [told]},
                {"role": "tool", "tool_call_id": "call_7", "content": "Done."}]}),
        };
        let next = Request::parse(dialect, Bytes::from(next.to_string()), PathFacts::default()).expect("a request");

        let parts: Vec<Part> = next
            .read()
            .expect("a conversation")
            .turns
            .into_iter()
            .flat_map(|turn| turn.parts)
            .collect();

        let [Part::ToolCall(call), Part::ToolResult(result)] = &parts[..] else {
            panic!("{parts:?}")
        };
        assert_eq!((&*call.name, &*call.arguments), ("apply_patch", &*wrapped(PATCH)));
        assert_eq!((&*result.call, &result.parts), ("call_7", &vec![Part::text("Done.")]));
    }
}
