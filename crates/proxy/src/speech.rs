//! How a request is put to its provider: passed on as it is where the provider speaks the caller's dialect, if need be in
//! an envelope, else translated. Pure: no I/O, no clock.

mod unwritten;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use gatewright_contract::UpstreamTarget;
use gatewright_llm::chat::Chat;
use gatewright_llm::dialect::anthropic::{Envelope, betas};
use gatewright_llm::dialect::gemini::{self, Framing, Gemini};
use gatewright_llm::dialect::{Dropped, Encoder, Outbound, ReplyFacts, inbound};
use gatewright_llm::event::Answer;
use gatewright_llm::{
    AnswerFacts, BadRequest, Endpoint, Enveloped, Failure, Flow, Naming, NotAnAnswer, Request, Segments, Tokens,
    TranslatedStream, UnwrappedStream, UsageChunk,
};
use gatewright_types::api::{Dialect, ProviderKind};
use gatewright_types::{ModelName, RequestId};

use crate::embedding::{Embedding, Put};
use crate::refusal::Refusal;
use crate::told::Told;
pub(crate) use unwritten::Unwritten;

/// A request in the provider's words, and how its answer is to be told.
#[derive(Debug)]
pub(crate) struct Speech {
    pub(crate) endpoint: Endpoint,
    pub(crate) body: Segments,
    pub(crate) telling: Telling,
}

/// A request that is understood as far as can be without anybody else.
#[derive(Debug)]
pub(crate) enum Prepared {
    Ready(Speech),
    /// It is to be translated, with the files that the provider wants.
    Unwritten(Box<Unwritten>),
}

/// How an answer becomes the caller's.
#[derive(Debug)]
pub(crate) struct Telling {
    dialect: Dialect,
    usage: UsageChunk,
    way: Way,
    /// Which model the answer names, where that is not the provider's.
    naming: Option<Box<Naming>>,
}

/// Of an answer to its caller.
#[derive(Debug)]
enum Way {
    /// With what was left out, if anything was.
    Passed(Option<Box<Dropped>>),
    Enveloped(Box<Wrapping>),
    Translated(Box<Translation>),
    Embedded(Box<Embedding>),
}

/// What is around the caller's own dialect.
#[derive(Debug)]
struct Wrapping {
    envelope: Envelope,
    /// Those of Anthropic's beta features that it takes.
    betas: Vec<&'static str>,
    dropped: Dropped,
}

/// The other dialect, and what of the request its answer needs.
#[derive(Debug)]
struct Translation {
    outbound: &'static dyn Outbound,
    chat: Chat,
    usage_wanted: bool,
    framing: Framing,
    /// Those of Anthropic's beta features that it takes.
    betas: Vec<&'static str>,
    dropped: Dropped,
    request_id: String,
    upstream_model: String,
    created: i64,
}

/// What callers choose besides their request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wishes {
    /// Rather no answer than one to a request of which something was left out.
    pub(crate) strict: bool,
    /// A stream as one JSON array instead of events, as Gemini has it by default.
    pub(crate) as_array: bool,
}

/// What is ours to put into an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marks {
    pub(crate) request_id: RequestId,
    pub(crate) now: DateTime<Utc>,
}

impl Speech {
    pub(crate) fn prepare(request: &Request, target: &UpstreamTarget, told: &Told) -> Result<Prepared, Refusal> {
        let wishes = told.wishes;
        let dialect = request.dialect();
        let model = target.provider.deployment(target.model.as_str());
        let Some(spoken) = target.spoken(dialect) else {
            return Self::embed(request, target, wishes).map(Prepared::Ready);
        };
        let usage = if request.caller_asked_usage() {
            UsageChunk::Keep
        } else {
            UsageChunk::Strip
        };
        if let Some(enveloped) = spoken.enveloped
            && let Some(speech) = Self::envelop(request, enveloped, told)?
        {
            return Ok(Prepared::Ready(speech));
        }
        let array = wishes.as_array && request.stream();
        let outbound = match spoken.outbound {
            Some(outbound) => outbound,
            // A provider is always asked for events: an array cannot be watched as it goes by.
            None if array => &Gemini,
            None if dialect.embeds() && dialect != Dialect::OpenaiEmbeddings => {
                let put = Embedding::forward(request, spoken.endpoint, target)?;
                return Ok(Prepared::Ready(Self::of(put, dialect)));
            }
            None => {
                let mut dropped = told.refused_betas.clone();
                let body = match spoken.accent {
                    Some(words) => request.forward_in(words, model, &mut dropped),
                    None => request.forward(model),
                };
                wishes.allow(&dropped)?;
                return Ok(Prepared::Ready(Self {
                    endpoint: spoken.endpoint,
                    body,
                    telling: Telling {
                        dialect,
                        usage,
                        way: Way::passed(request, target, dropped),
                        naming: None,
                    },
                }));
            }
        };
        let mut dropped = told.refused_betas.clone();
        let betas = match outbound.envelope() {
            Some(envelope) => betas::taken(envelope, told.betas(), &mut dropped),
            None => Vec::new(),
        };
        Ok(Prepared::Unwritten(Box::new(Unwritten {
            endpoint: spoken.endpoint,
            dialect,
            usage,
            outbound,
            betas,
            dropped,
            chat: request.read().map_err(Refusal::BadRequest)?,
            usage_wanted: request.caller_asked_usage(),
            framing: if array { Framing::Array } else { Framing::Sse },
            // Who speaks the dialect reads addresses as the caller does.
            fetches: spoken.outbound.is_some(),
            caching: None,
        })))
    }

