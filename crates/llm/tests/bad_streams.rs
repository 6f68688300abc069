//! What can be wrong with a stream before its meaning is: how lines end, where it is cut, what is no stream at all. The
//! same for every decoder of events; frames of AWS have their own in `dialect_bedrock`.

use gatewright_llm::chat::Part;
use gatewright_llm::dialect::Outbound;
use gatewright_llm::dialect::anthropic::Anthropic;
use gatewright_llm::dialect::cohere::Cohere;
use gatewright_llm::dialect::gemini::Gemini;
use gatewright_llm::dialect::openai_chat::vendors::VENDORS;
use gatewright_llm::dialect::openai_responses::OpenaiResponses;
use gatewright_llm::event::{Answer, Event, Stop};
use gatewright_llm::{Failure, FailureKind};
use serde_json::{Value, json};

const TEXT: [&str; 2] = ["日本 ", "👩‍👩‍👧 e\u{301}"];
/// Of the calls in the examples, which is the name of a tool.
const TOOL: &str = "look";

/// One dialect: who reads it, and an answer of two texts and these calls, as the events of a stream.
struct Told {
    name: &'static str,
    reader: &'static dyn Outbound,
    events: fn(&[&str]) -> Vec<Value>,
}

const DIALECTS: [Told; 5] = [
    Told {
        name: "chat",
        reader: &VENDORS[0],
        events: chat,
    },
    Told {
        name: "responses",
        reader: &OpenaiResponses,
        events: responses,
    },
    Told {
        name: "messages",
        reader: &Anthropic,
        events: messages,
    },
    Told {
        name: "gemini",
        reader: &Gemini,
        events: gemini,
    },
    Told {
        name: "cohere",
        reader: &Cohere,
        events: cohere,
    },
];

