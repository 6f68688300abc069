//! How applications ask in each dialect, and the text they read out of their answers.

use serde_json::{Value, json};

use crate::http::Answer;
use crate::sse;

/// How one kind of application asks, and reads what it gets.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    pub name: &'static str,
    /// What is asked of a model, and where: the text, and whether the answer is to be a stream.
    pub request: fn(&str, &str, bool) -> (String, Value),
    /// The text of a whole answer, and that of a stream.
    pub text: fn(&Answer, bool) -> String,
    /// What a stream has that came to its end.
    end: &'static str,
}

impl Dialect {
    /// Whether a stream came to its end, and to no other.
    pub fn has_ended(&self, answer: &Answer) -> bool {
        answer.text().matches(self.end).count() == 1
    }
}

pub const CHAT: Dialect = Dialect {
    name: "chat",
    request: |model, says, stream| {
        let body = json!({"model": model, "stream": stream, "messages": [{"role": "user", "content": says}]});
        ("/v1/chat/completions".to_owned(), body)
    },
    text: |answer, stream| match stream {
        true => sse::text(&answer.body),
        false => texts(&[answer.json()], "/choices/0/message/content"),
    },
    end: "data: [DONE]",
};

pub const DIALECTS: [Dialect; 4] = [
    CHAT,
    Dialect {
        name: "messages",
        request: |model, says, stream| {
            let body = json!({"model": model, "max_tokens": 50, "stream": stream,
                "messages": [{"role": "user", "content": says}]});
            ("/v1/messages".to_owned(), body)
        },
        text: |answer, stream| match stream {
            true => texts(&events(answer), "/delta/text"),
            false => texts(&[answer.json()], "/content/0/text"),
        },
        end: "\"type\":\"message_stop\"",
    },
    Dialect {
        name: "responses",
        request: |model, says, stream| {
            let body = json!({"model": model, "stream": stream, "store": false, "input": says});
            ("/v1/responses".to_owned(), body)
        },
        text: |answer, stream| match stream {
            true => texts(&events(answer), "/delta"),
            false => texts(&[answer.json()], "/output/0/content/0/text"),
        },
        end: "\"type\":\"response.completed\"",
    },
    Dialect {
        name: "gemini",
        request: |model, says, stream| {
            let verb = if stream {
                "streamGenerateContent?alt=sse"
            } else {
                "generateContent"
            };
            let body = json!({"contents": [{"role": "user", "parts": [{"text": says}]}]});
            (format!("/v1beta/models/{model}:{verb}"), body)
        },
        text: |answer, stream| match stream {
            true => texts(&events(answer), "/candidates/0/content/parts/0/text"),
            false => texts(&[answer.json()], "/candidates/0/content/parts/0/text"),
        },
        end: "\"finishReason\":\"STOP\"",
    },
];

/// The JSON of a stream's events, whatever their names.
fn events(answer: &Answer) -> Vec<Value> {
    let text = answer.text();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).unwrap_or_else(|error| panic!("{data}: {error}")))
        .collect()
}

fn texts(values: &[Value], pointer: &str) -> String {
    let pieces = values.iter().filter_map(|value| value.pointer(pointer)?.as_str());
    pieces.collect()
}
