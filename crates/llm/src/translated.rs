//! A stream that is read in the provider's dialect and written in the caller's.

use std::fmt;

use bytes::Bytes;

use crate::dialect::{Decoder, Encoder, ErrorFacts};
use crate::event::{Answer, Event, Gathering, Opening, Stop};
use crate::stream::{Ended, Seen};
use crate::{AnswerFacts, Delivered, Naming, Tokens};

/// The state of one stream. Knows nothing of time: silence is for the proxy to notice.
pub struct TranslatedStream {
    decoder: Box<dyn Decoder>,
    encoder: Box<dyn Encoder>,
    /// Kept for its room.
    events: Vec<Event>,
    content_events: u64,
    content_seen: bool,
    stopped: bool,
    blocked: bool,
    usage: Option<Tokens>,
    delivered: Delivered,
    /// The part that is open is thinking.
    thinking: bool,
    /// Which model the answer names, where that is not the provider's.
    naming: Option<Naming>,
    /// The whole answer, where somebody wants to have it.
    gathering: Option<Box<Gathering>>,
}

impl fmt::Debug for TranslatedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TranslatedStream").finish_non_exhaustive()
    }
}

impl TranslatedStream {
    pub fn new(decoder: Box<dyn Decoder>, encoder: Box<dyn Encoder>) -> Self {
        Self {
            decoder,
            encoder,
            events: Vec::new(),
            content_events: 0,
            content_seen: false,
            stopped: false,
            blocked: false,
            usage: None,
            delivered: Delivered::default(),
            thinking: false,
            naming: None,
            gathering: None,
        }
    }

    /// With another name in the place of the model's.
    pub fn named(self, naming: Option<Naming>) -> Self {
        Self { naming, ..self }
    }

    /// From now on the answer is put together as well.
    pub fn gather(&mut self) {
        self.gathering = Some(Box::default());
    }

    /// The whole answer of a stream that has ended; `None` when it was not gathered or is not whole.
    pub fn gathered(&mut self) -> Option<Answer> {
        self.gathering.take()?.finish().ok()
    }

    /// Takes the next bytes of the provider, cut anywhere.
    pub fn push(&mut self, bytes: &[u8]) -> Seen {
        self.decoder.push(bytes, &mut self.events);
        self.write()
    }

    /// To be called once, when no more bytes come or nobody wants them.
    pub fn end(&mut self) -> Ended {
        self.decoder.end(&mut self.events);
        let last = self.write();
        Ended {
            out: last.out,
            failed: last.failed,
            done: self.stopped,
            finish_seen: self.stopped,
            facts: AnswerFacts {
                usage: self.usage,
                terms: self.decoder.terms(),
                blocked: self.blocked,
            },
            content_events: self.content_events,
            delivered: std::mem::take(&mut self.delivered),
        }
    }

    /// As told so far.
    pub fn used(&self) -> Option<Tokens> {
        self.usage
    }

    /// The prompt was refused, and nothing was said.
    pub fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// What ends a stream that is whole.
    pub fn trailer(&mut self) -> Bytes {
        let mut out = Vec::new();
        self.encoder.end(&mut out);
        out.into()
    }

    /// What tells the caller that the stream broke off.
    pub fn failure(&mut self, error: &ErrorFacts<'_>) -> Bytes {
        let mut out = Vec::new();
        self.encoder.fail(error, &mut out);
        out.into()
    }

    fn write(&mut self) -> Seen {
        let mut out = Vec::new();
        let mut seen = Seen::default();
        for mut event in self.events.drain(..) {
            if let (Event::Start { model, .. }, Some(naming)) = (&mut event, &self.naming) {
                *model = Some(naming.name().into());
            }
            let content = match &event {
                Event::Failed(failure) => {
                    seen.failed = Some(failure.clone());
                    self.gathering = None;
                    break;
                }
                Event::Add(text) => {
                    self.content_events += 1;
                    match self.thinking {
                        true => self.delivered.think(text),
                        false => self.delivered.say(text),
                    }
                    true
                }
                Event::Open(opening) => {
                    self.thinking = matches!(opening, Opening::Thinking);
                    if let Opening::ToolCall { name, .. } = opening {
                        self.content_events += 1;
                        self.delivered.say(name);
                        true
                    } else {
                        false
                    }
                }
                Event::Stop(stop) => {
                    self.stopped = true;
                    self.blocked = match stop {
                        Stop::Blocked => true,
                        Stop::Refused => self.content_events == 0,
                        Stop::End
                        | Stop::Sequence(_)
                        | Stop::Length
                        | Stop::Context
                        | Stop::ToolCalls
                        | Stop::Paused => false,
                    };
                    true
                }
                Event::Usage(usage) => {
                    self.usage = Some(*usage);
                    false
                }
                Event::Start { .. } | Event::Sign(_) | Event::Close => false,
            };
            if content && !self.content_seen {
                self.content_seen = true;
                seen.first_content = true;
            }
            self.encoder.write(&event, &mut out);
            if let Some(gathering) = &mut self.gathering {
                gathering.take(event);
            }
        }
        seen.out = (!out.is_empty()).then(|| out.into());
        seen
    }
}
