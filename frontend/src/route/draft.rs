//! The tree under edit. Fields hold what was typed, readable or not, and a node keeps the fields of strategies it has
//! left, so that trying another strategy loses nothing.

use std::collections::BTreeMap;

use gatewright_types::api::{Affinity, Canary, FailureClass, Fault, FaultKind, Route, RouteTarget};

use super::Strategy;

/// A node for as long as the tree is edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(pub(super) u32);

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Draft {
    pub(crate) root: Node,
    pub(super) next: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) strategy: Strategy,
    /// Of a target.
    pub(crate) leaf: Leaf,
    /// Of sticky and canary.
    pub(crate) by: Vec<Affinity>,
    /// Of a canary; its children are the stable route and the candidate.
    pub(crate) canary: CanaryTerms,
    pub(crate) children: Vec<Child>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Child {
    pub(crate) terms: Terms,
    pub(crate) node: Node,
}

/// What is said on the edge to a child; the parent's strategy decides which of it counts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Terms {
    pub(crate) on: Vec<FailureClass>,
    pub(crate) weight: String,
    pub(crate) condition: String,
    pub(crate) task: String,
    /// Takes everything the other branches do not; only the last child.
    pub(crate) otherwise: bool,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Leaf {
    pub(crate) provider: String,
    pub(crate) model: String,
    /// A JSON object.
    pub(crate) params: String,
    pub(crate) prompt: String,
    /// `name: value` in each line.
    pub(crate) headers: String,
    pub(crate) fault: FaultTerms,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct FaultTerms {
    pub(crate) kind: Option<FaultKind>,
    pub(crate) percent: String,
    pub(crate) delay: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CanaryTerms {
    pub(crate) percent: String,
    /// Empty where the part stays as it is.
    pub(crate) step: String,
    pub(crate) every: String,
    pub(crate) until: String,
    pub(crate) rolls_back: bool,
    pub(crate) min_requests: String,
    pub(crate) error_rate: String,
    pub(crate) latency: String,
    pub(crate) cost: String,
}

/// A node as it is met on a walk from the root to the leaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visit<'a> {
    pub(crate) node: &'a Node,
    pub(crate) depth: usize,
    pub(crate) parent: Option<&'a Node>,
    /// Among the parent's children, from 0.
    pub(crate) position: usize,
}

impl Draft {
    /// A single target with nothing chosen.
    pub(crate) fn new() -> Self {
        Self {
            root: Node::target(NodeId(0)),
            next: 1,
        }
    }

    pub(crate) fn of(route: &Route) -> Self {
        let mut next = 0;
        let root = Node::of(route, &mut next);
        Self { root, next }
    }

    pub(crate) fn node(&self, id: NodeId) -> Option<&Node> {
        self.walk()
            .into_iter()
            .map(|visit| visit.node)
            .find(|node| node.id == id)
    }

    /// Every node, parents before their children and those in order.
    pub(crate) fn walk(&self) -> Vec<Visit<'_>> {
        let mut found = Vec::new();
        let root = Visit {
            node: &self.root,
            depth: 0,
            parent: None,
            position: 0,
        };
        visit(root, &mut found);
        found
    }

    /// The child that a node is of its parent; none for the root.
    pub(crate) fn edge(&self, id: NodeId) -> Option<(&Node, usize)> {
        let found = self.walk().into_iter().find(|visit| visit.node.id == id)?;
        found.parent.map(|parent| (parent, found.position))
    }
}

fn visit<'a>(here: Visit<'a>, found: &mut Vec<Visit<'a>>) {
    found.push(here);
    for (position, child) in here.node.children.iter().enumerate() {
        let below = Visit {
            node: &child.node,
            depth: here.depth + 1,
            parent: Some(here.node),
            position,
        };
        visit(below, found);
    }
}

impl NodeId {
    /// Its part of an element's id.
    pub(crate) const fn number(self) -> u32 {
        self.0
    }
}

impl Node {
    pub(super) fn target(id: NodeId) -> Self {
        Self {
            id,
            strategy: Strategy::Target,
            leaf: Leaf::default(),
            by: Strategy::Sticky.usual_affinity(),
            canary: CanaryTerms::default(),
            children: Vec::new(),
        }
    }

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

impl Default for Terms {
    fn default() -> Self {
        Self {
            on: Vec::new(),
            weight: "1".to_owned(),
            condition: String::new(),
            task: String::new(),
            otherwise: false,
        }
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

    /// Whether it says more than where requests go.
    pub(crate) fn has_more(&self) -> bool {
        let texts = [&self.params, &self.prompt, &self.headers];
        self.fault.kind.is_some() || texts.into_iter().any(|text| !text.trim().is_empty())
    }
}

/// Empty for an object with nothing in it.
fn object_text(members: &BTreeMap<String, serde_json::Value>) -> String {
    if members.is_empty() {
        return String::new();
    }
    serde_json::to_string_pretty(members).expect("JSON values are always written")
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

impl Default for CanaryTerms {
    fn default() -> Self {
        Self {
            percent: "5".to_owned(),
            step: String::new(),
            every: String::new(),
            until: String::new(),
            rolls_back: false,
            min_requests: String::new(),
            error_rate: String::new(),
            latency: String::new(),
            cost: String::new(),
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
