//! What people call the kinds of providers and credentials, and in which order they choose among them.

use gatewright_types::api::{CredentialKind, ProviderKind};

pub(super) const fn kind_title(kind: ProviderKind) -> &'static str {
    match kind {
        ProviderKind::Openai => "OpenAI",
        ProviderKind::Azure => "Azure OpenAI",
        ProviderKind::Anthropic => "Anthropic",
        ProviderKind::Gemini => "Google AI Studio (Gemini)",
        ProviderKind::Vertex => "Google Vertex AI",
        ProviderKind::Bedrock => "Amazon Bedrock",
        ProviderKind::Mistral => "Mistral",
        ProviderKind::Cohere => "Cohere",
        ProviderKind::Groq => "Groq",
        ProviderKind::Deepseek => "DeepSeek",
        ProviderKind::Xai => "xAI",
        ProviderKind::Together => "Together AI",
        ProviderKind::Fireworks => "Fireworks AI",
        ProviderKind::Openrouter => "OpenRouter",
        ProviderKind::Perplexity => "Perplexity",
        ProviderKind::Ollama => "Ollama",
        ProviderKind::Vllm => "vLLM",
        ProviderKind::Huggingface => "Hugging Face",
        ProviderKind::OpenaiCompatible => "OpenAI-compatible server",
        ProviderKind::Sandbox => "Sandbox (built in, no account)",
    }
}

pub(super) const fn credential_title(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::ApiKey => "API key",
        CredentialKind::Aws => "AWS access key",
        CredentialKind::Entra => "Microsoft Entra application",
        CredentialKind::Google => "Google service account",
    }
}

/// What stands in an empty field for the address.
pub(super) const fn address_example(kind: ProviderKind) -> &'static str {
    match kind.usual_base_url() {
        Some(address) => address,
        None => match kind {
            ProviderKind::Azure => "https://my-resource.openai.azure.com",
            ProviderKind::Bedrock => "https://bedrock-runtime.eu-central-1.amazonaws.com",
            ProviderKind::Vertex => "https://europe-west4-aiplatform.googleapis.com",
            _ => "https://models.example.com/v1",
        },
    }
}

pub(super) fn parse_kind(text: &str) -> Option<ProviderKind> {
    ProviderKind::ALL.into_iter().find(|kind| kind.as_str() == text)
}

/// All kinds as `(value, title)`, in groups with their headings.
pub(super) fn grouped() -> Vec<(&'static str, Vec<(String, String)>)> {
    let of = |wanted: Group| {
        ProviderKind::ALL
            .into_iter()
            .filter(move |kind| group(*kind) == wanted)
            .map(|kind| (kind.as_str().to_owned(), kind_title(kind).to_owned()))
            .collect()
    };
    vec![
        ("Makers of models", of(Group::Maker)),
        ("Clouds", of(Group::Cloud)),
        ("Hosts of open models", of(Group::Host)),
        ("Your own servers", of(Group::Own)),
        ("Built in", of(Group::BuiltIn)),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Maker,
    Cloud,
    Host,
    Own,
    BuiltIn,
}

const fn group(kind: ProviderKind) -> Group {
    match kind {
        ProviderKind::Openai
        | ProviderKind::Anthropic
        | ProviderKind::Gemini
        | ProviderKind::Mistral
        | ProviderKind::Cohere
        | ProviderKind::Deepseek
        | ProviderKind::Xai
        | ProviderKind::Perplexity => Group::Maker,
        ProviderKind::Azure | ProviderKind::Vertex | ProviderKind::Bedrock => Group::Cloud,
        ProviderKind::Groq
        | ProviderKind::Together
        | ProviderKind::Fireworks
        | ProviderKind::Openrouter
        | ProviderKind::Huggingface => Group::Host,
        ProviderKind::Ollama | ProviderKind::Vllm | ProviderKind::OpenaiCompatible => Group::Own,
        ProviderKind::Sandbox => Group::BuiltIn,
    }
}
