//! What the addresses of providers are for.

use gatewright_types::api::{Dialect, ProviderKind};
use percent_encoding::percent_decode_str;

use super::Purpose;
use crate::embed::{EmbedDialect, embeds};

/// What an address says of a request that is posted to it.
pub(super) struct There {
    pub(super) purpose: Option<Purpose>,
    pub(super) model: Option<String>,
    pub(super) stream: bool,
}

/// `path` is the whole path of the address, as it is sent. `None` for what is not known.
pub(super) fn look(kind: ProviderKind, path: &str) -> Option<There> {
    let mut from_end = path.rsplit('/');
    let (last, before, third) = (from_end.next()?, from_end.next().unwrap_or_default(), from_end.next());
    if let (ProviderKind::Bedrock, Some("model")) = (kind, third) {
        return at_bedrock(&decoded(before)?, last);
    }
    if let (Some((model, verb)), "models") = (last.rsplit_once(':'), before) {
        return at_google(path, &decoded(model)?, verb);
    }
    let purpose = match (last, before) {
        ("completions", "chat") => Purpose::Spoken(Dialect::OpenaiChat),
        ("completions", _) => Purpose::Spoken(Dialect::OpenaiCompletions),
        ("responses", _) => Purpose::Spoken(Dialect::OpenaiResponses),
        ("embeddings", _) => Purpose::Spoken(Dialect::OpenaiEmbeddings),
        ("count_tokens", "messages") => Purpose::Count,
        ("messages", _) if before == "v1" || kind == ProviderKind::Anthropic => {
            Purpose::Spoken(Dialect::AnthropicMessages)
        }
        ("chat", _) if kind == ProviderKind::Cohere => Purpose::CohereChat,
        ("embed", _) if kind == ProviderKind::Cohere => Purpose::Embed(EmbedDialect::Cohere),
        _ => return None,
    };
    let model = match kind {
        ProviderKind::Azure => deployment(path),
        _ => None,
    };
    Some(There {
        purpose: Some(purpose),
        model,
        stream: false,
    })
}

fn at_bedrock(model: &str, verb: &str) -> Option<There> {
    let (conversing, stream) = match verb {
        "converse" => (true, false),
        "converse-stream" => (true, true),
        "invoke" => (false, false),
        "invoke-with-response-stream" => (false, true),
        _ => return None,
    };
    let purpose = match embeds(ProviderKind::Bedrock, model) {
        _ if conversing => Purpose::Converse,
        Some((_, dialect)) => Purpose::Embed(dialect),
        None if model.contains("anthropic.claude") => Purpose::InvokeClaude,
        None => Purpose::Invoke,
    };
    Some(There {
        purpose: Some(purpose),
        model: Some(model.to_owned()),
        stream,
    })
}

fn at_google(path: &str, model: &str, verb: &str) -> Option<There> {
    let published_by = |maker: &str| path.contains(&format!("/publishers/{maker}/"));
    let (claude, mistral) = (published_by("anthropic"), published_by("mistralai"));
    let (purpose, stream) = match verb {
        "generateContent" => (Purpose::Spoken(Dialect::GeminiGenerate), false),
        "streamGenerateContent" => (Purpose::Spoken(Dialect::GeminiGenerate), true),
        "countTokens" => (Purpose::Count, false),
        "embedContent" => (Purpose::Spoken(Dialect::GeminiEmbed), false),
        "batchEmbedContents" => (Purpose::Spoken(Dialect::GeminiBatchEmbed), false),
        "predict" => (Purpose::Embed(EmbedDialect::Vertex), false),
        // The body names the model there.
        "rawPredict" if claude && model == "count-tokens" => {
            return Some(There {
                purpose: Some(Purpose::Count),
                model: None,
                stream: false,
            });
        }
        // Mistral's models there speak as they do at home.
        "rawPredict" if mistral => (Purpose::Spoken(Dialect::OpenaiChat), false),
        "streamRawPredict" if mistral => (Purpose::Spoken(Dialect::OpenaiChat), true),
        "rawPredict" if claude => (Purpose::Spoken(Dialect::AnthropicMessages), false),
        "streamRawPredict" if claude => (Purpose::Spoken(Dialect::AnthropicMessages), true),
        _ => return None,
    };
    Some(There {
        purpose: Some(purpose),
        model: Some(model.to_owned()),
        stream,
    })
}

/// Azure's classic addresses name the deployment, whatever the body says.
fn deployment(path: &str) -> Option<String> {
    let (_, after) = path.split_once("/openai/deployments/")?;
    decoded(after.split('/').next()?)
}

/// A segment of a path with its percent signs read once; `None` for what is no text then.
fn decoded(segment: &str) -> Option<String> {
    let text = percent_decode_str(segment).decode_utf8().ok()?;
    Some(text.into_owned())
}
