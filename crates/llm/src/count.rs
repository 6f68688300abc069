//! Counting the tokens of a request without answering it: which providers do that, in whose words they are asked, and
//! what they said. Where nobody can be asked there is an estimate.

use std::ops::Range;

use bytes::Bytes;
use gatewright_types::api::{Dialect, ProviderKind};

use crate::chat::Chat;
use crate::dialect::anthropic::{self, Envelope};
use crate::dialect::gemini::{self, Home};
use crate::dialect::{Dropped, PathFacts, TargetFacts};
use crate::json::{Kind, Members, Value};
use crate::request::{Edit, quoted, syntax_error};
use crate::tokens::count;
use crate::{BadRequest, Endpoint, Failure, FailureKind, Family, Request, Segments, count_request};

const VERTEX_VERSION: &[u8] = br#""anthropic_version":"vertex-2023-10-16","#;

/// A request to count, in one of the dialects that have such a thing.
#[derive(Debug, Clone)]
pub struct CountRequest {
    dialect: Dialect,
    body: Bytes,
    model: Box<str>,
    /// Where the body names the model.
    model_at: Option<Range<usize>>,
    /// The body says for which version of the envelope it is.
    versioned: bool,
    /// It names files by their addresses, which not all read who count in its dialect.
    names_files: bool,
    /// The request is a member of another one, as AI Studio has it and Vertex does not.
    wrapped: bool,
}

/// A request to count in the words of a provider.
#[derive(Debug)]
pub struct CountPut {
    pub endpoint: Endpoint,
    pub body: Segments,
    pub dropped: Dropped,
    counter: Counter,
    /// The answer is in the caller's dialect already.
    pub passed: bool,
}

/// Who counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counter {
    Claude(Envelope),
    Gemini(Home),
}

impl CountRequest {
    /// Of a dialect without counting, nothing is one.
    pub fn parse(dialect: Dialect, body: Bytes, path: PathFacts<'_>) -> Result<Self, BadRequest> {
        match path.model {
            None => Self::parse_messages(dialect, body),
            Some(model) => Self::parse_contents(dialect, body, model),
        }
    }

    pub fn model(&self) -> &str {
        &self.model
    }

    /// For the provider, where it counts and can be asked this; `model` is its name there.
    pub fn put(&self, kind: ProviderKind, known_as: &str, model: &str) -> Option<CountPut> {
        let counter = Counter::of(kind, known_as)?;
        if self.names_files && counter == Counter::Claude(Envelope::Vertex) {
            return None;
        }
        if counter.dialect() == self.dialect && !(self.wrapped && counter == Counter::Gemini(Home::Vertex)) {
            return Some(CountPut {
                endpoint: counter.endpoint(),
                body: self.forward(counter, model),
                dropped: Dropped::default(),
                counter,
                passed: true,
            });
        }
        let chat = self.read().ok()?;
        let target = TargetFacts {
            model,
            output_limit: None,
        };
        let written = match counter {
            Counter::Claude(envelope) => anthropic::write_count_request(&chat, target, envelope).ok()?,
            Counter::Gemini(home) => gemini::write_count_request(&chat, target, home).ok()?,
        };
        Some(CountPut {
            endpoint: counter.endpoint(),
            body: Bytes::from(written.body).into(),
            dropped: written.dropped,
            counter,
            passed: counter.dialect() == self.dialect,
        })
    }

    /// Whether there is something in it to be counted.
    pub fn check(&self) -> Result<(), BadRequest> {
        self.read().map(drop)
    }

    /// Our own count in the caller's dialect, for want of a better one; `model` is the provider's name for it. It may
    /// take a while.
    pub fn estimate(&self, model: &str) -> Vec<u8> {
        self.write(count_request(model, &self.body))
    }

    /// A count in the caller's dialect.
    pub fn write(&self, tokens: u64) -> Vec<u8> {
        match self.dialect {
            Dialect::GeminiGenerate => gemini::write_token_count(tokens),
            Dialect::OpenaiChat
            | Dialect::OpenaiResponses
            | Dialect::OpenaiCompletions
            | Dialect::OpenaiEmbeddings
            | Dialect::GeminiEmbed
            | Dialect::GeminiBatchEmbed
            | Dialect::Native(_)
            | Dialect::AnthropicMessages => anthropic::write_token_count(tokens),
        }
    }

    fn parse_messages(dialect: Dialect, body: Bytes) -> Result<Self, BadRequest> {
        let request = Request::parse(dialect, body, PathFacts::default())?;
        let mut parsed = Self {
            dialect,
            body: request.body().clone(),
            model: request.model().into(),
            model_at: None,
            versioned: false,
            names_files: request.names_files(),
            wrapped: false,
        };
        let body = parsed.body.clone();
        let mut members = Members::of_document(&body).map_err(|error| syntax_error(&body, error))?;
        while let Ok(Some(member)) = members.next_member() {
            match &*member.key {
                b"model" => parsed.model_at = Some(member.value.start..member.value.end()),
                b"anthropic_version" => parsed.versioned = true,
                _ => {}
            }
        }
        Ok(parsed)
    }

