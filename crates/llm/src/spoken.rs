//! What each kind of provider speaks: whether a caller's request passes as it is, and what it is translated to otherwise.

use gatewright_types::api::{BedrockApi, Dialect, ProviderKind};

use crate::dialect::Outbound;
use crate::dialect::anthropic::{Anthropic, AnthropicOn, Envelope};
use crate::dialect::bedrock::{self, BedrockConverse};
use crate::dialect::cohere::Cohere;
use crate::dialect::gemini::Gemini;
use crate::dialect::openai_chat::Quirks;
use crate::dialect::openai_chat::vendors::vendor;
use crate::model_id::path_segment;

/// How a request of a caller's dialect is put to a provider.
#[derive(Debug, Clone, Copy)]
pub struct Spoken {
    pub endpoint: Endpoint,
    /// Absent when the provider speaks the caller's dialect: nothing has to be translated.
    pub outbound: Option<&'static dyn Outbound>,
    /// A vendor's own words for some of what it is asked in the caller's dialect; absent where that is OpenAI's to the
    /// letter, or where nothing is known.
    pub accent: Option<&'static Quirks>,
    /// Where the provider takes the caller's own body, if that fits into its envelope.
    pub enveloped: Option<Enveloped>,
}

/// An address that takes bodies of Anthropic's dialect in an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enveloped {
    pub endpoint: Endpoint,
    pub envelope: Envelope,
}

/// Kinds of providers that are spoken to alike. The one place where every kind is told apart by its dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    Openai,
    Anthropic,
    Gemini,
    /// Gemini's dialect and, for Claude, Anthropic's.
    Vertex,
    Cohere,
    Bedrock,
}

/// Which of a provider's addresses a request goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    ChatCompletions,
    Responses,
    Completions,
    Embeddings,
    Messages,
    GenerateContent,
    /// Claude on Vertex.
    RawPredict,
    CohereChat,
    Converse,
    /// Gemini's embeddings, of one content and of several.
    EmbedContent,
    BatchEmbedContents,
    /// Vertex's embeddings.
    Predict,
    CohereEmbed,
    /// A model of Bedrock's in its maker's own dialect.
    InvokeModel,
    /// Anthropic's count of tokens.
    CountMessages,
    /// The same on Vertex, where the body names the model.
    CountRawPredict,
    /// Google's count of tokens.
    CountTokens,
}

/// `None` when this kind has nothing that the dialect asks for. `api` is how Claude is spoken to on Bedrock; elsewhere it
/// changes nothing.
pub fn spoken(kind: ProviderKind, api: BedrockApi, asked: Dialect, model: &str) -> Option<Spoken> {
    let is_claude_on_vertex = kind == ProviderKind::Vertex && model.starts_with("claude");
    if is_claude_on_vertex && !asked.embeds() {
        return Some(Spoken {
            endpoint: Endpoint::RawPredict,
            outbound: Some(&AnthropicOn(Envelope::Vertex)),
            accent: None,
            enveloped: (asked == Dialect::AnthropicMessages).then_some(Enveloped {
                endpoint: Endpoint::RawPredict,
                envelope: Envelope::Vertex,
            }),
        });
    }
    if let Some(endpoint) = native(kind, asked) {
        return Some(Spoken {
            endpoint,
            outbound: None,
            accent: accent(kind, asked),
            enveloped: None,
        });
    }
    if !Dialect::CONVERSATIONS.contains(&asked) {
        return None;
    }
    let (endpoint, outbound): (_, &'static dyn Outbound) = match Family::of(kind) {
        Family::Openai => (Endpoint::ChatCompletions, vendor_of(kind)),
        Family::Anthropic => (Endpoint::Messages, &Anthropic),
        Family::Gemini | Family::Vertex => (Endpoint::GenerateContent, &Gemini),
        Family::Cohere => (Endpoint::CohereChat, &Cohere),
        Family::Bedrock if api == BedrockApi::Invoke && bedrock::is_claude(model) => {
            (Endpoint::InvokeModel, &AnthropicOn(Envelope::Bedrock))
        }
        Family::Bedrock => (Endpoint::Converse, BedrockConverse::of(model)),
    };
    let invoked = kind == ProviderKind::Bedrock && asked == Dialect::AnthropicMessages && bedrock::is_claude(model);
    Some(Spoken {
        endpoint,
        outbound: Some(outbound),
        accent: None,
        enveloped: invoked.then_some(Enveloped {
            endpoint: Endpoint::InvokeModel,
            envelope: Envelope::Bedrock,
        }),
    })
}

