//! Who asks: the dialects that callers speak to us.

use bytes::Bytes;
use gatewright_llm::dialect::{Inbound, Outbound, PathFacts, inbound};
use gatewright_llm::{BadRequest, Request};
use gatewright_types::api::Dialect;

use crate::cases::Case;
use crate::fixture;
use crate::providers::Provider;

/// A dialect of conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caller(pub(crate) Dialect);

impl Caller {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Dialect::CONVERSATIONS.into_iter().map(Self)
    }

    pub(crate) fn name(self) -> &'static str {
        match self.0 {
            Dialect::OpenaiChat => "openai_chat",
            Dialect::OpenaiResponses => "openai_responses",
            Dialect::OpenaiCompletions => "openai_completions",
            Dialect::AnthropicMessages => "anthropic",
            Dialect::GeminiGenerate => "gemini",
            Dialect::OpenaiEmbeddings | Dialect::GeminiEmbed | Dialect::GeminiBatchEmbed | Dialect::Native(_) => {
                unreachable!("this is no conversation")
            }
        }
    }

    /// Old completions know texts only.
    pub(crate) fn can_ask(self, case: Case) -> bool {
        self.0 != Dialect::OpenaiCompletions || case.is_of_text_only()
    }

    pub(crate) fn inbound(self) -> &'static dyn Inbound {
        inbound(self.0)
    }

    /// The same dialect as a provider speaks it: it reads what the caller is told. Old completions have none.
    pub(crate) fn reader(self) -> Option<&'static dyn Outbound> {
        match self.0 {
            Dialect::OpenaiChat => Some(Provider::Openai.outbound()),
            Dialect::OpenaiResponses => Some(Provider::Responses.outbound()),
            Dialect::OpenaiCompletions
            | Dialect::OpenaiEmbeddings
            | Dialect::GeminiEmbed
            | Dialect::GeminiBatchEmbed
            | Dialect::Native(_) => None,
            Dialect::AnthropicMessages => Some(Provider::Anthropic.outbound()),
            Dialect::GeminiGenerate => Some(Provider::Gemini.outbound()),
        }
    }

    pub(crate) fn body(self, case: Case) -> Result<Bytes, String> {
        fixture(&format!("{}/requests/{}.json", self.name(), case.request())).map(Bytes::from)
    }

    pub(crate) fn parse(self, body: Bytes, stream: bool) -> Result<Request, BadRequest> {
        let path = match self.0 {
            Dialect::GeminiGenerate => PathFacts {
                model: Some("gemini-3.8-flash"),
                stream,
            },
            Dialect::OpenaiChat
            | Dialect::OpenaiResponses
            | Dialect::OpenaiCompletions
            | Dialect::OpenaiEmbeddings
            | Dialect::GeminiEmbed
            | Dialect::GeminiBatchEmbed
            | Dialect::Native(_)
            | Dialect::AnthropicMessages => PathFacts::default(),
        };
        Request::parse(self.0, body, path)
    }
}