    /// The caller's own body, unless it has to be translated all the same.
    fn envelop(request: &Request, enveloped: Enveloped, told: &Told) -> Result<Option<Self>, Refusal> {
        let Enveloped { endpoint, envelope } = enveloped;
        let mut dropped = told.refused_betas.clone();
        let betas = betas::taken(envelope, told.betas(), &mut dropped);
        let Some(body) = request.enveloped(envelope, &betas) else {
            return Ok(None);
        };
        told.wishes.allow(&dropped)?;
        Ok(Some(Self {
            endpoint,
            body,
            telling: Telling {
                dialect: request.dialect(),
                usage: UsageChunk::Keep,
                way: Way::Enveloped(Box::new(Wrapping {
                    envelope,
                    betas,
                    dropped,
                })),
                naming: None,
            },
        }))
    }

    /// Every kind answers conversations: what is left are embeddings of providers that do not speak the caller's dialect.
    fn embed(request: &Request, target: &UpstreamTarget, wishes: Wishes) -> Result<Self, Refusal> {
        let put = Embedding::put(request, target)?;
        wishes.allow(put.embedding.dropped())?;
        Ok(Self::of(put, request.dialect()))
    }

    fn of(put: Put, dialect: Dialect) -> Self {
        Self {
            endpoint: put.endpoint,
            body: put.body.into(),
            telling: Telling {
                dialect,
                usage: UsageChunk::Keep,
                way: Way::Embedded(Box::new(put.embedding)),
                naming: None,
            },
        }
    }
}

impl Wishes {
    pub(crate) fn allow(self, dropped: &Dropped) -> Result<(), Refusal> {
        if !self.strict || dropped.is_empty() {
            return Ok(());
        }
        Err(Refusal::BadRequest(BadRequest::new(format!(
            "the provider cannot take these parts of the request, and `x-gw-strict` forbids to leave them out: {dropped}"
        ))))
    }
}

impl Way {
    fn passed(request: &Request, target: &UpstreamTarget, dropped: Dropped) -> Self {
        // OpenAI writes vectors as it is asked to; not every server that is called compatible does.
        let does_as_asked = matches!(target.provider.kind, ProviderKind::Openai | ProviderKind::Azure);
        let is_embedding = request.dialect() == Dialect::OpenaiEmbeddings;
        let embedding = (is_embedding && !does_as_asked).then(|| Embedding::passed(request, target));
        let embedding = embedding.flatten();
        let dropped = (!dropped.is_empty()).then(|| Box::new(dropped));
        embedding.map_or(Self::Passed(dropped), |embedding| Self::Embedded(Box::new(embedding)))
    }
}

impl Telling {
    /// Who speaks the caller's dialect in an envelope still tells errors in words of its own.
    pub(crate) fn tells_errors_anew(&self) -> bool {
        match &self.way {
            Way::Passed(_) => false,
            Way::Enveloped(_) | Way::Translated(_) => true,
            Way::Embedded(embedding) => embedding.is_translated(),
        }
    }

    /// Nothing but what the caller can read may be put between the pieces of the stream: Google's own library for Python
    /// takes every line of one for JSON.
    pub(crate) fn takes_comments(&self) -> bool {
        self.dialect != Dialect::GeminiGenerate
    }

