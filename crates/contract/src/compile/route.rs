//! Compiles a route: resolves its targets and finds everything that is wrong with it, each with its place.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use gatewright_cel::Expression;
use gatewright_types::api::{
    Canary as CanarySpec, Case as CaseSpec, Fault, FaultKind, Rollback, Route as Spec, RouteTarget, Weighted,
};

use super::Resources;
use crate::condition::declarations;
use crate::route::{Canary, Case, Route, Step, Strategy};
use crate::{CanaryUnit, Classes, ModelUnit, UpstreamTarget};

/// How deep strategies nest, at most.
const DEEPEST: usize = 16;
/// Nodes of one route, at most.
const MOST_NODES: usize = 500;

/// A place within the model, and what is wrong there.
pub(super) type Wrong = (String, String);

/// The compiled route, as long as nothing is wrong with it.
pub(super) fn route(spec: &ModelUnit, resources: &Resources<'_>) -> Result<Route, Vec<Wrong>> {
    let mut compiling = Compiling {
        resources,
        canaries: &spec.canaries,
        wrong: Vec::new(),
        nodes: 0,
    };
    let route = compiling.node("route".to_owned(), &spec.route, 1);
    match route {
        Some(route) if compiling.wrong.is_empty() => Ok(route),
        _ => Err(compiling.wrong),
    }
}

struct Compiling<'a> {
    resources: &'a Resources<'a>,
    canaries: &'a [CanaryUnit],
    wrong: Vec<Wrong>,
    nodes: usize,
}

