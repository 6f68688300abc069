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
