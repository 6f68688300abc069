//! The model catalogue: what is known of each kind of provider's models, an organization's own facts laid over it, and
//! refreshes that wait for an approval.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{ProviderKind, Rates};
use crate::{CatalogRefreshId, OverlayId, UnitPrice, UpstreamModel};

/// Closed lists of words, written the same in Rust, JSON and the database.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $text:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum $name {
            $($(#[$about])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }
    )+};
}

pub(super) use words;

words! {
    /// Something a model can do.
    Capability {
        Chat = "chat",
        Completions = "completions",
        Embeddings = "embeddings",
        Rerank = "rerank",
        Moderation = "moderation",
        Transcription = "transcription",
        Speech = "speech",
        ImageGeneration = "image_generation",
        VideoGeneration = "video_generation",
        Realtime = "realtime",
        Ocr = "ocr",
        Streaming = "streaming",
        SystemMessages = "system_messages",
        Tools = "tools",
        ToolChoice = "tool_choice",
        ParallelTools = "parallel_tools",
        StructuredOutput = "structured_output",
        Reasoning = "reasoning",
        PromptCaching = "prompt_caching",
        Prefill = "prefill",
        Vision = "vision",
        Documents = "documents",
        AudioInput = "audio_input",
        AudioOutput = "audio_output",
        VideoInput = "video_input",
        WebSearch = "web_search",
        ComputerUse = "computer_use",
    }
    /// Where a model is in its life. Only dates decide it.
    LifecycleStage {
        Active = "active",
        Deprecated = "deprecated",
        Retired = "retired",
    }
    /// A way to be served that a provider prices differently.
    ServiceTier {
        Batch = "batch",
        Flex = "flex",
        Priority = "priority",
        Fast = "fast",
    }
    /// What models are paid for besides tokens.
    PricedUnit {
        InputImage = "input_image",
        OutputImage = "output_image",
        InputSecond = "input_second",
        OutputSecond = "output_second",
        InputCharacter = "input_character",
        Query = "query",
    }
    RefreshState {
        Pending = "pending",
        Approved = "approved",
        Rejected = "rejected",
    }
}

/// What a model costs, in dollars per million units.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PriceTerms {
    pub rates: Rates,
    /// Prices for the whole of a request whose input is larger, the smallest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<PriceTier>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub service_tiers: Vec<ServicePrice>,
    /// What tokens cost when the provider is told to stay within the United States, in hundredths of all of these prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub us_only_percent: Option<u16>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<OtherPrice>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PriceTier {
    pub above_input_tokens: u64,
    pub rates: Rates,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ServicePrice {
    pub service_tier: ServiceTier,
    pub rates: Rates,
    /// As those of the usual tier: for the whole of a request whose input is larger, the smallest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<PriceTier>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OtherPrice {
    pub unit: PricedUnit,
    pub price: UnitPrice,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Lifecycle {
    pub stage: LifecycleStage,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated_on: Option<NaiveDate>,
    /// From this day on the provider does not answer for it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sunset_on: Option<NaiveDate>,
}

impl Lifecycle {
    pub fn at(day: NaiveDate, deprecated_on: Option<NaiveDate>, sunset_on: Option<NaiveDate>) -> Self {
        let reached = |date: Option<NaiveDate>| date.is_some_and(|date| date <= day);
        let stage = if reached(sunset_on) {
            LifecycleStage::Retired
        } else if reached(deprecated_on) {
            LifecycleStage::Deprecated
        } else {
            LifecycleStage::Active
        };
        Self {
            stage,
            deprecated_on,
            sunset_on,
        }
    }
}

/// What is known of a model now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CatalogEntry {
    pub kind: ProviderKind,
    pub model: UpstreamModel,
    /// Other names the provider knows it by.
    pub aliases: Vec<UpstreamModel>,
    pub capabilities: BTreeSet<Capability>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u32>,
    pub lifecycle: Lifecycle,
    /// Absent: the price is not known. An organization's own prices are elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<PriceTerms>,
    /// Where everything comes from that `own` does not name; absent for a model that only the organization knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<CatalogSource>,
    /// The organization's own facts, which go before those of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Overlay>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CatalogSource {
    /// `catalogue@2026-08-01`.
    pub version: String,
    /// Who says so, in words.
    pub origin: String,
    pub effective_from: DateTime<Utc>,
}

