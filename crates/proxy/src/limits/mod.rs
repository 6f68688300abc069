//! Budgets and limits on a request's way: whom and what it is about, what it may use of them, and what it used.
//!
//! `entering` meets the limits before anything is looked for, `spending` the budgets once it is known where a request goes,
//! `at_target` those of the provider and credential that are called. What was reserved is with the record, which settles it
//! by what was used when the request ends, however it ends (`ticket`).

mod amount;
mod answering;
mod aside;
mod at_target;
mod counter;
mod downgrade;
mod end_user;
mod entering;
mod lines;
mod natively;
mod over;
mod own_usage;
mod path;
mod spending;
mod tags;
#[cfg(test)]
mod tests;
mod ticket;
mod told;
mod waiting;
mod who;

pub(crate) use amount::{Purchase, Question};
pub(crate) use answering::{enter_to_be_answered, spend_on_answer};
pub(crate) use aside::{enter_aside, enter_unrecorded};
pub(crate) use at_target::{Target, meet_target};
pub use lines::Lines;
pub(crate) use natively::{enter_natively, spend_natively};
pub(crate) use over::Over;
pub(crate) use own_usage::own_usage;
pub(crate) use tags::Tags;
pub(crate) use ticket::{Purse, Ticket};
pub(crate) use told::LimitsTold;
pub(crate) use who::Who;
