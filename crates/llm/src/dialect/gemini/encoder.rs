//! Our streams to callers of this dialect: each piece is a whole response, the last one says why the answer ended and
//! what it used. Calls of tools can only be told whole, and are held until they are.

use std::borrow::Cow;

use super::part::WirePart;
use super::write_answer::{Candidate, WireResponse};
use super::{arguments, finish, part, signature, usage, write_error};
use crate::Tokens;
use crate::chat::{Maker, Signature};
use crate::dialect::{Encoder, ErrorFacts, ReplyFacts};
use crate::event::{Event, Opening, Stop};

/// How the responses of a stream are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// An event each: what callers ask for by `alt=sse`.
    Sse,
    /// The elements of one array.
    Array,
}

#[derive(Debug)]
pub(super) struct StreamEncoder {
    framing: Framing,
    begun: bool,
    id: Box<str>,
    model: Box<str>,
    open: Option<Open>,
    /// The open part's.
    signature: Option<Signature>,
    /// Waits for the text that it belongs to.
    held: Option<Signature>,
    usage: Option<Tokens>,
    stop: Stop,
}

#[derive(Debug)]
enum Open {
    Text,
    Thought {
        said: bool,
    },
    Call {
        id: Box<str>,
        name: Box<str>,
        arguments: String,
    },
}

impl StreamEncoder {
    pub(super) fn new(framing: Framing, reply: &ReplyFacts<'_>) -> Self {
        Self {
            framing,
            begun: false,
            id: reply.request_id.into(),
            model: reply.model.into(),
            open: None,
            signature: None,
            held: None,
            usage: None,
            stop: Stop::default(),
        }
    }

    fn start(&mut self, id: Option<&str>, model: Option<&str>) {
        if let Some(id) = id {
            self.id = id.into();
        }
        if let Some(model) = model {
            self.model = model.into();
        }
    }

    fn open(&mut self, opening: &Opening) {
        self.signature = None;
        self.open = Some(match opening {
            Opening::Text | Opening::Refusal => Open::Text,
            Opening::Thinking => Open::Thought { said: false },
            Opening::ToolCall { id, name } => Open::Call {
                id: id.clone(),
                name: name.clone(),
                arguments: String::new(),
            },
        });
    }

    fn add(&mut self, text: &str, out: &mut Vec<u8>) {
        match &mut self.open {
            Some(Open::Call { arguments, .. }) => arguments.push_str(text),
            Some(Open::Thought { said }) => {
                *said = true;
                self.release(out);
                self.piece(WirePart::thought(text, None), out);
            }
            Some(Open::Text) | None => {
                let held = self.held.take();
                self.piece(WirePart::text(text, held.as_ref().map(signature::write)), out);
            }
        }
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        let signature = self.signature.take();
        match self.open.take() {
            Some(Open::Call { id, name, arguments }) => {
                self.release(out);
                let call = WirePart {
                    function_call: Some(part::FunctionCall {
                        id: &id,
                        name: &name,
                        args: arguments::object(&arguments),
                    }),
                    thought_signature: signature.as_ref().map(signature::write),
                    ..WirePart::default()
                };
                self.piece(call, out);
            }
            Some(Open::Thought { said }) => {
                let Some(signature) = signature else {
                    return;
                };
                self.release(out);
                if signature.maker == Maker::Gemini && !said {
                    self.held = Some(signature);
                } else {
                    self.piece(WirePart::thought("", Some(signature::write(&signature))), out);
                }
            }
            Some(Open::Text) | None => {}
        }
    }

    /// The text that a signature waited for did not come.
    fn release(&mut self, out: &mut Vec<u8>) {
        if let Some(held) = self.held.take() {
            self.piece(WirePart::text("", Some(signature::write(&held))), out);
        }
    }

    fn piece(&mut self, part: WirePart<'_>, out: &mut Vec<u8>) {
        self.separate(out);
        self.response(vec![part], None, out);
        self.finish_frame(out);
    }

    fn response(&self, parts: Vec<WirePart<'_>>, last: Option<&Stop>, out: &mut Vec<u8>) {
        let response = WireResponse {
            candidates: [Candidate::new(parts, last.map(finish::write))],
            usage_metadata: last.and(self.usage.as_ref()).map(usage::write),
            model_version: &self.model,
            response_id: &self.id,
        };
        serde_json::to_writer(out, &response).expect("a response can always be written as JSON");
    }

    /// What stands before a response.
    fn separate(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(match (self.framing, self.begun) {
            (Framing::Sse, _) => b"data: ",
            (Framing::Array, false) => b"[",
            (Framing::Array, true) => b",\r\n",
        });
        self.begun = true;
    }

    fn finish_frame(&self, out: &mut Vec<u8>) {
        match self.framing {
            Framing::Sse => out.extend_from_slice(b"\n\n"),
            Framing::Array => {}
        }
    }

    fn finish_stream(&self, out: &mut Vec<u8>) {
        match self.framing {
            Framing::Sse => {}
            Framing::Array => out.push(b']'),
        }
    }
}

impl Encoder for StreamEncoder {
    fn write(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { id, model } => self.start(id.as_deref(), model.as_deref()),
            Event::Open(opening) => self.open(opening),
            Event::Add(text) => self.add(text, out),
            Event::Sign(signature) => self.signature = Some(signature.clone()),
            Event::Close => self.close(out),
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Stop(stop) => self.stop = stop.clone(),
            Event::Failed(_) => {}
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let held = self.held.take();
        let signature: Option<Cow<'_, str>> = held.as_ref().map(signature::write);
        self.separate(out);
        self.response(vec![WirePart::text("", signature)], Some(&self.stop), out);
        self.finish_frame(out);
        self.finish_stream(out);
    }

    fn fail(&mut self, error: &ErrorFacts<'_>, out: &mut Vec<u8>) {
        self.separate(out);
        out.extend_from_slice(&write_error::write_error(error));
        self.finish_frame(out);
        self.finish_stream(out);
    }
}
