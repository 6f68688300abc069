//! What usage is counted in. The token units are disjoint: a token is in exactly one of them. Searches are no tokens.

use serde::{Deserialize, Serialize};

/// A unit of use that has a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum UsageUnit {
    InputUncached,
    InputCacheRead,
    #[serde(rename = "input_cache_write_5m")]
    InputCacheWrite5m,
    #[serde(rename = "input_cache_write_1h")]
    InputCacheWrite1h,
    InputAudio,
    InputImage,
    OutputText,
    OutputReasoning,
    OutputAudio,
    /// A search of the web that a provider made for the model.
    WebSearch,
}

impl UsageUnit {
    pub const ALL: [Self; 10] = [
        Self::InputUncached,
        Self::InputCacheRead,
        Self::InputCacheWrite5m,
        Self::InputCacheWrite1h,
        Self::InputAudio,
        Self::InputImage,
        Self::OutputText,
        Self::OutputReasoning,
        Self::OutputAudio,
        Self::WebSearch,
    ];

    pub const INPUT: &'static [Self] = &[
        Self::InputUncached,
        Self::InputCacheRead,
        Self::InputCacheWrite5m,
        Self::InputCacheWrite1h,
        Self::InputAudio,
        Self::InputImage,
    ];

    pub const OUTPUT: &'static [Self] = &[Self::OutputText, Self::OutputReasoning, Self::OutputAudio];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InputUncached => "input_uncached",
            Self::InputCacheRead => "input_cache_read",
            Self::InputCacheWrite5m => "input_cache_write_5m",
            Self::InputCacheWrite1h => "input_cache_write_1h",
            Self::InputAudio => "input_audio",
            Self::InputImage => "input_image",
            Self::OutputText => "output_text",
            Self::OutputReasoning => "output_reasoning",
            Self::OutputAudio => "output_audio",
            Self::WebSearch => "web_search",
        }
    }
}
