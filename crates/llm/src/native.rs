//! Requests at a provider's own addresses, which pass byte for byte: what they are for and which model they name, as far
//! as address and body tell, and what the answer going by says was used. Nothing here changes a byte.

mod address;
mod watch;

use std::borrow::Cow;

use gatewright_types::api::{Dialect, NativeDialect, ProviderKind};

pub use self::watch::{NativeWatch, Watched};
use crate::dialect::bedrock::{BedrockConverse, invoke_any};
use crate::dialect::cohere::Cohere;
use crate::dialect::{Outbound, gemini, inbound};
use crate::embed::EmbedDialect;
use crate::json::{Kind, Members};
use crate::{AnswerFacts, Delivered, Tokens, delivered};

/// A request as it was seen going by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Native {
    /// `None`: nobody here knows what the address is for.
    pub purpose: Option<Purpose>,
    pub named: Named,
    /// The answer was asked for piece by piece.
    pub stream: bool,
}

/// What an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Something that callers can ask in a dialect of ours.
    Spoken(Dialect),
    Converse,
    /// Claude in Bedrock's envelope.
    InvokeClaude,
    /// Any other model of Bedrock's in its maker's own dialect.
    Invoke,
    CohereChat,
    Embed(EmbedDialect),
    /// Counting tokens, which is free everywhere.
    Count,
}

/// The model a request names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// None that could be found: it may lead to any.
    Nowhere,
    Once(String),
    /// Different ones. Which of them answers is up to the provider.
    Differently(Vec<String>),
}

impl Native {
    /// Looks at a request with this method, path and body.
    pub fn of(kind: ProviderKind, method: &str, path: &str, body: &[u8]) -> Self {
        let there = match method {
            "POST" => address::look(kind, path),
            _ => None,
        };
        let Some(there) = there else {
            return Self {
                purpose: None,
                named: Named::Nowhere,
                stream: false,
            };
        };
        let said = Said::read(body);
        Self {
            purpose: there.purpose,
            named: match there.model {
                Some(model) => Named::Once(model),
                None => said.named,
            },
            stream: there.stream || said.stream,
        }
    }

    /// Nobody pays for it: it asks about something, or counts.
    pub fn is_free(&self) -> bool {
        self.purpose == Some(Purpose::Count)
    }

    pub fn watch(&self, content_type: &str) -> NativeWatch {
        let model = match &self.named {
            Named::Once(model) => model.as_str(),
            Named::Nowhere | Named::Differently(_) => "",
        };
        NativeWatch::of(self.purpose, model, content_type)
    }
}

impl Purpose {
    /// What a whole answer says of what was used.
    pub fn used(self, body: &[u8]) -> Option<AnswerFacts> {
        match self {
            Self::Spoken(Dialect::GeminiGenerate) => gemini::used(body),
            Self::Spoken(dialect) => inbound(dialect).read_facts(body).ok(),
            Self::InvokeClaude => inbound(Dialect::AnthropicMessages).read_facts(body).ok(),
            Self::Converse => BedrockConverse::Others.read_answer(body).ok().map(AnswerFacts::from),
            Self::CohereChat => Cohere.read_answer(body).ok().map(AnswerFacts::from),
            Self::Embed(dialect) => dialect.used(body).map(AnswerFacts::from),
            Self::Invoke | Self::Count => None,
        }
    }

    /// What a whole answer says, for want of what it used.
    pub fn delivered(self, body: &[u8]) -> Delivered {
        let answer = match self {
            Self::Spoken(dialect) => return delivered(dialect, body),
            Self::InvokeClaude => return delivered(Dialect::AnthropicMessages, body),
            Self::Converse => BedrockConverse::Others.read_answer(body),
            Self::CohereChat => Cohere.read_answer(body),
            Self::Invoke | Self::Embed(_) | Self::Count => return Delivered::default(),
        };
        answer.map(|answer| Delivered::of(&answer.parts)).unwrap_or_default()
    }

    /// What the head of an answer says was used, where its body does not.
    pub fn used_by_head<'a>(self, header: impl Fn(&str) -> Option<&'a str>) -> Option<Tokens> {
        match self {
            Self::Invoke | Self::InvokeClaude | Self::Embed(EmbedDialect::CohereOnBedrock | EmbedDialect::Titan) => {
                invoke_any::used_by_head(header)
            }
            Self::Spoken(_) | Self::Converse | Self::CohereChat | Self::Embed(_) | Self::Count => None,
        }
    }

    /// Whether what was not told may be counted and priced: of a model that may draw a picture, tokens say nothing.
    pub const fn is_about_tokens(self) -> bool {
        !matches!(self, Self::Invoke)
    }

    /// What is spoken there. Tokens are counted in the dialect of their provider's family.
    pub const fn dialect(self) -> Option<Dialect> {
        match self {
            Self::Spoken(dialect) => Some(dialect),
            Self::InvokeClaude => Some(Dialect::AnthropicMessages),
            Self::Converse => Some(Dialect::Native(NativeDialect::BedrockConverse)),
            Self::CohereChat => Some(Dialect::Native(NativeDialect::CohereChat)),
            Self::Embed(EmbedDialect::Openai) => Some(Dialect::OpenaiEmbeddings),
            Self::Embed(EmbedDialect::Gemini) => Some(Dialect::GeminiBatchEmbed),
            Self::Embed(EmbedDialect::Vertex) => Some(Dialect::Native(NativeDialect::VertexPredict)),
            Self::Embed(EmbedDialect::Cohere) => Some(Dialect::Native(NativeDialect::CohereEmbed)),
            Self::Invoke | Self::Embed(EmbedDialect::CohereOnBedrock | EmbedDialect::Titan) => {
                Some(Dialect::Native(NativeDialect::BedrockInvoke))
            }
            Self::Count => None,
        }
    }
}

/// The few members of a body that matter here.
struct Said {
    named: Named,
    stream: bool,
}

impl Said {
    /// A body that is not one JSON object names nothing, whatever a more patient reader finds in it.
    fn read(body: &[u8]) -> Self {
        Self::of_object(body).unwrap_or(Self {
            named: Named::Nowhere,
            stream: false,
        })
    }

    fn of_object(body: &[u8]) -> Option<Self> {
        std::str::from_utf8(body).ok()?;
        let mut members = Members::of_document(body).ok()?;
        let (mut models, mut stream) = (Vec::new(), false);
        while let Some(member) = members.next_member().ok()? {
            // Readers that do not mind the case of a key are among the providers.
            if member.key.eq_ignore_ascii_case(b"model") {
                let model = member.value.string().map(Cow::into_owned)?;
                if !models.contains(&model) {
                    models.push(model);
                }
            }
            if &*member.key == b"stream" {
                stream = member.value.kind == Kind::True;
            }
        }
        let named = match (models.len(), models.pop()) {
            (1, Some(model)) => Named::Once(model),
            (_, Some(model)) => {
                models.push(model);
                Named::Differently(models)
            }
            (_, None) => Named::Nowhere,
        };
        Some(Self { named, stream })
    }
}

#[cfg(test)]
mod tests;
