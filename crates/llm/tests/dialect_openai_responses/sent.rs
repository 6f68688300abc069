//! Requests as OpenAI gets them.

use gatewright_llm::chat::{
    Amount, CacheMark, Chat, Effort, Maker, Media, MediaKind, Part, Reasoning, Role, Source, Text, Thinking, Tool,
    ToolResult, Turn,
};
use gatewright_llm::dialect::openai_responses::OpenaiResponses;
use gatewright_llm::dialect::{Inbound, Outbound, PathFacts};
use serde_json::{Value, json};

use crate::fixtures::{REQUESTS, TARGET, call, request, signature};

fn written(chat: &Chat) -> (Value, String) {
    let written = OpenaiResponses.write_request(chat, TARGET).expect("a request");
    let body = serde_json::from_slice(&written.body).expect("JSON");
    (body, written.dropped.to_string())
}

fn of_parts(role: Role, parts: Vec<Part>) -> Chat {
    Chat {
        turns: vec![Turn { role, parts }],
        ..Chat::default()
    }
}

fn media(kind: MediaKind, source: Source) -> Media {
    Media {
        kind,
        source,
        media_type: None,
        name: None,
        detail: None,
        cache: None,
    }
}

#[test]
fn a_request_written_and_read_again_is_the_same() {
    for name in REQUESTS {
        let first = request(name);

        let body = OpenaiResponses.write_request(&first, TARGET).expect(name).body;
        let again = OpenaiResponses
            .read_request(&body, PathFacts::default())
            .unwrap_or_else(|error| panic!("{name}: {error}"));

        let mut expected = first;
        expected.model = "upstream-model".into();
        expected.unheld.clear();
        // Joined to one text.
        if let [first, _, ..] = expected.instructions.as_slice() {
            assert!(again.instructions[0].text.starts_with(&*first.text));
            expected.instructions.clone_from(&again.instructions);
        }
        for part in expected.turns.iter_mut().flat_map(|turn| &mut turn.parts) {
            if let Part::Text(text) = part {
                text.cache = None;
            }
        }
        assert_eq!(again, expected, "{name}");
    }
}

#[test]
fn a_plain_request_has_no_more_than_it_needs() {
    let (body, dropped) = written(&of_parts(Role::User, vec![Part::text("hi")]));

    assert_eq!(
        body,
        json!({
            "model": "upstream-model",
            "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
            "store": false,
        })
    );
    assert_eq!(dropped, "");
}

#[test]
fn turns_become_items() {
    let mut chat = request("tools");
    chat.turns[1].parts.insert(
        0,
        Part::Thinking(Thinking {
            text: "hm".into(),
            signature: signature(Maker::Openai, "seal"),
        }),
    );

    let (body, _) = written(&chat);

    let kinds: Vec<&str> = body["input"]
        .as_array()
        .expect("items")
        .iter()
        .filter_map(|item| item["type"].as_str())
        .collect();
    assert_eq!(
        kinds,
        [
            "message",
            "reasoning",
            "message",
            "function_call",
            "function_call",
            "function_call_output",
            "function_call_output",
        ]
    );
    assert_eq!(
        body["input"][1],
        json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "seal"})
    );
    assert_eq!(
        body["input"][2]["content"],
        json!([{"type": "output_text", "text": "Let me look."}])
    );
    assert_eq!(body["input"][5]["output"], r#"{"sky":"clear","degrees":21}"#);
    assert_eq!(body["input"][6]["output"][1]["type"], "input_image");
    assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
}

#[test]
fn thinking_of_others_is_left_out() {
    let thinking = |signature| {
        Part::Thinking(Thinking {
            text: "hm".into(),
            signature,
        })
    };
    let mut signed = call("c", "f", "{}");
    signed.signature = signature(Maker::Gemini, "seal");

    let (body, dropped) = written(&of_parts(
        Role::Assistant,
        vec![
            thinking(signature(Maker::Anthropic, "seal")),
            thinking(None),
            Part::ToolCall(signed),
        ],
    ));

    assert_eq!(
        body["input"],
        json!([{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}])
    );
    assert_eq!((body.get("include"), dropped.as_str()), (None, ""));
}

#[test]
fn tools_and_formats_are_flat() {
    let mut chat = request("forced-tool");
    chat.tools[1].parameters = None;
    chat.tools[1].strict = None;
    chat.format = request("structured").format;

    let (body, _) = written(&chat);

    assert_eq!(body["tools"][0]["strict"], true);
    assert_eq!(
        body["tools"][1],
        json!({
            "type": "function",
            "name": "get_time",
            "description": "The time at a place.",
            "parameters": {"type": "object", "properties": {}},
            "strict": false,
        })
    );
    assert_eq!(body["tool_choice"], json!({"type": "function", "name": "get_weather"}));
    assert_eq!(body["text"]["format"]["type"], "json_schema");
    assert_eq!(
        body["text"]["format"]["schema"]["required"],
        json!(["city", "population"])
    );
}

#[test]
fn choices_among_no_tools_are_not_sent() {
    let mut chat = request("forced-tool");
    chat.tools.clear();

    let (body, _) = written(&chat);

    assert_eq!((body.get("tool_choice"), body.get("parallel_tool_calls")), (None, None));
}

