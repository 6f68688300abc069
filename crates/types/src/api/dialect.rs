//! What is spoken: the dialects that callers speak to the gateway, and providers' own where a caller speaks those.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The wire format of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    OpenaiChat,
    OpenaiResponses,
    OpenaiCompletions,
    OpenaiEmbeddings,
    AnthropicMessages,
    GeminiGenerate,
    GeminiEmbed,
    GeminiBatchEmbed,
    /// Spoken at a provider's own address only.
    Native(NativeDialect),
}

/// A wire format in which callers reach its provider and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NativeDialect {
    VertexPredict,
    CohereChat,
    CohereEmbed,
    BedrockConverse,
    BedrockInvoke,
    /// Nobody here knows what the address is for.
    Unknown,
}

impl Dialect {
    pub const ALL: [Self; 14] = [
        Self::OpenaiChat,
        Self::OpenaiResponses,
        Self::OpenaiCompletions,
        Self::OpenaiEmbeddings,
        Self::AnthropicMessages,
        Self::GeminiGenerate,
        Self::GeminiEmbed,
        Self::GeminiBatchEmbed,
        Self::Native(NativeDialect::VertexPredict),
        Self::Native(NativeDialect::CohereChat),
        Self::Native(NativeDialect::CohereEmbed),
        Self::Native(NativeDialect::BedrockConverse),
        Self::Native(NativeDialect::BedrockInvoke),
        Self::Native(NativeDialect::Unknown),
    ];

    /// Those in which callers converse with models of any provider.
    pub const CONVERSATIONS: [Self; 5] = [
        Self::OpenaiChat,
        Self::OpenaiResponses,
        Self::OpenaiCompletions,
        Self::AnthropicMessages,
        Self::GeminiGenerate,
    ];

    /// Whether callers ask any provider for vectors in it.
    pub const fn embeds(self) -> bool {
        matches!(
            self,
            Self::OpenaiEmbeddings | Self::GeminiEmbed | Self::GeminiBatchEmbed
        )
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenaiChat => "openai_chat",
            Self::OpenaiResponses => "openai_responses",
            Self::OpenaiCompletions => "openai_completions",
            Self::OpenaiEmbeddings => "openai_embeddings",
            Self::AnthropicMessages => "anthropic_messages",
            Self::GeminiGenerate => "gemini_generate",
            Self::GeminiEmbed => "gemini_embed",
            Self::GeminiBatchEmbed => "gemini_batch_embed",
            Self::Native(NativeDialect::VertexPredict) => "vertex_predict",
            Self::Native(NativeDialect::CohereChat) => "cohere_chat",
            Self::Native(NativeDialect::CohereEmbed) => "cohere_embed",
            Self::Native(NativeDialect::BedrockConverse) => "bedrock_converse",
            Self::Native(NativeDialect::BedrockInvoke) => "bedrock_invoke",
            Self::Native(NativeDialect::Unknown) => "native",
        }
    }
}

impl Serialize for Dialect {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Dialect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let known = Self::ALL.into_iter().find(|dialect| dialect.as_str() == name);
        known.ok_or_else(|| D::Error::custom(format!("{name:?} is no dialect that this release knows")))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Dialect {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Dialect".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "The wire format of a request.",
            "type": "string",
            "enum": Self::ALL.map(Self::as_str),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_is_written_by_its_name_and_read_by_it() {
        for dialect in Dialect::ALL {
            let written = serde_json::to_string(&dialect).expect("a text");

            assert_eq!(written, format!("{:?}", dialect.as_str()));
            assert_eq!(serde_json::from_str::<Dialect>(&written).expect("a dialect"), dialect);
        }
        assert!(serde_json::from_str::<Dialect>("\"morse\"").is_err());
    }
}
