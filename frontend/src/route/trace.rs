//! A decision laid over the tree: which nodes it went by, whom it kept in which turn, whom it dropped and why.

use std::collections::BTreeMap;

use gatewright_types::api::{Decision, Verdict};

use super::{Draft, NodeId, node_at};

/// What a decision says of one node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) way: Way,
    /// Its turn, of a target that was kept.
    pub(crate) order: Option<u32>,
    /// What spoke for or against it.
    pub(crate) why: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Way {
    /// The decision did not come by.
    #[default]
    Aside,
    /// Between the root and the first choice.
    Taken,
    /// Between the root and a target that is asked when others fail.
    StandsBy,
    Dropped,
}

/// Nodes that are not in it are aside.
pub(crate) fn marks(draft: &Draft, decision: &Decision) -> BTreeMap<NodeId, Mark> {
    let mut marks: BTreeMap<NodeId, Mark> = BTreeMap::new();
    for step in &decision.route.steps {
        if let Some(id) = node_at(draft, &step.place) {
            marks.entry(id).or_default().why = Some(step.why.clone().into_owned());
        }
    }
    // Those kept come first, in their order, so that the first choice has the say on nodes it shares with others.
    for candidate in &decision.route.candidates {
        let Some(id) = node_at(draft, &candidate.place) else {
            continue;
        };
        let mark = marks.entry(id).or_default();
        match &candidate.verdict {
            Verdict::Kept { order, why } => {
                mark.order = Some(*order);
                if let Some(why) = why {
                    mark.why = Some(why.clone().into_owned());
                }
                let way = if *order == 1 { Way::Taken } else { Way::StandsBy };
                light(draft, &mut marks, id, way);
            }
            Verdict::Dropped { why } => {
                mark.way = Way::Dropped;
                mark.why = Some(why.clone().into_owned());
            }
        }
    }
    marks
}

/// From a node up to the root, as far as nothing better is said already.
fn light(draft: &Draft, marks: &mut BTreeMap<NodeId, Mark>, from: NodeId, way: Way) {
    let mut at = Some(from);
    while let Some(id) = at {
        let mark = marks.entry(id).or_default();
        if mark.way == Way::Aside {
            mark.way = way;
        }
        at = draft.edge(id).map(|(parent, _)| parent.id);
    }
}