#[test]
fn thinking_is_asked_for_in_words() {
    let check = |amount: Amount, shown: Option<bool>, expected: Option<Value>, sealed: bool| {
        let mut chat = of_parts(Role::User, vec![Part::text("x")]);
        chat.reasoning = Some(Reasoning { amount, shown });
        let (body, _) = written(&chat);
        assert_eq!(body.get("reasoning"), expected.as_ref(), "{amount:?}");
        assert_eq!(body.get("include").is_some(), sealed, "{amount:?}");
    };

    check(Amount::Off, None, Some(json!({"effort": "none"})), false);
    check(Amount::Adaptive, None, None, true);
    check(Amount::Adaptive, Some(true), Some(json!({"summary": "auto"})), true);
    check(
        Amount::Effort(Effort::Most),
        Some(false),
        Some(json!({"effort": "xhigh"})),
        true,
    );
    check(
        Amount::Budget(8_000),
        Some(true),
        Some(json!({"effort": "medium", "summary": "auto"})),
        true,
    );
}

#[test]
fn what_openai_cannot_take_is_dropped_by_name() {
    let mut chat = request("cached");
    chat.sampling.max_tokens = Some(1);
    chat.sampling.top_k = Some(4);
    chat.sampling.frequency_penalty = Some(1.into());
    chat.sampling.presence_penalty = Some(1.into());
    chat.sampling.seed = Some(7);
    chat.sampling.stop = vec!["END".into()];
    chat.user = Some("u".repeat(129).into());
    chat.turns[0].parts.insert(
        0,
        Part::ToolResult(ToolResult {
            call: "c".into(),
            name: None,
            parts: vec![],
            failed: true,
            cache: None,
        }),
    );

    let (body, dropped) = written(&chat);

    assert_eq!(
        dropped,
        "prompt_cache_key, prompt_cache_retention, max_tokens, top_k, frequency_penalty, presence_penalty, seed, stop, \
         is_error, cache_control, user"
    );
    assert_eq!(body["max_output_tokens"], 16);
    for name in ["stop", "seed", "top_k", "safety_identifier", "user"] {
        assert_eq!(body.get(name), None);
    }
}

#[test]
fn a_mark_is_dropped_wherever_it_is() {
    let mark = Some(CacheMark::FiveMinutes);
    let marked = || Text {
        text: "x".into(),
        cache: mark,
    };
    let plain = || of_parts(Role::User, vec![Part::text("x")]);
    let in_instructions = Chat {
        instructions: vec![marked()],
        ..plain()
    };
    let in_tools = Chat {
        tools: vec![Tool {
            name: "f".into(),
            description: None,
            parameters: None,
            strict: None,
            cache: mark,
        }],
        ..plain()
    };
    let in_result = of_parts(
        Role::User,
        vec![Part::ToolResult(ToolResult {
            call: "c".into(),
            name: None,
            parts: vec![Part::Text(marked())],
            failed: false,
            cache: None,
        })],
    );
    let in_image = of_parts(
        Role::User,
        vec![Part::Media(Media {
            cache: mark,
            ..media(MediaKind::Image, Source::Url("https://e.org/a.png".into()))
        })],
    );

    for chat in [in_instructions, in_tools, in_result, in_image] {
        assert_eq!(written(&chat).1, "cache_control", "{chat:?}");
    }
}

#[test]
fn media_are_written_as_the_api_has_them() {
    let check = |media: Media, expected: Value| {
        let (body, _) = written(&of_parts(Role::User, vec![Part::Media(media)]));
        assert_eq!(body["input"][0]["content"], json!([expected]));
    };
    let base64 = || Source::Base64("QUJD".into());
    let image = |source| media(MediaKind::Image, source);
    let document = |source| media(MediaKind::Document, source);

    check(
        Media {
            media_type: Some("image/webp".into()),
            detail: Some("high".into()),
            ..image(base64())
        },
        json!({"type": "input_image", "image_url": "data:image/webp;base64,QUJD", "detail": "high"}),
    );
    check(
        image(Source::File("file-1".into())),
        json!({"type": "input_image", "file_id": "file-1", "detail": "auto"}),
    );
    check(
        document(base64()),
        json!({"type": "input_file", "filename": "document.pdf", "file_data": "data:application/pdf;base64,QUJD"}),
    );
    check(
        document(Source::Url("https://e.org/a.pdf".into())),
        json!({"type": "input_file", "file_url": "https://e.org/a.pdf"}),
    );
    check(
        document(Source::Plain("abc".into())),
        json!({"type": "input_text", "text": "abc"}),
    );
}

#[test]
fn what_would_change_the_meaning_is_refused() {
    let check = |chat: Chat, param: &str| {
        let error = OpenaiResponses.write_request(&chat, TARGET).expect_err(param);
        assert_eq!(error.param, param);
    };
    let base64 = || Source::Base64("QUJD".into());
    let mut several = request("basic");
    several.sampling.choices = Some(2);
    let mut logprobs = request("basic");
    logprobs.sampling.top_logprobs = Some(0);

    check(several, "n");
    check(logprobs, "logprobs");
    for kind in [MediaKind::Audio, MediaKind::Video] {
        check(
            of_parts(Role::User, vec![Part::Media(media(kind, base64()))]),
            "messages",
        );
    }
    check(
        of_parts(Role::Assistant, vec![Part::Media(media(MediaKind::Image, base64()))]),
        "messages",
    );
}
