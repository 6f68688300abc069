//! Writes a stream as `chat.completion.chunk`s. SDKs merge tool calls by their index and take `choices[0]` unseen: there
//! is exactly one choice in each chunk but the last one, which has usage and none.

mod shape;

use serde::Serialize;

use self::shape::{
    CalledDelta, Choice, Chunk, CustomDelta, Delta, FunctionDelta, ToolDelta, more_arguments, more_input, tool_delta,
};
use super::details::Entry;
use super::finish::{self, Held};
use super::usage::Usage;
use super::write_answer::hides_thoughts;
use super::write_error;
use crate::Tokens;
use crate::chat::Signature;
use crate::dialect::freeform::Unwrapping;
use crate::dialect::{Encoder, ErrorFacts, ReplyFacts};
use crate::event::{Event, Opening, Stop};

pub(super) struct ChunkEncoder {
    id: Box<str>,
    model: Box<str>,
    created: i64,
    usage_wanted: bool,
    usage: Option<Tokens>,
    hides_thoughts: bool,
    /// The tools that take a text and not JSON.
    freeform: Vec<Box<str>>,
    role_written: bool,
    open: Option<OpenPart>,
    tools: usize,
    details: usize,
    held: Held,
}

/// The part that events add to.
enum OpenPart {
    Text,
    Refusal,
    Thinking {
        is_empty: bool,
    },
    ToolCall {
        id: Box<str>,
        index: usize,
        is_empty: bool,
    },
    /// Of a tool that takes a text.
    FreeformCall {
        id: Box<str>,
        index: usize,
        unwrapping: Unwrapping,
    },
}

impl ChunkEncoder {
    pub(super) fn new(reply: &ReplyFacts<'_>) -> Self {
        Self {
            id: reply.request_id.into(),
            model: reply.model.into(),
            created: reply.created,
            usage_wanted: reply.usage_wanted,
            usage: None,
            hides_thoughts: hides_thoughts(reply.chat),
            freeform: reply.chat.freeform.iter().map(|tool| tool.name.clone()).collect(),
            role_written: false,
            open: None,
            tools: 0,
            details: 0,
            held: Held::default(),
        }
    }

    fn open(&mut self, opening: &Opening, out: &mut Vec<u8>) {
        self.open = Some(match opening {
            Opening::Text => OpenPart::Text,
            Opening::Refusal => {
                self.held.refusal = true;
                OpenPart::Refusal
            }
            Opening::Thinking => OpenPart::Thinking { is_empty: true },
            Opening::ToolCall { id, name } => {
                let index = self.tools;
                self.tools += 1;
                self.held.tool_calls = true;
                if self.freeform.contains(name) {
                    let call = ToolDelta {
                        index,
                        id: Some(id),
                        kind: Some("custom"),
                        called: CalledDelta::Custom(CustomDelta {
                            name: Some(name),
                            input: "",
                        }),
                    };
                    self.delta(tool_delta(call), out);
                    self.open = Some(OpenPart::FreeformCall {
                        id: id.clone(),
                        index,
                        unwrapping: Unwrapping::default(),
                    });
                    return;
                }
                let call = ToolDelta {
                    index,
                    id: Some(id),
                    kind: Some("function"),
                    called: CalledDelta::Function(FunctionDelta {
                        name: Some(name),
                        arguments: "",
                    }),
                };
                self.delta(tool_delta(call), out);
                OpenPart::ToolCall {
                    id: id.clone(),
                    index,
                    is_empty: true,
                }
            }
        });
    }

    fn add(&mut self, text: &str, out: &mut Vec<u8>) {
        let hides_thoughts = self.hides_thoughts;
        let details = self.details;
        let input;
        let delta = match &mut self.open {
            None => return,
            Some(OpenPart::Text) => Delta {
                content: Some(text),
                ..Delta::default()
            },
            Some(OpenPart::Refusal) => Delta {
                refusal: Some(text),
                ..Delta::default()
            },
            Some(OpenPart::Thinking { .. }) if hides_thoughts => return,
            Some(OpenPart::Thinking { is_empty }) => {
                *is_empty = false;
                Delta {
                    reasoning_content: Some(text),
                    reasoning_details: Some([Entry::Text {
                        text,
                        signature: None,
                        format: None,
                        index: details,
                    }]),
                    ..Delta::default()
                }
            }
            Some(OpenPart::ToolCall { index, is_empty, .. }) => {
                *is_empty = false;
                tool_delta(more_arguments(*index, text))
            }
            Some(OpenPart::FreeformCall { index, unwrapping, .. }) => {
                input = unwrapping.push(text);
                if input.is_empty() {
                    return;
                }
                tool_delta(more_input(*index, &input))
            }
        };
        self.delta(delta, out);
    }

