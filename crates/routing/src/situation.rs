//! Everything a decision depends on.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use gatewright_contract::{Caller, Catalog, Model};
use gatewright_llm::Request;

use crate::{Headers, Health, Turns};

#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    pub caller: &'a Caller,
    pub model: &'a Arc<Model>,
    pub asked: Asked<'a>,
    pub health: &'a Health,
    pub turns: &'a Turns,
    pub catalog: &'a Catalog,
    pub now: DateTime<Utc>,
    /// Decides whatever is left to chance.
    pub dice: u64,
}

/// What is asked, to be read where a rule wants to know.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Absent where tokens are only to be counted.
    pub request: Option<&'a Request>,
    pub headers: &'a Headers,
}
