//! The ledger: rows of requests are its entries, and everything else that says what was used is derived from them.

mod counted;
pub(crate) mod counting;
mod course;
pub(crate) mod kept;
mod kept_windows;
pub(crate) mod openings;
mod requests;
mod verification;
mod windows;

pub use openings::Opening;
