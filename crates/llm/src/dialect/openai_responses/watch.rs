//! Watches a stream of this dialect that is passed on unread.

use super::output::{elements, facts_of, failure_of, object, text};
use crate::dialect::{Looked, Watch};
use crate::json::Value;
use crate::wire::ToldError;
use crate::{AnswerFacts, Delivered, Failure, FailureKind};

#[derive(Debug, Default)]
pub(super) struct ResponsesWatch {
    facts: AnswerFacts,
    delivered: Delivered,
    /// Some servers tell their parts only when they are done.
    has_deltas: bool,
    response_id: Option<Box<str>>,
}

/// The members of an event that matter here.
#[derive(Default)]
struct Told<'a> {
    kind: Option<Value<'a>>,
    response: Option<Value<'a>>,
    error: Option<Value<'a>>,
}

impl Watch for ResponsesWatch {
    fn look(&mut self, data: &[u8]) -> Looked {
        if data.trim_ascii_start().starts_with(b"[DONE]") {
            return Looked {
                done: true,
                ..Looked::default()
            };
        }
        let Ok(event) = object(data) else {
            let reason = "the provider sent an event that is not a JSON object";
            return failed(Failure::new(FailureKind::Malformed, reason));
        };
        let told = Told::read(&event);
        let kind = told.kind.and_then(|kind| kind.string()).unwrap_or_default();
        if let Some(error) = told.error.and_then(|error| ToldError::read(&error)) {
            return failed(Failure::told(&error));
        }
        if let (None, Some(response)) = (&self.response_id, &told.response) {
            self.response_id = text(response, "id").map(Into::into);
        }
        if let Some(response) = &told.response {
            self.facts.tell(facts_of(response));
        }
        match &*kind {
            "response.completed" | "response.incomplete" => Looked {
                finish: true,
                done: true,
                ..Looked::default()
            },
            "response.failed" => failed(
                told.response
                    .and_then(|response| failure_of(&response))
                    .unwrap_or_else(|| Failure::told(&ToldError::default())),
            ),
            "error" => failed(Failure::told(&ToldError::read(&event).unwrap_or_default())),
            other => self.look_at_part(other, &event),
        }
    }

    fn facts(&self) -> AnswerFacts {
        self.facts
    }

    fn delivered(&mut self) -> Delivered {
        std::mem::take(&mut self.delivered)
    }

    fn answer_id(&self) -> Option<&str> {
        self.response_id.as_deref()
    }
}

impl ResponsesWatch {
    fn look_at_part(&mut self, kind: &str, event: &Value<'_>) -> Looked {
        let is_delta = kind.ends_with(".delta");
        self.has_deltas |= is_delta;
        let is_whole = kind == "response.output_item.done" && !self.has_deltas;
        // Sounds are no text, even where they come as one.
        if let Some(delta) = event.member("delta").filter(|_| is_delta && !kind.contains("audio")) {
            match kind.contains("reasoning") {
                true => self.delivered.think_json(&delta),
                false => self.delivered.say_json(&delta),
            }
        }
        match event.member("item") {
            Some(item) if kind == "response.output_item.added" => {
                if let Some(name) = item.member("name") {
                    self.delivered.say_json(&name);
                }
            }
            Some(item) if is_whole => self.hear_item(&item),
            Some(_) | None => {}
        }
        Looked {
            content: is_delta || is_whole,
            ..Looked::default()
        }
    }
}

impl ResponsesWatch {
    /// An item that was not told in pieces.
    fn hear_item(&mut self, item: &Value<'_>) {
        if let Some(arguments) = item.member("arguments") {
            self.delivered.say_json(&arguments);
        }
        for part in elements(item, "content") {
            for said in ["text", "refusal"].into_iter().filter_map(|name| part.member(name)) {
                self.delivered.say_json(&said);
            }
        }
        for thought in elements(item, "summary").filter_map(|part| part.member("text")) {
            self.delivered.think_json(&thought);
        }
    }
}

impl<'a> Told<'a> {
    fn read(event: &Value<'a>) -> Self {
        let mut told = Self::default();
        let mut members = event.members();
        while let Ok(Some(member)) = members.next_member() {
            match &*member.key {
                b"type" => told.kind = Some(member.value),
                b"response" => told.response = Some(member.value),
                b"error" => told.error = Some(member.value),
                _ => {}
            }
        }
        told
    }
}

fn failed(failure: Failure) -> Looked {
    Looked {
        failed: Some(failure),
        ..Looked::default()
    }
}
