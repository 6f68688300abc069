//! Puts a whole answer together from the events of its stream.

use super::{Answer, Event, Opening};
use crate::chat::{Part, Signature, Text, Thinking, ToolCall};
use crate::{Failure, FailureKind};

/// What has come so far.
#[derive(Debug, Default)]
pub struct Gathering {
    answer: Answer,
    open: Option<OpenPart>,
    stopped: bool,
    failed: Option<Failure>,
}

#[derive(Debug)]
struct OpenPart {
    opening: Opening,
    text: String,
    signature: Option<Signature>,
}

impl Answer {
    /// Of a stream's events; a failure when the stream failed or did not end.
    pub fn gather(events: impl IntoIterator<Item = Event>) -> Result<Self, Failure> {
        let mut gathering = Gathering::default();
        for event in events {
            gathering.take(event);
        }
        gathering.finish()
    }
}

impl Gathering {
    pub fn take(&mut self, event: Event) {
        match event {
            Event::Start { id, model } => {
                self.answer.id = id;
                self.answer.model = model;
            }
            Event::Open(opening) => {
                self.open = Some(OpenPart {
                    opening,
                    text: String::new(),
                    signature: None,
                });
            }
            Event::Add(text) => {
                if let Some(open) = &mut self.open {
                    open.text.push_str(&text);
                }
            }
            Event::Sign(signature) => {
                if let Some(open) = &mut self.open {
                    open.signature = Some(signature);
                }
            }
            Event::Close => self.answer.parts.extend(self.open.take().map(OpenPart::close)),
            Event::Usage(usage) => self.answer.usage = Some(usage),
            Event::Stop(stop) => {
                self.answer.stop = stop;
                self.stopped = true;
            }
            Event::Failed(failure) => self.failed = Some(failure),
        }
    }

    pub fn finish(self) -> Result<Answer, Failure> {
        match self.failed {
            Some(failure) => Err(failure),
            None if self.stopped => Ok(self.answer),
            None => Err(Failure::new(
                FailureKind::Malformed,
                "the stream ended before the answer did",
            )),
        }
    }
}

impl OpenPart {
    fn close(self) -> Part {
        let text = self.text.into_boxed_str();
        match self.opening {
            Opening::Text => Part::Text(Text::new(text)),
            Opening::Refusal => Part::Refusal(text),
            Opening::Thinking => Part::Thinking(Thinking {
                text,
                signature: self.signature,
            }),
            Opening::ToolCall { id, name } => Part::ToolCall(ToolCall {
                id,
                name,
                arguments: if text.is_empty() { "{}".into() } else { text },
                signature: self.signature,
                cache: None,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Stop;

    #[test]
    fn pieces_become_parts_and_calls_without_arguments_an_empty_object() {
        let events = [
            Event::Start {
                id: Some("1".into()),
                model: None,
            },
            Event::Open(Opening::Text),
            Event::Add("a".into()),
            Event::Add("b".into()),
            Event::Close,
            Event::Open(Opening::ToolCall {
                id: "c".into(),
                name: "f".into(),
            }),
            Event::Close,
            Event::Stop(Stop::ToolCalls),
        ];

        let answer = Answer::gather(events).expect("an answer");

        let call = Part::ToolCall(ToolCall {
            id: "c".into(),
            name: "f".into(),
            arguments: "{}".into(),
            signature: None,
            cache: None,
        });
        assert_eq!(answer.parts, [Part::text("ab"), call]);
        assert_eq!((answer.id.as_deref(), answer.stop), (Some("1"), Stop::ToolCalls));
    }

    #[test]
    fn a_stream_that_did_not_end_is_no_answer() {
        let failure = Answer::gather([Event::Open(Opening::Text), Event::Close]).expect_err("a failure");

        assert_eq!(failure.kind, FailureKind::Malformed);
    }
}
