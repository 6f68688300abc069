//! The first half of a decision: walks the route from its root, and puts what is below each node in order.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use gatewright_contract::{Canary, Case, Classes, Route, Strategy, UpstreamTarget};
use gatewright_types::Slug;

use crate::cost;
use crate::dice::Dice;
use crate::facts::Facts;
use crate::fit::{Fit, Unfit, fit};
use crate::health::{Look, Vitals};
use crate::names::Known;
use crate::plan::State;
use crate::steps::{Picked, Steps};

/// What a walk found.
#[derive(Debug)]
pub(crate) struct Choice<'a> {
    pub(crate) parts: Vec<Part<'a>>,
    /// Absent where no rule applies.
    pub(crate) root: Option<usize>,
}

/// A part of the route that was chosen. Parts are known by their places in [`Choice::parts`].
#[derive(Debug)]
pub(crate) struct Part<'a> {
    pub(crate) route: &'a Route,
    /// The failures of what is before it that it stands in for.
    pub(crate) on: Classes,
    pub(crate) content: Content<'a>,
    /// Stands for what requests have in common that stick to one another here.
    pub(crate) affinity: Option<u64>,
    /// The next one beside it.
    pub(crate) next: Option<usize>,
}

#[derive(Debug)]
pub(crate) enum Content<'a> {
    Leaf(Leaf<'a>),
    Group {
        first: usize,
        /// The leaf that would be called first.
        lead: usize,
    },
}

#[derive(Debug)]
pub(crate) struct Leaf<'a> {
    pub(crate) target: &'a Arc<UpstreamTarget>,
    pub(crate) state: State,
    pub(crate) unfit: Option<Unfit>,
    pub(crate) vitals: Option<&'a Vitals>,
}

pub(crate) struct Walk<'a, 'd> {
    pub(crate) facts: &'a Facts<'a>,
    look: &'a Look,
    pub(crate) dice: Dice,
    pub(crate) parts: Vec<Part<'a>>,
    /// What is to be put in order, the smallest first: of the node that is walked at the end, of those above before it.
    pub(crate) order: Vec<Placed>,
    steps: Steps<'d>,
}

/// A part in an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Placed {
    /// Where it matters, what can be called goes before what had better not.
    pub(crate) rank: u8,
    pub(crate) key: u64,
    pub(crate) tie: u64,
    pub(crate) part: usize,
    /// Of the leaf that would be called first.
    pub(crate) lead_rank: u8,
}

pub(crate) fn choose<'a>(facts: &'a Facts<'a>, look: &'a Look, steps: Steps<'_>) -> Choice<'a> {
    let mut walk = Walk {
        facts,
        look,
        dice: Dice::new(facts.situation.dice),
        // Most routes are one target.
        parts: Vec::with_capacity(1),
        order: Vec::new(),
        steps,
    };
    let root = walk.part(&facts.situation.model.route);
    Choice {
        parts: walk.parts,
        root,
    }
}

impl<'a> Choice<'a> {
    pub(crate) fn part(&self, part: Option<usize>) -> Option<&Part<'a>> {
        self.parts.get(part?)
    }
}

