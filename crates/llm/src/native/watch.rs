//! Watches an answer go by that passes byte for byte, for what it says was used.

use bytes::{Bytes, BytesMut};
use gatewright_types::api::Dialect;

use super::Purpose;
use crate::dialect::anthropic::{AnthropicOn, Envelope};
use crate::dialect::bedrock::BedrockConverse;
use crate::dialect::bedrock::invoke_any::AnyModel;
use crate::dialect::bedrock::invoke_claude::InvokeClaude;
use crate::dialect::cohere::Cohere;
use crate::dialect::{Decoder, Encoder, ErrorFacts, Outbound as _};
use crate::event::Event;
use crate::{AnswerFacts, Delivered, Failure, Flow, TranslatedStream, UsageChunk};

/// Of an answer in one piece, no more is kept to be read at its end.
const MOST_KEPT: usize = 16 << 20;

/// One answer on its way.
#[derive(Debug)]
pub struct NativeWatch {
    eye: Eye,
}

#[derive(Debug)]
enum Eye {
    Events(Box<Flow>),
    Whole(Purpose, BytesMut),
    Closed,
}

/// What is known of an answer that is over.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Watched {
    pub facts: AnswerFacts,
    /// How many events carried a piece of an answer.
    pub content_events: u64,
    pub delivered: Delivered,
    /// A stream said that it failed, or ended before its answer did.
    pub failed: Option<Failure>,
}

/// Reads events and writes none.
struct Silent;

impl Encoder for Silent {
    fn write(&mut self, _: &Event, _: &mut Vec<u8>) {}

    fn end(&mut self, _: &mut Vec<u8>) {}

    fn fail(&mut self, _: &ErrorFacts<'_>, _: &mut Vec<u8>) {}
}

impl NativeWatch {
    pub(super) fn of(purpose: Option<Purpose>, model: &str, content_type: &str) -> Self {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        let is = |name: &str| kind.eq_ignore_ascii_case(name);
        let Some(purpose) = purpose else {
            return Self { eye: Eye::Closed };
        };
        let eye = if is("application/json") {
            Eye::Whole(purpose, BytesMut::new())
        } else if is("text/event-stream") {
            events(purpose)
        } else if is("application/vnd.amazon.eventstream") {
            frames(purpose, model)
        } else {
            Eye::Closed
        };
        Self { eye }
    }

    /// Looks at the next bytes, cut anywhere. Says whether they bring a piece of an answer for the first time.
    pub fn look(&mut self, bytes: Bytes) -> bool {
        match &mut self.eye {
            Eye::Events(flow) => flow.push(bytes).first_content,
            Eye::Whole(_, kept) if kept.len() + bytes.len() <= MOST_KEPT => {
                kept.extend_from_slice(&bytes);
                false
            }
            Eye::Whole(..) => {
                self.eye = Eye::Closed;
                false
            }
            Eye::Closed => false,
        }
    }

    /// To be called once, when no more bytes come or nobody wants them.
    pub fn end(&mut self) -> Watched {
        match &mut self.eye {
            Eye::Events(flow) => {
                let ended = flow.end();
                let whole = ended.done || ended.finish_seen;
                let broken = || Failure::new(crate::FailureKind::Malformed, "the stream ended before the answer did");
                Watched {
                    facts: ended.facts,
                    content_events: ended.content_events,
                    delivered: ended.delivered,
                    failed: ended.failed.or_else(|| (!whole).then(broken)),
                }
            }
            Eye::Whole(purpose, kept) => {
                let facts = purpose.used(kept).unwrap_or_default();
                Watched {
                    delivered: match facts.usage {
                        Some(_) => Delivered::default(),
                        None => purpose.delivered(kept),
                    },
                    facts,
                    ..Watched::default()
                }
            }
            Eye::Closed => Watched::default(),
        }
    }
}

fn events(purpose: Purpose) -> Eye {
    match purpose {
        Purpose::Spoken(dialect) => Eye::Events(Box::new(Flow::passed(dialect, UsageChunk::Keep))),
        Purpose::InvokeClaude => Eye::Events(Box::new(Flow::passed(Dialect::AnthropicMessages, UsageChunk::Keep))),
        Purpose::CohereChat => decoded(Cohere.decoder()),
        Purpose::Converse | Purpose::Invoke | Purpose::Embed(_) | Purpose::Count => Eye::Closed,
    }
}

fn frames(purpose: Purpose, model: &str) -> Eye {
    match purpose {
        Purpose::Converse => decoded(BedrockConverse::of(model).decoder()),
        Purpose::InvokeClaude => decoded(AnthropicOn(Envelope::Bedrock).decoder()),
        Purpose::Invoke => decoded(Box::new(InvokeClaude::of(AnyModel))),
        Purpose::Spoken(_) | Purpose::CohereChat | Purpose::Embed(_) | Purpose::Count => Eye::Closed,
    }
}

fn decoded(decoder: Box<dyn Decoder>) -> Eye {
    let stream = TranslatedStream::new(decoder, Box::new(Silent));
    Eye::Events(Box::new(Flow::Translated(stream)))
}
