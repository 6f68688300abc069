//! What Anthropic's error types mean, where no status tells: inside a stream, or under status 200.

use crate::wire::ToldError;
use crate::{Failure, FailureKind};

pub(super) fn told(told: &ToldError) -> Failure {
    Failure {
        kind: kind_of(told.kind.as_deref().unwrap_or_default()),
        ..Failure::told(told)
    }
}

fn kind_of(error_type: &str) -> FailureKind {
    match error_type {
        "invalid_request_error" | "request_too_large" => FailureKind::BadRequest,
        "authentication_error" | "permission_error" | "billing_error" => FailureKind::Credential,
        "not_found_error" => FailureKind::NotFound,
        "rate_limit_error" => FailureKind::RateLimited,
        "overloaded_error" => FailureKind::Overloaded,
        "timeout_error" => FailureKind::Timeout,
        "api_error" => FailureKind::Server,
        _ => FailureKind::ErrorEvent,
    }
}
