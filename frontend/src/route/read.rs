//! From the tree under edit to a route, with everything that is unfinished or wrong on the way.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use gatewright_types::api::{
    Affinity, Canary, Case, FallbackStep, Fault, Ramp, Rollback, Route, RouteTarget, Sticky, Weighted,
};
use gatewright_types::{HeaderName, HeaderText, Target};

use super::{CanaryTerms, Child, Draft, FaultTerms, Leaf, Node, NodeId, Strategy};

/// What is wrong at a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) node: NodeId,
    /// The field that says it, by the name that the side panel gives it; empty when it is the node as a whole.
    pub(crate) field: &'static str,
    /// Goes on after the field's name.
    pub(crate) message: String,
}

pub(crate) fn read(draft: &Draft) -> Result<Route, Vec<Problem>> {
    let mut reading = Reading { problems: Vec::new() };
    let route = reading.node(&draft.root);
    match route {
        Some(route) if reading.problems.is_empty() => Ok(route),
        _ => Err(reading.problems),
    }
}

struct Reading {
    problems: Vec<Problem>,
}

impl Reading {
    /// None only after a problem was noted.
    fn node(&mut self, node: &Node) -> Option<Route> {
        if node.strategy != Strategy::Target && node.children.is_empty() {
            self.note(node.id, "", "leads nowhere: add a branch");
        }
        Some(match node.strategy {
            Strategy::Target => Route::Target(Box::new(self.target(node.id, &node.leaf)?)),
            Strategy::Fallback => Route::Fallback(self.all(node, |_, child, route| {
                let on = child.terms.on.clone();
                Some(FallbackStep { on, route })
            })?),
            Strategy::Weighted => Route::Weighted(self.all(node, |reading, child, route| {
                let weight = reading.parse(child.node.id, "weight", &child.terms.weight)?;
                Some(Weighted { weight, route })
            })?),
            Strategy::RoundRobin => Route::RoundRobin(self.plain(node)?),
            Strategy::LeastBusy => Route::LeastBusy(self.plain(node)?),
            Strategy::Fastest => Route::Fastest(self.plain(node)?),
            Strategy::Cheapest => Route::Cheapest(self.plain(node)?),
            Strategy::LowestUsage => Route::LowestUsage(self.plain(node)?),
            Strategy::Sticky => {
                let by = self.affinity(node);
                let routes = self.plain(node)?;
                Route::Sticky(Sticky { by: by?, routes })
            }
            Strategy::When => {
                let (cases, otherwise) = self.branches(node, |reading, child, route| {
                    let condition = child.terms.condition.trim().to_owned();
                    if condition.is_empty() {
                        reading.note(child.node.id, "if", "is required");
                        return None;
                    }
                    Some(Case { condition, route })
                })?;
                Route::When { cases, otherwise }
            }
            Strategy::Task => {
                let mut tasks = BTreeMap::new();
                let (named, otherwise) = self.branches(node, |reading, child, route| {
                    let task = reading.parse(child.node.id, "task", &child.terms.task)?;
                    Some((task, route, child.node.id))
                })?;
                for (task, route, id) in named {
                    if tasks.insert(task, route).is_some() {
                        self.note(id, "task", "is another branch's, too");
                    }
                }
                Route::Task { tasks, otherwise }
            }
            Strategy::Canary => Route::Canary(Box::new(self.canary(node)?)),
        })
    }

    /// Every child is looked at, so that all problems are told at once.
    fn all<T>(&mut self, node: &Node, make: impl Fn(&mut Self, &Child, Route) -> Option<T>) -> Option<Vec<T>> {
        let children = node.children.iter();
        let read: Vec<_> = children.map(|child| self.child(child, &make)).collect();
        read.into_iter().collect()
    }

    fn child<T>(&mut self, child: &Child, make: &impl Fn(&mut Self, &Child, Route) -> Option<T>) -> Option<T> {
        let route = self.node(&child.node);
        // A route that cannot be read stands in for itself, so that the edge to it is looked at, too.
        let known = route.is_some();
        let route = route.unwrap_or_else(|| Route::RoundRobin(Vec::new()));
        make(self, child, route).filter(|_| known)
    }

    fn plain(&mut self, node: &Node) -> Option<Vec<Route>> {
        self.all(node, |_, _, route| Some(route))
    }

    /// The branches, and the one for everything else.
    fn branches<T>(
        &mut self,
        node: &Node,
        make: impl Fn(&mut Self, &Child, Route) -> Option<T>,
    ) -> Option<(Vec<T>, Option<Box<Route>>)> {
        let (rest, named) = match node.children.split_last() {
            Some((last, before)) if last.terms.otherwise => (Some(last), before),
            _ => (None, &node.children[..]),
        };
        let read: Vec<_> = named.iter().map(|child| self.child(child, &make)).collect();
        let otherwise = match rest {
            Some(rest) => Some(Box::new(self.node(&rest.node)?)),
            None => None,
        };
        let read: Option<Vec<_>> = read.into_iter().collect();
        read.map(|read| (read, otherwise))
    }

    fn affinity(&mut self, node: &Node) -> Option<Vec<Affinity>> {
        if node.by.is_empty() {
            self.note(node.id, "by", "names nothing that could be the same");
            return None;
        }
        Some(node.by.clone())
    }

