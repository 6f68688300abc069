//! The kinds of providers there are, and what is known of each without asking anybody.

use serde::{Deserialize, Serialize};

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
}
