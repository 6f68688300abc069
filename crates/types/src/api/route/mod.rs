//! Where a request for a model goes: a tree of strategies with targets as its leaves. The same shape is in the API, in the
//! configuration file and in the published configuration.

mod canary;
mod fault;
mod form;
mod target;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::catalog::words;
use crate::{Slug, Target};

pub use canary::{Canary, Ramp, Rollback};
pub use fault::{Fault, FaultKind};
pub use target::RouteTarget;

/// A node of the tree. Written as a map with the strategy's name: `{weighted: [{weight: 9, route: {target: a/b}}, …]}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "form::RouteForm", into = "form::RouteForm")]
pub enum Route {
    Target(Box<RouteTarget>),
    /// One after the other, as long as they fail.
    Fallback(Vec<FallbackStep>),
    /// At random, in proportion to the weights; the others stand in for one that fails.
    Weighted(Vec<Weighted>),
    /// In turn.
    RoundRobin(Vec<Route>),
    /// The one with the fewest requests under way.
    LeastBusy(Vec<Route>),
    /// The faster of two picked at random, by the time to their first tokens and what is under way.
    Fastest(Vec<Route>),
    /// The one where this request is expected to cost least.
    Cheapest(Vec<Route>),
    /// The one that got the fewest tokens within the last minute.
    LowestUsage(Vec<Route>),
    /// The same one for the same session, user or beginning of the conversation.
    Sticky(Sticky),
    /// The first whose condition holds.
    When {
        cases: Vec<Case>,
        otherwise: Option<Box<Route>>,
    },
    /// By the task that a request names in `x-gw-task`.
    Task {
        tasks: BTreeMap<Slug, Route>,
        otherwise: Option<Box<Route>>,
    },
    /// A small part goes to a candidate, more and more while it does well.
    Canary(Box<Canary>),
}

/// A step of a fallback: a route, or a map of `on` and `route`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "form::RouteForm", into = "form::StepForm")]
pub struct FallbackStep {
    /// The failures it stands in for. When empty: all but those that another answer would only hide.
    pub on: Vec<FailureClass>,
    pub route: Route,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Weighted {
    /// A weight of 0 gets no requests of its own and stands in for nobody.
    pub weight: u32,
    pub route: Route,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Sticky {
    /// What has to be the same; the first that a request has decides.
    #[serde(default = "usual_affinity", skip_serializing_if = "is_usual_affinity")]
    pub by: Vec<Affinity>,
    pub routes: Vec<Route>,
}

/// A branch that is taken where a condition holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// An expression in CEL over `request`, `key`, `team`, `organization`, `now` and `health`.
    #[serde(rename = "if")]
    pub condition: String,
    pub route: Route,
}

words! {
    /// What a request has in common with those it should follow.
    Affinity {
        Session = "session",
        User = "user",
        Prefix = "prefix",
        Key = "key",
    }
    /// Kinds of failure that fallbacks and retries tell apart.
    FailureClass {
        /// The provider answered with an error of its own, with nothing readable, or not at all.
        Error = "error",
        RateLimit = "rate_limit",
        Timeout = "timeout",
        /// The conversation is too long for the model.
        ContextLength = "context_length",
        /// The provider's own policy refused.
        ContentPolicy = "content_policy",
        /// A guardrail of the organization's refused.
        Guardrail = "guardrail",
    }
}

fn usual_affinity() -> Vec<Affinity> {
    vec![Affinity::Session, Affinity::User, Affinity::Prefix]
}

fn is_usual_affinity(by: &Vec<Affinity>) -> bool {
    *by == usual_affinity()
}

impl FailureClass {
    /// Those a step without `on` stands in for.
    pub const USUAL: [Self; 4] = [Self::Error, Self::RateLimit, Self::Timeout, Self::ContextLength];
}

impl Route {
    /// A route that leads to one target as it is.
    pub fn to(target: Target) -> Self {
        Self::Target(Box::new(target.into()))
    }

