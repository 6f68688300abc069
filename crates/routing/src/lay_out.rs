//! The second half of a decision: from the parts that were chosen to one list of targets.

use gatewright_contract::UpstreamTarget;

use crate::choose::{Choice, Content, Part};
use crate::plan::{Candidate, Gate};

/// All that can be tried, in order, and the gates on the ways to it. A target that comes up twice is tried once, so that no
/// way leads in a circle.
pub(crate) fn lay_out(choice: &Choice<'_>) -> (Vec<Candidate>, Vec<Gate>) {
    let mut layout = Layout {
        choice,
        candidates: Vec::with_capacity(choice.parts.len()),
        gates: Vec::new(),
        open: Vec::new(),
        affinity: None,
    };
    if let Some(root) = choice.part(choice.root) {
        layout.part(root);
    }
    (layout.candidates, layout.gates)
}

struct Layout<'a> {
    choice: &'a Choice<'a>,
    candidates: Vec<Candidate>,
    gates: Vec<Gate>,
    /// The gates on the way to the part that is being laid out.
    open: Vec<Gate>,
    /// Of the innermost part around it where requests stick to one another.
    affinity: Option<u64>,
}

impl Layout<'_> {
    fn part(&mut self, part: &Part<'_>) {
        match &part.content {
            Content::Leaf(leaf) => {
                let is_there = |candidate: &Candidate| is_same(&candidate.target, leaf.target);
                if self.candidates.iter().any(is_there) {
                    return;
                }
                let begin = self.gates.len();
                self.gates.extend_from_slice(&self.open);
                self.candidates.push(Candidate {
                    target: leaf.target.clone(),
                    place: part.route.place.clone(),
                    gates: begin..self.gates.len(),
                    state: leaf.state,
                    affinity: self.affinity,
                });
            }
            Content::Group { first, .. } => {
                let around = self.affinity;
                self.affinity = part.affinity.or(around);
                self.group(*first);
                self.affinity = around;
            }
        }
    }

    fn group(&mut self, first: usize) {
        let turn = self.candidates.len();
        let mut below = self.choice.part(Some(first));
        while let Some(part) = below {
            let is_behind = self.candidates.len() > turn;
            if is_behind {
                self.open.push(Gate {
                    first: turn,
                    on: part.on,
                });
            }
            self.part(part);
            if is_behind {
                self.open.pop();
            }
            below = self.choice.part(part.next);
        }
    }
}

fn is_same(one: &UpstreamTarget, other: &UpstreamTarget) -> bool {
    one.provider.id == other.provider.id && one.model == other.model && one.changes == other.changes
}
