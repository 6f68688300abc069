//! Watches a stream of completions that passes by unread. Its choices have texts where those of chats have deltas.

use crate::dialect::openai_chat::watch::{is_done, not_an_object};
use crate::dialect::{Looked, Watch};
use crate::json::{Kind, Members, SyntaxError, Value};
use crate::terms::read_tier;
use crate::wire::ToldError;
use crate::{AnswerFacts, Delivered, Failure, Terms};

#[derive(Debug, Default)]
pub(super) struct TextWatch {
    facts: AnswerFacts,
    delivered: Delivered,
}

impl Watch for TextWatch {
    fn look(&mut self, data: &[u8]) -> Looked {
        if is_done(data) {
            return Looked {
                done: true,
                ..Looked::default()
            };
        }
        self.read(data).unwrap_or_else(|_| Looked {
            failed: Some(not_an_object()),
            ..Looked::default()
        })
    }

    fn facts(&self) -> AnswerFacts {
        self.facts
    }

    fn delivered(&mut self) -> Delivered {
        std::mem::take(&mut self.delivered)
    }
}

impl TextWatch {
    fn read(&mut self, data: &[u8]) -> Result<Looked, SyntaxError> {
        let mut looked = Looked::default();
        let mut members = Members::of_document(data)?;
        while let Some(member) = members.next_member()? {
            let value = member.value;
            match &*member.key {
                b"choices" => value
                    .elements()
                    .for_each(|choice| look_at(&choice, &mut looked, &mut self.delivered)),
                b"usage" => self.facts.tell(AnswerFacts::read_usage_value(&value)),
                b"service_tier" => self.facts.terms = Terms::served(read_tier(&value)).or(self.facts.terms),
                b"error" => looked.failed = ToldError::read(&value).map(|told| Failure::told(&told)),
                _ => {}
            }
        }
        Ok(looked)
    }
}

fn look_at(choice: &Value<'_>, looked: &mut Looked, delivered: &mut Delivered) {
    let mut members = choice.members();
    while let Ok(Some(member)) = members.next_member() {
        let holds_something = member.value.kind == Kind::String && !member.value.is_empty();
        match &*member.key {
            b"text" => {
                looked.content |= holds_something;
                delivered.say_json(&member.value);
            }
            b"finish_reason" => looked.finish |= holds_something,
            _ => {}
        }
    }
}
