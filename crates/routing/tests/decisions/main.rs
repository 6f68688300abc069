//! What is decided, at the front door of the crate: shares by simulation with the tolerance they are promised with.

mod chains;
mod large;
mod memory;
mod rules;
mod shares;
mod strategies;
mod world;
