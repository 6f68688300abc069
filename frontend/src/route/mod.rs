//! A model's route while it is being edited: a tree that may be unfinished, the text it is written as, the places of its
//! parts, and where they stand on the screen. Knows no browser.

mod comments;
mod draft;
mod edit;
mod layout;
mod open;
mod place;
mod read;
mod strategy;
mod trace;
mod words;
mod write;

pub(crate) use comments::has_comments;
pub(crate) use draft::{CanaryTerms, Child, Draft, FaultTerms, Leaf, Node, NodeId, Terms};
pub(crate) use edit::Direction;
pub(crate) use layout::{CARD, Card, Drawing, Flow, lay_out};
pub(crate) use place::node_at;
pub(crate) use read::{Problem, read};
pub(crate) use strategy::Strategy;
pub(crate) use trace::{Mark, Way, marks};
pub(crate) use words::{affinity, edge_label, failure, share, told};
pub(crate) use write::{parse, write};

#[cfg(test)]
mod tests;