impl<'a> Walk<'a, '_> {
    fn part(&mut self, route: &'a Route) -> Option<usize> {
        let mark = self.order.len();
        let step = self.steps.begin();
        let mut affinity = None;
        let picked = match &route.strategy {
            Strategy::Target(target) => return Some(self.leaf(route, target)),
            Strategy::When { cases, otherwise } => return self.when(route, cases, otherwise.as_deref()),
            Strategy::Task { tasks, otherwise } => return self.task(route, tasks, otherwise.as_deref()),
            Strategy::Fallback(steps) => {
                for step in steps {
                    self.place(&step.route, step.on);
                }
                Picked::First
            }
            Strategy::Weighted(choices) => {
                let drawn = choices.iter().filter(|(weight, _)| *weight > 0);
                for (weight, below) in drawn {
                    let time = self.dice.exponential(*weight);
                    if let Some(placed) = self.place(below, Classes::USUAL) {
                        placed.key = time;
                    }
                }
                Picked::Drawn(choices)
            }
            Strategy::RoundRobin(routes) => {
                self.place_all(routes);
                self.rotate(route, mark);
                Picked::InTurn
            }
            Strategy::LeastBusy(routes) => {
                self.place_all(routes);
                self.measure(mark, |_, leaf| {
                    leaf.vitals.map_or(0, |vitals| u64::from(vitals.in_flight()))
                });
                Picked::LeastBusy
            }
            Strategy::LowestUsage(routes) => {
                self.place_all(routes);
                self.measure(mark, |facts, leaf| {
                    let tokens = |vitals: &Vitals| vitals.tokens_within_a_minute(facts.situation.now);
                    leaf.vitals.map_or(0, tokens)
                });
                Picked::LowestUsage
            }
            Strategy::Cheapest(routes) => {
                self.place_all(routes);
                self.measure(mark, |facts, leaf| {
                    cost::expected(facts, leaf.target, leaf.vitals).unwrap_or(u64::MAX)
                });
                Picked::Cheapest
            }
            Strategy::Fastest(routes) => {
                self.place_all(routes);
                self.race(mark);
                Picked::Fastest
            }
            Strategy::Sticky { by, routes } => {
                self.place_all(routes);
                let shared = self.stick(mark, by);
                affinity = shared.map(|(_, affinity)| affinity);
                Picked::Stuck(shared.map(|(by, _)| by))
            }
            Strategy::Canary(canary) => self.canary(route, canary),
        };
        let part = self.group(route, mark)?;
        if let Some(part) = self.parts.get_mut(part) {
            part.affinity = affinity;
        }
        self.steps.picked(step, self.facts, &self.parts, part, picked);
        Some(part)
    }

    fn leaf(&mut self, route: &'a Route, target: &'a Arc<UpstreamTarget>) -> usize {
        let vitals = self.look.find(target.provider.id, &target.model);
        let is_open = |vitals: &Vitals| vitals.is_open(self.facts.situation.now);
        let (state, unfit) = match fit(self.facts, target) {
            Err(unfit) => (State::Unfit(unfit.class()), Some(unfit)),
            Ok(_) if vitals.is_some_and(is_open) => (State::Unhealthy, None),
            Ok(Fit::Doubtful) => (State::Doubtful, None),
            Ok(Fit::Fits) => (State::Ready, None),
        };
        self.add(
            route,
            Content::Leaf(Leaf {
                target,
                state,
                unfit,
                vitals,
            }),
        )
    }

    fn when(&mut self, route: &'a Route, cases: &'a [Case], otherwise: Option<&'a Route>) -> Option<usize> {
        let known = Known::of(self.facts, self.look);
        let mut taken = None;
        for (index, case) in cases.iter().enumerate() {
            match case.condition.condition(&known) {
                Ok(true) => {
                    self.steps.condition_holds(route, index);
                    taken = Some(&case.route);
                    break;
                }
                Ok(false) => {}
                Err(failed) => self.steps.condition_failed(route, index, &failed),
            }
        }
        drop(known);
        match taken {
            Some(taken) => self.part(taken),
            None => self.otherwise(route, "when", otherwise),
        }
    }

    fn task(&mut self, route: &'a Route, tasks: &'a [(Slug, Route)], otherwise: Option<&'a Route>) -> Option<usize> {
        let named = self.facts.situation.asked.task();
        let found = named.and_then(|named| tasks.iter().find(|(task, _)| *task.as_str() == *named));
        match found {
            Some((task, below)) => {
                self.steps.task(below, task);
                self.part(below)
            }
            None => self.otherwise(route, "task", otherwise),
        }
    }

    fn otherwise(&mut self, route: &'a Route, strategy: &'static str, otherwise: Option<&'a Route>) -> Option<usize> {
        self.steps.otherwise(route, strategy, otherwise);
        self.part(otherwise?)
    }

    /// One that was picked as the candidate is stood in for by what was there before; not the other way round, because that
    /// would give the candidate more than its part.
    fn canary(&mut self, route: &'a Route, canary: &'a Canary) -> Picked<'a> {
        let percent = canary.percent;
        let shared = self.facts.affinity(&canary.by);
        let number = match shared {
            // Another one for each canary, or the same few would be the first to try everything.
            Some((_, affinity)) => {
                let mut hash = DefaultHasher::new();
                (affinity, self.facts.situation.model.id, &route.place).hash(&mut hash);
                hash.finish()
            }
            None => self.dice.roll(),
        };
        let is_candidate = number % 100 < u64::from(percent);
        if is_candidate {
            self.place(&canary.candidate, Classes::USUAL);
        }
        self.place(&canary.stable, Classes::USUAL);
        Picked::Canary {
            is_candidate,
            percent,
            by: shared.map(|(by, _)| by),
        }
    }

    fn place_all(&mut self, routes: &'a [Route]) {
        for route in routes {
            self.place(route, Classes::USUAL);
        }
    }

    /// Walks a route below the node that is walked, and puts it behind the others.
    fn place(&mut self, route: &'a Route, on: Classes) -> Option<&mut Placed> {
        let part = self.part(route)?;
        if let Some(part) = self.parts.get_mut(part) {
            part.on = on;
        }
        let lead_rank = lead(&self.parts, part).map_or(0, |leaf| leaf.state.rank());
        let key = self.order.len() as u64;
        self.order.push(Placed {
            rank: 0,
            key,
            tie: 0,
            part,
            lead_rank,
        });
        self.order.last_mut()
    }

    /// Links what was placed since the mark, in its order.
    fn group(&mut self, route: &'a Route, mark: usize) -> Option<usize> {
        let placed = self.order.get_mut(mark..)?;
        placed.sort_unstable();
        let best = placed.iter().min_by_key(|placed| placed.lead_rank)?;
        let lead = lead_of(&self.parts, best.part)?;
        let mut next = None;
        for placed in placed.iter().rev() {
            if let Some(part) = self.parts.get_mut(placed.part) {
                part.next = next;
            }
            next = Some(placed.part);
        }
        self.order.truncate(mark);
        Some(self.add(route, Content::Group { first: next?, lead }))
    }

    fn add(&mut self, route: &'a Route, content: Content<'a>) -> usize {
        self.parts.push(Part {
            route,
            on: Classes::default(),
            content,
            affinity: None,
            next: None,
        });
        self.parts.len() - 1
    }
}

impl<'a> Part<'a> {
    pub(crate) const fn leaf(&self) -> Option<&Leaf<'a>> {
        match &self.content {
            Content::Leaf(leaf) => Some(leaf),
            Content::Group { .. } => None,
        }
    }
}

/// The leaf of a part that would be called first.
pub(crate) fn lead<'a, 'b>(parts: &'b [Part<'a>], part: usize) -> Option<&'b Leaf<'a>> {
    parts.get(lead_of(parts, part)?)?.leaf()
}

fn lead_of(parts: &[Part<'_>], part: usize) -> Option<usize> {
    match parts.get(part)?.content {
        Content::Leaf(_) => Some(part),
        Content::Group { lead, .. } => Some(lead),
    }
}