    /// The target, where the route leads to nothing else.
    pub fn only_target(&self) -> Option<&RouteTarget> {
        match self {
            Self::Target(target) => Some(target),
            _ => None,
        }
    }

    /// Every target the route can lead to, each with its place: `route.fallback[0].target`.
    pub fn targets(&self) -> Vec<(String, &RouteTarget)> {
        let mut found = Vec::new();
        self.visit("route", &mut |place, node| {
            if let Self::Target(target) = node {
                found.push((format!("{place}.target"), &**target));
            }
        });
        found
    }

    /// Every canary, each with its place: `route.fallback[0].canary`.
    pub fn canaries(&self) -> Vec<(String, &Canary)> {
        let mut found = Vec::new();
        self.visit("route", &mut |place, node| {
            if let Self::Canary(canary) = node {
                found.push((format!("{place}.canary"), &**canary));
            }
        });
        found
    }

    /// Looks at every node, from the root to the leaves, with the place at which the map of each is written.
    pub fn visit<'a>(&'a self, place: &str, look: &mut dyn FnMut(&str, &'a Self)) {
        look(place, self);
        for (below, child) in self.children() {
            child.visit(&format!("{place}.{below}"), look);
        }
    }

    /// The nodes right below, each with its place as seen from here: `fallback[0]`, `when[1].route`.
    pub fn children(&self) -> Vec<(String, &Self)> {
        match self {
            Self::Target(_) => Vec::new(),
            Self::Fallback(steps) => numbered("fallback", steps, |step| {
                let below = if step.on.is_empty() { "" } else { ".route" };
                (below, &step.route)
            }),
            Self::Weighted(choices) => numbered("weighted", choices, |choice| (".route", &choice.route)),
            Self::RoundRobin(routes) => numbered("round_robin", routes, |route| ("", route)),
            Self::LeastBusy(routes) => numbered("least_busy", routes, |route| ("", route)),
            Self::Fastest(routes) => numbered("fastest", routes, |route| ("", route)),
            Self::Cheapest(routes) => numbered("cheapest", routes, |route| ("", route)),
            Self::LowestUsage(routes) => numbered("lowest_usage", routes, |route| ("", route)),
            Self::Sticky(sticky) => numbered("sticky.routes", &sticky.routes, |route| ("", route)),
            Self::When { cases, otherwise } => {
                let mut below = numbered("when", cases, |case| (".route", &case.route));
                below.extend(otherwise.iter().map(|route| ("otherwise".to_owned(), &**route)));
                below
            }
            Self::Task { tasks, otherwise } => {
                let named = tasks.iter().map(|(task, route)| (format!("task.{task}"), route));
                let rest = otherwise.iter().map(|route| ("otherwise".to_owned(), &**route));
                named.chain(rest).collect()
            }
            Self::Canary(canary) => vec![
                ("canary.stable".to_owned(), &canary.stable),
                ("canary.candidate".to_owned(), &canary.candidate),
            ],
        }
    }

    /// The strategy's name, as it is written.
    pub const fn strategy(&self) -> &'static str {
        match self {
            Self::Target(_) => "target",
            Self::Fallback(_) => "fallback",
            Self::Weighted(_) => "weighted",
            Self::RoundRobin(_) => "round_robin",
            Self::LeastBusy(_) => "least_busy",
            Self::Fastest(_) => "fastest",
            Self::Cheapest(_) => "cheapest",
            Self::LowestUsage(_) => "lowest_usage",
            Self::Sticky(_) => "sticky",
            Self::When { .. } => "when",
            Self::Task { .. } => "task",
            Self::Canary(_) => "canary",
        }
    }
}

fn numbered<'a, T>(
    name: &str,
    items: &'a [T],
    below: impl Fn(&'a T) -> (&'static str, &'a Route),
) -> Vec<(String, &'a Route)> {
    let numbered = items.iter().enumerate();
    numbered
        .map(|(index, item)| {
            let (rest, route) = below(item);
            (format!("{name}[{index}]{rest}"), route)
        })
        .collect()
}

#[cfg(test)]
mod tests;