fn chat(calls: &[&str]) -> Vec<Value> {
    let chunk = |delta: Value, finish: Value| json!({ "id": "a", "model": "m", "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] });
    let mut events: Vec<_> = TEXT
        .iter()
        .map(|text| chunk(json!({ "content": text }), Value::Null))
        .collect();
    for (place, arguments) in calls.iter().enumerate() {
        let called = json!({
            "index": place, "id": format!("call_{place}"), "type": "function",
            "function": { "name": TOOL, "arguments": arguments },
        });
        events.push(chunk(json!({ "tool_calls": [called] }), Value::Null));
    }
    events.push(chunk(
        json!({}),
        json!(if calls.is_empty() { "stop" } else { "tool_calls" }),
    ));
    events
}

fn responses(calls: &[&str]) -> Vec<Value> {
    let part = json!({ "type": "output_text", "text": TEXT.concat(), "annotations": [] });
    let message =
        json!({ "id": "m1", "type": "message", "role": "assistant", "status": "completed", "content": [part] });
    let mut output = vec![message];
    let mut events = vec![
        json!({ "type": "response.created", "response": { "id": "r", "model": "m", "status": "in_progress", "output": [] } }),
        json!({ "type": "response.output_item.added", "output_index": 0, "item": { "id": "m1", "type": "message", "role": "assistant", "content": [] } }),
        json!({ "type": "response.content_part.added", "item_id": "m1", "output_index": 0, "content_index": 0, "part": { "type": "output_text", "text": "" } }),
    ];
    for text in TEXT {
        events.push(json!({ "type": "response.output_text.delta", "item_id": "m1", "output_index": 0, "content_index": 0, "delta": text }));
    }
    events.push(json!({ "type": "response.output_item.done", "output_index": 0, "item": output[0] }));
    for (place, arguments) in calls.iter().enumerate() {
        let (id, index) = (format!("f{place}"), place + 1);
        let item = |arguments: &str| json!({ "id": id, "type": "function_call", "call_id": format!("call_{place}"), "name": TOOL, "arguments": arguments, "status": "completed" });
        events.push(json!({ "type": "response.output_item.added", "output_index": index, "item": item("") }));
        events.push(json!({ "type": "response.function_call_arguments.delta", "item_id": id, "output_index": index, "delta": arguments }));
        events.push(json!({ "type": "response.output_item.done", "output_index": index, "item": item(arguments) }));
        output.push(item(arguments));
    }
    events.push(json!({ "type": "response.completed", "response": { "id": "r", "model": "m", "status": "completed", "output": output } }));
    events
}

fn messages(calls: &[&str]) -> Vec<Value> {
    let mut events = vec![
        json!({ "type": "message_start", "message": { "id": "a", "model": "m", "content": [] } }),
        json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
    ];
    for text in TEXT {
        events.push(
            json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": text } }),
        );
    }
    events.push(json!({ "type": "content_block_stop", "index": 0 }));
    for (place, arguments) in calls.iter().enumerate() {
        let index = place + 1;
        let block = json!({ "type": "tool_use", "id": format!("call_{place}"), "name": TOOL, "input": {} });
        events.push(json!({ "type": "content_block_start", "index": index, "content_block": block }));
        events.push(json!({ "type": "content_block_delta", "index": index, "delta": { "type": "input_json_delta", "partial_json": arguments } }));
        events.push(json!({ "type": "content_block_stop", "index": index }));
    }
    let reason = if calls.is_empty() { "end_turn" } else { "tool_use" };
    events.push(json!({ "type": "message_delta", "delta": { "stop_reason": reason } }));
    events.push(json!({ "type": "message_stop" }));
    events
}

fn gemini(calls: &[&str]) -> Vec<Value> {
    let response = |part: Value, finish: Value| json!({ "responseId": "a", "modelVersion": "m", "candidates": [{ "index": 0, "content": { "role": "model", "parts": [part] }, "finishReason": finish }] });
    let mut events: Vec<_> = TEXT
        .iter()
        .map(|text| response(json!({ "text": text }), Value::Null))
        .collect();
    for (place, arguments) in calls.iter().enumerate() {
        let arguments: Value = serde_json::from_str(arguments).expect("JSON");
        let call = json!({ "id": format!("call_{place}"), "name": TOOL, "args": arguments });
        events.push(response(json!({ "functionCall": call }), Value::Null));
    }
    events.push(response(json!({ "text": "" }), json!("STOP")));
    events
}

fn cohere(calls: &[&str]) -> Vec<Value> {
    let delta = |kind: &str, index: usize, message: Value| json!({ "type": kind, "index": index, "delta": { "message": message } });
    let mut events = vec![
        json!({ "type": "message-start", "id": "a", "delta": { "message": { "role": "assistant" } } }),
        delta("content-start", 0, json!({ "content": { "type": "text", "text": "" } })),
    ];
    for text in TEXT {
        events.push(delta("content-delta", 0, json!({ "content": { "text": text } })));
    }
    events.push(json!({ "type": "content-end", "index": 0 }));
    for (place, arguments) in calls.iter().enumerate() {
        let call =
            json!({ "id": format!("call_{place}"), "type": "function", "function": { "name": TOOL, "arguments": "" } });
        events.push(delta("tool-call-start", place, json!({ "tool_calls": call })));
        let more = json!({ "tool_calls": { "function": { "arguments": arguments } } });
        events.push(delta("tool-call-delta", place, more));
        events.push(json!({ "type": "tool-call-end", "index": place }));
    }
    let reason = if calls.is_empty() { "COMPLETE" } else { "TOOL_CALL" };
    events.push(json!({ "type": "message-end", "delta": { "finish_reason": reason } }));
    events
}

/// The bytes of a stream whose lines end like this, its data on one line or on many.
fn written(events: &[Value], end: &str, many_lines: bool) -> Vec<u8> {
    let mut stream = String::new();
    for event in events {
        if let Some(name) = event["type"].as_str() {
            stream += &format!("event: {name}{end}");
        }
        let data = if many_lines {
            serde_json::to_string_pretty(event).expect("JSON")
        } else {
            event.to_string()
        };
        for line in data.lines() {
            stream += &format!("data: {line}{end}");
        }
        stream += end;
    }
    stream.into_bytes()
}

fn decoded<'a>(reader: &dyn Outbound, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut decoder = reader.decoder();
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(piece, &mut events);
    }
    decoder.end(&mut events);
    events
}

fn gathered(reader: &dyn Outbound, stream: &[u8]) -> Result<Answer, Failure> {
    Answer::gather(decoded(reader, [stream]))
}

/// The text of an answer, and its calls by identifier and arguments.
fn content(answer: &Answer) -> (String, Vec<(String, Value)>) {
    let (mut text, mut calls) = (String::new(), Vec::new());
    for part in &answer.parts {
        match part {
            Part::Text(said) => text += &said.text,
            Part::ToolCall(call) => {
                assert_eq!(&*call.name, TOOL);
                calls.push((
                    call.id.to_string(),
                    serde_json::from_str(&call.arguments).expect("JSON"),
                ));
            }
            Part::Media(_) | Part::ToolResult(_) | Part::Thinking(_) | Part::Refusal(_) => panic!("{part:?}"),
        }
    }
    (text, calls)
}

