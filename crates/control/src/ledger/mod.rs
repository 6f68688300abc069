//! What the ledger and the counters that nodes go by have to say of each other.

pub(crate) mod booked;
pub(crate) mod reconciler;
pub(crate) mod repricing;
pub(crate) mod verification;

#[cfg(test)]
mod tests;
