//! What the nodes of a route decided, in words, where somebody wants to know.

use std::fmt::Write;

use gatewright_cel::Failed;
use gatewright_contract::Route;
use gatewright_types::Slug;
use gatewright_types::api::{Affinity, RouteDecision};

use crate::choose::{Content, Leaf, Part, lead};
use crate::cost;
use crate::facts::Facts;

/// Absent where nobody asks: then nothing is put into words.
#[derive(Debug)]
pub(crate) struct Steps<'a>(pub(crate) Option<&'a mut RouteDecision>);

/// By what the first of several routes came to be the first.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Picked<'a> {
    First,
    Drawn(&'a [(u32, Route)]),
    InTurn,
    LeastBusy,
    LowestUsage,
    Cheapest,
    Fastest,
    Stuck(Option<Affinity>),
    Canary {
        is_candidate: bool,
        percent: u8,
        by: Option<Affinity>,
    },
}

impl Steps<'_> {
    /// Where the step of a node belongs: before those of the nodes below.
    pub(crate) fn begin(&self) -> usize {
        self.0.as_ref().map_or(0, |decision| decision.steps.len())
    }

    pub(crate) fn picked(&mut self, at: usize, facts: &Facts<'_>, parts: &[Part<'_>], part: usize, picked: Picked<'_>) {
        let Some(decision) = &mut self.0 else { return };
        let Some(Content::Group { first, .. }) = parts.get(part).map(|part| &part.content) else {
            return;
        };
        let Some(part) = parts.get(*first) else { return };
        let why = picked.why(facts, part.route, lead(parts, *first));
        decision.step(part.route.place.to_string(), picked.strategy(), why);
        if let Some(below) = decision.steps.get_mut(at..) {
            below.rotate_right(1);
        }
    }

    pub(crate) fn condition_holds(&mut self, route: &Route, index: usize) {
        self.step(|| (case(route, index), "when", "the condition holds".to_owned()));
    }

    pub(crate) fn condition_failed(&mut self, route: &Route, index: usize, failed: &Failed) {
        self.step(|| {
            (
                case(route, index),
                "when",
                format!("the condition does not hold: {failed}"),
            )
        });
    }

    pub(crate) fn task(&mut self, below: &Route, task: &Slug) {
        self.step(|| (below.place.to_string(), "task", format!("the task is {task}")));
    }

    pub(crate) fn otherwise(&mut self, route: &Route, strategy: &'static str, below: Option<&Route>) {
        self.step(|| match below {
            Some(below) => (below.place.to_string(), strategy, "nothing else applies".to_owned()),
            None => (
                route.place.to_string(),
                strategy,
                "nothing applies, and there is no otherwise".to_owned(),
            ),
        });
    }

    fn step(&mut self, words: impl FnOnce() -> (String, &'static str, String)) {
        if let Some(decision) = &mut self.0 {
            let (place, strategy, why) = words();
            decision.step(place, strategy, why);
        }
    }
}

impl Picked<'_> {
    const fn strategy(self) -> &'static str {
        match self {
            Self::First => "fallback",
            Self::Drawn(_) => "weighted",
            Self::InTurn => "round_robin",
            Self::LeastBusy => "least_busy",
            Self::LowestUsage => "lowest_usage",
            Self::Cheapest => "cheapest",
            Self::Fastest => "fastest",
            Self::Stuck(_) => "sticky",
            Self::Canary { .. } => "canary",
        }
    }

    fn why(self, facts: &Facts<'_>, route: &Route, leaf: Option<&Leaf<'_>>) -> String {
        let now = facts.situation.now;
        let vitals = leaf.and_then(|leaf| leaf.vitals);
        match self {
            Self::First => "the first step".to_owned(),
            Self::Drawn(choices) => {
                let weights = choices.iter().map(|(weight, _)| u64::from(*weight));
                let all: u64 = weights.sum();
                let own = choices.iter().find(|(_, below)| below.place == route.place);
                format!(
                    "drawn with a weight of {} of {all}",
                    own.map_or(0, |(weight, _)| *weight)
                )
            }
            Self::InTurn => "its turn".to_owned(),
            Self::LeastBusy => format!("{} under way", vitals.map_or(0, |vitals| vitals.in_flight())),
            Self::LowestUsage => {
                let tokens = vitals.map_or(0, |vitals| vitals.tokens_within_a_minute(now));
                format!("{tokens} tokens within the last minute, from this node")
            }
            Self::Cheapest => {
                let cost = leaf.and_then(|leaf| cost::expected(facts, leaf.target, leaf.vitals));
                cost.map_or_else(
                    || "no target here has a price".to_owned(),
                    |nanos| format!("about {} nano-dollars", nanos),
                )
            }
            Self::Fastest => match vitals.and_then(|vitals| vitals.latency_micros(now)) {
                Some(micros) => format!("about {} ms to the first token", micros / 1000),
                None => "was not called yet".to_owned(),
            },
            Self::Stuck(by) => shared(by),
            Self::Canary {
                is_candidate,
                percent,
                by,
            } => {
                let mut why = if is_candidate { "among" } else { "not among" }.to_owned();
                // Writing to a text cannot fail.
                let _written = write!(why, " the {percent} percent for the candidate, {}", shared(by));
                why
            }
        }
    }
}

fn shared(by: Option<Affinity>) -> String {
    match by {
        Some(by) => format!("by its {}", by.as_str()),
        None => "at random: it has nothing in common with others".to_owned(),
    }
}

fn case(route: &Route, index: usize) -> String {
    format!("{}.when[{index}]", route.place)
}
