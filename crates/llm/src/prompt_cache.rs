//! Providers keep what prompts begin with, so that the same beginning costs less the next time. Which of them has to be
//! told how, and the key by which OpenAI keeps requests together that begin alike.

use gatewright_types::api::ProviderKind;
use sha2::{Digest as _, Sha256};

use crate::Family;
use crate::dialect::bedrock;

/// Characters of a key's digest.
const KEY_LENGTH: usize = 32;

/// How a provider is told what to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CachedBy {
    /// Marks in the prompt say up to where. Without them nothing is kept.
    Marks,
    /// It keeps what is long enough; a key leads requests that begin alike to where that is.
    Key,
}

impl CachedBy {
    /// `None` where nothing has to be said, or nothing can be.
    pub fn of(kind: ProviderKind, model: &str) -> Option<Self> {
        match Family::of(kind) {
            Family::Anthropic => Some(Self::Marks),
            Family::Vertex if model.starts_with("claude") => Some(Self::Marks),
            Family::Bedrock if bedrock::is_claude(model) && bedrock::takes_cache_points(model) => Some(Self::Marks),
            // Others who speak OpenAI's dialect may refuse a member that they do not know.
            Family::Openai if matches!(kind, ProviderKind::Openai | ProviderKind::Azure) => Some(Self::Key),
            Family::Openai | Family::Gemini | Family::Vertex | Family::Cohere | Family::Bedrock => None,
        }
    }
}

/// The key of requests that begin with these pieces. Whose they are is part of it and cannot be read from it.
pub(crate) fn key<'a>(organization: &str, model: &str, beginning: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut digest = Sha256::new();
    let mut add = |piece: &[u8]| {
        // So that no two lists of pieces look alike.
        digest.update((piece.len() as u64).to_be_bytes());
        digest.update(piece);
    };
    add(organization.as_bytes());
    add(model.as_bytes());
    beginning.into_iter().for_each(add);
    let mut key = format!("gw-{}", hex::encode(digest.finalize()));
    key.truncate("gw-".len() + KEY_LENGTH);
    key
}

/// A key as the first member of a body that has others.
pub(crate) fn member(key: &str) -> String {
    format!(r#""prompt_cache_key":"{key}","#)
}

/// A request in OpenAI's dialect with this key.
pub fn with_key(body: &[u8], key: &str) -> Vec<u8> {
    match body.strip_prefix(b"{") {
        Some(members) => [b"{", member(key).as_bytes(), members].concat(),
        None => body.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_has_to_be_told_is_told() {
        let check = |kind, model, expected| assert_eq!(CachedBy::of(kind, model), expected, "{kind:?} {model}");

        check(ProviderKind::Anthropic, "claude-sonnet-4-5", Some(CachedBy::Marks));
        check(
            ProviderKind::Vertex,
            "claude-sonnet-4-5@20250929",
            Some(CachedBy::Marks),
        );
        check(
            ProviderKind::Bedrock,
            "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
            Some(CachedBy::Marks),
        );
        check(ProviderKind::Openai, "gpt-5.1", Some(CachedBy::Key));
        check(ProviderKind::Azure, "gpt-5.1", Some(CachedBy::Key));
        for (kind, model) in [
            (ProviderKind::Vertex, "gemini-2.5-pro"),
            (ProviderKind::Bedrock, "anthropic.claude-v2:1"),
            (ProviderKind::Bedrock, "amazon.nova-pro-v1:0"),
            (ProviderKind::OpenaiCompatible, "gpt-5.1"),
            (ProviderKind::Gemini, "gemini-2.5-pro"),
        ] {
            check(kind, model, None);
        }
    }

    #[test]
    fn a_key_tells_apart_what_differs_and_names_nobody() {
        let usual = key("org_acme", "m", [&b"be brief"[..], b"hi"]);

        assert_eq!(usual, key("org_acme", "m", [&b"be brief"[..], b"hi"]));
        for other in [
            key("org_other", "m", [&b"be brief"[..], b"hi"]),
            key("org_acme", "n", [&b"be brief"[..], b"hi"]),
            key("org_acme", "m", [&b"be brie"[..], b"fhi"]),
        ] {
            assert_ne!(usual, other);
        }
        assert!(!usual.contains("acme") && usual.len() == 35, "{usual}");
    }
}
