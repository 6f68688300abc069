//! Pricing requests anew: what they come to at the prices that are known now, and runs that add the difference.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::catalog::words;
use crate::{Nanos, RepriceId, Slug, UpstreamModel};

words! {
    /// How far a run is. What one added stays when it ends before its time, and another one goes on from there.
    RepriceState {
        Running = "running",
        Done = "done",
        /// `failure` says why.
        Failed = "failed",
        /// By somebody, whom `failure` names.
        Cancelled = "cancelled",
    }

    /// Why a request stays as it is.
    LeftAlone {
        /// None is known for its model.
        NoPrice = "no_price",
        /// The price has none for a unit that was used, or for the tier that served it.
        NoPriceForUse = "no_price_for_use",
        /// It took several calls, and its lines do not tell what was used by which.
        SeveralCalls = "several_calls",
        /// What it used is not known well enough.
        UntoldUse = "untold_use",
    }
}

/// Requests that began in `from..to` and reached a provider. Each is priced as the nodes would price it now: by the
/// organization's own prices and the catalogue as they are now, of these the one in force when it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewReprice {
    pub from: DateTime<Utc>,
    /// Not in the future.
    pub to: DateTime<Utc>,
    /// Of one provider only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Slug>,
    /// Of one model only, by the name it has at its provider, as prices name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<UpstreamModel>,
    /// Go by the prices in force at this time, whenever a request began. For a catalogue that was put right: an edition
    /// never applies to what was before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priced_at: Option<DateTime<Utc>>,
    pub reason: String,
    /// Only tell what it would come to: such a run adds nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// The dry run whose outcome is wanted. Refused when prices have changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_told_by: Option<RepriceId>,
}

/// A run. A dry run is forgotten 30 days after it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reprice {
    pub id: RepriceId,
    /// It only tells what a run would come to.
    pub dry_run: bool,
    pub state: RepriceState,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub provider: Option<Slug>,
    pub model: Option<UpstreamModel>,
    pub priced_at: Option<DateTime<Utc>>,
    pub reason: String,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    /// Up to which time of requests it has looked; null before the first.
    pub looked_up_to: Option<DateTime<Utc>>,
    /// Of what it has looked at.
    pub sums: RepriceSums,
    pub finished_at: Option<DateTime<Utc>>,
    pub failure: Option<String>,
}

impl LeftAlone {
    /// For people.
    pub const fn about(self) -> &'static str {
        match self {
            Self::NoPrice => "no price is known",
            Self::NoPriceForUse => "the price has none for what was used",
            Self::SeveralCalls => "several calls that cannot be told apart",
            Self::UntoldUse => "what was used is not known well enough",
        }
    }
}

impl Reprice {
    /// How much of its time it has looked at.
    pub fn percent(&self) -> u8 {
        if self.state == RepriceState::Done {
            return 100;
        }
        let whole = (self.to - self.from).num_seconds().max(1);
        let looked_at = self.looked_up_to.map_or(0, |at| (at - self.from).num_seconds());
        u8::try_from(looked_at.clamp(0, whole).saturating_mul(100) / whole).unwrap_or(100)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RepriceSums {
    /// Looked at.
    pub requests: u64,
    /// Those that cost something else than before.
    pub changed: u64,
    /// Those that stay as they are because no price is known for them, or because their lines do not tell what was used
    /// at which price: several calls of one request, what was estimated at an address of no known form.
    pub unpriceable: u64,
    /// What all of them cost before, with what earlier runs had added, and after.
    pub before: Nanos,
    pub after: Nanos,
    /// The same by what they are priced by: the first 200.
    pub parts: Vec<RepricePart>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RepricePart {
    pub provider: Slug,
    /// By the name it has at its provider; null where none is known.
    pub model: Option<UpstreamModel>,
    /// Null of those that stay as they are; `left_alone` says why.
    pub price_version: Option<String>,
    #[serde(default)]
    pub left_alone: Option<LeftAlone>,
    pub requests: u64,
    pub before: Nanos,
    pub after: Nanos,
}

/// A request that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PricedAnew<'a> {
    pub provider: &'a Slug,
    pub model: Option<&'a UpstreamModel>,
    pub before: Option<Nanos>,
    /// What it costs, and by which price, or why it stays as it is.
    pub priced: Result<(Nanos, &'a str), LeftAlone>,
}

impl RepriceSums {
    const MOST_PARTS: usize = 200;

    pub fn add(&mut self, request: PricedAnew<'_>) {
        let before = request.before.unwrap_or_default();
        let after = request.priced.map_or(before, |(cost, _)| cost);
        let left_alone = request.priced.err();
        self.requests += 1;
        self.before = self.before.saturating_add(before);
        self.after = self.after.saturating_add(after);
        match request.priced {
            Ok((cost, _)) => self.changed += u64::from(request.before != Some(cost)),
            Err(_) => self.unpriceable += 1,
        }
        let version = request.priced.ok().map(|(_, version)| version);
        let is_of = |part: &RepricePart| {
            &part.provider == request.provider
                && part.model.as_ref() == request.model
                && part.price_version.as_deref() == version
                && part.left_alone == left_alone
        };
        let at = match self.parts.iter().position(is_of) {
            Some(at) => at,
            None if self.parts.len() < Self::MOST_PARTS => {
                self.parts.push(RepricePart {
                    provider: request.provider.clone(),
                    model: request.model.cloned(),
                    price_version: version.map(str::to_owned),
                    left_alone,
                    requests: 0,
                    before: Nanos::ZERO,
                    after: Nanos::ZERO,
                });
                self.parts.len() - 1
            }
            None => return,
        };
        if let Some(part) = self.parts.get_mut(at) {
            part.requests += 1;
            part.before = part.before.saturating_add(before);
            part.after = part.after.saturating_add(after);
        }
    }
}
