//! The first half of a decision: walks the route from its root, and puts what is below each node in order.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use gatewright_contract::{Classes, Route, Strategy, UpstreamTarget};

use crate::Situation;
use crate::dice::Dice;
use crate::health::{Look, Vitals};
use crate::plan::State;

/// What a walk found.
#[derive(Debug)]
pub(crate) struct Choice<'a> {
    parts: Vec<Part<'a>>,
    root: usize,
}

/// A part of the route that was chosen. Parts are known by their places in [`Choice::parts`].
#[derive(Debug)]
pub(crate) struct Part<'a> {
    pub(crate) route: &'a Route,
    /// The failures of what is before it that it stands in for.
    pub(crate) on: Classes,
    pub(crate) content: Content<'a>,
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
    vitals: Option<&'a Vitals>,
}

struct Walk<'a> {
    situation: &'a Situation<'a>,
    look: &'a Look,
    dice: Dice,
    parts: Vec<Part<'a>>,
    /// What is to be put in order, the smallest first: of the node that is walked at the end, of those above before it.
    order: Vec<Placed>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Placed {
    /// What can be called goes before what cannot.
    rank: u8,
    key: u64,
    tie: u64,
    part: usize,
}

/// `None` where no rule applies.
pub(crate) fn choose<'a>(situation: &'a Situation<'a>, look: &'a Look) -> Option<Choice<'a>> {
    let mut walk = Walk {
        situation,
        look,
        dice: Dice::new(situation.dice),
        parts: Vec::new(),
        order: Vec::new(),
    };
    let root = walk.part(&situation.model.route)?;
    Some(Choice {
        parts: walk.parts,
        root,
    })
}

impl<'a> Choice<'a> {
    pub(crate) fn root(&self) -> Option<&Part<'a>> {
        self.part(self.root)
    }

    pub(crate) fn part(&self, index: usize) -> Option<&Part<'a>> {
        self.parts.get(index)
    }
}

impl<'a> Walk<'a> {
    fn part(&mut self, route: &'a Route) -> Option<usize> {
        let mark = self.order.len();
        match &route.strategy {
            Strategy::Target(target) => return Some(self.leaf(route, target)),
            Strategy::Fallback(steps) => {
                for step in steps {
                    self.place(&step.route, step.on);
                }
            }
            Strategy::Weighted(choices) => {
                for (weight, below) in choices.iter().filter(|(weight, _)| *weight > 0) {
                    let drawn = self.dice.exponential(*weight);
                    if let Some(placed) = self.place(below, Classes::USUAL) {
                        placed.key = drawn;
                    }
                }
            }
            Strategy::LeastBusy(routes) => {
                self.place_all(routes);
                self.order_by(mark, |vitals, _| u64::from(vitals.in_flight()));
            }
            Strategy::LowestUsage(routes) => {
                self.place_all(routes);
                self.order_by(mark, Vitals::tokens_within_a_minute);
            }
            Strategy::RoundRobin(routes)
            | Strategy::Fastest(routes)
            | Strategy::Cheapest(routes)
            | Strategy::Sticky { routes, .. } => self.place_all(routes),
            Strategy::When { cases, otherwise } => {
                let first = cases.first().map(|case| &case.route);
                return self.part(first.or(otherwise.as_deref())?);
            }
            Strategy::Task { tasks, otherwise } => {
                let first = tasks.first().map(|(_, route)| route);
                return self.part(otherwise.as_deref().or(first)?);
            }
            Strategy::Canary(canary) => return self.part(&canary.stable),
        }
        self.group(route, mark)
    }

    fn leaf(&mut self, route: &'a Route, target: &'a Arc<UpstreamTarget>) -> usize {
        let vitals = self.look.find(target.provider.id, &target.model);
        let is_open = vitals.is_some_and(|vitals| vitals.is_open(self.situation.now));
        let leaf = Leaf {
            target,
            state: if is_open { State::Unhealthy } else { State::Ready },
            vitals,
        };
        self.add(route, Content::Leaf(leaf))
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
        let key = self.order.len() as u64;
        self.order.push(Placed {
            rank: 0,
            key,
            tie: 0,
            part,
        });
        self.order.last_mut()
    }

    /// Orders what was placed since the mark by something of the deployment that would be called, where it can be.
    fn order_by(&mut self, mark: usize, measure: impl Fn(&Vitals, DateTime<Utc>) -> u64) {
        let now = self.situation.now;
        for placed in self.order.iter_mut().skip(mark) {
            let Some(leaf) = lead(&self.parts, placed.part) else {
                continue;
            };
            placed.rank = leaf.state.rank();
            placed.key = leaf.vitals.map_or(0, |vitals| measure(vitals, now));
            placed.tie = self.dice.roll();
        }
    }

    /// Links what was placed since the mark.
    fn group(&mut self, route: &'a Route, mark: usize) -> Option<usize> {
        let placed = self.order.get_mut(mark..)?;
        placed.sort_unstable();
        let leads = placed.iter().filter_map(|placed| lead_of(&self.parts, placed.part));
        let lead = leads.min_by_key(|leaf| self.parts.get(*leaf).and_then(Part::leaf).map(|leaf| leaf.state.rank()))?;
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
            next: None,
        });
        self.parts.len() - 1
    }
}

impl<'a> Part<'a> {
    fn leaf(&self) -> Option<&Leaf<'a>> {
        match &self.content {
            Content::Leaf(leaf) => Some(leaf),
            Content::Group { .. } => None,
        }
    }
}

/// The leaf of a part that would be called first.
fn lead<'a, 'b>(parts: &'b [Part<'a>], part: usize) -> Option<&'b Leaf<'a>> {
    parts.get(lead_of(parts, part)?)?.leaf()
}

fn lead_of(parts: &[Part<'_>], part: usize) -> Option<usize> {
    match parts.get(part)?.content {
        Content::Leaf(_) => Some(part),
        Content::Group { lead, .. } => Some(lead),
    }
}
