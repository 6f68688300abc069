//! What of an answer was delivered, kept for the case that its provider never says how much it was.

use std::fmt;

use super::vocabulary::Counter;
use crate::chat::Part;
use crate::json::{Kind, Members, Value};

/// Bytes that are kept of either: longer than almost any answer, and no more than a stream may cost.
const MOST_KEPT: usize = 256 << 10;

/// The text of an answer: what it says, arguments of tools included, and what it thinks.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Delivered {
    said: Kept,
    thought: Kept,
}

#[derive(Clone, Default, PartialEq, Eq)]
struct Kept {
    text: Vec<u8>,
    left_out_bytes: u64,
}

/// Nothing of what was said is for logs.
impl fmt::Debug for Delivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivered")
            .field("said_bytes", &self.said.text.len())
            .field("thought_bytes", &self.thought.text.len())
            .finish()
    }
}

impl Delivered {
    /// All of an answer in one piece.
    pub(crate) fn of(parts: &[Part]) -> Self {
        let mut delivered = Self::default();
        for part in parts {
            match part {
                Part::Text(text) => delivered.say(&text.text),
                Part::Refusal(text) => delivered.say(text),
                Part::Thinking(thinking) => delivered.think(&thinking.text),
                Part::ToolCall(call) => {
                    delivered.say(&call.name);
                    delivered.say(&call.arguments);
                }
                Part::Media(_) | Part::ToolResult(_) => {}
            }
        }
        delivered
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.said.add(text.as_bytes());
    }

    pub(crate) fn think(&mut self, text: &str) {
        self.thought.add(text.as_bytes());
    }

    /// A string of JSON as it stands there; of anything else, nothing.
    pub(crate) fn say_json(&mut self, value: &Value<'_>) {
        self.said.add_json(value);
    }

    pub(crate) fn think_json(&mut self, value: &Value<'_>) {
        self.thought.add_json(value);
    }

    /// Tokens of what was said and of what was thought.
    pub(super) fn count(&self, model: &str) -> (u64, u64) {
        (self.said.count(model), self.thought.count(model))
    }
}

/// The texts of a whole answer to a completion.
pub(super) fn completed(body: &[u8]) -> Delivered {
    let mut delivered = Delivered::default();
    let Ok(mut members) = Members::of_document(body) else {
        return delivered;
    };
    while let Ok(Some(member)) = members.next_member() {
        if &*member.key == b"choices" {
            for text in member.value.elements().filter_map(|choice| choice.member("text")) {
                delivered.say_json(&text);
            }
        }
    }
    delivered
}

impl Kept {
    fn add(&mut self, text: &[u8]) {
        let room = MOST_KEPT.saturating_sub(self.text.len());
        let (kept, left_out) = text.split_at(room.min(text.len()));
        self.text.extend_from_slice(kept);
        self.left_out_bytes += left_out.len() as u64;
    }

    fn add_json(&mut self, value: &Value<'_>) {
        if value.kind != Kind::String || value.is_empty() {
            return;
        }
        let inside = value.text.get(1..value.text.len() - 1).unwrap_or_default();
        if memchr::memchr(b'\\', inside).is_none() {
            return self.add(inside);
        }
        match value.string() {
            Some(text) => self.add(text.as_bytes()),
            // Half a character's escape, whose other half is in another piece.
            None => self.add(value.text),
        }
    }

    fn count(&self, model: &str) -> u64 {
        let mut counter = Counter::of(model);
        counter.add(&String::from_utf8_lossy(&self.text));
        counter.leave_out(self.left_out_bytes);
        counter.tokens()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_kept_than_a_stream_may_cost() {
        let mut delivered = Delivered::default();
        for _ in 0..100 {
            delivered.say(&"word ".repeat(1_000));
        }
        let mut half = Delivered::default();
        for _ in 0..50 {
            half.say(&"word ".repeat(1_000));
        }

        assert_eq!(delivered.said.text.len(), MOST_KEPT);
        let (said, thought) = delivered.count("gpt-5");
        assert_eq!(thought, 0);
        assert!(said.abs_diff(2 * half.count("gpt-5").0) <= 16, "{said}");
    }

    #[test]
    fn escapes_are_resolved() {
        let of = |text: &str| {
            let mut delivered = Delivered::default();
            let value = Value {
                kind: Kind::String,
                text: text.as_bytes(),
                start: 0,
            };
            delivered.say_json(&value);
            delivered.said.text
        };

        assert_eq!(of(r#""a\nb""#), b"a\nb");
        assert_eq!(of(r#""h\u00e9""#), "h\u{e9}".as_bytes());
        assert_eq!(of(r#""\ud83d""#), br#""\ud83d""#);
        assert_eq!(of(r#""""#), b"");
    }
}
