//! Where the cards of a tree stand, and the lines between them: from left to right where there is room, as an outline
//! where there is little. Sizes are in pixels.

use std::fmt::Write as _;

use super::draft::Visit;
use super::{Draft, Node, NodeId, Strategy};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

pub(crate) const CARD: Size = Size { width: 236, height: 74 };
const LABEL: Size = Size { width: 132, height: 24 };

/// Between cards of one column.
const ROW_GAP: u32 = 16;
/// More of it between the branches of different strategies.
const FAMILY_GAP: u32 = 14;
/// Between columns, besides the labels.
const COLUMN_GAP: u32 = 56;
/// From a label to its card.
const LABEL_GAP: u32 = 12;
/// How far a level of an outline is moved in.
const INDENT: u32 = 22;
const MARGIN: u32 = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Across,
    Outline,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drawing {
    /// Parents before their children.
    pub(crate) cards: Vec<Card>,
    pub(crate) size: Size,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Card {
    pub(crate) id: NodeId,
    pub(crate) left: u32,
    pub(crate) top: u32,
    pub(crate) edge: Option<Edge>,
}

/// The line from the parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) from: NodeId,
    /// As SVG writes it.
    pub(crate) path: String,
    /// Where the label stands, if there is one: its left edge and its top.
    pub(crate) label: Option<(u32, u32)>,
}

pub(crate) fn lay_out(draft: &Draft, flow: Flow) -> Drawing {
    match flow {
        Flow::Across => across(draft),
        Flow::Outline => outline(draft),
    }
}

/// Whether something is said on the edges to this node's branches.
const fn is_labelled(node: &Node) -> bool {
    match node.strategy {
        Strategy::Fallback | Strategy::Weighted | Strategy::When | Strategy::Task | Strategy::Canary => true,
        Strategy::Target
        | Strategy::RoundRobin
        | Strategy::LeastBusy
        | Strategy::Fastest
        | Strategy::Cheapest
        | Strategy::LowestUsage
        | Strategy::Sticky => false,
    }
}

fn across(draft: &Draft) -> Drawing {
    let visits = draft.walk();
    let columns = columns(&visits);
    let mut rows = Rows {
        next: MARGIN,
        cards: Vec::new(),
    };
    rows.place(&draft.root, 0, &columns);
    let cards = rows.cards;
    let size = Size {
        width: columns.last().copied().unwrap_or(MARGIN) + CARD.width + MARGIN,
        height: rows.next.saturating_sub(ROW_GAP) + MARGIN,
    };
    Drawing { cards, size }
}

/// The left edge of each column.
fn columns(visits: &[Visit<'_>]) -> Vec<u32> {
    let deepest = visits.iter().map(|visit| visit.depth).max().unwrap_or(0);
    let mut left = MARGIN;
    let mut columns = vec![left];
    for depth in 0..deepest {
        let labelled = visits
            .iter()
            .any(|visit| visit.depth == depth && is_labelled(visit.node));
        let label = if labelled { LABEL.width + LABEL_GAP } else { 0 };
        left += CARD.width + COLUMN_GAP + label;
        columns.push(left);
    }
    columns
}

struct Rows {
    next: u32,
    cards: Vec<Card>,
}

impl Rows {
    /// Puts a node and everything below it on the next free rows; gives the middle of its card.
    fn place(&mut self, node: &Node, depth: usize, columns: &[u32]) -> u32 {
        let left = columns.get(depth).copied().unwrap_or(MARGIN);
        let at = self.cards.len();
        self.cards.push(Card {
            id: node.id,
            left,
            top: 0,
            edge: None,
        });
        let middle = if node.children.is_empty() || node.strategy == Strategy::Target {
            let middle = self.next + CARD.height / 2;
            self.next += CARD.height + ROW_GAP;
            middle
        } else {
            let middles: Vec<_> = node
                .children
                .iter()
                .map(|child| {
                    let index = self.cards.len();
                    (index, self.place(&child.node, depth + 1, columns))
                })
                .collect();
            if depth > 0 {
                self.next += FAMILY_GAP;
            }
            let ends = middles.first().zip(middles.last());
            let middle = ends.map_or(self.next, |((_, first), (_, last))| (first + last) / 2);
            for (index, below) in middles {
                self.cards[index].edge = Some(curve(
                    node,
                    (left + CARD.width, middle),
                    (self.cards[index].left, below),
                ));
            }
            middle
        };
        self.cards[at].top = middle - CARD.height / 2;
        middle
    }
}

/// From the right edge of a card to the left edge of another, through the label.
fn curve(parent: &Node, from: (u32, u32), to: (u32, u32)) -> Edge {
    let labelled = is_labelled(parent);
    let label = labelled.then(|| (to.0 - LABEL_GAP - LABEL.width, to.1 - LABEL.height / 2));
    let bend_end = label.map_or(to.0, |(left, _)| left);
    let half = (from.0 + bend_end) / 2;
    let mut path = format!(
        "M{} {}C{half} {} {half} {} {bend_end} {}",
        from.0, from.1, from.1, to.1, to.1
    );
    if labelled {
        let _never_fails = write!(path, "H{}", to.0);
    }
    Edge {
        from: parent.id,
        path,
        label,
    }
}

fn outline(draft: &Draft) -> Drawing {
    let mut top = MARGIN;
    let mut cards: Vec<Card> = Vec::new();
    let mut width = 0;
    for visit in draft.walk() {
        let depth = u32::try_from(visit.depth).unwrap_or(u32::MAX);
        let left = MARGIN + depth.saturating_mul(INDENT);
        let labelled = visit.parent.is_some_and(is_labelled);
        let label = labelled.then_some((left, top));
        if labelled {
            top += LABEL.height + 4;
        }
        let edge = visit.parent.and_then(|parent| {
            let above = cards.iter().find(|card| card.id == parent.id)?;
            let (x, y) = (above.left + INDENT / 2, top + CARD.height / 2);
            let path = format!(
                "M{x} {}V{}Q{x} {y} {} {y}H{left}",
                above.top + CARD.height,
                y - 6,
                x + 6
            );
            Some(Edge {
                from: parent.id,
                path,
                label,
            })
        });
        cards.push(Card {
            id: visit.node.id,
            left,
            top,
            edge,
        });
        width = width.max(left + CARD.width + MARGIN);
        top += CARD.height + ROW_GAP - 4;
    }
    let size = Size {
        width,
        height: top + MARGIN,
    };
    Drawing { cards, size }
}
