//! Gemini's signatures of tool calls on their way through this dialect.

use gatewright_llm::chat::{Chat, Maker, Part};
use gatewright_llm::dialect::Inbound;
use gatewright_llm::dialect::anthropic::Anthropic;
use gatewright_llm::event::{Answer, Event, Opening, Stop};

use crate::{call, encode, read, reply, signed};

#[test]
fn a_signed_call_of_gemini_comes_back_from_answers_and_streams() {
    let parts = vec![
        Part::ToolCall(call("a", r#"{"x":1}"#, signed(Maker::Gemini))),
        Part::ToolCall(call("b", "{}", None)),
        Part::ToolCall(call("c", "{}", signed(Maker::Gemini))),
    ];
    let whole = Answer {
        parts: parts.clone(),
        stop: Stop::ToolCalls,
        ..Answer::default()
    };
    let chat = Chat::default();
    let body = Anthropic.write_answer(&whole, &reply(&chat));
    assert_eq!(given_back(&blocks_of_body(&body)), parts);

    let mut events = vec![Event::Start { id: None, model: None }];
    for part in &parts {
        let Part::ToolCall(call) = part else {
            panic!("a call");
        };
        let (id, name) = (call.id.clone(), call.name.clone());
        events.push(Event::Open(Opening::ToolCall { id, name }));
        events.extend(call.signature.clone().map(Event::Sign));
        events.push(Event::Add(call.arguments.clone()));
        events.push(Event::Close);
    }
    events.push(Event::Stop(Stop::ToolCalls));
    assert_eq!(given_back(&blocks_of_stream(&encode(&events))), parts);
}

#[test]
fn a_signature_of_text_has_no_place() {
    let signature = signed(Maker::Gemini).expect("a signature");
    let events = [
        Event::Open(Opening::Text),
        Event::Add("Hi.".into()),
        Event::Sign(signature),
        Event::Close,
        Event::Stop(Stop::End),
    ];

    assert!(!encode(&events).contains("signature"));
}

fn given_back(content: &serde_json::Value) -> Vec<Part> {
    let body =
        serde_json::json!({"model": "m", "max_tokens": 1, "messages": [{"role": "assistant", "content": content}]});
    let chat = read(&body.to_string()).expect("a request");
    chat.turns.into_iter().flat_map(|turn| turn.parts).collect()
}

fn blocks_of_body(body: &[u8]) -> serde_json::Value {
    let body: serde_json::Value = serde_json::from_slice(body).expect("JSON");
    body["content"].clone()
}

fn blocks_of_stream(stream: &str) -> serde_json::Value {
    let mut blocks: Vec<serde_json::Value> = Vec::new();
    let mut arguments = String::new();
    for data in stream.lines().filter_map(|line| line.strip_prefix("data: ")) {
        let event: serde_json::Value = serde_json::from_str(data).expect("JSON");
        match event["type"].as_str().expect("a type") {
            "content_block_start" => {
                assert_eq!(event["index"].as_u64(), Some(blocks.len() as u64));
                arguments.clear();
                blocks.push(event["content_block"].clone());
            }
            "content_block_delta" => {
                let block = blocks.last_mut().expect("a block");
                let delta = &event["delta"];
                match delta["type"].as_str().expect("a type") {
                    "signature_delta" => block["signature"] = delta["signature"].clone(),
                    "input_json_delta" => {
                        arguments.push_str(delta["partial_json"].as_str().expect("a text"));
                        block["input"] = serde_json::from_str(&arguments).expect("whole JSON");
                    }
                    other => panic!("unexpected {other}"),
                }
            }
            _ => {}
        }
    }
    blocks.into()
}
