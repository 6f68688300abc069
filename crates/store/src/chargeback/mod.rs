//! What months came to and who bears it. A month that is open is added up from the ledger's rows when it is asked for, by
//! the database; of a locked one the sums were kept (`lock.rs`), and its rows are not read again. Requests that come in for
//! a locked month are `late.rs`.

mod allocation;
mod charges;
mod entries;
mod groups;
pub(crate) mod late;
mod lock;
mod locking;
mod months;
mod report;

pub use charges::{Charge, ChargeOf, ChargePart, ChargeUnit};
