//! The kinds of providers there are, and what is known of each without asking anybody.

use serde::{Deserialize, Serialize};

use super::{CredentialKind, ProviderSetting, ProviderSettings};
use crate::Region;

/// What a provider is: which dialect it speaks, where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ProviderKind {
    Openai,
    Azure,
    Anthropic,
    /// Google's AI Studio.
    Gemini,
    Vertex,
    Bedrock,
    Mistral,
    Cohere,
    Groq,
    Deepseek,
    Xai,
    Together,
    Fireworks,
    Openrouter,
    Perplexity,
    Ollama,
    Vllm,
    Huggingface,
    OpenaiCompatible,
    /// Answers by itself, deterministically, without any network.
    Sandbox,
}

impl ProviderKind {
    pub const ALL: [Self; 20] = [
        Self::Openai,
        Self::Azure,
        Self::Anthropic,
        Self::Gemini,
        Self::Vertex,
        Self::Bedrock,
        Self::Mistral,
        Self::Cohere,
        Self::Groq,
        Self::Deepseek,
        Self::Xai,
        Self::Together,
        Self::Fireworks,
        Self::Openrouter,
        Self::Perplexity,
        Self::Ollama,
        Self::Vllm,
        Self::Huggingface,
        Self::OpenaiCompatible,
        Self::Sandbox,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Azure => "azure",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Vertex => "vertex",
            Self::Bedrock => "bedrock",
            Self::Mistral => "mistral",
            Self::Cohere => "cohere",
            Self::Groq => "groq",
            Self::Deepseek => "deepseek",
            Self::Xai => "xai",
            Self::Together => "together",
            Self::Fireworks => "fireworks",
            Self::Openrouter => "openrouter",
            Self::Perplexity => "perplexity",
            Self::Ollama => "ollama",
            Self::Vllm => "vllm",
            Self::Huggingface => "huggingface",
            Self::OpenaiCompatible => "openai-compatible",
            Self::Sandbox => "sandbox",
        }
    }

    /// Where the kind answers when nothing else is said.
    pub const fn usual_base_url(self) -> Option<&'static str> {
        match self {
            Self::Openai => Some("https://api.openai.com/v1"),
            Self::Anthropic => Some("https://api.anthropic.com/v1"),
            Self::Gemini => Some("https://generativelanguage.googleapis.com/v1beta"),
            Self::Mistral => Some("https://api.mistral.ai/v1"),
            Self::Cohere => Some("https://api.cohere.com/v2"),
            Self::Groq => Some("https://api.groq.com/openai/v1"),
            Self::Deepseek => Some("https://api.deepseek.com"),
            Self::Xai => Some("https://api.x.ai/v1"),
            Self::Together => Some("https://api.together.xyz/v1"),
            Self::Fireworks => Some("https://api.fireworks.ai/inference/v1"),
            Self::Openrouter => Some("https://openrouter.ai/api/v1"),
            Self::Perplexity => Some("https://api.perplexity.ai"),
            Self::Ollama => Some("http://127.0.0.1:11434/v1"),
            Self::Vllm => Some("http://127.0.0.1:8000/v1"),
            Self::Huggingface => Some("https://router.huggingface.co/v1"),
            Self::Azure | Self::Vertex | Self::Bedrock | Self::OpenaiCompatible | Self::Sandbox => None,
        }
    }

    /// Whether answers come from an address outside of the gateway.
    pub const fn calls_out(self) -> bool {
        !matches!(self, Self::Sandbox)
    }

    /// Whether it says which models it has where its other addresses are.
    pub const fn lists_models(self) -> bool {
        match self {
            Self::Openai
            | Self::Anthropic
            | Self::Gemini
            | Self::Mistral
            | Self::Cohere
            | Self::Groq
            | Self::Deepseek
            | Self::Xai
            | Self::Together
            | Self::Fireworks
            | Self::Openrouter
            | Self::Ollama
            | Self::Vllm
            | Self::Huggingface
            | Self::OpenaiCompatible => true,
            Self::Azure | Self::Vertex | Self::Bedrock | Self::Perplexity | Self::Sandbox => false,
        }
    }

    /// Where the kind answers with these settings when nothing else is said.
    pub fn usual_address(self, settings: &ProviderSettings) -> Option<String> {
        let region = settings.region.as_ref().map(Region::as_str);
        match (self, region) {
            (Self::Bedrock, Some(region)) => Some(format!("https://bedrock-runtime.{region}.amazonaws.com")),
            (Self::Bedrock, None) => None,
            // An API key without a project is called in "express mode", which has no regions.
            (Self::Vertex, Some("global") | None) => Some("https://aiplatform.googleapis.com".to_owned()),
            (Self::Vertex, Some(region @ ("us" | "eu"))) => {
                Some(format!("https://aiplatform.{region}.rep.googleapis.com"))
            }
            (Self::Vertex, Some(region)) => Some(format!("https://{region}-aiplatform.googleapis.com")),
            (other, _) => other.usual_base_url().map(str::to_owned),
        }
    }

    pub const fn takes(self, setting: ProviderSetting) -> bool {
        match setting {
            ProviderSetting::Region => matches!(self, Self::Bedrock | Self::Vertex),
            ProviderSetting::Project => matches!(self, Self::Vertex),
            ProviderSetting::ApiVersion | ProviderSetting::Deployments => matches!(self, Self::Azure),
            ProviderSetting::Api => matches!(self, Self::Bedrock),
        }
    }

    /// The kinds of credentials that can be used there; the usual one first.
    pub const fn credential_kinds(self) -> &'static [CredentialKind] {
        match self {
            Self::Azure => &[CredentialKind::ApiKey, CredentialKind::Entra],
            Self::Bedrock => &[CredentialKind::Aws, CredentialKind::ApiKey],
            Self::Vertex => &[CredentialKind::Google, CredentialKind::ApiKey],
            Self::Openai
            | Self::Anthropic
            | Self::Gemini
            | Self::Mistral
            | Self::Cohere
            | Self::Groq
            | Self::Deepseek
            | Self::Xai
            | Self::Together
            | Self::Fireworks
            | Self::Openrouter
            | Self::Perplexity
            | Self::Ollama
            | Self::Vllm
            | Self::Huggingface
            | Self::OpenaiCompatible => &[CredentialKind::ApiKey],
            Self::Sandbox => &[],
        }
    }

    /// Whether it answers nobody without a credential.
    pub const fn needs_credential(self) -> bool {
        !matches!(self, Self::Ollama | Self::Vllm | Self::OpenaiCompatible | Self::Sandbox)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clouds_address_follows_its_region() {
        let cases = [
            (
                ProviderKind::Bedrock,
                Some("eu-central-1"),
                Some("https://bedrock-runtime.eu-central-1.amazonaws.com"),
            ),
            (ProviderKind::Bedrock, None, None),
            (
                ProviderKind::Vertex,
                Some("europe-west4"),
                Some("https://europe-west4-aiplatform.googleapis.com"),
            ),
            (
                ProviderKind::Vertex,
                Some("global"),
                Some("https://aiplatform.googleapis.com"),
            ),
            (
                ProviderKind::Vertex,
                Some("eu"),
                Some("https://aiplatform.eu.rep.googleapis.com"),
            ),
            (ProviderKind::Vertex, None, Some("https://aiplatform.googleapis.com")),
            (ProviderKind::Azure, None, None),
            (ProviderKind::Groq, None, Some("https://api.groq.com/openai/v1")),
        ];
        for (kind, region, expected) in cases {
            let settings = ProviderSettings {
                region: region.map(|region| region.parse().expect("a region")),
                ..ProviderSettings::default()
            };
            assert_eq!(
                kind.usual_address(&settings).as_deref(),
                expected,
                "{kind:?} in {region:?}"
            );
        }
    }
}
