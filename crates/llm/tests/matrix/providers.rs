//! Who answers: one provider for each dialect that we speak to providers.

use gatewright_llm::dialect::Outbound;
use gatewright_llm::dialect::anthropic::{Anthropic, AnthropicOn, Envelope};
use gatewright_llm::dialect::bedrock::BedrockConverse;
use gatewright_llm::dialect::cohere::Cohere;
use gatewright_llm::dialect::gemini::Gemini;
use gatewright_llm::dialect::openai_chat::vendors::vendor;
use gatewright_llm::dialect::openai_responses::OpenaiResponses;

use crate::enveloped::in_frames;
use crate::fixture;
use crate::stored_frames::framed;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provider {
    Openai,
    /// A server of which nothing is known but that it is compatible.
    Compatible,
    Responses,
    Anthropic,
    Gemini,
    /// With a model of Anthropic's.
    Bedrock,
    /// Bedrock with the same model in its maker's words.
    Invoke,
    Cohere,
}

impl Provider {
    pub(crate) const ALL: [Self; 8] = [
        Self::Openai,
        Self::Compatible,
        Self::Responses,
        Self::Anthropic,
        Self::Gemini,
        Self::Bedrock,
        Self::Invoke,
        Self::Cohere,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Compatible => "compatible",
            Self::Responses => "responses",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Bedrock => "bedrock",
            Self::Invoke => "bedrock_invoke",
            Self::Cohere => "cohere",
        }
    }

    pub(crate) fn model(self) -> &'static str {
        match self {
            Self::Openai | Self::Responses => "gpt-5.6",
            Self::Compatible => "local-model",
            Self::Anthropic => "claude-sonnet-4-5",
            Self::Gemini => "gemini-3.8-flash",
            Self::Bedrock | Self::Invoke => "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
            Self::Cohere => "command-a-03-2025",
        }
    }

    pub(crate) fn outbound(self) -> &'static dyn Outbound {
        match self {
            Self::Openai => vendor("openai").expect("a row"),
            Self::Compatible => vendor("compatible").expect("a row"),
            Self::Responses => &OpenaiResponses,
            Self::Anthropic => &Anthropic,
            Self::Gemini => &Gemini,
            Self::Bedrock => BedrockConverse::of(self.model()),
            Self::Invoke => &AnthropicOn(Envelope::Bedrock),
            Self::Cohere => &Cohere,
        }
    }

    /// The status that goes with its `error-before`.
    pub(crate) fn error_status(self) -> u16 {
        match self {
            Self::Openai | Self::Compatible | Self::Bedrock | Self::Invoke | Self::Cohere => 400,
            Self::Responses | Self::Gemini => 429,
            Self::Anthropic => 529,
        }
    }

    pub(crate) fn answer(self, name: &str) -> Result<Vec<u8>, String> {
        let folder = match (self, name) {
            // Whatever is said in whose words, Bedrock tells errors in its own.
            (Self::Invoke, "error-before") => Self::Bedrock.fixtures(),
            _ => self.fixtures(),
        };
        fixture(&format!("{folder}/answers/{name}.json"))
    }

    pub(crate) fn stream(self, name: &str) -> Result<Vec<u8>, String> {
        let folder = self.fixtures();
        match self {
            Self::Bedrock => fixture(&format!("{folder}/streams/{name}.json")).map(|stored| framed(&stored)),
            Self::Invoke => Self::Anthropic.stream(name).map(|stream| in_frames(&stream)),
            Self::Openai | Self::Compatible | Self::Responses | Self::Anthropic | Self::Gemini | Self::Cohere => {
                fixture(&format!("{folder}/streams/{name}.sse"))
            }
        }
    }

    /// The payloads of a stream's events, as JSON.
    pub(crate) fn payloads(self, name: &str) -> Result<Vec<serde_json::Value>, String> {
        if self == Self::Bedrock {
            let stored = fixture(&format!("{}/streams/{name}.json", self.fixtures()))?;
            let stored: Vec<serde_json::Value> = serde_json::from_slice(&stored).expect("a list of frames");
            return Ok(stored.iter().map(|frame| frame["payload"].clone()).collect());
        }
        let stream = match self {
            Self::Invoke => Self::Anthropic.stream(name)?,
            _ => self.stream(name)?,
        };
        Ok(crate::content::payloads(&stream))
    }

    fn fixtures(self) -> &'static str {
        match self {
            Self::Openai | Self::Compatible => "openai_chat",
            Self::Responses => "openai_responses",
            Self::Anthropic | Self::Invoke => "anthropic",
            Self::Gemini => "gemini",
            Self::Bedrock => "bedrock",
            Self::Cohere => "cohere",
        }
    }
}
