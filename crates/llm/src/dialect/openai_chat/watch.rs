//! Watches a stream of this dialect that passes by unread.

use crate::chunk::{ChunkFacts, read_chunk};
use crate::dialect::{Looked, Watch};
use crate::{AnswerFacts, Delivered, Failure, FailureKind};

#[derive(Debug, Default)]
pub(super) struct ChunkWatch {
    facts: AnswerFacts,
    delivered: Delivered,
}

pub(super) fn is_done(data: &[u8]) -> bool {
    data.trim_ascii_start().starts_with(b"[DONE]")
}

pub(super) fn not_an_object() -> Failure {
    Failure::new(
        FailureKind::Malformed,
        "the provider sent an event that is not a JSON object",
    )
}

impl Watch for ChunkWatch {
    fn look(&mut self, data: &[u8]) -> Looked {
        if is_done(data) {
            return Looked {
                done: true,
                ..Looked::default()
            };
        }
        let Ok(ChunkFacts {
            answer, error, choices, ..
        }) = read_chunk(data, &mut self.delivered)
        else {
            return Looked {
                failed: Some(not_an_object()),
                ..Looked::default()
            };
        };
        self.facts.tell(answer);
        Looked {
            content: choices.content,
            finish: choices.finish,
            refused: choices.filtered,
            done: false,
            failed: error.map(|told| Failure::told(&told)),
        }
    }

    fn facts(&self) -> AnswerFacts {
        self.facts
    }

    fn delivered(&mut self) -> Delivered {
        std::mem::take(&mut self.delivered)
    }
}
