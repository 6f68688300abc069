//! Embeddings on their way: put to providers that speak another dialect than OpenAI's, and told in the notation that the
//! caller asked for whatever the provider wrote. Pure: no I/O, no clock.

use bytes::Bytes;
use gatewright_contract::UpstreamTarget;
use gatewright_llm::dialect::Dropped;
use gatewright_llm::embed::{EmbedAnswer, EmbedDialect, EmbedRequest, Encoding, embeds, notation};
use gatewright_llm::{AnswerFacts, BadRequest, Endpoint, Failure, Request, Tokens};

use crate::refusal::Refusal;

/// What of a request for embeddings its answer needs.
#[derive(Debug)]
pub(crate) struct Embedding {
    /// Absent when the provider speaks OpenAI's.
    dialect: Option<EmbedDialect>,
    inputs: usize,
    encoding: Encoding,
    upstream_model: String,
    dropped: Dropped,
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
        Some(Self::of(None, &read, target, Dropped::default()))
    }

    pub(crate) fn put(request: &Request, target: &UpstreamTarget) -> Result<Put, Refusal> {
        let known_as = target.model.as_str();
        let (endpoint, dialect) = embeds(target.provider.kind, known_as).ok_or_else(|| unanswerable(request))?;
        let read = EmbedRequest::parse(request.body().clone()).map_err(Refusal::BadRequest)?;
        let written = dialect
            .write(&read, target.provider.deployment(known_as))
            .map_err(|unsupported| Refusal::BadRequest(BadRequest::at(unsupported.param, unsupported.message)))?;
        Ok(Put {
            endpoint,
            body: written.body.into(),
            embedding: Self::of(Some(dialect), &read, target, written.dropped),
        })
    }

    fn of(dialect: Option<EmbedDialect>, read: &EmbedRequest, target: &UpstreamTarget, dropped: Dropped) -> Self {
        Self {
            dialect,
            inputs: read.inputs().count(),
            encoding: read.encoding(),
            upstream_model: target.model.to_string(),
            dropped,
        }
    }

    pub(crate) fn dropped(&self) -> &Dropped {
        &self.dropped
    }

    pub(crate) fn is_translated(&self) -> bool {
        self.dialect.is_some()
    }

    /// A provider's answer in its own dialect.
    pub(crate) fn translate(
        &self,
        dialect: EmbedDialect,
        body: &[u8],
        counted: Option<Tokens>,
    ) -> Result<(Bytes, AnswerFacts), Failure> {
        let mut answer = dialect.read(body, self.inputs)?;
        let facts = AnswerFacts {
            usage: answer.usage,
            ..AnswerFacts::default()
        };
        answer.usage = answer.usage.or(counted);
        let written = answer.write(self.encoding, &self.upstream_model);
        Ok((written.into(), facts))
    }

    pub(crate) fn dialect(&self) -> Option<EmbedDialect> {
        self.dialect
    }

    /// An answer in OpenAI's dialect, of which `facts` are known: as it came, unless its numbers are in the other notation.
    pub(crate) fn tell(
        &self,
        body: Bytes,
        facts: AnswerFacts,
        counted: Option<Tokens>,
    ) -> Result<(Bytes, AnswerFacts), Failure> {
        match notation(&body) {
            Some(written) if written != self.encoding => {
                let mut answer = EmbedAnswer::read_openai(&body, self.inputs)?;
                answer.usage = facts.usage.or(counted);
                Ok((answer.write(self.encoding, &self.upstream_model).into(), facts))
            }
            Some(_) | None => Ok((body, facts)),
        }
    }
}

fn unanswerable(request: &Request) -> Refusal {
    let message = format!("the provider behind the model `{}` has no embeddings", request.model());
    Refusal::BadRequest(BadRequest::at("model", message))
}
