//! The front door.

use gatewright_types::api::{FailureClass, RouteDecision};

use crate::choose::{Choice, choose};
use crate::facts::Facts;
use crate::lay_out::lay_out;
use crate::plan::State;
use crate::steps::Steps;
use crate::unroutable::{Misfit, Unroutable};
use crate::{Leg, Legs, Plan, Situation};

/// Decides where a request goes.
pub fn route(situation: &Situation<'_>) -> Result<Plan, Unroutable> {
    decide(situation, None)
}

/// The same, and writes down why.
pub fn route_and_tell(situation: &Situation<'_>, decision: &mut RouteDecision) -> Result<Plan, Unroutable> {
    decide(situation, Some(decision))
}

fn decide(situation: &Situation<'_>, mut decision: Option<&mut RouteDecision>) -> Result<Plan, Unroutable> {
    let facts = Facts::of(situation);
    let look = situation.health.look();
    let choice = choose(&facts, &look, Steps(decision.as_deref_mut()));
    let (candidates, gates) = lay_out(&choice);
    let legs = Legs::of(candidates, gates);
    if let Some(decision) = decision {
        tell(&choice, legs.as_ref(), &facts, decision);
    }
    match legs {
        Some(legs) => Ok(Plan {
            model: situation.model.clone(),
            legs,
            region: facts.region.clone(),
            conversation: facts.known_beginning(),
        }),
        None => Err(unroutable(&choice, &facts)),
    }
}

fn unroutable(choice: &Choice<'_>, facts: &Facts<'_>) -> Unroutable {
    let model = facts.situation.model.name.clone();
    let misfits: Vec<Misfit> = misfits(choice).collect();
    if misfits.is_empty() {
        return Unroutable::NoRule { model };
    }
    if misfits.iter().all(|misfit| misfit.unfit.is_barred()) {
        return Unroutable::NotForKey { model, misfits };
    }
    match &facts.region {
        Some(region) if misfits.iter().all(|misfit| misfit.unfit.is_elsewhere()) => {
            let region = region.clone();
            Unroutable::NotInRegion { model, region }
        }
        Some(_) | None => Unroutable::NoTarget { model, misfits },
    }
}

fn misfits(choice: &Choice<'_>) -> impl Iterator<Item = Misfit> {
    let mut known: Vec<*const ()> = Vec::new();
    choice.parts.iter().filter_map(move |part| {
        let leaf = part.leaf()?;
        let target = std::ptr::from_ref(&**leaf.target).cast::<()>();
        if known.contains(&target) {
            return None;
        }
        known.push(target);
        Some(Misfit {
            target: leaf.target.name(),
            place: part.route.place.clone(),
            unfit: leaf.unfit.clone()?,
        })
    })
}

fn tell(choice: &Choice<'_>, legs: Option<&Legs>, facts: &Facts<'_>, decision: &mut RouteDecision) {
    decision.candidates.reserve_exact(choice.parts.len());
    if let Some(region) = &facts.region {
        let why = format!("only targets in {region} are asked for");
        decision.step("route", "residency", why);
        decision.steps.rotate_right(1);
    }
    for (index, leg) in legs.into_iter().flat_map(Legs::iter).enumerate() {
        decision.keep(
            leg.target.name(),
            leg.place.to_string(),
            why(leg, index).map(Into::into),
        );
    }
    for misfit in misfits(choice) {
        decision.drop(misfit.target, misfit.place.to_string(), misfit.unfit.to_string());
    }
}

fn why(leg: &Leg, index: usize) -> Option<String> {
    let words = |classes: gatewright_contract::Classes| {
        let words: Vec<_> = classes.iter().map(FailureClass::as_str).collect();
        words.join(", ")
    };
    match leg.state {
        State::Unhealthy => Some("its breaker is open: the last resort".to_owned()),
        State::Doubtful => Some("the request may be too long for it".to_owned()),
        State::Ready | State::Unfit(_) if index == 0 => None,
        State::Ready | State::Unfit(_) => Some(format!("stands in on {}", words(leg.on))),
    }
}
