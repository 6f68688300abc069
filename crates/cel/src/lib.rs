//! Conditions and amounts that people write into a configuration, in the Common Expression Language:
//! `request.headers["x-tier"] == "free" && key.tags.exists(t, t == "batch")`.
//!
//! [`Expression::compile`] runs when a configuration is saved. It parses, checks every name and type against
//! [`Declarations`], and computes what is constant; a [`Problem`] tells line and column. [`Expression::condition`] and
//! [`Expression::evaluate`] run for every request. They ask the caller's [`Names`] for what they come by and for nothing
//! else, borrow what they get, and stop at [`limits::STEPS`]. Nothing here has a clock, a random source or I/O.
//!
//! It is the language of the specification, with these differences, all towards finding mistakes early:
//! - A call of constants that cannot work, such as `duration("5 minutes")`, is a problem of the text.
//! - Comparing what can never be equal, such as a string with a number, is one too where both types are known.
//! - The pattern of `matches` has to be constant, so that no request makes a node compile one.
//! - There are no messages of protocol buffers.
//!
//! The parser is our own. The one of the `cel` crate comes with a run time for ANTLR, and its interpreter copies every
//! value it is given and knows no limit of steps.

mod arithmetic;
mod check;
mod compare;
mod cost;
mod evaluate;
mod expression;
mod failed;
mod functions;
mod keys;
mod lexer;
pub mod limits;
mod names;
mod parser;
mod plan;
mod problem;
mod strings;
mod syntax;
mod time;
mod types;
mod value;

pub use expression::Expression;
pub use failed::Failed;
pub use keys::Keys;
pub use names::{Mapping, Names, Sequence};
pub use problem::Problem;
pub use time::Zone;
pub use types::{Declarations, Type};
pub use value::{Kind, List, Map, Value};