    pub(crate) fn content_type(&self) -> &'static str {
        match &self.way {
            Way::Translated(translation) if translation.framing == Framing::Array => "application/json",
            Way::Passed(_) | Way::Enveloped(_) | Way::Translated(_) | Way::Embedded(_) => "text/event-stream",
        }
    }

    /// Anthropic's beta features that the provider is asked for.
    pub(crate) fn betas(&self) -> &[&'static str] {
        match &self.way {
            Way::Enveloped(wrapping) => &wrapping.betas,
            Way::Translated(translation) => &translation.betas,
            Way::Passed(_) | Way::Embedded(_) => &[],
        }
    }

    /// What could not be carried over.
    pub(crate) fn dropped(&self) -> Option<&Dropped> {
        let dropped = match &self.way {
            Way::Passed(dropped) => dropped.as_deref()?,
            Way::Enveloped(wrapping) => &wrapping.dropped,
            Way::Translated(translation) => &translation.dropped,
            Way::Embedded(embedding) => embedding.dropped(),
        };
        Some(dropped).filter(|dropped| !dropped.is_empty())
    }

    /// The caller's answer, and what the provider's says of itself. Where the provider does not say what was used and the
    /// caller has to be told, it is what was counted.
    pub(crate) fn whole(
        &self,
        body: Bytes,
        others: &[Bytes],
        counted: Option<Tokens>,
    ) -> Result<(Bytes, AnswerFacts), Failure> {
        let read_facts = || {
            inbound(self.dialect)
                .read_facts(&body)
                .map_err(NotAnAnswer::into_failure)
        };
        let translation = match &self.way {
            Way::Passed(_) | Way::Enveloped(_) => {
                let facts = read_facts()?;
                return Ok((self.named(body), facts));
            }
            Way::Embedded(embedding) => {
                let (body, facts) = embedding.tell(body, others, counted, self.dialect)?;
                return Ok((self.named(body), facts));
            }
            Way::Translated(translation) => translation,
        };
        let mut answer = translation.outbound.read_answer(&body)?;
        if let Some(naming) = &self.naming {
            answer.model = Some(naming.name().into());
        }
        let written = inbound(self.dialect).write_answer(&answer, &translation.reply());
        Ok((written.into(), answer.into()))
    }

    /// The answer names the model that was asked for, whoever gave it.
    pub(crate) fn name(&mut self, model: &ModelName) {
        self.naming = Some(Box::new(Naming::new(self.dialect, model.as_str())));
    }

    fn named(&self, body: Bytes) -> Bytes {
        match &self.naming {
            Some(naming) => naming.whole(body),
            None => body,
        }
    }

    /// What is asked by further calls, where the request is shared out among several.
    pub(crate) fn take_further(&mut self) -> Vec<Bytes> {
        match &mut self.way {
            Way::Embedded(embedding) => embedding.take_further(),
            Way::Passed(_) | Way::Enveloped(_) | Way::Translated(_) => Vec::new(),
        }
    }

    /// An answer that came in a stream, as it would have been told in one piece.
    pub(crate) fn written(&self, answer: &Answer) -> Bytes {
        match &self.way {
            Way::Translated(translation) => inbound(self.dialect).write_answer(answer, &translation.reply()).into(),
            Way::Passed(_) | Way::Enveloped(_) | Way::Embedded(_) => Bytes::new(),
        }
    }

    /// The way of the answer's stream.
    pub(crate) fn flow(&self) -> Flow {
        let flow = match &self.way {
            Way::Enveloped(wrapping) if wrapping.envelope == Envelope::Bedrock => {
                Flow::Unwrapped(Box::<UnwrappedStream>::default())
            }
            Way::Passed(_) | Way::Enveloped(_) | Way::Embedded(_) => Flow::passed(self.dialect, self.usage),
            Way::Translated(translation) => {
                let encoder = translation.encoder(self.dialect);
                Flow::Translated(TranslatedStream::new(translation.outbound.decoder(), encoder))
            }
        };
        flow.named(self.naming.as_deref().cloned())
    }
}

impl Translation {
    fn encoder(&self, dialect: Dialect) -> Box<dyn Encoder> {
        match self.framing {
            Framing::Sse => inbound(dialect).encoder(&self.reply()),
            Framing::Array => gemini::encoder(Framing::Array, &self.reply()),
        }
    }

    fn reply(&self) -> ReplyFacts<'_> {
        ReplyFacts {
            request_id: &self.request_id,
            model: &self.upstream_model,
            created: self.created,
            usage_wanted: self.usage_wanted,
            chat: &self.chat,
        }
    }
}
