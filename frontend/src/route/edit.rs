//! Changes of the tree. Each leaves a tree that can be drawn and written, finished or not.

use super::{Child, Draft, Node, NodeId, Strategy, Terms};

/// Where a branch is moved among its siblings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Before,
    After,
}

impl Draft {
    pub(crate) fn change_node(&mut self, id: NodeId, change: impl FnOnce(&mut Node)) {
        if let Some(node) = find(&mut self.root, id) {
            change(node);
        }
    }

    /// Changes what is said on the edge that leads to a node.
    pub(crate) fn change_terms(&mut self, id: NodeId, change: impl FnOnce(&mut Terms)) {
        if let Some((parent, position)) = find_parent(&mut self.root, id) {
            change(&mut parent.children[position].terms);
            keep_otherwise_last(parent);
        }
    }

    /// Adds a target to a strategy, before the branch for everything else.
    pub(crate) fn add_child(&mut self, parent: NodeId) -> Option<NodeId> {
        let node = Node::target(self.mint());
        let id = node.id;
        let parent = find(&mut self.root, parent)?;
        parent.children.push(Child::to(node));
        keep_otherwise_last(parent);
        Some(id)
    }

    /// Takes a branch out with everything below; gives the node to look at next. The root stays.
    pub(crate) fn remove(&mut self, id: NodeId) -> Option<NodeId> {
        let (parent, position) = find_parent(&mut self.root, id)?;
        parent.children.remove(position);
        Some(parent.id)
    }

    pub(crate) fn shift(&mut self, id: NodeId, direction: Direction) {
        let Some((parent, position)) = find_parent(&mut self.root, id) else {
            return;
        };
        let other = match direction {
            Direction::Before => position.checked_sub(1),
            Direction::After => Some(position + 1).filter(|other| *other < parent.children.len()),
        };
        if let Some(other) = other {
            parent.children.swap(position, other);
            keep_otherwise_last(parent);
        }
    }

    /// Puts a strategy in a node's place, with the node as its first branch; gives the strategy's id.
    pub(crate) fn wrap(&mut self, id: NodeId, strategy: Strategy) -> Option<NodeId> {
        let (outer, beside) = (self.mint(), self.mint());
        let node = find(&mut self.root, id)?;
        let inner = std::mem::replace(node, Node::target(outer));
        node.children = vec![Child::to(inner), Child::to(Node::target(beside))];
        node.take_up(strategy);
        Some(outer)
    }

    /// Puts a node's branch in the node's place; its other branches go.
    pub(crate) fn unwrap(&mut self, id: NodeId) -> Option<NodeId> {
        let (parent, position) = find_parent(&mut self.root, id)?;
        let kept = parent.children.remove(position).node;
        let kept_id = kept.id;
        *parent = kept;
        Some(kept_id)
    }

    /// Makes a node another strategy with the same branches. A target becomes its own first branch; a strategy that
    /// becomes a target is the first target below it.
    pub(crate) fn change_strategy(&mut self, id: NodeId, strategy: Strategy) -> Option<NodeId> {
        let node = find(&mut self.root, id)?;
        if node.strategy == strategy {
            return Some(id);
        }
        if node.strategy == Strategy::Target {
            return self.wrap(id, strategy);
        }
        if strategy == Strategy::Target {
            let leaf = first_leaf(node).map(|target| target.leaf.clone()).unwrap_or_default();
            node.leaf = leaf;
            node.children = Vec::new();
            node.strategy = strategy;
            return Some(id);
        }
        while strategy == Strategy::Canary && find(&mut self.root, id)?.children.len() < 2 {
            self.add_child(id)?;
        }
        let rest = self.mint();
        let node = find(&mut self.root, id)?;
        if strategy == Strategy::Canary && node.children.len() > 2 {
            let mut candidate = Node::target(rest);
            candidate.children = node.children.split_off(1);
            candidate.take_up(node.strategy);
            node.children.push(Child::to(candidate));
        }
        node.take_up(strategy);
        Some(id)
    }

    fn mint(&mut self) -> NodeId {
        let id = NodeId(self.next);
        self.next += 1;
        id
    }
}

impl Child {
    fn to(node: Node) -> Self {
        Self {
            terms: Terms::default(),
            node,
        }
    }
}

impl Node {
    fn take_up(&mut self, strategy: Strategy) {
        let was_usual = self.by == self.strategy.usual_affinity();
        self.strategy = strategy;
        if was_usual {
            self.by = strategy.usual_affinity();
        }
        if strategy.has_otherwise()
            && self.children.len() > 1
            && let Some(last) = self.children.last_mut()
        {
            last.terms.otherwise = last.terms.condition.is_empty() && last.terms.task.is_empty();
        }
    }
}

fn first_leaf(node: &Node) -> Option<&Node> {
    match node.strategy {
        Strategy::Target => Some(node),
        _ => node.children.iter().find_map(|child| first_leaf(&child.node)),
    }
}

fn find(node: &mut Node, id: NodeId) -> Option<&mut Node> {
    if node.id == id {
        return Some(node);
    }
    node.children.iter_mut().find_map(|child| find(&mut child.node, id))
}

fn find_parent(node: &mut Node, id: NodeId) -> Option<(&mut Node, usize)> {
    if let Some(position) = node.children.iter().position(|child| child.node.id == id) {
        return Some((node, position));
    }
    node.children
        .iter_mut()
        .find_map(|child| find_parent(&mut child.node, id))
}

/// One branch at most is for everything else, and it is the last.
fn keep_otherwise_last(parent: &mut Node) {
    let Some(position) = parent.children.iter().position(|child| child.terms.otherwise) else {
        return;
    };
    let rest = parent.children.remove(position);
    parent.children.push(rest);
    let others = parent.children.len() - 1;
    for child in &mut parent.children[..others] {
        child.terms.otherwise = false;
    }
}
