//! Answers for requests that ask what was asked before: the stage between decode and route, and a place after the answer
//! where one that is complete is kept. A hit is not routed, calls nobody and costs nothing.
//!
//! `exact` finds answers to the same question, `vectors` those of single texts in a batch of embeddings. One that finds
//! answers to questions that only mean the same belongs beside them.
//!
//! Not kept, and not looked for: what builds on state (a response that is stored or refers to one, a conversation, a
//! container, content that a provider cached by name), requests over 4 MiB, calls at a provider's own address, counts of
//! tokens. Results of tools are plain input.

mod collecting;
mod control;
mod entry;
mod exact;
mod flights;
mod hit;
mod keeping;
mod memory;
mod place;
mod vectors;

pub(crate) use collecting::Collecting;
pub(crate) use control::Sent;
pub(crate) use entry::Maker;
pub(crate) use exact::{Looked, look};
pub(crate) use hit::Hit;
pub(crate) use keeping::{Given, Keeping};
pub use memory::AnswerMemory;
