//! Streams are put in order, written as SDKs expect them, and read again.

use gatewright_llm::chat::{Chat, Maker};
use gatewright_llm::dialect::openai_chat::OpenaiChat;
use gatewright_llm::dialect::openai_chat::completions::OpenaiCompletions;
use gatewright_llm::dialect::{ErrorFacts, Inbound, ReplyFacts};
use gatewright_llm::event::{Event, Opening, Stop};
use gatewright_llm::{FailureKind, Tokens};
use serde_json::{Value, json};

use crate::{
    answer, data, decode, encoded, fixture, last_usage, names, opened_call, part, reply, signature, start, stream,
    without_usage,
};

#[test]
fn streams_are_read() {
    let check = |case: &str, parts: &[&[Event]], stop: Stop| {
        let events = stream(case);
        let mut expected = vec![start()];
        expected.extend(parts.iter().flat_map(|part| part.iter().cloned()));
        expected.push(Event::Stop(stop));
        assert_eq!(without_usage(events), expected, "{case}");
    };
    let oslo = || opened_call("call_a1", "get_weather");

    check("basic", &[&part(Opening::Text, "Hello! ☀")], Stop::End);
    check("tools", &[&part(oslo(), r#"{"city":"Oslo"}"#)], Stop::ToolCalls);
    check(
        "structured",
        &[&part(Opening::Text, r#"{"name":"Ada","age":36}"#)],
        Stop::End,
    );
    check("cached", &[&part(Opening::Text, "Done.")], Stop::End);
    check(
        "refusal",
        &[&part(Opening::Refusal, "I can't help with that.")],
        Stop::Refused,
    );
    check("length", &[&part(Opening::Text, "Once upon a")], Stop::Length);
    check(
        "reasoning",
        &[
            &[
                Event::Open(Opening::Thinking),
                Event::Add("Six times seven.".into()),
                Event::Sign(signature(Maker::Anthropic, "EqRkLmNv")),
                Event::Close,
            ],
            &part(Opening::Text, "42."),
            &[
                Event::Open(opened_call("call_a1", "save")),
                Event::Add(r#"{"value":42}"#.into()),
                Event::Sign(signature(Maker::Gemini, "Q2hhdA==")),
                Event::Close,
            ],
        ],
        Stop::ToolCalls,
    );
    let usage = last_usage(&stream("cached")).expect("usage");
    assert_eq!((usage.total_input(), usage.total_output()), (2100, 2));
}

#[test]
fn calls_that_come_side_by_side_are_kept_apart() {
    let events = without_usage(stream("parallel-tools"));

    let [
        _,
        _,
        _,
        _,
        Event::Open(first),
        Event::Add(arguments),
        _,
        Event::Open(second),
        rest @ ..,
    ] = &*events
    else {
        panic!("{events:?}");
    };
    assert_eq!(*first, opened_call("call_a1", "get_weather"));
    assert_eq!(&**arguments, r#"{"city":"Oslo"}"#);
    let Opening::ToolCall { id, name } = second else {
        panic!("{second:?}");
    };
    assert!(id.starts_with("call_1_") && &**name == "get_time", "{second:?}");
    // The server said `stop`.
    assert_eq!(
        rest,
        [Event::Add("{}".into()), Event::Close, Event::Stop(Stop::ToolCalls)]
    );
}

#[test]
fn a_stream_that_breaks_off_has_failed() {
    for (case, kind) in [
        ("error-midstream", FailureKind::ErrorEvent),
        ("stall", FailureKind::Malformed),
        ("cut", FailureKind::Malformed),
    ] {
        let events = stream(case);

        let [first, opened, added, Event::Failed(failure)] = &*events else {
            panic!("{case}: {events:?}");
        };
        assert_eq!(*first, start());
        assert_eq!(
            [opened, added],
            [&Event::Open(Opening::Text), &Event::Add("Hel".into())]
        );
        assert_eq!(failure.kind, kind, "{case}");
    }
}

#[test]
fn odd_streams_are_put_in_order() {
    let check = |chunks: &[Value], expected: &[Event]| {
        let mut text: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
        text.push_str("data: [DONE]\n\n");
        assert_eq!(decode([text.as_bytes()]), expected);
    };
    let delta = |delta: Value| json!({ "id": "a", "choices": [{ "index": 0, "delta": delta, "finish_reason": null }] });
    let begun = || Event::Start {
        id: Some("a".into()),
        model: None,
    };
    let whole = |index: u64, id: &str, name: &str| {
        delta(json!({ "tool_calls": [{ "index": index, "id": id, "function": { "name": name, "arguments": "{}" } }] }))
    };
    let events = |parts: Vec<[Event; 3]>, stop| {
        let mut events = vec![begun()];
        events.extend(parts.into_iter().flatten());
        events.push(Event::Stop(stop));
        events
    };

    // All calls at index 0; and no finish, but an end.
    check(
        &[whole(0, "x", "f"), whole(0, "y", "g")],
        &events(
            vec![part(opened_call("x", "f"), "{}"), part(opened_call("y", "g"), "{}")],
            Stop::ToolCalls,
        ),
    );
    // The same, twice the same tool.
    check(
        &[whole(0, "x", "f"), whole(0, "y", "f")],
        &events(
            vec![part(opened_call("x", "f"), "{}"), part(opened_call("y", "f"), "{}")],
            Stop::ToolCalls,
        ),
    );
    // Thoughts under another name, and a second choice that nobody asked for.
    check(
        &[
            delta(json!({ "reasoning_content": "hm" })),
            json!({ "choices": [{ "index": 1, "delta": { "content": "no" } }, { "index": 0, "delta": { "content": "so" } }] }),
            json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] }),
        ],
        &events(
            vec![part(Opening::Thinking, "hm"), part(Opening::Text, "so")],
            Stop::End,
        ),
    );
    // Arguments before the name.
    check(
        &[
            delta(json!({ "tool_calls": [{ "index": 0, "id": "x", "function": { "arguments": "{\"a\"" } }] })),
            delta(json!({ "tool_calls": [{ "index": 0, "function": { "name": "f", "arguments": ":1}" } }] })),
        ],
        &events(vec![part(opened_call("x", "f"), r#"{"a":1}"#)], Stop::ToolCalls),
    );
    // A reason that is none.
    let broken = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "error" }] });
    let text = format!("data: {}\n\ndata: {broken}\n\n", delta(json!({ "content": "x" })));
    let failed = decode([text.as_bytes()]);
    assert!(
        matches!(failed.last(), Some(Event::Failed(failure)) if failure.kind == FailureKind::ErrorEvent),
        "{failed:?}"
    );
}

#[test]
fn streams_are_written_and_read_again() {
    let chat = Chat::default();
    for name in names("streams") {
        let events = decode([&*fixture(&name)]);
        if matches!(events.last(), Some(Event::Failed(_))) {
            continue;
        }

        let text = encoded(OpenaiChat.encoder(&reply(&chat)), &events);
        let again = decode([text.as_bytes()]);

        assert_eq!(without_usage(again.clone()), without_usage(events.clone()), "{name}");
        assert_eq!(last_usage(&again), last_usage(&events), "{name}");
    }
}

#[test]
fn chunks_have_the_order_and_members_that_sdks_need() {
    let chat = Chat::default();
    let mut events = vec![start()];
    events.extend(part(Opening::Text, "Hi"));
    events.extend([Event::Open(opened_call("call_1", "f")), Event::Close]);
    events.extend(part(opened_call("call_2", "g"), "{\"a\":1}"));
    events.push(Event::Stop(Stop::ToolCalls));
    events.push(Event::Usage(Tokens::default()));

    let text = encoded(OpenaiChat.encoder(&reply(&chat)), &events);

    let chunks = data(&text);
    for chunk in &chunks {
        assert_eq!(chunk["id"], "chatcmpl-Cq1");
        assert_eq!(chunk["object"], "chat.completion.chunk");
        assert_eq!(chunk["model"], "gpt-5.6-2026-08-01");
        assert_eq!(chunk["created"], 1_794_200_000);
        assert!(chunk.get("usage").is_some());
    }
    let deltas: Vec<_> = chunks
        .iter()
        .map(|chunk| chunk["choices"][0]["delta"].clone())
        .collect();
    let function = |index: u64, arguments: &str| json!({ "tool_calls": [{ "index": index, "function": { "arguments": arguments } }] });
    let begun = |index: u64, id: &str, name: &str| json!({ "tool_calls": [{ "index": index, "id": id, "type": "function", "function": { "name": name, "arguments": "" } }] });
    assert_eq!(
        deltas,
        [
            json!({ "role": "assistant", "content": "Hi" }),
            begun(0, "call_1", "f"),
            function(0, "{}"),
            begun(1, "call_2", "g"),
            function(1, "{\"a\":1}"),
            json!({}),
            Value::Null,
        ]
    );
    let reasons: Vec<_> = chunks
        .iter()
        .map(|chunk| &chunk["choices"][0]["finish_reason"])
        .collect();
    assert_eq!(reasons.iter().position(|reason| !reason.is_null()), Some(5));
    assert_eq!(*reasons[5], "tool_calls");
    let last = chunks.last().expect("a chunk");
    assert_eq!(
        (&last["choices"], &last["usage"]["total_tokens"]),
        (&json!([]), &json!(0))
    );
    assert!(chunks[..6].iter().all(|chunk| chunk["usage"].is_null()));
    assert!(text.ends_with("\n\ndata: [DONE]\n\n"));
}

#[test]
fn each_signature_has_an_entry_of_its_own() {
    let chat = Chat::default();
    let mut events = vec![start()];
    for id in ["call_1", "call_2"] {
        let signed = Event::Sign(signature(Maker::Gemini, id));
        events.extend([Event::Open(opened_call(id, "f")), signed, Event::Close]);
    }

    let chunks = data(&encoded(OpenaiChat.encoder(&reply(&chat)), &events));

    let deltas = chunks
        .iter()
        .map(|chunk| &chunk["choices"][0]["delta"]["reasoning_details"][0]);
    let entries: Vec<_> = deltas.filter(|entry| !entry.is_null()).collect();
    let entry = |index: u64, id: &str| json!({ "type": "reasoning.encrypted", "data": id, "id": id, "format": "google-gemini-v1", "index": index });
    assert_eq!(entries, [&entry(0, "call_1"), &entry(1, "call_2")]);
}

#[test]
fn usage_that_nobody_asked_for_is_not_written() {
    let chat = Chat::default();
    let reply = ReplyFacts {
        usage_wanted: false,
        ..reply(&chat)
    };

    let text = encoded(OpenaiChat.encoder(&reply), &stream("basic"));

    assert!(!text.contains("usage"), "{text}");
    assert!(
        data(&text)
            .iter()
            .all(|chunk| chunk["choices"].as_array().is_some_and(|choices| choices.len() == 1))
    );
}

#[test]
fn an_error_in_a_stream_makes_sdks_raise() {
    let chat = Chat::default();
    let mut encoder = OpenaiChat.encoder(&reply(&chat));
    let mut out = Vec::new();
    let error = ErrorFacts {
        status: 502,
        message: "the provider broke off",
        code: "upstream_error",
        param: None,
        request_id: "req_1",
    };

    encoder.write(&start(), &mut out);
    encoder.fail(&error, &mut out);

    let error_body =
        r#"{"error":{"message":"the provider broke off","type":"api_error","param":null,"code":"upstream_error"}}"#;
    assert_eq!(String::from_utf8(out).expect("text"), format!("data: {error_body}\n\n"));
    assert_eq!(
        String::from_utf8(OpenaiChat.write_error(&error)).expect("text"),
        error_body
    );
}

#[test]
fn passing_streams_are_watched() {
    let mut watch = OpenaiChat.watcher();
    let mut told = Vec::new();
    for event in String::from_utf8(fixture("streams/basic.sse"))
        .expect("text")
        .split("\n\n")
    {
        if let Some(data) = event.strip_prefix("data: ") {
            let looked = watch.look(data.as_bytes());
            assert_eq!(looked.failed, None);
            told.push((looked.content, looked.finish, looked.done));
        }
    }
    let nothing = (false, false, false);
    let content = (true, false, false);
    let (finish, done) = ((false, true, false), (false, false, true));

    assert_eq!(told, [nothing, nothing, content, content, finish, nothing, done]);
    assert_eq!(watch.facts().usage.expect("usage").total_output(), 8);
    let failure = watch.look(br#"{"error":{"message":"no"}}"#).failed.expect("a failure");
    assert_eq!(
        (failure.kind, failure.message.as_str()),
        (FailureKind::ErrorEvent, "no")
    );
    let failure = watch.look(b"no JSON").failed.expect("a failure");
    assert_eq!(failure.kind, FailureKind::Malformed);
}

#[test]
fn old_completions_are_answered_by_chats() {
    let chat = Chat::default();
    let whole = OpenaiCompletions.write_answer(&answer("reasoning"), &reply(&chat));
    let streamed = encoded(OpenaiCompletions.encoder(&reply(&chat)), &stream("length"));

    let whole: Value = serde_json::from_slice(&whole).expect("JSON");
    assert_eq!(
        (&whole["object"], &whole["id"]),
        (&json!("text_completion"), &json!("chatcmpl-Cq1"))
    );
    assert_eq!(
        whole["choices"],
        json!([{ "text": "42.", "index": 0, "logprobs": null, "finish_reason": "stop" }])
    );
    assert_eq!(whole["usage"]["total_tokens"], 170);
    let chunks = data(&streamed);
    let texts: Vec<_> = chunks
        .iter()
        .map(|chunk| (&chunk["choices"][0]["text"], &chunk["choices"][0]["finish_reason"]))
        .collect();
    assert_eq!(
        texts,
        [
            (&json!("Once upon a"), &Value::Null),
            (&json!(""), &json!("length")),
            (&Value::Null, &Value::Null)
        ]
    );
    assert!(chunks.iter().all(|chunk| chunk["object"] == "text_completion"));
    assert_eq!(chunks[2]["usage"]["total_tokens"], 13);
    assert!(streamed.ends_with("data: [DONE]\n\n"));
    let mut watch = OpenaiCompletions.watcher();
    let looked: Vec<_> = chunks
        .iter()
        .map(|chunk| watch.look(chunk.to_string().as_bytes()))
        .map(|looked| (looked.content, looked.finish))
        .collect();
    assert_eq!(looked, [(true, false), (false, true), (false, false)]);
    assert_eq!(watch.facts().usage.expect("usage").total_input(), 10);
}
