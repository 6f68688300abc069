//! Where each node stands in the written route: what the server calls it when it has something to say about it.

use super::{Draft, Node, NodeId, Strategy};

/// The node that a place belongs to: the one whose own place, or that of the edge to it, is the longest beginning of it.
pub(crate) fn node_at(draft: &Draft, place: &str) -> Option<NodeId> {
    let places = places(draft);
    let edges = places
        .iter()
        .filter_map(|(at, id)| Some((at.strip_suffix(".route")?, *id)));
    let nodes = places.iter().map(|(at, id)| (at.as_str(), *id));
    let found = nodes.chain(edges).filter(|(at, _)| is_within(place, at));
    found.max_by_key(|(at, _)| at.len()).map(|(_, id)| id)
}

fn is_within(place: &str, at: &str) -> bool {
    place
        .strip_prefix(at)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Every node with its place: `route.fallback[0].route`.
pub(super) fn places(draft: &Draft) -> Vec<(String, NodeId)> {
    let mut found = Vec::new();
    collect(&draft.root, "route".to_owned(), &mut found);
    found
}

fn collect(node: &Node, place: String, found: &mut Vec<(String, NodeId)>) {
    let word = node.strategy.word();
    for (index, child) in node.children.iter().enumerate() {
        let terms = &child.terms;
        let below = match node.strategy {
            // A target shows no branches, whatever it keeps of the strategy that it was.
            Strategy::Target => return found.push((place, node.id)),
            Strategy::Fallback if terms.on.is_empty() => format!("{word}[{index}]"),
            Strategy::When | Strategy::Task if terms.otherwise => "otherwise".to_owned(),
            Strategy::Fallback | Strategy::Weighted | Strategy::When => format!("{word}[{index}].route"),
            Strategy::Task => format!("{word}.{}", terms.task.trim()),
            Strategy::Sticky => format!("{word}.routes[{index}]"),
            Strategy::Canary => format!("{word}.{}", if index == 0 { "stable" } else { "candidate" }),
            Strategy::RoundRobin
            | Strategy::LeastBusy
            | Strategy::Fastest
            | Strategy::Cheapest
            | Strategy::LowestUsage => format!("{word}[{index}]"),
        };
        collect(&child.node, format!("{place}.{below}"), found);
    }
    found.push((place, node.id));
}
