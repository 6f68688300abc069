//! Requests at a provider's own addresses, which pass byte for byte: what they are for and which model they name, as far
//! as address and body tell, and what the answer going by says was used. Nothing here changes a byte.

mod address;
mod watch;

use std::borrow::Cow;

use gatewright_types::api::{Dialect, ProviderKind};

pub use self::watch::{NativeWatch, Watched};
use crate::dialect::bedrock::BedrockConverse;
use crate::dialect::cohere::Cohere;
use crate::dialect::{Outbound, gemini, inbound};
use crate::embed::EmbedDialect;
use crate::json::{Kind, Members};
use crate::{AnswerFacts, Delivered, delivered};

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
            Self::Count => None,
        }
    }

    /// What a whole answer says, for want of what it used.
    pub fn delivered(self, body: &[u8]) -> Delivered {
        let answer = match self {
            Self::Spoken(dialect) => return delivered(dialect, body),
            Self::InvokeClaude => return delivered(Dialect::AnthropicMessages, body),
            Self::Converse => BedrockConverse::Others.read_answer(body),
            Self::CohereChat => Cohere.read_answer(body),
            Self::Embed(_) | Self::Count => return Delivered::default(),
        };
        answer.map(|answer| Delivered::of(&answer.parts)).unwrap_or_default()
    }

    /// In whose words the caller is told of an error of ours.
    pub fn dialect(self) -> Option<Dialect> {
        match self {
            Self::Spoken(dialect) => Some(dialect),
            Self::InvokeClaude => Some(Dialect::AnthropicMessages),
            Self::Converse | Self::CohereChat | Self::Embed(_) | Self::Count => None,
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
