//! Watches a stream of this dialect go by. There is no event that says that nothing follows: the stream just ends.

use super::response::Response;
use crate::dialect::{Looked, Watch};
use crate::{AnswerFacts, Delivered, Failure, FailureKind};

#[derive(Debug, Default)]
pub(super) struct Watcher {
    facts: AnswerFacts,
    delivered: Delivered,
}

impl Watch for Watcher {
    fn look(&mut self, data: &[u8]) -> Looked {
        let Ok(response) = Response::read(data) else {
            let failure = Failure::new(
                FailureKind::Malformed,
                "the provider sent an event that is not a JSON object",
            );
            return failed(failure);
        };
        if let Some(told) = &response.error {
            return failed(Failure::told(told));
        }
        // Cumulative numbers: the last ones stand for the whole stream.
        self.facts.tell(response.facts);
        for piece in response.pieces() {
            let text = piece.text.as_deref().unwrap_or_default();
            match piece.thought {
                true => self.delivered.think(text),
                false => self.delivered.say(text),
            }
            if let Some(call) = &piece.call {
                self.delivered.say(&call.name);
                self.delivered.say(call.arguments.unwrap_or_default());
            }
        }
        Looked {
            content: response.has_content(),
            finish: response.finish.is_some() || response.blocked.is_some(),
            refused: response.blocked.is_some() && !response.has_candidate,
            ..Looked::default()
        }
    }

    fn facts(&self) -> AnswerFacts {
        self.facts
    }

    fn delivered(&mut self) -> Delivered {
        std::mem::take(&mut self.delivered)
    }
}

fn failed(failure: Failure) -> Looked {
    Looked {
        failed: Some(failure),
        ..Looked::default()
    }
}
