//! Server-sent events as a client reads them, and as a provider writes them.

use serde_json::{Value, json};

/// One block of a stream: what stands between blank lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Comment(String),
    Data(String),
}

/// The blocks of a whole stream. Panics on what no client could read.
pub fn events(stream: &[u8]) -> Vec<Event> {
    let text = std::str::from_utf8(stream).expect("a stream is UTF-8");
    let text = text.replace("\r\n", "\n");
    assert!(
        text.is_empty() || text.ends_with("\n\n"),
        "the stream ends within an event: {text:?}"
    );
    text.split("\n\n")
        .filter(|block| !block.is_empty())
        .map(event)
        .collect()
}

fn event(block: &str) -> Event {
    let mut data = Vec::new();
    for line in block.lines() {
        match line.strip_prefix("data:") {
            Some(rest) => data.push(rest.strip_prefix(' ').unwrap_or(rest)),
            None => assert!(line.starts_with(':'), "neither data nor a comment: {line:?}"),
        }
    }
    if data.is_empty() {
        Event::Comment(block.trim_start_matches(':').trim().to_owned())
    } else {
        Event::Data(data.join("\n"))
    }
}

/// The JSON of the data events, without the end mark.
pub fn chunks(stream: &[u8]) -> Vec<Value> {
    let data = events(stream).into_iter().filter_map(|event| match event {
        Event::Data(data) if data != "[DONE]" => Some(data),
        Event::Data(_) | Event::Comment(_) => None,
    });
    data.map(|data| serde_json::from_str(&data).unwrap_or_else(|error| panic!("{data}: {error}")))
        .collect()
}

pub fn comments(stream: &[u8]) -> Vec<String> {
    let comments = events(stream).into_iter().filter_map(|event| match event {
        Event::Comment(text) => Some(text),
        Event::Data(_) => None,
    });
    comments.collect()
}

/// Whether the stream has the end mark as its last data.
pub fn is_done(stream: &[u8]) -> bool {
    let data = events(stream)
        .into_iter()
        .rfind(|event| matches!(event, Event::Data(_)));
    data == Some(Event::Data("[DONE]".to_owned()))
}

/// The text that the chunks add up to.
pub fn text(stream: &[u8]) -> String {
    let piece = |chunk: Value| {
        chunk
            .pointer("/choices/0/delta/content")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    chunks(stream).into_iter().filter_map(piece).collect()
}

/// The chunk that says who speaks.
pub fn opening() -> String {
    data(
        &json!({"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": null}], "usage": null}),
    )
}

/// A chunk of a provider's stream with a piece of text.
pub fn content(text: &str) -> String {
    data(
        &json!({"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}], "usage": null}),
    )
}

/// The chunk that says why the answer ends.
pub fn finish() -> String {
    data(
        &json!({"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": null}),
    )
}

/// The extra chunk that carries usage.
pub fn usage(prompt: u64, completion: u64) -> String {
    data(
        &json!({"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [],
        "usage": {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}}),
    )
}

pub fn data(value: &Value) -> String {
    format!("data: {value}\n\n")
}

pub const DONE: &str = "data: [DONE]\n\n";
