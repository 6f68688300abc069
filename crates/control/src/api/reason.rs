//! Why somebody does something that others will want to understand later.

use crate::error::ApiError;

const LONGEST: usize = 500;

pub(super) fn check_reason(reason: &str) -> Result<(), ApiError> {
    if reason.trim().is_empty() || reason.chars().count() > LONGEST {
        let message = format!("must have 1 to {LONGEST} characters");
        return Err(ApiError::field("reason", &message));
    }
    if reason.chars().any(char::is_control) {
        return Err(ApiError::field("reason", &"must not hold control characters"));
    }
    Ok(())
}