impl Compiling<'_> {
    fn node(&mut self, place: String, spec: &Spec, depth: usize) -> Option<Route> {
        self.nodes += 1;
        if depth > DEEPEST {
            return self.refuse(place, format!("strategies nest {DEEPEST} deep at most"));
        }
        if self.nodes > MOST_NODES {
            return self.refuse(place, format!("a route has {MOST_NODES} nodes at most"));
        }
        let strategy = match spec {
            Spec::Target(target) => Strategy::Target(self.target(&place, target)?),
            Spec::Fallback(steps) => {
                let compiled: Vec<_> = self
                    .all(&place, spec, depth)?
                    .into_iter()
                    .zip(steps)
                    .map(|(route, step)| Step {
                        on: match step.on.is_empty() {
                            true => Classes::USUAL,
                            false => Classes::of(&step.on),
                        },
                        route,
                    })
                    .collect();
                Strategy::Fallback(compiled)
            }
            Spec::Weighted(choices) => {
                self.check_weights(&place, choices);
                let weights = choices.iter().map(|choice| choice.weight);
                Strategy::Weighted(weights.zip(self.all(&place, spec, depth)?).collect())
            }
            Spec::RoundRobin(_) => Strategy::RoundRobin(self.all(&place, spec, depth)?),
            Spec::LeastBusy(_) => Strategy::LeastBusy(self.all(&place, spec, depth)?),
            Spec::Fastest(_) => Strategy::Fastest(self.all(&place, spec, depth)?),
            Spec::Cheapest(_) => Strategy::Cheapest(self.all(&place, spec, depth)?),
            Spec::LowestUsage(_) => Strategy::LowestUsage(self.all(&place, spec, depth)?),
            Spec::Sticky(sticky) => {
                if sticky.by.is_empty() {
                    self.note(format!("{place}.sticky.by"), "names nothing that could be the same");
                }
                Strategy::Sticky {
                    by: sticky.by.clone(),
                    routes: self.all(&place, spec, depth)?,
                }
            }
            Spec::When { cases, otherwise } => {
                let conditions = self.conditions(&place, cases);
                let mut routes = self.all(&place, spec, depth)?;
                let otherwise = otherwise.as_ref().and_then(|_| routes.pop()).map(Box::new);
                let cases = conditions?.into_iter().zip(routes);
                Strategy::When {
                    cases: cases.map(|(condition, route)| Case { condition, route }).collect(),
                    otherwise,
                }
            }
            Spec::Task { tasks, otherwise } => {
                let mut routes = self.all(&place, spec, depth)?;
                let otherwise = otherwise.as_ref().and_then(|_| routes.pop()).map(Box::new);
                Strategy::Task {
                    tasks: tasks.keys().cloned().zip(routes).collect(),
                    otherwise,
                }
            }
            Spec::Canary(canary) => {
                self.check_canary(&place, canary);
                let mut routes = self.all(&place, spec, depth)?.into_iter();
                let (stable, candidate) = (routes.next()?, routes.next()?);
                Strategy::Canary(Box::new(Canary {
                    stable,
                    candidate,
                    percent: self.percent_now(&place, canary),
                    by: canary.by.clone(),
                }))
            }
        };
        Some(Route {
            place: place.into(),
            identity: identity(spec),
            strategy,
        })
    }

    /// The conditions of all cases, or none of them: every one is read, so that all mistakes are told at once.
    fn conditions(&mut self, place: &str, cases: &[CaseSpec]) -> Option<Vec<Expression>> {
        let declared = declarations();
        let compiled: Vec<_> = cases
            .iter()
            .enumerate()
            .map(|(index, case)| {
                let compiled = Expression::compile_condition(&case.condition, &declared);
                compiled
                    .map_err(|problem| self.note(format!("{place}.when[{index}].if"), &problem.to_string()))
                    .ok()
            })
            .collect();
        compiled.into_iter().collect()
    }

    /// The nodes right below, or none of them: every one is looked at, so that all mistakes are told at once.
    fn all(&mut self, place: &str, spec: &Spec, depth: usize) -> Option<Vec<Route>> {
        let children = spec.children();
        if children.is_empty() {
            return self.refuse(
                format!("{place}.{}", spec.strategy()),
                "leads nowhere: it is empty".to_owned(),
            );
        }
        let compiled: Vec<_> = children
            .into_iter()
            .map(|(below, child)| self.node(format!("{place}.{below}"), child, depth + 1))
            .collect();
        compiled.into_iter().collect()
    }

    fn target(&mut self, place: &str, spec: &RouteTarget) -> Option<Arc<UpstreamTarget>> {
        let target = &spec.target;
        let Some(provider) = self.resources.providers.get(&target.provider) else {
            let message = format!("there is no provider named {}", target.provider);
            return self.refuse(format!("{place}.target"), message);
        };
        let name = self.resources.own.name(provider.kind, &target.model);
        let prices = self
            .resources
            .prices_of(target.provider.as_str(), target.model.as_str())
            .or_else(|| self.resources.prices_of(target.provider.as_str(), name.as_str()))
            .cloned()
            .unwrap_or_default();
        for name in ["model", "stream", "stream_options"] {
            if spec.params.contains_key(name) {
                let message = "is the caller's to say, or the target's own: remove it";
                self.note(format!("{place}.target.params.{name}"), message);
            }
        }
        if spec.fault.as_ref().is_some_and(|fault| fault.percent > 100) {
            self.note(format!("{place}.target.fault.percent"), "is more than 100");
        }
        let slow = |fault: &Fault| fault.kind == FaultKind::Slow || fault.delay.is_none();
        if !spec.fault.as_ref().is_none_or(slow) {
            self.note(
                format!("{place}.target.fault.delay"),
                "has no meaning for a fault that is not slow: remove it",
            );
        }
        Some(Arc::new(UpstreamTarget {
            provider: provider.clone(),
            model: target.model.clone(),
            prices,
            own: self.resources.own.clone(),
            changes: (!spec.is_plain()).then(|| Arc::new(spec.clone())),
        }))
    }

    fn check_weights(&mut self, place: &str, choices: &[Weighted]) {
        if !choices.is_empty() && choices.iter().all(|choice| choice.weight == 0) {
            self.note(
                format!("{place}.weighted"),
                "every weight is 0, so that nothing can be picked",
            );
        }
    }

    fn check_canary(&mut self, place: &str, canary: &CanarySpec) {
        let too_much = "is more than 100 percent";
        if canary.percent > 100 {
            self.note(format!("{place}.canary.percent"), too_much);
        }
        if canary.by.is_empty() {
            self.note(format!("{place}.canary.by"), "names nothing that could be the same");
        }
        if let Some(rollback) = &canary.rollback {
            self.check_rollback(place, rollback);
        }
        let Some(ramp) = &canary.ramp else { return };
        if ramp.until > 100 {
            self.note(format!("{place}.canary.ramp.until"), too_much);
        }
        if ramp.until < canary.percent {
            self.note(
                format!("{place}.canary.ramp.until"),
                "is less than percent, the part it begins with",
            );
        }
        if ramp.step == 0 {
            self.note(
                format!("{place}.canary.ramp.step"),
                "is 0, so that the part never grows",
            );
        }
        if ramp.every.get().is_zero() {
            self.note(format!("{place}.canary.ramp.every"), "must be longer than nothing");
        }
    }

    fn check_rollback(&mut self, place: &str, rollback: &Rollback) {
        let Rollback {
            min_requests,
            error_rate,
            latency,
            cost,
        } = rollback;
        if *min_requests == 0 {
            let message = "is 0, but who had no requests cannot be judged";
            self.note(format!("{place}.canary.rollback.min_requests"), message);
        }
        if error_rate.is_none() && latency.is_none() && cost.is_none() {
            let message = "says by nothing when to roll back: give error_rate, latency or cost";
            self.note(format!("{place}.canary.rollback"), message);
        }
    }

    fn percent_now(&self, place: &str, canary: &CanarySpec) -> u8 {
        let is_here = |unit: &&CanaryUnit| unit.place.strip_suffix(".canary") == Some(place);
        let published = self.canaries.iter().find(is_here);
        published.map_or(canary.percent, |unit| unit.percent)
    }

    fn note(&mut self, place: String, message: &str) {
        self.wrong.push((place, message.to_owned()));
    }

    fn refuse<T>(&mut self, place: String, message: String) -> Option<T> {
        self.wrong.push((place, message));
        None
    }
}

fn identity(spec: &Spec) -> u64 {
    let mut hash = DefaultHasher::new();
    for (_, leaf) in spec.targets() {
        leaf.target.hash(&mut hash);
    }
    hash.finish()
}