    fn sign(&mut self, signature: &Signature, out: &mut Vec<u8>) {
        let format = signature.maker.as_str();
        let index = self.details;
        // Out of `self` while a chunk is written that borrows from it.
        let open = self.open.take();
        let entry = match &open {
            Some(OpenPart::Thinking { .. }) if self.hides_thoughts => None,
            Some(OpenPart::Thinking { is_empty: false }) => Some(Entry::Text {
                text: "",
                signature: Some(&signature.text),
                format: Some(format),
                index,
            }),
            Some(OpenPart::Thinking { is_empty: true }) => Some(Entry::Sealed {
                data: &signature.text,
                id: None,
                format,
                index,
            }),
            Some(OpenPart::ToolCall { id, .. } | OpenPart::FreeformCall { id, .. }) => {
                self.details += 1;
                Some(Entry::Sealed {
                    data: &signature.text,
                    id: Some(id),
                    format,
                    index,
                })
            }
            Some(OpenPart::Text | OpenPart::Refusal) | None => None,
        };
        if let Some(entry) = entry {
            let delta = Delta {
                reasoning_details: Some([entry]),
                ..Delta::default()
            };
            self.delta(delta, out);
        }
        self.open = open;
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        match self.open.take() {
            // SDKs parse the arguments when the call is whole; nothing is no JSON.
            Some(OpenPart::ToolCall {
                index, is_empty: true, ..
            }) => self.delta(tool_delta(more_arguments(index, "{}")), out),
            Some(OpenPart::FreeformCall { index, unwrapping, .. }) => {
                let rest = unwrapping.finish();
                if !rest.is_empty() {
                    self.delta(tool_delta(more_input(index, &rest)), out);
                }
            }
            Some(OpenPart::Thinking { .. }) => self.details += 1,
            Some(OpenPart::Text | OpenPart::Refusal | OpenPart::ToolCall { .. }) | None => {}
        }
    }

    fn stop(&mut self, stop: &Stop, out: &mut Vec<u8>) {
        let choice = Choice {
            index: 0,
            delta: Delta {
                role: self.role(),
                ..Delta::default()
            },
            logprobs: None,
            finish_reason: Some(finish::write(stop, self.held)),
            native_finish_reason: finish::native(stop),
        };
        self.chunk(&[choice], None, out);
    }

    fn delta(&mut self, delta: Delta<'_>, out: &mut Vec<u8>) {
        let choice = Choice {
            index: 0,
            delta: Delta {
                role: self.role(),
                ..delta
            },
            logprobs: None,
            finish_reason: None,
            native_finish_reason: None,
        };
        self.chunk(&[choice], None, out);
    }

    /// The role, in the first delta.
    fn role(&mut self) -> Option<&'static str> {
        let first = !self.role_written;
        self.role_written = true;
        first.then_some("assistant")
    }

    fn chunk(&self, choices: &[Choice<'_>], usage: Option<Usage>, out: &mut Vec<u8>) {
        let chunk = Chunk {
            id: &self.id,
            object: "chat.completion.chunk",
            created: self.created,
            model: &self.model,
            choices,
            usage: self.usage_wanted.then_some(usage),
        };
        write_event(&chunk, out);
    }
}

/// One server-sent event.
pub(super) fn write_event(data: &impl Serialize, out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: ");
    serde_json::to_writer(&mut *out, data).expect("texts and numbers can always be written as JSON");
    out.extend_from_slice(b"\n\n");
}

impl Encoder for ChunkEncoder {
    fn write(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { id, model } => {
                if let Some(id) = id {
                    self.id = id.clone();
                }
                if let Some(model) = model {
                    self.model = model.clone();
                }
            }
            Event::Open(opening) => self.open(opening, out),
            Event::Add(text) => self.add(text, out),
            Event::Sign(signature) => self.sign(signature, out),
            Event::Close => self.close(out),
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Stop(stop) => self.stop(stop, out),
            Event::Failed(_) => {}
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if let Some(usage) = self.usage.filter(|_| self.usage_wanted) {
            self.chunk(&[], Some(Usage::of(&usage)), out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn fail(&mut self, error: &ErrorFacts<'_>, out: &mut Vec<u8>) {
        write_error::event(error, out);
    }
}
