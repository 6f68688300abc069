//! A route as the tree that is edited.

use std::collections::BTreeMap;

use gatewright_types::api::{Canary, FailureClass, Fault, Route, RouteTarget};

use super::{CanaryTerms, Child, Draft, FaultTerms, Leaf, Node, NodeId, Strategy, Terms};

impl Draft {
    pub(crate) fn of(route: &Route) -> Self {
        let mut next = 0;
        let root = Node::of(route, &mut next);
        Self { root, next }
    }
}

impl Node {
    fn of(route: &Route, next: &mut u32) -> Self {
        let mut node = Self::target(NodeId(*next));
        *next += 1;
        node.strategy = Strategy::of(route);
        let mut child = |terms: Terms, route: &Route| Child {
            terms,
            node: Self::of(route, next),
        };
        let mut plain = |routes: &[Route]| routes.iter().map(|route| child(Terms::default(), route)).collect();
        node.children = match route {
            Route::Target(target) => {
                node.leaf = Leaf::of(target);
                Vec::new()
            }
            Route::RoundRobin(routes)
            | Route::LeastBusy(routes)
            | Route::Fastest(routes)
            | Route::Cheapest(routes)
            | Route::LowestUsage(routes) => plain(routes),
            Route::Sticky(sticky) => {
                node.by.clone_from(&sticky.by);
                plain(&sticky.routes)
            }
            Route::Fallback(steps) => steps
                .iter()
                .map(|step| child(Terms::on(&step.on), &step.route))
                .collect(),
            Route::Weighted(choices) => choices
                .iter()
                .map(|choice| child(Terms::weight(choice.weight), &choice.route))
                .collect(),
            Route::When { cases, otherwise } => {
                let cases = cases.iter();
                let mut children: Vec<_> = cases
                    .map(|case| child(Terms::condition(&case.condition), &case.route))
                    .collect();
                children.extend(otherwise.as_deref().map(|rest| child(Terms::otherwise(), rest)));
                children
            }
            Route::Task { tasks, otherwise } => {
                let tasks = tasks.iter();
                let mut children: Vec<_> = tasks
                    .map(|(task, route)| child(Terms::task(task.as_str()), route))
                    .collect();
                children.extend(otherwise.as_deref().map(|rest| child(Terms::otherwise(), rest)));
                children
            }
            Route::Canary(canary) => {
                node.by.clone_from(&canary.by);
                node.canary = CanaryTerms::of(canary);
                let both = [&canary.stable, &canary.candidate].into_iter();
                both.map(|route| child(Terms::default(), route)).collect()
            }
        };
        node
    }
}

impl Terms {
    fn on(on: &[FailureClass]) -> Self {
        Self {
            on: on.to_vec(),
            ..Self::default()
        }
    }

    fn weight(weight: u32) -> Self {
        Self {
            weight: weight.to_string(),
            ..Self::default()
        }
    }

    fn condition(condition: &str) -> Self {
        Self {
            condition: condition.to_owned(),
            ..Self::default()
        }
    }

    fn task(task: &str) -> Self {
        Self {
            task: task.to_owned(),
            ..Self::default()
        }
    }

    fn otherwise() -> Self {
        Self {
            otherwise: true,
            ..Self::default()
        }
    }
}

impl Leaf {
    fn of(target: &RouteTarget) -> Self {
        let headers = target
            .headers
            .iter()
            .map(|(name, value)| format!("{}: {}", name.as_str(), value.as_str()));
        Self {
            provider: target.target.provider.to_string(),
            model: target.target.model.to_string(),
            params: object_text(&target.params),
            prompt: target.prompt.clone().unwrap_or_default(),
            headers: headers.collect::<Vec<_>>().join("\n"),
            fault: target.fault.as_ref().map(FaultTerms::of).unwrap_or_default(),
        }
    }
}

impl FaultTerms {
    fn of(fault: &Fault) -> Self {
        Self {
            kind: Some(fault.kind),
            percent: fault.percent.to_string(),
            delay: fault.delay.map(|delay| delay.to_string()).unwrap_or_default(),
        }
    }
}

impl CanaryTerms {
    fn of(canary: &Canary) -> Self {
        let mut terms = Self {
            percent: canary.percent.to_string(),
            ..Self::default()
        };
        if let Some(ramp) = &canary.ramp {
            terms.step = ramp.step.to_string();
            terms.every = ramp.every.to_string();
            terms.until = ramp.until.to_string();
        }
        if let Some(rollback) = &canary.rollback {
            let text = |limit: Option<u32>| limit.map(|limit| limit.to_string()).unwrap_or_default();
            terms.rolls_back = true;
            terms.min_requests = rollback.min_requests.to_string();
            terms.error_rate = text(rollback.error_rate.map(u32::from));
            terms.latency = text(rollback.latency);
            terms.cost = text(rollback.cost);
        }
        terms
    }
}

/// Empty for an object with nothing in it.
fn object_text(members: &BTreeMap<String, serde_json::Value>) -> String {
    if members.is_empty() {
        return String::new();
    }
    serde_json::to_string_pretty(members).expect("JSON values are always written")
}
