//! The tree under edit. Fields hold what was typed, readable or not, and a node keeps the fields of strategies it has
//! left, so that trying another strategy loses nothing.

use gatewright_types::api::{Affinity, FailureClass, FaultKind};

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

impl Leaf {
    /// Whether it says more than where requests go.
    pub(crate) fn has_more(&self) -> bool {
        let texts = [&self.params, &self.prompt, &self.headers];
        self.fault.kind.is_some() || texts.into_iter().any(|text| !text.trim().is_empty())
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
