//! Reads what a whole response says of itself, and leaves its bytes alone.

use super::output::{facts_of, object, text};
use crate::wire::ToldError;
use crate::{AnswerFacts, NotAnAnswer};

pub(super) fn read_facts(body: &[u8]) -> Result<AnswerFacts, NotAnAnswer> {
    let response = object(body)?;
    let told = response.member("error").and_then(|error| ToldError::read(&error));
    let failed = text(&response, "status").as_deref() == Some("failed");
    match told.or_else(|| failed.then(ToldError::default)) {
        Some(told) => Err(NotAnAnswer::from(told).having_used(facts_of(&response).usage)),
        None => Ok(facts_of(&response)),
    }
}
