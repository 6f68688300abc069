//! Streams as callers get them, judged as OpenAI's clients do.

use gatewright_llm::chat::{Chat, Maker, Part};
use gatewright_llm::dialect::Inbound;
use gatewright_llm::dialect::openai_responses::OpenaiResponses;
use gatewright_llm::event::{Answer, Event, Opening, Stop};
use gatewright_llm::{Failure, FailureKind};
use serde_json::{Value, json};

use crate::fixtures::{
    ANSWERS, answer, call, data, decode, encode, error, events_of, last_response, reply, request, signature, stream,
};

/// Builds the output from the pieces, with the checks that the clients make, and more.
fn accumulate(events: &[Value]) -> Vec<Value> {
    let mut output: Vec<Value> = Vec::new();
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number);
        let kind = event["type"].as_str().expect("a type");
        if let Some(response) = event.get("response") {
            assert_eq!(response["id"], events[0]["response"]["id"]);
            continue;
        }
        let index = usize::try_from(event["output_index"].as_u64().expect("an index")).expect("a small index");
        if kind == "response.output_item.added" {
            assert_eq!(index, output.len(), "items are added in order");
            output.push(event["item"].clone());
            continue;
        }
        let item = output.get_mut(index).expect("an item that was added");
        if kind == "response.output_item.done" {
            assert_eq!(item["id"], event["item"]["id"]);
            let mut grown = item.clone();
            grown["status"] = event["item"]["status"].clone();
            grown["encrypted_content"] = event["item"]["encrypted_content"].clone();
            let mut done = event["item"].clone();
            done["status"] = done["status"].clone();
            done["encrypted_content"] = done["encrypted_content"].clone();
            assert_eq!(grown, done, "an item that is done is what it grew to");
            *item = event["item"].clone();
            continue;
        }
        assert_eq!(item["id"], event["item_id"]);
        let place = |name: &str| usize::try_from(event[name].as_u64().expect(name)).expect("a small index");
        let append = |to: &mut Value| {
            *to = json!(format!(
                "{}{}",
                to.as_str().expect("a text"),
                event["delta"].as_str().expect("a delta")
            ))
        };
        match kind {
            "response.content_part.added" => {
                let contents = item["content"].as_array_mut().expect("contents");
                assert_eq!(place("content_index"), contents.len());
                contents.push(event["part"].clone());
            }
            "response.output_text.delta" => append(&mut item["content"][place("content_index")]["text"]),
            "response.refusal.delta" => append(&mut item["content"][place("content_index")]["refusal"]),
            "response.function_call_arguments.delta" => append(&mut item["arguments"]),
            "response.reasoning_summary_part.added" => {
                let summary = item["summary"].as_array_mut().expect("a summary");
                assert_eq!(place("summary_index"), summary.len());
                summary.push(event["part"].clone());
            }
            "response.reasoning_summary_text.delta" => append(&mut item["summary"][place("summary_index")]["text"]),
            "response.output_text.done" => assert_eq!(item["content"][place("content_index")]["text"], event["text"]),
            "response.refusal.done" => {
                assert_eq!(item["content"][place("content_index")]["refusal"], event["refusal"]);
            }
            "response.content_part.done" => assert_eq!(item["content"][place("content_index")], event["part"]),
            "response.function_call_arguments.done" => {
                assert_eq!(
                    (&item["arguments"], &item["name"]),
                    (&event["arguments"], &event["name"])
                );
            }
            "response.reasoning_summary_text.done" => {
                assert_eq!(item["summary"][place("summary_index")]["text"], event["text"]);
            }
            "response.reasoning_summary_part.done" => {
                assert_eq!(item["summary"][place("summary_index")], event["part"])
            }
            other => panic!("{other} is no event that clients know"),
        }
    }
    output
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["type"].as_str().expect("a type"))
        .collect()
}

#[test]
fn the_pieces_amount_to_the_last_event() {
    for name in ANSWERS {
        let written = encode(&decode(&stream(name)), "req_1");

        let events = data(&written);

        assert_eq!(kinds(&events)[..2], ["response.created", "response.in_progress"]);
        assert_eq!(events[0]["response"]["status"], "in_progress");
        assert_eq!(json!(accumulate(&events)), last_response(&written)["output"], "{name}");
    }
}

#[test]
fn the_last_event_is_the_whole_answer() {
    for name in ANSWERS {
        let chat = request("tools");
        let answer = answer(name);
        let mut encoder = OpenaiResponses.encoder(&reply("req_1", &chat));
        let mut out = Vec::new();

        for event in events_of(&answer) {
            encoder.write(&event, &mut out);
        }
        encoder.end(&mut out);

        let whole: Value =
            serde_json::from_slice(&OpenaiResponses.write_answer(&answer, &reply("req_1", &chat))).expect("JSON");
        assert_eq!(last_response(&out), whole, "{name}");
        let last = if name == "length" {
            "response.incomplete"
        } else {
            "response.completed"
        };
        assert_eq!(kinds(&data(&out)).last(), Some(&last));
    }
}