fn accent(kind: ProviderKind, asked: Dialect) -> Option<&'static Quirks> {
    if !matches!(asked, Dialect::OpenaiChat | Dialect::OpenaiCompletions) {
        return None;
    }
    match kind {
        ProviderKind::Openai
        | ProviderKind::Azure
        | ProviderKind::OpenaiCompatible
        | ProviderKind::Sandbox
        | ProviderKind::Anthropic
        | ProviderKind::Gemini
        | ProviderKind::Vertex
        | ProviderKind::Cohere
        | ProviderKind::Bedrock => None,
        ProviderKind::Mistral
        | ProviderKind::Groq
        | ProviderKind::Deepseek
        | ProviderKind::Xai
        | ProviderKind::Together
        | ProviderKind::Fireworks
        | ProviderKind::Openrouter
        | ProviderKind::Perplexity
        | ProviderKind::Ollama
        | ProviderKind::Vllm
        | ProviderKind::Huggingface => vendor(kind.as_str()).map(|vendor| &vendor.quirks),
    }
}

/// Where a kind takes requests of a dialect as they are.
fn native(kind: ProviderKind, asked: Dialect) -> Option<Endpoint> {
    let endpoint = match asked {
        Dialect::OpenaiChat => Endpoint::ChatCompletions,
        Dialect::OpenaiResponses => Endpoint::Responses,
        Dialect::OpenaiCompletions => Endpoint::Completions,
        Dialect::OpenaiEmbeddings => Endpoint::Embeddings,
        Dialect::AnthropicMessages => Endpoint::Messages,
        Dialect::GeminiGenerate => Endpoint::GenerateContent,
        Dialect::GeminiEmbed => Endpoint::EmbedContent,
        Dialect::GeminiBatchEmbed => Endpoint::BatchEmbedContents,
        Dialect::Native(_) => return None,
    };
    let endpoints: &[Endpoint] = match kind {
        ProviderKind::Openai | ProviderKind::Azure => &[
            Endpoint::ChatCompletions,
            Endpoint::Responses,
            Endpoint::Completions,
            Endpoint::Embeddings,
        ],
        ProviderKind::Together
        | ProviderKind::Fireworks
        | ProviderKind::Ollama
        | ProviderKind::Vllm
        | ProviderKind::OpenaiCompatible => &[Endpoint::ChatCompletions, Endpoint::Completions, Endpoint::Embeddings],
        ProviderKind::Openrouter => &[Endpoint::ChatCompletions, Endpoint::Completions],
        ProviderKind::Mistral => &[Endpoint::ChatCompletions, Endpoint::Embeddings],
        ProviderKind::Groq
        | ProviderKind::Deepseek
        | ProviderKind::Xai
        | ProviderKind::Perplexity
        | ProviderKind::Huggingface
        | ProviderKind::Sandbox => &[Endpoint::ChatCompletions],
        ProviderKind::Anthropic => &[Endpoint::Messages],
        ProviderKind::Gemini => &[
            Endpoint::GenerateContent,
            Endpoint::EmbedContent,
            Endpoint::BatchEmbedContents,
        ],
        ProviderKind::Vertex => &[Endpoint::GenerateContent],
        ProviderKind::Cohere | ProviderKind::Bedrock => &[],
    };
    endpoints.contains(&endpoint).then_some(endpoint)
}

fn vendor_of(kind: ProviderKind) -> &'static dyn Outbound {
    let name = match kind {
        ProviderKind::OpenaiCompatible | ProviderKind::Sandbox => "compatible",
        other => other.as_str(),
    };
    vendor(name)
        .or_else(|| vendor("compatible"))
        .expect("the table has a row for the others")
}

