//! What a whole answer says of itself, when it goes to a caller of this dialect as it came.

use super::response::Response;
use crate::{AnswerFacts, NotAnAnswer};

pub(super) fn read_facts(body: &[u8]) -> Result<AnswerFacts, NotAnAnswer> {
    let response = Response::read(body).map_err(|_| NotAnAnswer::NotJson)?;
    match response.error {
        Some(told) => Err(told.into()),
        None => Ok(AnswerFacts { usage: response.usage }),
    }
}
