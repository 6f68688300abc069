//! The bytes that the mock sends, prepared once, in both dialects. They have the fields and about the length of a real provider's; an
//! event and its chunk framing are one write.

use serde_json::{Value, json};

mod anthropic;

const TEXT: &str = "Output rose by four per cent in the second quarter, costs fell by one, and the new plant opens in \
    March. Two of the five open questions are settled; the other three wait for figures from the north.";

#[derive(Debug)]
pub(crate) struct Answers {
    pub(crate) document: Vec<u8>,
    pub(crate) plain: Stream,
    pub(crate) with_usage: Stream,
    /// Anthropic's document.
    pub(crate) message: Vec<u8>,
    pub(crate) message_stream: Stream,
}

/// A stream in the parts that it is sent in.
#[derive(Debug)]
pub(crate) struct Stream {
    /// The head and the event that names the role.
    pub(crate) start: Vec<u8>,
    /// One event with a piece of text.
    pub(crate) text: Vec<u8>,
    /// The event with the finish reason, the usage if asked for, and the end mark.
    pub(crate) end: Vec<u8>,
}

/// Whether usage was asked for: every event names it then, and one more tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Usage {
    Told,
    Untold,
}

/// The events, without the end mark, of a stream of so many chunks to a caller who did not ask for usage.
pub(crate) fn events_of(chunks: u32) -> u64 {
    u64::from(chunks) + 2
}

impl Answers {
    pub(crate) fn prepare() -> Self {
        let document = json!({
            "id": "chatcmpl-bench000000000000000000000",
            "object": "chat.completion",
            "created": 1_767_225_600,
            "model": "bench-model",
            "choices": [{
                "index": 0,
                "message": {"role": "assistant", "content": TEXT, "refusal": null},
                "logprobs": null,
                "finish_reason": "stop",
            }],
            "usage": usage(),
            "service_tier": "default",
            "system_fingerprint": "fp_bench",
        })
        .to_string();
        let message = anthropic::message(&json!([{"type": "text", "text": TEXT}]), &json!("end_turn"), 44);
        Self {
            document: whole(&document),
            plain: Stream::prepare(Usage::Untold),
            with_usage: Stream::prepare(Usage::Told),
            message: whole(&message.to_string()),
            message_stream: anthropic::stream(),
        }
    }
}

impl Stream {
    fn prepare(usage: Usage) -> Self {
        let event = |delta: Value, finish: Value| {
            let choices = json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
            event(usage, &choices, &Value::Null)
        };
        let role = event(json!({"role": "assistant", "content": ""}), Value::Null);
        let text = event(json!({"content": " four words of text"}), Value::Null);
        let stop = event(json!({}), json!("stop"));
        let mut end = chunk(&stop);
        if usage == Usage::Told {
            end += &chunk(&self::event(usage, &json!([]), &self::usage()));
        }
        end += &chunk("data: [DONE]\n\n");
        end += "0\r\n\r\n";
        Self::of(&chunk(&role), &chunk(&text), &end)
    }

    fn of(start: &str, text: &str, end: &str) -> Self {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n\
            transfer-encoding: chunked\r\n\r\n";
        Self {
            start: format!("{head}{start}").into_bytes(),
            text: text.as_bytes().to_vec(),
            end: end.as_bytes().to_vec(),
        }
    }
}

fn whole(document: &str) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    format!("{head}content-length: {}\r\n\r\n{document}", document.len()).into_bytes()
}

fn usage() -> Value {
    json!({
        "prompt_tokens": 230,
        "completion_tokens": 44,
        "total_tokens": 274,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    })
}

fn event(asked: Usage, choices: &Value, usage: &Value) -> String {
    let mut event = json!({
        "id": "chatcmpl-bench000000000000000000000",
        "object": "chat.completion.chunk",
        "created": 1_767_225_600,
        "model": "bench-model",
        "system_fingerprint": "fp_bench",
        "choices": choices,
    });
    if let (Usage::Told, Some(fields)) = (asked, event.as_object_mut()) {
        fields.insert("usage".to_owned(), usage.clone());
    }
    format!("data: {event}\n\n")
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(stream: &Stream, what: &str) -> usize {
        let text = [stream.start.as_slice(), &stream.text, &stream.end].concat();
        String::from_utf8(text).expect("text").matches(what).count()
    }

    #[test]
    fn a_message_is_the_same_whole_and_in_events() {
        let answers = Answers::prepare();

        let order = [
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
        ];
        for kind in order {
            assert_eq!(
                count(&answers.message_stream, &format!("event: {kind}\ndata: {{")),
                1,
                "{kind}"
            );
        }
        assert_eq!(count(&answers.message_stream, "data: {\"type\":\"message_stop\"}"), 1);
        let message = String::from_utf8(answers.message).expect("text");
        assert!(message.contains("\"stop_reason\":\"end_turn\"") && message.contains("\"output_tokens\":44"));
    }

    #[test]
    fn a_stream_tells_usage_only_when_asked() {
        let answers = Answers::prepare();

        assert_eq!(count(&answers.plain, "data: {") as u64, events_of(1));
        assert_eq!(count(&answers.plain, "\"usage\""), 0);
        assert_eq!(count(&answers.with_usage, "data: {") as u64, events_of(1) + 1);
        assert_eq!(count(&answers.with_usage, "\"usage\":null"), 3);
        assert_eq!(count(&answers.with_usage, "\"total_tokens\":274"), 1);
    }
}
