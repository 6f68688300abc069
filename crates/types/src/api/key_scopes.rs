//! What a key may be used for, and from where. What is left out is not limited.

use serde::{Deserialize, Serialize};

use crate::{IpRange, Region, Slug, ToolPattern, UnitPrice};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct KeyScopes {
    /// Where requests may come from; anywhere when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ip_ranges: Vec<IpRange>,
    /// The addresses it may call; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<Vec<KeyEndpoint>>,
    /// The providers its requests may go to; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub providers: Option<Vec<Slug>>,
    /// The tools its requests may declare, by their names, with `*` for any characters; all when absent, none when empty.
    /// A tool that a provider has itself goes by its type without a date: `web_search`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<ToolPattern>>,
    /// The regions or areas its requests may go to; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regions: Option<Vec<Region>>,
    /// What a model may cost at most. One whose price is not known is out of reach then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub highest_price: Option<HighestPrice>,
}

/// In dollars per million tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct HighestPrice {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<UnitPrice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<UnitPrice>,
}

/// An address of the data plane, or several that do the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum KeyEndpoint {
    /// `POST /v1/chat/completions`.
    Chat,
    /// `POST /v1/completions`.
    Completions,
    /// `/v1/responses` and what is below it.
    Responses,
    /// `POST /v1/messages`.
    Messages,
    /// Gemini's `:generateContent` and `:streamGenerateContent`.
    GenerateContent,
    /// `POST /v1/embeddings`, and Gemini's `:embedContent` and `:batchEmbedContents`.
    Embeddings,
    /// `POST /v1/messages/count_tokens` and Gemini's `:countTokens`.
    CountTokens,
    /// The lists of models.
    Models,
    /// A provider's own addresses, below `/native`.
    Native,
}

impl KeyScopes {
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }
}

impl KeyEndpoint {
    pub const ALL: [Self; 9] = [
        Self::Chat,
        Self::Completions,
        Self::Responses,
        Self::Messages,
        Self::GenerateContent,
        Self::Embeddings,
        Self::CountTokens,
        Self::Models,
        Self::Native,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Completions => "completions",
            Self::Responses => "responses",
            Self::Messages => "messages",
            Self::GenerateContent => "generate_content",
            Self::Embeddings => "embeddings",
            Self::CountTokens => "count_tokens",
            Self::Models => "models",
            Self::Native => "native",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_written_as_it_is_named() {
        for endpoint in KeyEndpoint::ALL {
            let written = serde_json::to_value(endpoint).expect("a word");
            assert_eq!(written, endpoint.as_str());
        }
    }
}
