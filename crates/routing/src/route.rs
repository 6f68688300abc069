//! The front door.

use std::fmt;

use gatewright_types::ModelName;

use crate::choose::choose;
use crate::lay_out::lay_out;
use crate::{Legs, Plan, Situation};

/// Why a request goes nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unroutable {
    /// No rule of the route applies, and nothing is said for that case.
    NoRule { model: ModelName },
}

impl fmt::Display for Unroutable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRule { model } => write!(
                f,
                "No rule of the model `{model}` applies to this request, and the model has no `otherwise` for such requests."
            ),
        }
    }
}

/// Decides where a request goes.
pub fn route(situation: &Situation<'_>) -> Result<Plan, Unroutable> {
    let model = situation.model;
    let look = situation.health.look();
    let no_rule = || Unroutable::NoRule {
        model: model.name.clone(),
    };
    let choice = choose(situation, &look).ok_or_else(no_rule)?;
    let (candidates, gates) = lay_out(&choice);
    Ok(Plan {
        model: model.clone(),
        legs: Legs::of(candidates, gates).ok_or_else(no_rule)?,
    })
}
