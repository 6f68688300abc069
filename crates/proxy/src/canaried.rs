//! Which sides of canaries a request was given to, and whether they answered it: by that the control plane compares them.

use std::sync::Arc;

use gatewright_contract::{CanaryShare, Model, UpstreamTarget};
use gatewright_routing::{Legs, Plan};
use gatewright_types::api::CanarySide;

/// A request to a model whose canaries are compared.
#[derive(Debug)]
pub(crate) struct Canaried {
    model: Arc<Model>,
    legs: Legs,
}

impl Canaried {
    pub(crate) fn of(plan: &Plan) -> Option<Self> {
        let is_compared = plan.model.canaries.iter().any(|canary| canary.round.is_some());
        is_compared.then(|| Self {
            model: plan.model.clone(),
            legs: plan.legs.clone(),
        })
    }

    /// The canaries on the way to the target that was called first. `last` is the one that was called last: a side that it
    /// is not on did not answer.
    pub(crate) fn shares(&self, last: &UpstreamTarget, answered: bool) -> Vec<CanaryShare> {
        let first = &self.legs.first().place;
        let is_last = |leg: &&gatewright_routing::Leg| std::ptr::eq(&*leg.target, last);
        let last = self.legs.iter().find(is_last).map_or(first, |leg| &leg.place);
        let shares = self.model.canaries.iter().filter_map(|canary| {
            let side = side_of(&canary.place, first)?;
            Some(CanaryShare {
                place: canary.place.clone(),
                round: canary.round?,
                side,
                failed: !answered || side_of(&canary.place, last) != Some(side),
            })
        });
        shares.collect()
    }
}

/// The side of a canary that a place is on.
fn side_of(canary: &str, place: &str) -> Option<CanarySide> {
    let below = place.strip_prefix(canary)?.strip_prefix('.')?;
    let sides = CanarySide::ALL.iter().copied();
    sides.into_iter().find(|side| below.starts_with(side.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_on_the_side_it_is_written_below() {
        let check = |canary, place, side| assert_eq!(side_of(canary, place), side, "{canary} {place}");

        check("route.canary", "route.canary.stable", Some(CanarySide::Stable));
        check(
            "route.canary",
            "route.canary.candidate.fallback[1]",
            Some(CanarySide::Candidate),
        );
        check(
            "route.canary.candidate.canary",
            "route.canary.candidate.canary.stable",
            Some(CanarySide::Stable),
        );
        check("route.canary.candidate.canary", "route.canary.stable", None);
        check("route.fallback[1].canary", "route.fallback[10].canary.stable", None);
        check("route.fallback[0].canary", "route.fallback[1]", None);
    }
}
