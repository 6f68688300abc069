//! How long the phases of a call to a provider may take. The same shape is in the API, in the configuration file and in
//! the published configuration.

use serde::{Deserialize, Serialize};

use crate::HumanDuration;

/// Time limits by phase, such as `250ms`, `20s` or `10m`. A model's go before its provider's, and the server's own apply
/// where both are absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Timeouts {
    /// To connect to the provider. The server's own is 5s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<HumanDuration>,
    /// Until the first token; of an answer in one piece, until it is there. The server's own is 15m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token: Option<HumanDuration>,
    /// The longest silence within a stream. The server's own is 5m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between_tokens: Option<HumanDuration>,
    /// Until an answer in one piece is there, or a stream has its first token. A stream that flows is never cut: only
    /// `between_tokens` ends it. The server's own is 1h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<HumanDuration>,
}

impl Timeouts {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Each limit with the name of its field.
    pub const fn named(&self) -> [(&'static str, Option<HumanDuration>); 4] {
        [
            ("connect", self.connect),
            ("first_token", self.first_token),
            ("between_tokens", self.between_tokens),
            ("total", self.total),
        ]
    }
}