#[test]
fn neither_the_ends_of_lines_nor_cuts_nor_data_on_many_lines_change_an_answer() {
    for told in DIALECTS {
        let events = (told.events)(&[r#"{"city":"Tromsø"}"#]);
        for end in ["\n", "\r\n", "\r"] {
            for many_lines in [false, true] {
                let stream = written(&events, end, many_lines);
                // Some of these cuts fall into characters, and between the two bytes of an end.
                for size in [1, 2, 3, 7, 64, stream.len()] {
                    let what = format!("{} {end:?} {many_lines} {size}", told.name);

                    let answer = Answer::gather(decoded(told.reader, stream.chunks(size))).expect(&what);

                    let call = ("call_0".to_owned(), json!({ "city": "Tromsø" }));
                    assert_eq!(content(&answer), (TEXT.concat(), vec![call]), "{what}");
                    assert_eq!(answer.stop, Stop::ToolCalls, "{what}");
                }
            }
        }
    }
}

#[test]
fn a_stream_that_lacks_its_end_mark_is_whole_once_it_said_why_it_ended() {
    for told in DIALECTS {
        let events = (told.events)(&[]);
        let whole = gathered(told.reader, &written(&events, "\n", false)).expect(told.name);
        assert_eq!(
            (content(&whole).0, whole.stop),
            (TEXT.concat(), Stop::End),
            "{}",
            told.name
        );

        // The last events, which say so, did not come.
        let cut: Vec<_> = events.iter().take(events.len() - 2).cloned().collect();
        let failure = gathered(told.reader, &written(&cut, "\n", false)).expect_err(told.name);
        assert_eq!(failure.kind, FailureKind::Malformed, "{}", told.name);
    }
}

#[test]
fn what_is_no_answer_is_a_failure() {
    let html = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";
    let error = r#"{"error":{"message":"no capacity","type":"server_error","code":"busy"}}"#;
    for told in DIALECTS {
        for (what, body) in [
            ("nothing", String::new()),
            ("HTML", html.to_owned()),
            ("HTML in an event", format!("data: {html}\n\n")),
            ("an array", "data: []\n\n".to_owned()),
            ("half an object", "data: {\"a\":\n\n".to_owned()),
            ("an error", error.to_owned()),
            ("an error in an event", format!("data: {error}\n\n")),
        ] {
            let what = format!("{}: {what}", told.name);

            let failure = gathered(told.reader, body.as_bytes()).expect_err(&what);
            assert!(!failure.message.is_empty(), "{what}");
            let failure = told.reader.read_answer(body.as_bytes()).expect_err(&what);
            assert!(!failure.message.is_empty(), "{what}");
        }
        let failure = told.reader.read_answer(error.as_bytes()).expect_err(told.name);
        assert_eq!(failure.message, "no capacity", "{}", told.name);
    }
}

#[test]
fn arguments_may_be_of_any_length() {
    let long = json!({ "text": "é".repeat(1 << 20) }).to_string();
    for told in DIALECTS {
        let stream = written(&(told.events)(&[&long]), "\n", false);

        let answer = Answer::gather(decoded(told.reader, stream.chunks(16 << 10))).expect(told.name);

        let (_, calls) = content(&answer);
        assert_eq!(calls.len(), 1, "{}", told.name);
        assert_eq!(calls[0].1.to_string(), long, "{}", told.name);
    }
}

#[test]
fn calls_that_share_an_index_are_not_mixed() {
    for told in DIALECTS {
        let mut events = (told.events)(&[r#"{"a":1}"#, r#"{"b":2}"#]);
        for event in &mut events {
            share(event);
        }

        let answer = gathered(told.reader, &written(&events, "\n", false)).expect(told.name);

        let expected = [("call_0", json!({ "a": 1 })), ("call_1", json!({ "b": 2 }))];
        let calls = content(&answer).1;
        let calls: Vec<_> = calls
            .iter()
            .map(|(id, arguments)| (id.as_str(), arguments.clone()))
            .collect();
        assert_eq!(calls, expected, "{}", told.name);
    }
}

/// Gives every part the index of the first.
fn share(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "index" | "output_index" if member.is_number() => *member = json!(0),
                    _ => share(member),
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(share),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
