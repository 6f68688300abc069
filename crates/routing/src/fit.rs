//! Whether a target can answer a request at all. What is not known speaks for it: its provider then says.

use std::fmt;

use chrono::NaiveDate;
use gatewright_contract::{Barred, UpstreamTarget};
use gatewright_llm::{Capabilities, Needs};
use gatewright_types::api::{Capability, FailureClass};

use crate::facts::Facts;

/// A text has no fewer tokens than one for so many of those that are estimated: the estimate is made for English, and of
/// code with much white space it is up to twice too high.
const SURELY: u64 = 2;

/// Why a target cannot answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// Not for the key that asks.
    Barred(Barred),
    Elsewhere,
    Retired(NaiveDate),
    Lacks(Capabilities),
    TooLong {
        tokens: u64,
        context: u32,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    Fits,
    /// It is probably too long.
    Doubtful,
}

pub(crate) fn fit(facts: &Facts<'_>, target: &UpstreamTarget) -> Result<Fit, Unfit> {
    let situation = facts.situation;
    let key = &situation.caller.key;
    if let Some(barred) = key.barred(target, situation.catalog, situation.now) {
        return Err(Unfit::Barred(barred));
    }
    if facts.region.as_ref().is_some_and(|region| !target.resides_in(region)) {
        return Err(Unfit::Elsewhere);
    }
    let bounds = target.bounds(situation.catalog, situation.now);
    if let Some(sunset) = bounds.sunset_on.filter(|sunset| *sunset <= situation.now.date_naive()) {
        return Err(Unfit::Retired(sunset));
    }
    if bounds.context.is_none() && bounds.lacking.is_empty() {
        return Ok(Fit::Fits);
    }
    let Some(needs) = facts.needs() else {
        return Ok(Fit::Fits);
    };
    let lacking = bounds.lacking.both(needs.capabilities);
    if !lacking.is_empty() {
        return Err(Unfit::Lacks(lacking));
    }
    bounds.context.map_or(Ok(Fit::Fits), |context| length(needs, context))
}

fn length(needs: &Needs, context: u32) -> Result<Fit, Unfit> {
    let answer = needs.max_tokens.unwrap_or_default();
    let fits = |tokens: u64| tokens.saturating_add(answer) <= u64::from(context);
    if needs.input_tokens_at_most().is_some_and(fits) {
        return Ok(Fit::Fits);
    }
    let tokens = needs.input_tokens();
    if !fits(tokens / SURELY) {
        let tokens = tokens.saturating_add(answer);
        return Err(Unfit::TooLong { tokens, context });
    }
    Ok(if fits(tokens) { Fit::Fits } else { Fit::Doubtful })
}

impl Unfit {
    pub(crate) const fn is_barred(&self) -> bool {
        matches!(self, Self::Barred(_))
    }

    pub(crate) const fn is_elsewhere(&self) -> bool {
        matches!(self, Self::Elsewhere)
    }

    /// As which failure it counts: whoever stands in for that one stands in for this target.
    pub(crate) const fn class(&self) -> FailureClass {
        match self {
            Self::TooLong { .. } => FailureClass::ContextLength,
            Self::Barred(_) | Self::Elsewhere | Self::Retired(_) | Self::Lacks(_) => FailureClass::Error,
        }
    }
}

/// Reads as the rest of a sentence about the target.
impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Barred(barred) => barred.fmt(f),
            Self::Elsewhere => f.write_str("is not known to be in the region that is asked for"),
            Self::Retired(sunset) => write!(f, "was retired on {sunset}"),
            Self::Lacks(capabilities) => {
                let names: Vec<_> = capabilities.iter().map(name).collect();
                write!(f, "cannot take {}", names.join(" or "))
            }
            Self::TooLong { tokens, context } => write!(
                f,
                "takes {context} tokens, and the request with its longest answer has about {tokens}"
            ),
        }
    }
}

fn name(capability: Capability) -> &'static str {
    match capability {
        Capability::Tools => "tools",
        Capability::StructuredOutput => "a schema for its answer",
        Capability::Vision => "images",
        Capability::Documents => "documents",
        Capability::AudioInput => "audio",
        Capability::AudioOutput => "a request for an answer in audio",
        Capability::VideoInput => "video",
        other => other.as_str(),
    }
}
