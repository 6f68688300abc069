//! Joins pieces of text that follow each other: Gemini's answers come in pieces, and its callers give the pieces back.

use crate::chat::{Part, Signature, Text, Thinking};

/// The parts of one turn or answer.
#[derive(Debug, Default)]
pub(super) struct Joined {
    parts: Vec<Part>,
    open: Option<Open>,
}

/// A part that more of its kind is added to.
#[derive(Debug)]
enum Open {
    Text(String),
    Thought(String),
}

impl Joined {
    pub(super) fn text(&mut self, text: &str) {
        match &mut self.open {
            Some(Open::Text(open)) => open.push_str(text),
            Some(Open::Thought(_)) | None if !text.is_empty() => {
                self.close(None);
                self.open = Some(Open::Text(text.to_owned()));
            }
            Some(Open::Thought(_)) | None => {}
        }
    }

    /// A signature belongs to the thought as far as it came.
    pub(super) fn thought(&mut self, text: &str, signature: Option<Signature>) {
        if let Some(Open::Thought(open)) = &mut self.open {
            open.push_str(text);
        } else if !text.is_empty() || signature.is_some() {
            self.close(None);
            self.open = Some(Open::Thought(text.to_owned()));
        }
        if signature.is_some() {
            self.close(signature);
        }
    }

    pub(super) fn push(&mut self, part: Part) {
        self.close(None);
        self.parts.push(part);
    }

    pub(super) fn into_parts(mut self) -> Vec<Part> {
        self.close(None);
        self.parts
    }

    fn close(&mut self, signature: Option<Signature>) {
        let part = match self.open.take() {
            None => return,
            Some(Open::Text(text)) => Part::Text(Text::new(text)),
            Some(Open::Thought(text)) => Part::Thinking(Thinking {
                text: text.into(),
                signature,
            }),
        };
        self.parts.push(part);
    }
}

/// A signature that stands with something else than a thought: kept as a thought without text in front of it.
pub(super) fn sealed(signature: Signature) -> Part {
    Part::Thinking(Thinking {
        text: Box::default(),
        signature: Some(signature),
    })
}
