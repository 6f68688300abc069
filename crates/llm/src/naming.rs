//! Puts another name in the place of the model's in answers that are otherwise passed on as they are.

use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use gatewright_types::api::Dialect;

use crate::json::{Kind, Members, Value};
use crate::sse::{Payload, events, payload};

/// The name that answers are to have.
#[derive(Clone)]
pub struct Naming {
    place: Place,
    name: Box<str>,
    /// In quotes.
    written: Box<[u8]>,
}

/// Where a dialect's answers say which model gave them.
#[derive(Clone, Copy)]
struct Place {
    member: &'static str,
    /// Where some events of its streams have the answer's head.
    head: Option<&'static str>,
}

impl fmt::Debug for Naming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Naming").field(&self.name).finish()
    }
}

impl Naming {
    /// In answers of this dialect.
    pub fn new(dialect: Dialect, name: &str) -> Self {
        Self {
            place: Place::of(dialect),
            name: name.into(),
            written: serde_json::to_vec(name)
                .expect("a text can always be written as JSON")
                .into(),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// An answer in one piece. One that names no model stays as it is.
    pub fn whole(&self, body: Bytes) -> Bytes {
        match self.place.find(&body) {
            Some(range) => self.put(&body, range).into(),
            None => body,
        }
    }

    /// Whole events of a stream.
    pub(crate) fn events(&self, block: Bytes) -> Bytes {
        let mut out = Vec::new();
        let mut next = 0;
        for range in events(&block) {
            let event = block.get(range.clone()).unwrap_or_default();
            if let Some(named) = self.event(event) {
                out.extend_from_slice(block.get(next..range.start).unwrap_or_default());
                out.extend_from_slice(&named);
                next = range.end;
            }
        }
        if next == 0 {
            return block;
        }
        out.extend_from_slice(block.get(next..).unwrap_or_default());
        out.into()
    }

    /// `None` for an event that stays as it is.
    fn event(&self, event: &[u8]) -> Option<Vec<u8>> {
        // Most events of most dialects name no model.
        memchr::memmem::find(event, self.place.member.as_bytes())?;
        match payload(event) {
            Payload::Comment | Payload::Nothing => None,
            Payload::Line(data, start) => {
                let range = self.place.find(data)?;
                Some(self.put(event, start + range.start..start + range.end))
            }
            Payload::Joined(data) => {
                let range = self.place.find(&data)?;
                let mut out = Vec::with_capacity(event.len());
                let lines = event.split(|byte| matches!(byte, b'\n' | b'\r'));
                for line in lines.filter(|line| !line.is_empty() && !line.starts_with(b"data")) {
                    out.extend_from_slice(line);
                    out.push(b'\n');
                }
                out.extend_from_slice(b"data: ");
                // The lines of a JSON text are divided where a space means the same.
                let data = self.put(&data, range).into_iter();
                out.extend(data.map(|byte| if byte == b'\n' { b' ' } else { byte }));
                out.extend_from_slice(b"\n\n");
                Some(out)
            }
        }
    }

    fn put(&self, text: &[u8], range: Range<usize>) -> Vec<u8> {
        let (before, after) = (text.get(..range.start), text.get(range.end..));
        [before.unwrap_or_default(), &self.written, after.unwrap_or_default()].concat()
    }
}

impl Place {
    const fn of(dialect: Dialect) -> Self {
        let (member, head) = match dialect {
            Dialect::GeminiGenerate | Dialect::GeminiEmbed | Dialect::GeminiBatchEmbed => ("modelVersion", None),
            Dialect::AnthropicMessages => ("model", Some("message")),
            Dialect::OpenaiResponses => ("model", Some("response")),
            Dialect::OpenaiChat | Dialect::OpenaiCompletions | Dialect::OpenaiEmbeddings | Dialect::Native(_) => {
                ("model", None)
            }
        };
        Self { member, head }
    }

    /// Where in a JSON object the model's name lies, its quotes included.
    fn find(self, text: &[u8]) -> Option<Range<usize>> {
        let mut members = Members::of_document(text).ok()?;
        while let Some(member) = members.next_member().ok()? {
            if &*member.key == self.member.as_bytes() {
                return name_at(&member.value, 0);
            }
            if self.head.is_some_and(|head| &*member.key == head.as_bytes())
                && let Some(name) = member.value.member(self.member)
            {
                return name_at(&name, member.value.start);
            }
        }
        None
    }
}

fn name_at(value: &Value<'_>, above: usize) -> Option<Range<usize>> {
    (value.kind == Kind::String).then(|| above + value.start..above + value.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(dialect: Dialect, body: &str) -> String {
        let naming = Naming::new(dialect, "fast");
        String::from_utf8(naming.whole(Bytes::copy_from_slice(body.as_bytes())).to_vec()).expect("text")
    }

    fn streamed(dialect: Dialect, block: &str) -> String {
        let naming = Naming::new(dialect, "fast");
        String::from_utf8(naming.events(Bytes::copy_from_slice(block.as_bytes())).to_vec()).expect("text")
    }

    #[test]
    fn the_name_of_the_model_is_all_that_changes() {
        let check = |dialect, before: &str, after: &str| assert_eq!(named(dialect, before), after);

        check(
            Dialect::OpenaiChat,
            r#" { "id":"model", "model" : "gpt-\u0034o","choices":[{"model":"x"}]} "#,
            r#" { "id":"model", "model" : "fast","choices":[{"model":"x"}]} "#,
        );
        check(
            Dialect::OpenaiEmbeddings,
            r#"{"data":[],"model":"e"}"#,
            r#"{"data":[],"model":"fast"}"#,
        );
        check(
            Dialect::OpenaiResponses,
            r#"{"object":"response","model":"gpt"}"#,
            r#"{"object":"response","model":"fast"}"#,
        );
        check(
            Dialect::AnthropicMessages,
            r#"{"model":"claude","content":[]}"#,
            r#"{"model":"fast","content":[]}"#,
        );
        check(
            Dialect::GeminiGenerate,
            r#"{"model":"x","modelVersion":"gemini"}"#,
            r#"{"model":"x","modelVersion":"fast"}"#,
        );
        for same in [r#"{"choices":[]}"#, r#"{"model":null}"#, r#"{"model":"cut"#, "text"] {
            check(Dialect::OpenaiChat, same, same);
        }
    }

    #[test]
    fn in_a_stream_it_is_put_wherever_the_dialect_has_it() {
        let check = |dialect, before: &str, after: &str| assert_eq!(streamed(dialect, before), after);

        check(
            Dialect::OpenaiChat,
            ": model\n\ndata: {\"model\":\"a\",\"x\":1}\n\ndata:{\"y\":\"model\"}\r\n\r\ndata: {\"model\":\"a\"}\n\n",
            ": model\n\ndata: {\"model\":\"fast\",\"x\":1}\n\ndata:{\"y\":\"model\"}\r\n\r\ndata: {\"model\":\"fast\"}\n\n",
        );
        check(
            Dialect::AnthropicMessages,
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{ \"id\":1,\"model\":\"c\"}}\n\nevent: ping\ndata: {}\n\n",
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{ \"id\":1,\"model\":\"fast\"}}\n\nevent: ping\ndata: {}\n\n",
        );
        check(
            Dialect::OpenaiResponses,
            "data: {\"response\":{\"model\":\"g\"},\"type\":\"response.created\"}\n\n",
            "data: {\"response\":{\"model\":\"fast\"},\"type\":\"response.created\"}\n\n",
        );
        check(
            Dialect::GeminiGenerate,
            "event: x\ndata: {\"modelVersion\":\ndata: \"g\"}\n\n",
            "event: x\ndata: {\"modelVersion\": \"fast\"}\n\n",
        );
    }

    #[test]
    fn events_that_name_no_model_are_the_same_bytes() {
        let block = Bytes::from_static(b"data: {\"choices\":[]}\n\ndata: {\"text\":\"model\"}\n\n");

        let after = Naming::new(Dialect::OpenaiChat, "fast").events(block.clone());

        assert_eq!((after.as_ptr(), after.len()), (block.as_ptr(), block.len()));
    }
}
