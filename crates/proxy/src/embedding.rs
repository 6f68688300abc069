//! Embeddings on their way: put to providers that speak another dialect than the caller, shared out among several calls
//! where there are more texts than a vendor takes at once, and told in the caller's dialect and notation whatever the
//! provider wrote. Pure: no I/O, no clock.

use bytes::Bytes;
use gatewright_contract::UpstreamTarget;
use gatewright_llm::dialect::{Dropped, inbound};
use gatewright_llm::embed::{
    Amount, EmbedAnswer, EmbedContents, EmbedDialect, EmbedRequest, Encoding, Shares, embeds, notation,
};
use gatewright_llm::{AnswerFacts, BadRequest, Endpoint, Failure, NotAnAnswer, Request, Tokens};
use gatewright_types::api::Dialect;

use crate::refusal::Refusal;

/// What of a request for embeddings its answer needs.
#[derive(Debug)]
pub(crate) struct Embedding {
    caller: Caller,
    /// Absent when the provider speaks the caller's.
    dialect: Option<EmbedDialect>,
    /// How many vectors there have to be in the answer to each call.
    shares: Vec<usize>,
    /// What is asked by the calls after the first one, until they are made.
    further: Vec<Bytes>,
    upstream_model: String,
    dropped: Dropped,
}

/// How the caller is answered.
#[derive(Debug, Clone, Copy)]
enum Caller {
    Openai(Encoding),
    Gemini(Amount),
}

/// A request for embeddings in the provider's words.
pub(crate) struct Put {
    pub(crate) endpoint: Endpoint,
    pub(crate) body: Bytes,
    pub(crate) embedding: Embedding,
}

impl Embedding {
    /// Of a request that is passed on as it is. `None` when it asks for something that only its provider understands.
    pub(crate) fn passed(request: &Request, target: &UpstreamTarget) -> Option<Self> {
        let read = EmbedRequest::parse(request.body().clone()).ok()?;
        let (caller, shares) = (Caller::Openai(read.encoding()), vec![read.inputs().count()]);
        Some(Self::of(caller, None, shares, target, Dropped::default()))
    }

    /// Of a request in Gemini's dialect to a provider that speaks it.
    pub(crate) fn forward(request: &Request, endpoint: Endpoint, target: &UpstreamTarget) -> Result<Put, Refusal> {
        let amount = amount(request.dialect()).ok_or_else(|| unanswerable(request))?;
        let contents = EmbedContents::parse(request.body().clone(), amount).map_err(Refusal::BadRequest)?;
        let shares = Shares {
            bodies: contents.forward(target.provider.deployment(target.model.as_str())),
            dropped: Dropped::default(),
        };
        Ok(Put::of(shares, endpoint, |shares, dropped| {
            Self::of(Caller::Gemini(amount), None, shares, target, dropped)
        }))
    }

    pub(crate) fn put(request: &Request, target: &UpstreamTarget) -> Result<Put, Refusal> {
        let known_as = target.model.as_str();
        let (endpoint, dialect) = embeds(target.provider.kind, known_as).ok_or_else(|| unanswerable(request))?;
        let model = target.provider.deployment(known_as);
        let body = request.body().clone();
        let (caller, written) = match amount(request.dialect()) {
            Some(amount) => {
                let contents = EmbedContents::parse(body, amount).map_err(Refusal::BadRequest)?;
                let wanted = contents.read().map_err(Refusal::BadRequest)?;
                (Caller::Gemini(amount), dialect.write(&wanted, model))
            }
            None => {
                let read = EmbedRequest::parse(body).map_err(Refusal::BadRequest)?;
                let written = read.read().and_then(|wanted| dialect.write(&wanted, model));
                (Caller::Openai(read.encoding()), written)
            }
        };
        let shares = written
            .map_err(|unsupported| Refusal::BadRequest(BadRequest::at(unsupported.param, unsupported.message)))?;
        Ok(Put::of(shares, endpoint, |shares, dropped| {
            Self::of(caller, Some(dialect), shares, target, dropped)
        }))
    }

    fn of(
        caller: Caller,
        dialect: Option<EmbedDialect>,
        shares: Vec<usize>,
        target: &UpstreamTarget,
        dropped: Dropped,
    ) -> Self {
        Self {
            caller,
            dialect,
            shares,
            further: Vec::new(),
            upstream_model: target.model.to_string(),
            dropped,
        }
    }

