//! Tells a response that is over as a stream: the events that could have brought it, each text in one piece. Members that
//! are not told apart here pass as they came, whoever made the response.

use serde::Serialize;

use super::events::{Delta, Feed, OfCall, OfContent, OfSummary, TextDelta, WholeArguments, WholeInput};
use super::events::{WholeOutputText, WholeRefusal, WholeText};
use super::output::{elements, object, text};
use crate::chat::Json;
use crate::json::Value;

/// What became of a request for a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replay {
    /// All events after the one that was named.
    Whole(Vec<u8>),
    /// The response is not over, and this is how it is.
    Running(Box<str>),
    /// It is no response.
    Unreadable,
}

#[derive(Serialize)]
struct Lifecycle {
    response: Json,
}

#[derive(Serialize)]
struct OfItem {
    output_index: usize,
    item: Json,
}

#[derive(Serialize)]
struct OnePart {
    part: Json,
}

/// Where an item is.
#[derive(Clone, Copy)]
struct Place<'a> {
    item_id: &'a str,
    output_index: usize,
}

struct Player {
    feed: Feed,
    /// The number of the last event that the caller has.
    after: Option<u64>,
    out: Vec<u8>,
}

/// `after` is the number of the last event that the caller has. Whoever has them all is told the last one again, which
/// holds everything: how an answer was cut into pieces when it was made is not known any longer.
pub fn replay(response: &[u8], after: Option<u64>) -> Replay {
    let Ok(response) = object(response) else {
        return Replay::Unreadable;
    };
    let last = match text(&response, "status").as_deref() {
        Some("completed") => "response.completed",
        Some("incomplete") => "response.incomplete",
        Some("failed" | "cancelled") => "response.failed",
        Some(running) => return Replay::Running(running.into()),
        None => return Replay::Unreadable,
    };
    let mut player = Player {
        feed: Feed::default(),
        after,
        out: Vec::new(),
    };
    match player.play(&response, last) {
        Some(()) => Replay::Whole(player.out),
        None => Replay::Unreadable,
    }
}

impl Player {
    fn play(&mut self, response: &Value<'_>, last: &str) -> Option<()> {
        let running = [
            ("status", "\"in_progress\""),
            ("output", "[]"),
            ("usage", "null"),
            ("error", "null"),
            ("incomplete_details", "null"),
            ("completed_at", "null"),
        ];
        for kind in ["response.created", "response.in_progress"] {
            let response = with(response, &running)?;
            self.tell(kind, Lifecycle { response });
        }
        for (output_index, item) in elements(response, "output").enumerate() {
            self.item(&item, output_index)?;
        }
        self.feed.go_on_after(self.after);
        let response = with(response, &[])?;
        self.tell(last, Lifecycle { response });
        Some(())
    }

    fn item(&mut self, item: &Value<'_>, output_index: usize) -> Option<()> {
        let begun = [
            ("status", "\"in_progress\""),
            ("content", "[]"),
            ("summary", "[]"),
            ("arguments", "\"\""),
            ("input", "\"\""),
        ];
        let added = OfItem {
            output_index,
            item: with(item, &begun)?,
        };
        self.tell("response.output_item.added", added);
        let id = text(item, "id").unwrap_or_default();
        let place = Place {
            item_id: &id,
            output_index,
        };
        match text(item, "type").as_deref() {
            Some("message") => {
                for (index, part) in elements(item, "content").enumerate() {
                    self.content(&part, place, index)?;
                }
            }
            Some("reasoning") => {
                for (index, part) in elements(item, "summary").enumerate() {
                    self.summary(&part, place, index)?;
                }
            }
            Some("function_call") => self.function_call(item, place),
            Some("custom_tool_call") => self.custom_tool_call(item, place),
            // What runs at the provider: it begins and is done.
            Some(_) | None => {}
        }
        let item = with(item, &[])?;
        self.tell("response.output_item.done", OfItem { output_index, item });
        Some(())
    }

