//! Expressions as callers meet them.

mod hostile;
mod language;
mod memory;
mod problems;
mod world;
