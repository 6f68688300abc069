//! Routes as a proxy node uses them: every target is resolved, every part is checked.

use std::sync::Arc;

use gatewright_cel::Expression;
use gatewright_types::Slug;
use gatewright_types::api::Affinity;

use crate::{Classes, UpstreamTarget};

/// A node of a compiled route.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Where it is written: `route.fallback[0]`.
    pub place: Arc<str>,
    /// Made of the targets it leads to: whatever else changes about a model, those that stick to a route stay with it.
    pub identity: u64,
    pub strategy: Strategy,
}

/// What `gatewright_types::api::Route` says, compiled.
#[derive(Debug, Clone, PartialEq)]
pub enum Strategy {
    Target(Arc<UpstreamTarget>),
    Fallback(Vec<Step>),
    Weighted(Vec<(u32, Route)>),
    RoundRobin(Vec<Route>),
    LeastBusy(Vec<Route>),
    Fastest(Vec<Route>),
    Cheapest(Vec<Route>),
    LowestUsage(Vec<Route>),
    Sticky {
        by: Vec<Affinity>,
        routes: Vec<Route>,
    },
    When {
        cases: Vec<Case>,
        otherwise: Option<Box<Route>>,
    },
    Task {
        tasks: Vec<(Slug, Route)>,
        otherwise: Option<Box<Route>>,
    },
    Canary(Box<Canary>),
}

/// A step of a fallback.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The failures it stands in for.
    pub on: Classes,
    pub route: Route,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    pub condition: Expression,
    pub route: Route,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Canary {
    pub stable: Route,
    pub candidate: Route,
    /// The candidate's part now, in percent.
    pub percent: u8,
    pub by: Vec<Affinity>,
}

impl Route {
    /// Whether it chooses by what rules see of a request: conditions, or the task it names.
    pub fn has_rules(&self) -> bool {
        match &self.strategy {
            Strategy::Target(_) => false,
            Strategy::When { .. } | Strategy::Task { .. } => true,
            Strategy::Fallback(steps) => steps.iter().any(|step| step.route.has_rules()),
            Strategy::Weighted(choices) => choices.iter().any(|(_, route)| route.has_rules()),
            Strategy::RoundRobin(routes)
            | Strategy::LeastBusy(routes)
            | Strategy::Fastest(routes)
            | Strategy::Cheapest(routes)
            | Strategy::LowestUsage(routes)
            | Strategy::Sticky { routes, .. } => routes.iter().any(Self::has_rules),
            Strategy::Canary(canary) => canary.stable.has_rules() || canary.candidate.has_rules(),
        }
    }

    /// Every condition of the route, in the order in which they are written.
    pub fn conditions(&self) -> Vec<&Expression> {
        let mut found = Vec::new();
        self.gather_conditions(&mut found);
        found
    }

    fn gather_conditions<'a>(&'a self, found: &mut Vec<&'a Expression>) {
        if let Strategy::When { cases, .. } = &self.strategy {
            found.extend(cases.iter().map(|case| &case.condition));
        }
        self.below().iter().for_each(|route| route.gather_conditions(found));
    }

    /// Whether it puts together what has something in common, by what its messages begin with among others.
    pub fn follows_beginnings(&self) -> bool {
        let by = match &self.strategy {
            Strategy::Sticky { by, .. } => by.as_slice(),
            Strategy::Canary(canary) => &canary.by,
            _ => &[],
        };
        by.contains(&Affinity::Prefix) || self.below().iter().any(|route| route.follows_beginnings())
    }

    fn below(&self) -> Vec<&Self> {
        match &self.strategy {
            Strategy::Target(_) => Vec::new(),
            Strategy::Fallback(steps) => steps.iter().map(|step| &step.route).collect(),
            Strategy::Weighted(choices) => choices.iter().map(|(_, route)| route).collect(),
            Strategy::RoundRobin(routes)
            | Strategy::LeastBusy(routes)
            | Strategy::Fastest(routes)
            | Strategy::Cheapest(routes)
            | Strategy::LowestUsage(routes)
            | Strategy::Sticky { routes, .. } => routes.iter().collect(),
            Strategy::When { cases, otherwise } => {
                let cases = cases.iter().map(|case| &case.route);
                cases.chain(otherwise.as_deref()).collect()
            }
            Strategy::Task { tasks, otherwise } => {
                let tasks = tasks.iter().map(|(_, route)| route);
                tasks.chain(otherwise.as_deref()).collect()
            }
            Strategy::Canary(canary) => vec![&canary.stable, &canary.candidate],
        }
    }

    /// Every target the route can lead to, in the order in which they are written.
    pub fn targets(&self) -> Vec<&Arc<UpstreamTarget>> {
        let mut found = Vec::new();
        self.gather(&mut found);
        found
    }

    fn gather<'a>(&'a self, found: &mut Vec<&'a Arc<UpstreamTarget>>) {
        match &self.strategy {
            Strategy::Target(target) => found.push(target),
            Strategy::Fallback(steps) => steps.iter().for_each(|step| step.route.gather(found)),
            Strategy::Weighted(choices) => choices.iter().for_each(|(_, route)| route.gather(found)),
            Strategy::RoundRobin(routes)
            | Strategy::LeastBusy(routes)
            | Strategy::Fastest(routes)
            | Strategy::Cheapest(routes)
            | Strategy::LowestUsage(routes)
            | Strategy::Sticky { routes, .. } => routes.iter().for_each(|route| route.gather(found)),
            Strategy::When { cases, otherwise } => {
                cases.iter().for_each(|case| case.route.gather(found));
                otherwise.iter().for_each(|route| route.gather(found));
            }
            Strategy::Task { tasks, otherwise } => {
                tasks.iter().for_each(|(_, route)| route.gather(found));
                otherwise.iter().for_each(|route| route.gather(found));
            }
            Strategy::Canary(canary) => {
                canary.stable.gather(found);
                canary.candidate.gather(found);
            }
        }
    }
}
