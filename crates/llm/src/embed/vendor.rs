//! Whose dialect of embeddings a provider speaks, where it is not OpenAI's.

use gatewright_types::api::ProviderKind;

use super::{EmbedAnswer, EmbedRequest};
use crate::dialect::{Unsupported, Written};
use crate::{Endpoint, Failure, Family};

/// A dialect of embeddings that only providers speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmbedDialect {
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

/// How a provider of this kind is asked for embeddings; `None` where it has none in a dialect of its own.
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
        Family::Bedrock | Family::Openai | Family::Anthropic => None,
    }
}

impl EmbedDialect {
    pub fn write(self, request: &EmbedRequest, model: &str) -> Result<Written, Unsupported> {
        match self {
            Self::Gemini => request.write_gemini(model),
            Self::Vertex => request.write_vertex(model),
            Self::Cohere => request.write_cohere(model),
            Self::CohereOnBedrock => request.write_cohere_on_bedrock(),
            Self::Titan => request.write_titan(model),
        }
    }

    /// `inputs` is how many vectors there have to be.
    pub fn read(self, body: &[u8], inputs: usize) -> Result<EmbedAnswer, Failure> {
        match self {
            Self::Gemini => EmbedAnswer::read_gemini(body, inputs),
            Self::Vertex => EmbedAnswer::read_vertex(body, inputs),
            Self::Cohere | Self::CohereOnBedrock => EmbedAnswer::read_cohere(body, inputs),
            Self::Titan => EmbedAnswer::read_titan(body, inputs),
        }
    }
}
