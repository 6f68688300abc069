//! Errors as OpenAI's SDKs expect them, as a body and in a stream.

use crate::dialect::ErrorFacts;
use crate::{error_body, error_event};

pub(super) fn body(error: &ErrorFacts<'_>) -> Vec<u8> {
    error_body(error.message, kind(error.status), error.param, error.code)
}

/// SDKs raise at an event whose `error` holds something, wherever it comes.
pub(super) fn event(error: &ErrorFacts<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(&error_event(error.message, kind(error.status), error.param, error.code));
}

/// The coarse `error.type`.
fn kind(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "insufficient_quota",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        408 | 500..=599 => "api_error",
        _ => "invalid_request_error",
    }
}