#[test]
fn a_stream_is_in_openais_order() {
    let mut signed = call("c", "f", "{}");
    signed.signature = signature(Maker::Gemini, "seal");
    let answer = Answer {
        parts: vec![
            Part::Thinking(gatewright_llm::chat::Thinking {
                text: "hm".into(),
                signature: signature(Maker::Anthropic, "seal"),
            }),
            Part::text("a"),
            Part::Refusal("b".into()),
            Part::ToolCall(call("c", "f", "{}")),
        ],
        ..Answer::default()
    };

    let events = data(&encode(&events_of(&answer), "req_1"));

    assert_eq!(
        kinds(&events),
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.reasoning_summary_part.added",
            "response.reasoning_summary_text.delta",
            "response.reasoning_summary_text.done",
            "response.reasoning_summary_part.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.content_part.added",
            "response.refusal.delta",
            "response.refusal.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    let ids: Vec<&Value> = events.iter().filter_map(|event| event["item"].get("id")).collect();
    assert_eq!(ids, ["rs_1_0", "rs_1_0", "msg_1_1", "msg_1_1", "fc_1_2", "fc_1_2"]);
    assert_eq!(events[7]["item"]["encrypted_content"], "anthropic-claude-v1:seal");
    accumulate(&events);
}

#[test]
fn the_signature_of_a_call_stands_before_it_or_after_when_it_comes_late() {
    let opening = Event::Open(Opening::ToolCall {
        id: "c".into(),
        name: "f".into(),
    });
    let sign = Event::Sign(signature(Maker::Gemini, "seal").expect("a signature"));
    let add = Event::Add("{\"a\":1}".into());
    let start = Event::Start { id: None, model: None };
    let stop = Event::Stop(Stop::ToolCalls);
    let check = |middle: [&Event; 2], expected: [&str; 2]| {
        let events: Vec<Event> = [&start, &opening, middle[0], middle[1], &Event::Close, &stop]
            .into_iter()
            .cloned()
            .collect();
        let written = encode(&events, "req_1");
        let output = last_response(&written)["output"].take();
        let kinds: Vec<&str> = output
            .as_array()
            .expect("items")
            .iter()
            .filter_map(|item| item["type"].as_str())
            .collect();
        assert_eq!(kinds, expected);
        assert_eq!(json!(accumulate(&data(&written))), output);
    };

    check([&sign, &add], ["reasoning", "function_call"]);
    check([&add, &sign], ["function_call", "reasoning"]);
}

#[test]
fn a_call_without_arguments_has_empty_ones() {
    let events = [
        Event::Start { id: None, model: None },
        Event::Open(Opening::ToolCall {
            id: "c".into(),
            name: "f".into(),
        }),
        Event::Close,
        Event::Stop(Stop::ToolCalls),
    ];

    let written = encode(&events, "req_1");

    assert_eq!(last_response(&written)["output"][0]["arguments"], "{}");
    accumulate(&data(&written));
}

#[test]
fn usage_that_comes_after_the_stop_is_in_the_last_event() {
    let mut events = events_of(&answer("basic"));
    let usage = events
        .iter()
        .position(|event| matches!(event, Event::Usage(_)))
        .expect("usage");
    let usage = events.remove(usage);
    events.push(usage);

    let response = last_response(&encode(&events, "req_1"));

    assert_eq!(response["usage"]["total_tokens"], 27);
    assert_eq!(
        response["usage"]["input_tokens_details"],
        json!({"cached_tokens": 0, "cache_write_tokens": 0})
    );
}

#[test]
fn a_failure_is_told_wherever_the_stream_stands() {
    let events = events_of(&answer("tools"));
    for length in 0..events.len() {
        let chat = Chat::default();
        let mut encoder = OpenaiResponses.encoder(&reply("req_1", &chat));
        let mut out = Vec::new();
        for event in events.iter().take(length) {
            encoder.write(event, &mut out);
        }
        encoder.write(&Event::Failed(Failure::new(FailureKind::Server, "secret")), &mut out);
        encoder.fail(&error(), &mut out);

        let told = data(&out);

        assert_eq!(told[0]["type"], "response.created");
        let [.., event, last] = told.as_slice() else {
            panic!("{told:?}");
        };
        assert_eq!(
            (&event["type"], &event["message"], &event["code"], &event["param"]),
            (
                &json!("error"),
                &json!("the provider broke off"),
                &json!("upstream_error"),
                &Value::Null
            )
        );
        assert_eq!(last["type"], "response.failed");
        assert_eq!(last["response"]["status"], "failed");
        assert_eq!(
            last["response"]["error"],
            json!({"code": "server_error", "message": "the provider broke off"})
        );
        assert_eq!(last["sequence_number"], told.len() - 1);
        assert!(!String::from_utf8_lossy(&out).contains("secret"));
    }
}

#[test]
fn the_request_is_repeated_in_a_streams_frame() {
    let chat = request("forced-tool");
    let mut encoder = OpenaiResponses.encoder(&reply("req_1", &chat));
    let mut out = Vec::new();

    encoder.write(&Event::Start { id: None, model: None }, &mut out);

    let created = &data(&out)[0]["response"];
    assert_eq!(
        created["tool_choice"],
        json!({"type": "function", "name": "get_weather"})
    );
    assert_eq!(created["tools"][0]["name"], "get_weather");
    assert_eq!(created["model"], "target-model");
    assert_eq!(created["output"], json!([]));
}
