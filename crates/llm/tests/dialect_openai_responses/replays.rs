//! A response that is over, told as the stream that could have brought it.

use gatewright_llm::dialect::openai_responses::replay::{Replay, replay};
use serde_json::{Value, json};

use crate::fixtures::{ANSWERS, answer, data, decode, fixture, gather};

fn whole(response: &[u8], after: Option<u64>) -> Vec<u8> {
    match replay(response, after) {
        Replay::Whole(events) => events,
        other => panic!("{other:?}"),
    }
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["type"].as_str().expect("a type"))
        .collect()
}

fn response(status: &str, output: &Value) -> Vec<u8> {
    let response = json!({"id": "resp_1", "object": "response", "status": status, "output": output, "model": "m",
        "error": null, "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}});
    response.to_string().into_bytes()
}

#[test]
fn a_replayed_response_amounts_to_the_answer() {
    for name in ANSWERS {
        let body = fixture(&format!("answers/{name}.json"));
        let stream = whole(&body, None);

        assert_eq!(gather(&decode(&stream)), answer(name), "{name}");
        let events = data(&stream);
        let numbers: Vec<_> = events.iter().map(|event| event["sequence_number"].as_u64()).collect();
        assert_eq!(
            numbers,
            (0..events.len() as u64).map(Some).collect::<Vec<_>>(),
            "{name}"
        );
        let told: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(events.last().expect("an end")["response"], told, "{name}");
        let first = &events[0]["response"];
        assert_eq!(
            (&first["status"], &first["output"], &first["usage"], &first["id"]),
            (&json!("in_progress"), &json!([]), &Value::Null, &told["id"]),
            "{name}"
        );
    }
}

#[test]
fn every_kind_of_item_is_begun_filled_and_done() {
    let output = json!([
        {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
        {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "x"}},
        {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant",
            "content": [{"type": "refusal", "refusal": "No."}]},
        {"id": "ctc_1", "type": "custom_tool_call", "status": "completed", "call_id": "c", "name": "n", "input": "in"},
    ]);

    let stream = whole(&response("incomplete", &output), None);

    let events = data(&stream);
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
            "response.output_item.done",
            "response.output_item.added",
            "response.content_part.added",
            "response.refusal.delta",
            "response.refusal.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.custom_tool_call_input.delta",
            "response.custom_tool_call_input.done",
            "response.output_item.done",
            "response.incomplete",
        ]
    );
    let done: Vec<_> = events
        .iter()
        .filter(|event| event["type"] == "response.output_item.done")
        .collect();
    let done: Vec<_> = done.iter().map(|event| event["item"].clone()).collect();
    assert_eq!(json!(done), output);
    assert_eq!(events[16]["item"]["input"], "");
    assert_eq!(
        (&events[17]["delta"], &events[17]["output_index"]),
        (&json!("in"), &json!(3))
    );
}

#[test]
fn who_has_some_of_the_events_is_told_the_others_and_always_the_last() {
    let body = fixture("answers/tools.json");
    let all = data(&whole(&body, None));
    let (end, before) = all.split_last().expect("events");

    for (index, _) in before.iter().enumerate() {
        let rest = data(&whole(&body, Some(index as u64)));
        assert_eq!(rest[..], all[index + 1..], "{index}");
    }
    for after in [before.len() as u64, 5_000] {
        let rest = data(&whole(&body, Some(after)));
        assert_eq!(rest.len(), 1, "{after}");
        assert_eq!(rest[0]["sequence_number"], after + 1);
        assert_eq!(rest[0]["response"], end["response"]);
    }
}

#[test]
fn what_is_not_over_or_no_response_is_not_told() {
    for status in ["queued", "in_progress"] {
        assert_eq!(
            replay(&response(status, &json!([])), None),
            Replay::Running(status.into())
        );
    }
    for status in ["failed", "cancelled"] {
        let events = data(&whole(&response(status, &json!([])), None));
        assert_eq!(kinds(&events).last(), Some(&"response.failed"), "{status}");
    }
    for body in ["", "[]", "{}", r#"{"status":7}"#, "null"] {
        assert_eq!(replay(body.as_bytes(), None), Replay::Unreadable, "{body}");
    }
}
