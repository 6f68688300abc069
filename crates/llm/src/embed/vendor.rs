//! Whose dialect of embeddings a provider speaks.

use gatewright_types::api::{BedrockApi, Dialect, ProviderKind};

use super::EmbedAnswer;
use crate::{Endpoint, Failure, Family, spoken};

/// A dialect of embeddings that providers speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmbedDialect {
    /// OpenAI's, for callers who speak another one.
    Openai,
    /// `batchEmbedContents` of AI Studio.
    Gemini,
    /// `predict` of Vertex AI.
    Vertex,
    /// Cohere's own.
    Cohere,
    /// Cohere's models on Bedrock.
    CohereOnBedrock,
    /// Amazon's own models on Bedrock.
    Titan,
}

/// How a provider of this kind is asked for embeddings by callers who speak another dialect; `None` where it has none.
pub fn embeds(kind: ProviderKind, model: &str) -> Option<(Endpoint, EmbedDialect)> {
    match Family::of(kind) {
        Family::Gemini => Some((Endpoint::BatchEmbedContents, EmbedDialect::Gemini)),
        Family::Vertex => Some((Endpoint::Predict, EmbedDialect::Vertex)),
        Family::Cohere => Some((Endpoint::CohereEmbed, EmbedDialect::Cohere)),
        // Regions and profiles stand before a model's own name.
        Family::Bedrock if model.contains("cohere.embed") => {
            Some((Endpoint::InvokeModel, EmbedDialect::CohereOnBedrock))
        }
        Family::Bedrock if model.contains("amazon.titan-embed-") => Some((Endpoint::InvokeModel, EmbedDialect::Titan)),
        Family::Openai => {
            let there = spoken(kind, BedrockApi::default(), Dialect::OpenaiEmbeddings, model)?;
            Some((there.endpoint, EmbedDialect::Openai))
        }
        Family::Bedrock | Family::Anthropic => None,
    }
}

impl EmbedDialect {
    pub const ALL: [Self; 6] = [
        Self::Openai,
        Self::Gemini,
        Self::Vertex,
        Self::Cohere,
        Self::CohereOnBedrock,
        Self::Titan,
    ];

    /// `inputs` is how many vectors there have to be.
    pub fn read(self, body: &[u8], inputs: usize) -> Result<EmbedAnswer, Failure> {
        match self {
            Self::Openai => EmbedAnswer::read_openai(body, inputs),
            Self::Gemini => EmbedAnswer::read_gemini(body, inputs),
            Self::Vertex => EmbedAnswer::read_vertex(body, inputs),
            Self::Cohere | Self::CohereOnBedrock => EmbedAnswer::read_cohere(body, inputs),
            Self::Titan => EmbedAnswer::read_titan(body, inputs),
        }
    }
}