    fn canary(&mut self, node: &Node) -> Option<Canary> {
        let [stable, candidate] = &node.children[..] else {
            self.note(node.id, "", "has a stable route and a candidate, and nothing else");
            return None;
        };
        let terms = &node.canary;
        let percent = self.percent(node.id, "percent", &terms.percent);
        let by = self.affinity(node);
        let ramp = self.ramp(node.id, terms);
        let rollback = self.rollback(node.id, terms);
        let (stable, candidate) = (self.node(&stable.node), self.node(&candidate.node));
        Some(Canary {
            stable: stable?,
            candidate: candidate?,
            percent: percent?,
            by: by?,
            ramp: ramp?,
            rollback: rollback?,
        })
    }

    fn ramp(&mut self, id: NodeId, terms: &CanaryTerms) -> Option<Option<Ramp>> {
        if terms.step.trim().is_empty() && terms.every.trim().is_empty() {
            return Some(None);
        }
        let step = self.percent(id, "step", &terms.step);
        let every = self.parse(id, "every", &terms.every);
        let until = match terms.until.trim() {
            "" => Some(100),
            until => self.percent(id, "until", until),
        };
        Some(Some(Ramp {
            step: step?,
            every: every?,
            until: until?,
        }))
    }

    fn rollback(&mut self, id: NodeId, terms: &CanaryTerms) -> Option<Option<Rollback>> {
        if !terms.rolls_back {
            return Some(None);
        }
        let min_requests = match terms.min_requests.trim() {
            "" => Some(100),
            requests => self.parse(id, "min_requests", requests),
        };
        let error_rate = self.parse_optional(id, "error_rate", &terms.error_rate);
        let latency = self.parse_optional(id, "latency", &terms.latency);
        let cost = self.parse_optional(id, "cost", &terms.cost);
        Some(Some(Rollback {
            min_requests: min_requests?,
            error_rate: error_rate?,
            latency: latency?,
            cost: cost?,
        }))
    }

    fn target(&mut self, id: NodeId, leaf: &Leaf) -> Option<RouteTarget> {
        let provider = self.parse(id, "provider", &leaf.provider);
        let model = self.parse(id, "model", &leaf.model);
        let params = self.params(id, &leaf.params);
        let headers = self.headers(id, &leaf.headers);
        let fault = self.fault(id, &leaf.fault);
        Some(RouteTarget {
            target: Target {
                provider: provider?,
                model: model?,
            },
            params: params?,
            prompt: Some(leaf.prompt.clone()).filter(|prompt| !prompt.is_empty()),
            headers: headers?,
            fault: fault?,
        })
    }

    fn params(&mut self, id: NodeId, text: &str) -> Option<BTreeMap<String, serde_json::Value>> {
        if text.trim().is_empty() {
            return Some(BTreeMap::new());
        }
        match serde_json::from_str(text) {
            Ok(params) => Some(params),
            Err(error) => {
                self.note(id, "params", &format!("must be a JSON object: {error}"));
                None
            }
        }
    }

    fn headers(&mut self, id: NodeId, text: &str) -> Option<BTreeMap<HeaderName, HeaderText>> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let mut headers = BTreeMap::new();
        for line in lines {
            let Some((name, value)) = line.split_once(':') else {
                self.note(
                    id,
                    "headers",
                    &format!("must be name: value in each line; {line} is not"),
                );
                return None;
            };
            let name = self.parse(id, "headers", name)?;
            headers.insert(name, self.parse(id, "headers", value)?);
        }
        Some(headers)
    }

    fn fault(&mut self, id: NodeId, terms: &FaultTerms) -> Option<Option<Fault>> {
        let Some(kind) = terms.kind else { return Some(None) };
        let percent = match terms.percent.trim() {
            "" => Some(100),
            percent => self.percent(id, "fault.percent", percent),
        };
        let delay = self.parse_optional(id, "fault.delay", &terms.delay);
        Some(Some(Fault {
            kind,
            percent: percent?,
            delay: delay?,
        }))
    }

    fn percent(&mut self, id: NodeId, field: &'static str, text: &str) -> Option<u8> {
        let percent: Option<u8> = text.trim().parse().ok().filter(|percent| *percent <= 100);
        if percent.is_none() {
            self.note(id, field, "must be a whole number from 0 to 100");
        }
        percent
    }

    fn parse_optional<T>(&mut self, id: NodeId, field: &'static str, text: &str) -> Option<Option<T>>
    where
        T: FromStr,
        T::Err: Display,
    {
        if text.trim().is_empty() {
            return Some(None);
        }
        self.parse(id, field, text).map(Some)
    }

    fn parse<T>(&mut self, id: NodeId, field: &'static str, text: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        let text = text.trim();
        if text.is_empty() {
            self.note(id, field, "is required");
            return None;
        }
        text.parse()
            .map_err(|error: T::Err| self.note(id, field, &error.to_string()))
            .ok()
    }

    fn note(&mut self, node: NodeId, field: &'static str, message: &str) {
        self.problems.push(Problem {
            node,
            field,
            message: message.to_owned(),
        });
    }
}