/// `?kind=&capability=&text=&limit=&cursor=`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CatalogQuery {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ProviderKind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capability: Option<Capability>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<LifecycleStage>,
    /// A part of the model's name or of an alias, in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// `?kind=&model=`: one entry, by its name or by an alias.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CatalogEntryQuery {
    pub kind: ProviderKind,
    pub model: UpstreamModel,
}

/// Facts of a model that an organization states itself. What is absent is as the catalogue says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ModelFacts {
    /// Switches capabilities on and off.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub capabilities: BTreeMap<Capability, bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated_on: Option<NaiveDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sunset_on: Option<NaiveDate>,
    /// Added to the catalogue's own: targets that name one find this model's facts and prices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<UpstreamModel>,
}

impl ModelFacts {
    /// What is wrong with them, and in which field; the field is empty when it is all of them.
    pub fn problem(&self) -> Option<(&'static str, &'static str)> {
        if *self == Self::default() {
            return Some(("", "must state at least one fact"));
        }
        let limits = [("context", self.context), ("max_output", self.max_output)];
        let nothing = limits.into_iter().find(|(_, limit)| *limit == Some(0));
        // A limit of nothing would be no model.
        nothing.map(|(field, _)| (field, "must be at least 1"))
    }
}

/// An organization's own facts of one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Overlay {
    pub id: OverlayId,
    pub kind: ProviderKind,
    pub model: UpstreamModel,
    pub facts: ModelFacts,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewOverlay {
    pub kind: ProviderKind,
    pub model: UpstreamModel,
    pub facts: ModelFacts,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OverlayChange {
    pub facts: ModelFacts,
}

/// A catalogue to be taken over: a document with its signature, or an address that has both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum NewRefresh {
    Document(SignedDocument),
    /// An https address. The signature is at the same address with `.sig` behind its path.
    Url(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SignedDocument {
    /// The very text that was signed.
    pub text: String,
    /// A detached ed25519 signature, in base64.
    pub signature: String,
}

/// A catalogue that waits for an approval, or had its decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CatalogRefresh {
    pub id: CatalogRefreshId,
    pub state: RefreshState,
    /// `catalogue@2026-11-01#5f2c01aa`: the day it is of, and the beginning of its digest.
    pub version: String,
    pub origin: String,
    /// From when on requests are priced by it; not before its approval.
    pub effective_from: DateTime<Utc>,
    pub counts: DiffCounts,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
}

/// A refresh with everything it would change or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CatalogRefreshDetail {
    pub refresh: CatalogRefresh,
    pub diff: CatalogDiff,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DiffCounts {
    pub added: u32,
    pub changed: u32,
    pub removed: u32,
    /// Of those changed, how many change a price.
    pub repriced: u32,
}

/// What a catalogue changes against the one in force. Kinds of providers that it does not speak of stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CatalogDiff {
    pub added: Vec<NamedModel>,
    pub changed: Vec<ChangedModel>,
    pub removed: Vec<NamedModel>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NamedModel {
    /// The kind of provider, by its name.
    pub kind: String,
    pub model: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChangedModel {
    #[serde(flatten)]
    pub model: NamedModel,
    pub fields: Vec<ChangedField>,
}

/// One fact before and after; absent where it is not stated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChangedField {
    /// `context`, `capabilities.vision`, `price.output`, `price.above_200000.input`, `price.batch.output`.
    pub field: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl CatalogDiff {
    pub fn counts(&self) -> DiffCounts {
        let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let repriced = self.changed.iter().filter(|model| {
            let mut fields = model.fields.iter();
            fields.any(|changed| changed.field.starts_with("price."))
        });
        DiffCounts {
            added: count(self.added.len()),
            changed: count(self.changed.len()),
            removed: count(self.removed.len()),
            repriced: count(repriced.count()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_ages_on_the_days_that_are_stated() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        let stage = |today: &str| Lifecycle::at(day(today), Some(day("2026-03-01")), Some(day("2026-09-01"))).stage;

        assert_eq!(stage("2026-02-28"), LifecycleStage::Active);
        assert_eq!(stage("2026-03-01"), LifecycleStage::Deprecated);
        assert_eq!(stage("2026-09-01"), LifecycleStage::Retired);
        assert_eq!(
            Lifecycle::at(day("2099-01-01"), None, None).stage,
            LifecycleStage::Active
        );
    }
}
