//! Why a request goes nowhere.

use std::fmt;
use std::sync::Arc;

use gatewright_types::{ModelName, Target};

use crate::fit::Unfit;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unroutable {
    /// No rule of the route applies, and nothing is said for that case.
    NoRule { model: ModelName },
    /// None of the targets can answer.
    NoTarget { model: ModelName, misfits: Vec<Misfit> },
    /// None of the targets is one that the key may reach.
    NotForKey { model: ModelName, misfits: Vec<Misfit> },
    /// All targets are outside of the region that the request is bound to.
    NotInRegion { model: ModelName, region: Box<str> },
}

/// A target that cannot answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    pub target: Target,
    /// Where in the model it is written.
    pub place: Arc<str>,
    pub(crate) unfit: Unfit,
}

impl Unroutable {
    /// The machine-readable reason.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoRule { .. } | Self::NoTarget { .. } => "no_feasible_target",
            Self::NotForKey { .. } => "model_not_allowed",
            Self::NotInRegion { .. } => "residency_unsatisfied",
        }
    }
}

impl fmt::Display for Unroutable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRule { model } => write!(
                f,
                "No rule of the model `{model}` applies to this request, and it has no `otherwise` for such requests."
            ),
            Self::NoTarget { model, misfits } => {
                write!(f, "No target of the model `{model}` can answer this request:")?;
                list(misfits, f)?;
                f.write_str(". An administrator can correct what is known of a model in its facts.")
            }
            Self::NotForKey { model, misfits } => {
                write!(f, "This API key may reach no target of the model `{model}`:")?;
                list(misfits, f)?;
                f.write_str(".")
            }
            Self::NotInRegion { model, region } => write!(
                f,
                "This request may only go to `{region}`, and no target of the model `{model}` is known to be there."
            ),
        }
    }
}

fn list(misfits: &[Misfit], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, misfit) in misfits.iter().enumerate() {
        write!(f, "{} {misfit}", if index == 0 { "" } else { ";" })?;
    }
    Ok(())
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.target, self.unfit)
    }
}
