//! Writes a stream. Events are held back until it is clear what they become: the beginning until something follows it,
//! since usage may; a block until it has content, since only then is thinking told from sealed thinking.

use serde::Serialize;

use super::message::{Block, Message, id_of};
use super::stop::{self, Refused};
use super::usage::Usage;
use super::write_error::Envelope;
use crate::Tokens;
use crate::chat::{Json, Maker, Signature};
use crate::dialect::{Encoder, ErrorFacts, ReplyFacts};
use crate::event::{Event, Opening, Stop};

/// The state of one stream.
#[derive(Debug)]
pub(super) struct MessageWriter {
    id: Box<str>,
    model: Box<str>,
    started: bool,
    /// Index of the next block.
    next_block: u64,
    open: Option<OpenPart>,
    usage: Tokens,
    stop: Stop,
    refused: Refused,
}

#[derive(Debug)]
struct OpenPart {
    opening: Opening,
    begun: bool,
    signature: Option<Signature>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Sent<'a> {
    MessageStart { message: Message<'a> },
    ContentBlockStart { index: u64, content_block: Block<'a> },
    ContentBlockDelta { index: u64, delta: Delta<'a> },
    ContentBlockStop { index: u64 },
    MessageDelta { delta: Stopped<'a>, usage: Usage },
    MessageStop,
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum Delta<'a> {
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
    #[serde(rename = "signature_delta")]
    Signature { signature: &'a str },
    #[serde(rename = "input_json_delta")]
    Input { partial_json: &'a str },
}

#[derive(Serialize)]
struct Stopped<'a> {
    stop_reason: &'a str,
    stop_sequence: Option<&'a str>,
}

impl MessageWriter {
    pub(super) fn new(reply: &ReplyFacts<'_>) -> Self {
        Self {
            id: id_of(reply).into(),
            model: reply.model.into(),
            started: false,
            next_block: 0,
            open: None,
            usage: Tokens::default(),
            stop: Stop::End,
            refused: Refused::No,
        }
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        if !self.started {
            self.started = true;
            let message = Message::new(&self.id, &self.model, Usage::from(&self.usage));
            Sent::MessageStart { message }.write(out);
        }
    }

    fn add(&mut self, text: &str, out: &mut Vec<u8>) {
        self.begin(out);
        let Some(part) = &self.open else {
            return;
        };
        let delta = match &part.opening {
            Opening::Text | Opening::Refusal => Delta::Text { text },
            Opening::Thinking => Delta::Thinking { thinking: text },
            Opening::ToolCall { .. } => Delta::Input { partial_json: text },
        };
        let index = self.next_block;
        Sent::ContentBlockDelta { index, delta }.write(out);
    }

    /// Begins the block of the open part, if it has not begun.
    fn begin(&mut self, out: &mut Vec<u8>) {
        let index = self.next_block;
        let Some(part) = self.open.as_mut().filter(|part| !part.begun) else {
            return;
        };
        part.begun = true;
        let content_block = match &part.opening {
            Opening::Text | Opening::Refusal => Block::Text { text: "" },
            Opening::Thinking => Block::thinking("", None),
            Opening::ToolCall { id, name } => Block::ToolUse {
                id,
                name,
                input: Json::parse("{}").expect("it is JSON"),
            },
        };
        Sent::ContentBlockStart { index, content_block }.write(out);
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        let Some(mut part) = self.open.take() else {
            return;
        };
        let signature = part.signature.take();
        let is_call = matches!(part.opening, Opening::ToolCall { .. });
        if part.begun {
            if let Some(signature) = signature.as_ref().filter(|_| !is_call) {
                self.write_signature(signature, out);
            }
            self.stop_block(out);
        }
        // A call's signature can only follow it; an unread part that is signed has nothing but its signature.
        if let Some(signature) = signature.filter(|_| is_call || !part.begun) {
            self.write_sealed(&signature, out);
        }
    }

    fn write_sealed(&mut self, signature: &Signature, out: &mut Vec<u8>) {
        let index = self.next_block;
        match signature.maker {
            Maker::AnthropicRedacted => {
                let content_block = Block::thinking("", Some(signature));
                Sent::ContentBlockStart { index, content_block }.write(out);
            }
            Maker::Anthropic | Maker::Gemini | Maker::Openai | Maker::Bedrock => {
                let content_block = Block::thinking("", None);
                Sent::ContentBlockStart { index, content_block }.write(out);
                self.write_signature(signature, out);
            }
        }
        self.stop_block(out);
    }

    fn write_signature(&self, signature: &Signature, out: &mut Vec<u8>) {
        let signature = &signature.tagged(Maker::Anthropic);
        let delta = Delta::Signature { signature };
        let index = self.next_block;
        Sent::ContentBlockDelta { index, delta }.write(out);
    }

    fn stop_block(&mut self, out: &mut Vec<u8>) {
        Sent::ContentBlockStop { index: self.next_block }.write(out);
        self.next_block += 1;
    }
}

impl OpenPart {
    fn sign(&mut self, signature: &Signature) {
        match self.opening {
            Opening::Thinking | Opening::ToolCall { .. } => self.signature = Some(signature.clone()),
            Opening::Text | Opening::Refusal => {}
        }
    }
}

impl Encoder for MessageWriter {
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
            Event::Usage(usage) => self.usage = *usage,
            Event::Open(opening) => {
                self.start(out);
                if *opening == Opening::Refusal {
                    self.refused = Refused::InWords;
                }
                self.open = Some(OpenPart {
                    opening: opening.clone(),
                    begun: false,
                    signature: None,
                });
                if matches!(opening, Opening::ToolCall { .. }) {
                    self.begin(out);
                }
            }
            Event::Add(text) => self.add(text, out),
            Event::Sign(signature) => {
                if let Some(part) = &mut self.open {
                    part.sign(signature);
                }
            }
            Event::Close => self.close(out),
            Event::Stop(stop) => {
                self.start(out);
                self.stop = stop.clone();
            }
            Event::Failed(_) => {}
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.start(out);
        self.close(out);
        let (stop_reason, stop_sequence) = stop::write(&self.stop, self.refused);
        let delta = Stopped {
            stop_reason,
            stop_sequence,
        };
        let usage = Usage::from(&self.usage);
        Sent::MessageDelta { delta, usage }.write(out);
        Sent::MessageStop.write(out);
    }

    fn fail(&mut self, error: &ErrorFacts<'_>, out: &mut Vec<u8>) {
        write_event("error", &Envelope::of(error), out);
    }
}

impl Sent<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        let name = match self {
            Self::MessageStart { .. } => "message_start",
            Self::ContentBlockStart { .. } => "content_block_start",
            Self::ContentBlockDelta { .. } => "content_block_delta",
            Self::ContentBlockStop { .. } => "content_block_stop",
            Self::MessageDelta { .. } => "message_delta",
            Self::MessageStop => "message_stop",
        };
        write_event(name, self, out);
    }
}

/// SDKs go by the event's name, not by the `type` in its data.
fn write_event(name: &str, data: &impl Serialize, out: &mut Vec<u8>) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    serde_json::to_writer(&mut *out, data).expect("texts, numbers and JSON can always be written as JSON");
    out.extend_from_slice(b"\n\n");
}