    fn parse_contents(dialect: Dialect, body: Bytes, model: &str) -> Result<Self, BadRequest> {
        if std::str::from_utf8(&body).is_err() {
            return Err(BadRequest::new("the request body is not valid UTF-8"));
        }
        let (mut wrapped, mut model_at) = (false, None);
        let wrong = |error| syntax_error(&body, error);
        let mut members = Members::of_document(&body).map_err(wrong)?;
        while let Some(member) = members.next_member().map_err(wrong)? {
            if matches!(&*member.key, b"generateContentRequest" | b"generate_content_request") {
                wrapped = true;
                model_at = named_within(&member.value);
            }
        }
        Ok(Self {
            dialect,
            model: model.into(),
            model_at,
            versioned: false,
            names_files: false,
            wrapped,
            body,
        })
    }

    /// All of it, for a provider of another dialect, or to see that it is one.
    fn read(&self) -> Result<Chat, BadRequest> {
        match self.dialect {
            Dialect::GeminiGenerate => {
                let path = PathFacts {
                    model: Some(&self.model),
                    stream: false,
                };
                gemini::read_count_request(&self.body, path)
            }
            Dialect::OpenaiChat
            | Dialect::OpenaiResponses
            | Dialect::OpenaiCompletions
            | Dialect::OpenaiEmbeddings
            | Dialect::GeminiEmbed
            | Dialect::GeminiBatchEmbed
            | Dialect::Native(_)
            | Dialect::AnthropicMessages => anthropic::read_count_request(&self.body),
        }
    }

    /// The body as it was sent, but for the model's name and what its envelope needs.
    fn forward(&self, counter: Counter, model: &str) -> Segments {
        let name = match counter {
            Counter::Claude(_) => model.to_owned(),
            Counter::Gemini(_) => format!("models/{model}"),
        };
        let named = self.model_at.clone().map(|at| Edit {
            at,
            text: quoted(&name),
        });
        let version = (counter == Counter::Claude(Envelope::Vertex) && !self.versioned).then(|| {
            let first = memchr::memchr(b'{', &self.body).unwrap_or_default() + 1;
            Edit {
                at: first..first,
                text: Bytes::from_static(VERTEX_VERSION),
            }
        });
        Segments::edited(&self.body, [version, named])
    }
}

impl CountPut {
    /// What the provider counted.
    pub fn read(&self, body: &[u8]) -> Result<u64, Failure> {
        let name: &[u8] = match self.counter {
            Counter::Claude(_) => b"input_tokens",
            Counter::Gemini(_) => b"totalTokens",
        };
        let told = number(body, name);
        told.ok_or_else(|| Failure::new(FailureKind::Malformed, "the provider's answer is no count of tokens"))
    }
}

impl Counter {
    fn of(kind: ProviderKind, model: &str) -> Option<Self> {
        match Family::of(kind) {
            Family::Anthropic => Some(Self::Claude(Envelope::Direct)),
            Family::Gemini => Some(Self::Gemini(Home::AiStudio)),
            Family::Vertex if model.starts_with("claude") => Some(Self::Claude(Envelope::Vertex)),
            Family::Vertex => Some(Self::Gemini(Home::Vertex)),
            Family::Openai | Family::Cohere | Family::Bedrock => None,
        }
    }

    fn dialect(self) -> Dialect {
        match self {
            Self::Claude(_) => Dialect::AnthropicMessages,
            Self::Gemini(_) => Dialect::GeminiGenerate,
        }
    }

    fn endpoint(self) -> Endpoint {
        match self {
            Self::Claude(Envelope::Vertex) => Endpoint::CountRawPredict,
            Self::Claude(Envelope::Direct | Envelope::Bedrock) => Endpoint::CountMessages,
            Self::Gemini(_) => Endpoint::CountTokens,
        }
    }
}

fn number(body: &[u8], name: &[u8]) -> Option<u64> {
    let mut members = Members::of_document(body).ok()?;
    let mut found = None;
    while let Some(member) = members.next_member().ok()? {
        if &*member.key == name {
            found = count(&member.value, &mut false);
        }
    }
    found
}

/// Where a member's own `model` lies in the text that the member is in.
fn named_within(value: &Value<'_>) -> Option<Range<usize>> {
    if value.kind != Kind::Object {
        return None;
    }
    let mut members = value.members();
    while let Ok(Some(member)) = members.next_member() {
        if &*member.key == b"model" {
            return Some(value.start + member.value.start..value.start + member.value.end());
        }
    }
    None
}

#[cfg(test)]
mod tests;
