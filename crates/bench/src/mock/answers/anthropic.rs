//! The same answer in Anthropic's dialect.

use serde_json::{Value, json};

use super::{Stream, chunk};

pub(super) fn message(content: &Value, stop: &Value, output: u32) -> Value {
    json!({
        "id": "msg_bench000000000000000000",
        "type": "message",
        "role": "assistant",
        "model": "bench-model",
        "content": content,
        "stop_reason": stop,
        "stop_sequence": null,
        "usage": {
            "input_tokens": 230,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": output,
            "service_tier": "standard",
        },
    })
}

pub(super) fn stream() -> Stream {
    let started = message(&json!([]), &Value::Null, 1);
    let start = [
        event("message_start", &json!({"type": "message_start", "message": started})),
        event(
            "content_block_start",
            &json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        ),
        event("ping", &json!({"type": "ping"})),
    ];
    let delta = json!({"type": "text_delta", "text": " four words of text"});
    let text = event(
        "content_block_delta",
        &json!({"type": "content_block_delta", "index": 0, "delta": delta}),
    );
    let delta = json!({"stop_reason": "end_turn", "stop_sequence": null});
    let end = [
        event("content_block_stop", &json!({"type": "content_block_stop", "index": 0})),
        event(
            "message_delta",
            &json!({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 44}}),
        ),
        event("message_stop", &json!({"type": "message_stop"})),
        "0\r\n\r\n".to_owned(),
    ];
    Stream::of(&start.concat(), &text, &end.concat())
}

fn event(name: &str, data: &Value) -> String {
    chunk(&format!("event: {name}\ndata: {data}\n\n"))
}