impl Family {
    pub const fn of(kind: ProviderKind) -> Self {
        match kind {
            ProviderKind::Openai
            | ProviderKind::Azure
            | ProviderKind::Mistral
            | ProviderKind::Groq
            | ProviderKind::Deepseek
            | ProviderKind::Xai
            | ProviderKind::Together
            | ProviderKind::Fireworks
            | ProviderKind::Openrouter
            | ProviderKind::Perplexity
            | ProviderKind::Ollama
            | ProviderKind::Vllm
            | ProviderKind::Huggingface
            | ProviderKind::OpenaiCompatible
            | ProviderKind::Sandbox => Self::Openai,
            ProviderKind::Anthropic => Self::Anthropic,
            ProviderKind::Gemini => Self::Gemini,
            ProviderKind::Vertex => Self::Vertex,
            ProviderKind::Cohere => Self::Cohere,
            ProviderKind::Bedrock => Self::Bedrock,
        }
    }

    /// The dialect of callers in which one of its providers is told of, whatever was asked of it.
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::Anthropic => Dialect::AnthropicMessages,
            Self::Gemini | Self::Vertex => Dialect::GeminiGenerate,
            Self::Openai | Self::Cohere | Self::Bedrock => Dialect::OpenaiChat,
        }
    }
}

impl Endpoint {
    /// The address below the provider's base.
    pub fn path(self, model: &str, stream: bool) -> String {
        match (self, stream) {
            (Self::ChatCompletions, _) => "chat/completions".to_owned(),
            (Self::Responses, _) => "responses".to_owned(),
            (Self::Completions, _) => "completions".to_owned(),
            (Self::Embeddings, _) => "embeddings".to_owned(),
            (Self::Messages, _) => "messages".to_owned(),
            (Self::GenerateContent, false) => format!("models/{}:generateContent", path_segment(model)),
            (Self::GenerateContent, true) => format!("models/{}:streamGenerateContent?alt=sse", path_segment(model)),
            (Self::RawPredict, false) => format!("models/{}:rawPredict", path_segment(model)),
            (Self::RawPredict, true) => format!("models/{}:streamRawPredict", path_segment(model)),
            (Self::CohereChat, _) => "chat".to_owned(),
            (Self::Converse, false) => format!("model/{}/converse", path_segment(model)),
            (Self::Converse, true) => format!("model/{}/converse-stream", path_segment(model)),
            (Self::EmbedContent, _) => format!("models/{}:embedContent", path_segment(model)),
            (Self::BatchEmbedContents, _) => format!("models/{}:batchEmbedContents", path_segment(model)),
            (Self::Predict, _) => format!("models/{}:predict", path_segment(model)),
            (Self::CohereEmbed, _) => "embed".to_owned(),
            (Self::CountMessages, _) => "messages/count_tokens".to_owned(),
            (Self::CountRawPredict, _) => "models/count-tokens:rawPredict".to_owned(),
            (Self::CountTokens, _) => format!("models/{}:countTokens", path_segment(model)),
            (Self::InvokeModel, false) => format!("model/{}/invoke", path_segment(model)),
            (Self::InvokeModel, true) => format!("model/{}/invoke-with-response-stream", path_segment(model)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_answers_every_conversation_and_passes_its_own_dialect_on() {
        for dialect in Dialect::CONVERSATIONS {
            for kind in ProviderKind::ALL {
                assert!(
                    spoken(kind, BedrockApi::Converse, dialect, "m").is_some(),
                    "{kind:?} {dialect:?}"
                );
            }
        }
        let spoken = |kind, dialect, model| spoken(kind, BedrockApi::Converse, dialect, model);
        let passes = |kind, dialect| spoken(kind, dialect, "m").is_some_and(|spoken| spoken.outbound.is_none());
        assert!(passes(ProviderKind::Openai, Dialect::OpenaiResponses));
        assert!(passes(ProviderKind::Anthropic, Dialect::AnthropicMessages));
        assert!(passes(ProviderKind::Gemini, Dialect::GeminiGenerate));
        assert!(!passes(ProviderKind::Anthropic, Dialect::OpenaiChat));
        assert!(passes(ProviderKind::Gemini, Dialect::GeminiBatchEmbed));
        assert!(spoken(ProviderKind::Anthropic, Dialect::OpenaiEmbeddings, "m").is_none());
        assert!(spoken(ProviderKind::Vertex, Dialect::GeminiEmbed, "claude-x").is_none());
    }

    #[test]
    fn kinds_that_are_compatible_have_a_row_and_agree_with_it_on_the_address() {
        for kind in ProviderKind::ALL {
            let Some(row) = vendor(kind.as_str()) else { continue };
            let normal = |url: &str| url.replace("localhost", "127.0.0.1");
            assert_eq!(
                row.usual_base_url.map(normal),
                kind.usual_base_url().map(normal),
                "{kind:?}"
            );
        }
        for kind in [ProviderKind::Groq, ProviderKind::Deepseek, ProviderKind::Huggingface] {
            assert!(vendor(kind.as_str()).is_some(), "{kind:?}");
        }
    }

    #[test]
    fn a_vendors_own_words_hold_in_both_of_openais_dialects_for_conversations() {
        let has_accent = |kind, asked| {
            let spoken = spoken(kind, BedrockApi::Converse, asked, "m").expect("an answer");
            spoken.accent.is_some()
        };
        for asked in [Dialect::OpenaiChat, Dialect::OpenaiCompletions] {
            assert!(has_accent(ProviderKind::Fireworks, asked), "{asked:?}");
            assert!(!has_accent(ProviderKind::Openai, asked), "{asked:?}");
        }
        assert!(!has_accent(ProviderKind::Fireworks, Dialect::OpenaiEmbeddings));
    }

    #[test]
    fn claude_is_asked_in_its_own_dialect_wherever_it_is_known_by_its_name() {
        let invoked = |kind, asked, model| {
            let spoken = spoken(kind, BedrockApi::Converse, asked, model).expect("an answer");
            spoken.enveloped.map(|enveloped| enveloped.endpoint)
        };
        let messages = Dialect::AnthropicMessages;
        for model in [
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
            "eu.anthropic.claude-opus-4-6-v1",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-4-5-20251101-v1:0",
        ] {
            assert_eq!(
                invoked(ProviderKind::Bedrock, messages, model),
                Some(Endpoint::InvokeModel),
                "{model}"
            );
            assert_eq!(
                invoked(ProviderKind::Bedrock, Dialect::OpenaiChat, model),
                None,
                "{model}"
            );
        }
        for model in [
            "amazon.nova-pro-v1:0",
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2",
        ] {
            assert_eq!(invoked(ProviderKind::Bedrock, messages, model), None, "{model}");
        }
        assert_eq!(
            invoked(ProviderKind::Vertex, messages, "claude-sonnet-4-5@20250929"),
            Some(Endpoint::RawPredict)
        );
        assert_eq!(invoked(ProviderKind::Vertex, messages, "gemini-2.5-pro"), None);
        assert_eq!(invoked(ProviderKind::Anthropic, messages, "claude-sonnet-4-5"), None);
    }

    #[test]
    fn claude_on_bedrock_is_spoken_to_by_the_interface_that_is_set_and_others_by_converse() {
        let check = |api, model, expected| {
            for asked in Dialect::CONVERSATIONS {
                let spoken = spoken(ProviderKind::Bedrock, api, asked, model).expect("an answer");
                assert_eq!(spoken.endpoint, expected, "{api:?} {asked:?} {model}");
            }
        };

        let claude = "us.anthropic.claude-opus-4-6-v1";
        check(BedrockApi::Converse, claude, Endpoint::Converse);
        check(BedrockApi::Invoke, claude, Endpoint::InvokeModel);
        check(BedrockApi::Invoke, "amazon.nova-pro-v1:0", Endpoint::Converse);
    }

    #[test]
    fn a_model_is_one_segment_of_the_address() {
        assert_eq!(
            Endpoint::GenerateContent.path("a/b?c", true),
            "models/a%2Fb%3Fc:streamGenerateContent?alt=sse"
        );
        assert_eq!(
            Endpoint::Converse.path("anthropic.claude:0", false),
            "model/anthropic.claude:0/converse"
        );
    }
}
