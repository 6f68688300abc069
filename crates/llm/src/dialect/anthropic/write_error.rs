//! Anthropic's error envelope, in a body and in a stream.

use serde::Serialize;

use crate::dialect::ErrorFacts;

/// The member whose refusal the SDK's tool runner mends by itself, and the code it looks for.
const THREAD: (&str, &str) = ("thread", "thread_unsupported_request");

#[derive(Serialize)]
pub(super) struct Envelope<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    error: Inner<'a>,
    request_id: &'a str,
}

#[derive(Serialize)]
struct Inner<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    message: &'a str,
    details: Details<'a>,
}

/// SDKs show the code to programs.
#[derive(Serialize)]
struct Details<'a> {
    error_code: &'a str,
}

pub(super) fn write(error: &ErrorFacts<'_>) -> Vec<u8> {
    serde_json::to_vec(&Envelope::of(error)).expect("texts can always be written as JSON")
}

impl<'a> Envelope<'a> {
    pub(super) fn of(error: &ErrorFacts<'a>) -> Self {
        let error_code = if error.param == Some(THREAD.0) {
            THREAD.1
        } else {
            error.code
        };
        Self {
            kind: "error",
            error: Inner {
                kind: type_of(error.status),
                message: error.message,
                details: Details { error_code },
            },
            request_id: error.request_id,
        }
    }
}

fn type_of(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        408 | 504 => "timeout_error",
        409 => "conflict_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        400..500 => "invalid_request_error",
        _ => "api_error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(status: u16, code: &str, param: Option<&str>) -> String {
        let error = ErrorFacts {
            status,
            message: "no",
            code,
            param,
            request_id: "req_1",
        };
        String::from_utf8(write(&error)).expect("text")
    }

    #[test]
    fn the_envelope_has_anthropics_members() {
        assert_eq!(
            written(404, "model_not_found", Some("model")),
            r#"{"type":"error","error":{"type":"not_found_error","message":"no","details":{"error_code":"model_not_found"}},"request_id":"req_1"}"#
        );
    }

    #[test]
    fn a_refused_thread_is_told_so_that_the_tool_runner_goes_on_without() {
        assert!(written(400, "bad_request", Some("thread")).contains(r#""error_code":"thread_unsupported_request""#));
    }

    #[test]
    fn every_status_has_a_type() {
        let check = |status, kind: &str| assert_eq!(type_of(status), kind, "{status}");

        check(400, "invalid_request_error");
        check(422, "invalid_request_error");
        check(413, "request_too_large");
        check(429, "rate_limit_error");
        check(500, "api_error");
        check(502, "api_error");
        check(504, "timeout_error");
        check(529, "overloaded_error");
    }
}
