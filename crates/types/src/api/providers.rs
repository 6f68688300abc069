//! Providers: where requests go, and the credentials used there. A credential's secret goes in and never comes out.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{CredentialId, DisplayName, ProviderId, Slug};

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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Provider {
    pub id: ProviderId,
    pub name: Slug,
    pub kind: ProviderKind,
    /// The effective address; null for a kind that has none.
    pub base_url: Option<String>,
    pub credentials: Vec<Credential>,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Credential {
    pub id: CredentialId,
    pub name: DisplayName,
    pub weight: u32,
    /// The last four characters of the secret.
    pub hint: String,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewProvider {
    pub name: Slug,
    pub kind: ProviderKind,
    #[serde(default)]
    pub base_url: Option<String>,
    #[serde(default)]
    pub credentials: Vec<NewCredential>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewCredential {
    pub name: DisplayName,
    pub api_key: String,
    #[serde(default = "usual_weight")]
    pub weight: u32,
}

pub(super) fn usual_weight() -> u32 {
    1
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProviderChange {
    pub base_url: Option<String>,
}

/// What the cheapest real call to the provider gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SelfTest {
    pub credential: Option<CredentialId>,
    pub outcome: SelfTestOutcome,
    /// The provider's status code, when it answered.
    pub status: Option<u16>,
    /// The provider's own words on failure, without our secret.
    pub message: String,
    pub duration_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SelfTestOutcome {
    Works,
    /// The provider refused the credential.
    Refused,
    /// The provider answered something else than expected.
    Unexpected,
    /// No answer: name, address, connection or time-out.
    Unreachable,
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
}