    /// What is still to be asked besides the first call.
    pub(crate) fn take_further(&mut self) -> Vec<Bytes> {
        std::mem::take(&mut self.further)
    }

    pub(crate) fn dropped(&self) -> &Dropped {
        &self.dropped
    }

    pub(crate) fn is_translated(&self) -> bool {
        self.dialect.is_some()
    }

    /// The answer to a caller of this dialect, made of those to all calls in their order. `counted` is what was used where
    /// the provider does not tell.
    pub(crate) fn tell(
        &self,
        body: Bytes,
        others: &[Bytes],
        counted: Option<Tokens>,
        dialect: Dialect,
    ) -> Result<(Bytes, AnswerFacts), Failure> {
        let read = |body: &Bytes| inbound(dialect).read_facts(body).map_err(NotAnAnswer::into_failure);
        match (self.dialect, self.caller) {
            (Some(dialect), _) => self.together(dialect, &body, others, counted),
            (None, Caller::Openai(encoding)) => {
                let facts = read(&body)?;
                self.corrected(body, encoding, facts, counted)
            }
            (None, Caller::Gemini(_)) if others.is_empty() => {
                let facts = read(&body)?;
                Ok((body, facts))
            }
            (None, Caller::Gemini(_)) => self.together(EmbedDialect::Gemini, &body, others, counted),
        }
    }

    fn together(
        &self,
        dialect: EmbedDialect,
        body: &Bytes,
        others: &[Bytes],
        counted: Option<Tokens>,
    ) -> Result<(Bytes, AnswerFacts), Failure> {
        let read = |(body, inputs): (&Bytes, &usize)| dialect.read(body, *inputs);
        let bodies = std::iter::once(body).chain(others).zip(&self.shares);
        let mut answer = EmbedAnswer::joined(bodies.map(read).collect::<Result<Vec<_>, _>>()?);
        let facts = AnswerFacts {
            usage: answer.usage,
            ..AnswerFacts::default()
        };
        answer.usage = answer.usage.or(counted);
        let written = match self.caller {
            Caller::Openai(encoding) => answer.write(encoding, &self.upstream_model),
            Caller::Gemini(amount) => answer.write_gemini(amount),
        };
        Ok((written.into(), facts))
    }

    /// An answer in OpenAI's dialect, of which `facts` are known: as it came, unless its numbers are in the other notation.
    fn corrected(
        &self,
        body: Bytes,
        encoding: Encoding,
        facts: AnswerFacts,
        counted: Option<Tokens>,
    ) -> Result<(Bytes, AnswerFacts), Failure> {
        match notation(&body) {
            Some(written) if written != encoding => {
                let inputs = self.shares.iter().sum();
                let mut answer = EmbedAnswer::read_openai(&body, inputs)?;
                answer.usage = facts.usage.or(counted);
                Ok((answer.write(encoding, &self.upstream_model).into(), facts))
            }
            Some(_) | None => Ok((body, facts)),
        }
    }
}

impl Put {
    fn of(shares: Shares, endpoint: Endpoint, embedding: impl FnOnce(Vec<usize>, Dropped) -> Embedding) -> Self {
        let (bodies, counts): (Vec<_>, Vec<_>) = shares.bodies.into_iter().unzip();
        let mut bodies = bodies.into_iter();
        let body = bodies.next().unwrap_or_default();
        Self {
            endpoint,
            body,
            embedding: Embedding {
                further: bodies.collect(),
                ..embedding(counts, shares.dropped)
            },
        }
    }
}

/// How many contents a request in Gemini's dialect has, by its address.
const fn amount(dialect: Dialect) -> Option<Amount> {
    match dialect {
        Dialect::GeminiEmbed => Some(Amount::One),
        Dialect::GeminiBatchEmbed => Some(Amount::Several),
        Dialect::OpenaiChat
        | Dialect::OpenaiResponses
        | Dialect::OpenaiCompletions
        | Dialect::OpenaiEmbeddings
        | Dialect::AnthropicMessages
        | Dialect::GeminiGenerate
        | Dialect::Native(_) => None,
    }
}

fn unanswerable(request: &Request) -> Refusal {
    let message = format!("the provider behind the model `{}` has no embeddings", request.model());
    Refusal::BadRequest(BadRequest::at("model", message))
}
