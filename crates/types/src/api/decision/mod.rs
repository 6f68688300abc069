//! Why a request went where it went: what its route decided, whom it could have gone to, what was tried and what that took.
//! The same shape is kept with a request, answered by the API for a sample, and printed by the command line. What the
//! request used and cost is in its usage row.

mod bounds;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::catalog::words;
use super::{CacheStatus, Capability, FailureClass};
use crate::{CredentialId, Target};

/// Words that are mostly ours and fixed, and sometimes about one request.
type Text = Cow<'static, str>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Decision {
    /// The name that was asked for; absent when the request could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What the request needs of a model; absent when it was not read that far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<RequestNeeds>,
    /// What the route could look at besides; absent where it leads to one target whatever it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<LookedAt>,
    #[serde(default, skip_serializing_if = "RouteDecision::is_empty")]
    pub route: RouteDecision,
    #[serde(default = "cache_off", skip_serializing_if = "is_cache_off")]
    pub cache: CacheStatus,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// What the gateway itself did, in order, and how long each took.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<StageTime>,
    /// Why it was refused or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<DecisionError>,
    /// What is not told here because it would have been too much.
    #[serde(default, skip_serializing_if = "LeftOut::is_nothing")]
    pub left_out: LeftOut,
}

/// What a request needs of a model, as far as routes look at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RequestNeeds {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<Capability>,
    /// It asks the model to think.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reasoning: bool,
    /// About how many tokens the request is.
    pub input_tokens: u64,
    /// Tokens of the longest answer that the caller takes; absent where it did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
}

/// What a model's route can look at in a request besides what it needs, so that it can be decided by again. Nothing of what
/// was said is in it, and no value that is longer than 200 characters. A session, task or region that is named in a body is
/// here under the header that could have named it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct LookedAt {
    /// The headers that its conditions name; null for one that was not sent.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Option<String>>,
    /// The labels of its metadata that conditions name; null for one that it did not have.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, Option<String>>,
}

/// What a model's route made of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RouteDecision {
    /// The nodes that were decided, from the root on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<RouteStep>,
    /// Every target the decided nodes lead to: those that are kept in the order in which they are asked, then the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
}

/// What one node of a route decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RouteStep {
    /// Where what was picked is written in the model: `route.when[0]`.
    pub place: Text,
    /// The node's strategy, as it is written.
    pub strategy: Text,
    /// What spoke for it, in words: `condition holds`, `weight 90 of 100`.
    pub why: Text,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Candidate {
    pub target: Target,
    /// Where it is written in the model: `route.fallback[0].target`.
    pub place: Text,
    #[serde(flatten)]
    pub verdict: Verdict,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    Kept {
        /// Its turn, from 1.
        order: u32,
        /// What gave it that turn, where there is more to say than that it is written there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<Text>,
    },
    Dropped {
        why: Text,
    },
}

/// One call to a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Attempt {
    pub target: Target,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialId>,
    pub reason: AttemptReason,
    /// When it began, counted from the request's arrival.
    pub began_us: u64,
    /// Until the answer began, or until it was given up.
    pub took_us: u64,
    #[serde(flatten)]
    pub ended: AttemptEnd,
}

words! {
    /// Why a call was made.
    AttemptReason {
        /// The route's first choice.
        First = "first",
        /// The same target once more.
        Retry = "retry",
        /// The next target, because the one before failed.
        Failover = "failover",
    }
    /// Parts of the gateway's own work.
    Stage {
        /// Who is it, and may it?
        Admit = "admit",
        /// Reading what was sent, as far as it is looked at.
        Read = "read",
        /// Meeting the limits, before anything is looked for.
        Limits = "limits",
        Route = "route",
        Cache = "cache",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum AttemptEnd {
    /// Its answer is the one that the caller got, or began to get.
    Answered { status: u16 },
    Failed {
        /// The provider's status, when it gave one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// What retries and fallbacks take it for; absent when it is none that they know.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<FailureClass>,
        message: Text,
    },
    /// Nobody waited for it any more.
    Abandoned,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StageTime {
    pub stage: Stage,
    pub took_us: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DecisionError {
    /// As in the body of the caller's error.
    pub code: Text,
    pub message: Text,
}

/// How much of each list is not told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct LeftOut {
    pub candidates: u32,
    pub steps: u32,
    pub attempts: u32,
}

impl Default for Decision {
    fn default() -> Self {
        Self {
            model: None,
            needs: None,
            looked_at: None,
            route: RouteDecision::default(),
            cache: CacheStatus::Off,
            attempts: Vec::new(),
            stages: Vec::new(),
            error: None,
            left_out: LeftOut::default(),
        }
    }
}

impl RouteDecision {
    pub fn step(&mut self, place: impl Into<Text>, strategy: &'static str, why: impl Into<Text>) {
        self.steps.push(RouteStep {
            place: place.into(),
            strategy: strategy.into(),
            why: why.into(),
        });
    }

    /// The next in turn.
    pub fn keep(&mut self, target: Target, place: impl Into<Text>, why: Option<Text>) {
        let kept = self.kept().count();
        let candidate = Candidate {
            target,
            place: place.into(),
            verdict: Verdict::Kept {
                order: u32::try_from(kept + 1).unwrap_or(u32::MAX),
                why,
            },
        };
        self.candidates.insert(kept, candidate);
    }

    pub fn drop(&mut self, target: Target, place: impl Into<Text>, why: impl Into<Text>) {
        self.candidates.push(Candidate {
            target,
            place: place.into(),
            verdict: Verdict::Dropped { why: why.into() },
        });
    }

    /// It was in turn and had better not be asked.
    pub fn pass_over(&mut self, target: &Target, why: impl Into<Text>) {
        let found = self.candidates.iter().position(|candidate| candidate.target == *target);
        if let Some(index) = found {
            let Candidate { target, place, .. } = self.candidates.remove(index);
            self.drop(target, place, why);
        }
    }

    /// Those that are asked, in order.
    pub fn kept(&self) -> impl Iterator<Item = &Candidate> {
        let is_kept = |candidate: &&Candidate| matches!(candidate.verdict, Verdict::Kept { .. });
        self.candidates.iter().filter(is_kept)
    }

    pub const fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.candidates.is_empty()
    }
}

impl LookedAt {
    pub const LONGEST_CHARS: usize = 200;
    /// No more headers are kept, and no more labels.
    pub const MOST_NAMES: usize = 32;
}

impl LeftOut {
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

const fn cache_off() -> CacheStatus {
    CacheStatus::Off
}

const fn is_cache_off(cache: &CacheStatus) -> bool {
    matches!(cache, CacheStatus::Off)
}

#[cfg(test)]
mod tests;