    fn content(&mut self, part: &Value<'_>, place: Place<'_>, content_index: usize) -> Option<()> {
        let empty = [
            ("text", "\"\""),
            ("refusal", "\"\""),
            ("annotations", "[]"),
            ("logprobs", "[]"),
        ];
        let added = with(part, &empty)?;
        self.tell_content(
            "response.content_part.added",
            place,
            content_index,
            OnePart { part: added },
        );
        match text(part, "type").as_deref() {
            Some("output_text") => {
                let told = text(part, "text").unwrap_or_default();
                let (text, logprobs) = (&*told, []);
                let delta = TextDelta { delta: text, logprobs };
                self.tell_content("response.output_text.delta", place, content_index, delta);
                let done = WholeOutputText { text, logprobs };
                self.tell_content("response.output_text.done", place, content_index, done);
            }
            Some("refusal") => {
                let told = text(part, "refusal").unwrap_or_default();
                self.tell_content("response.refusal.delta", place, content_index, Delta { delta: &told });
                self.tell_content(
                    "response.refusal.done",
                    place,
                    content_index,
                    WholeRefusal { refusal: &told },
                );
            }
            Some(_) | None => {}
        }
        let part = with(part, &[])?;
        self.tell_content("response.content_part.done", place, content_index, OnePart { part });
        Some(())
    }

    fn summary(&mut self, part: &Value<'_>, place: Place<'_>, summary_index: usize) -> Option<()> {
        let told = text(part, "text").unwrap_or_default();
        let added = OnePart {
            part: with(part, &[("text", "\"\"")])?,
        };
        self.tell_summary("response.reasoning_summary_part.added", place, summary_index, added);
        let delta = Delta { delta: &told };
        self.tell_summary("response.reasoning_summary_text.delta", place, summary_index, delta);
        let done = WholeText { text: &told };
        self.tell_summary("response.reasoning_summary_text.done", place, summary_index, done);
        let part = OnePart { part: with(part, &[])? };
        self.tell_summary("response.reasoning_summary_part.done", place, summary_index, part);
        Some(())
    }

    fn function_call(&mut self, item: &Value<'_>, place: Place<'_>) {
        let (name, arguments) = (
            text(item, "name").unwrap_or_default(),
            text(item, "arguments").unwrap_or_default(),
        );
        let delta = Delta { delta: &arguments };
        self.tell_call("response.function_call_arguments.delta", place, delta);
        let done = WholeArguments {
            name: &name,
            arguments: &arguments,
        };
        self.tell_call("response.function_call_arguments.done", place, done);
    }

    fn custom_tool_call(&mut self, item: &Value<'_>, place: Place<'_>) {
        let input = text(item, "input").unwrap_or_default();
        self.tell_call("response.custom_tool_call_input.delta", place, Delta { delta: &input });
        self.tell_call(
            "response.custom_tool_call_input.done",
            place,
            WholeInput { input: &input },
        );
    }

    fn tell_content(&mut self, kind: &str, place: Place<'_>, content_index: usize, body: impl Serialize) {
        let Place { item_id, output_index } = place;
        let event = OfContent {
            item_id,
            output_index,
            content_index,
            body,
        };
        self.tell(kind, event);
    }

    fn tell_summary(&mut self, kind: &str, place: Place<'_>, summary_index: usize, body: impl Serialize) {
        let Place { item_id, output_index } = place;
        let event = OfSummary {
            item_id,
            output_index,
            summary_index,
            body,
        };
        self.tell(kind, event);
    }

    fn tell_call(&mut self, kind: &str, place: Place<'_>, body: impl Serialize) {
        let Place { item_id, output_index } = place;
        let event = OfCall {
            item_id,
            output_index,
            body,
        };
        self.tell(kind, event);
    }

    fn tell(&mut self, kind: &str, body: impl Serialize) {
        match self.after {
            Some(after) if self.feed.next_number() <= after => self.feed.pass_over(),
            Some(_) | None => self.feed.write(kind, body, &mut self.out),
        }
    }
}

/// An object with other values for these of its members, where it has them.
fn with(object: &Value<'_>, others: &[(&str, &str)]) -> Option<Json> {
    let mut text = String::from("{");
    let mut members = object.members();
    while let Ok(Some(member)) = members.next_member() {
        if text.len() > 1 {
            text.push(',');
        }
        let key = String::from_utf8_lossy(&member.key);
        text.push_str(&serde_json::to_string(&key).ok()?);
        text.push(':');
        let other = others.iter().find(|(name, _)| *name == key);
        match other {
            Some((_, value)) => text.push_str(value),
            None => text.push_str(std::str::from_utf8(member.value.text).ok()?),
        }
    }
    text.push('}');
    Json::parse(&text)
}
