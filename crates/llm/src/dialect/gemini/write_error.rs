//! Google's error envelope. `error` has to be its first member: that is how Google's SDK knows an error in a stream.

use serde::Serialize;

use crate::dialect::ErrorFacts;

const DOMAIN: &str = "gatewright";

#[derive(Serialize)]
struct Envelope<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    code: u16,
    message: &'a str,
    status: &'static str,
    details: Vec<Detail<'a>>,
}

/// The messages of `google.rpc` that say more.
#[derive(Serialize)]
#[serde(tag = "@type")]
enum Detail<'a> {
    #[serde(rename = "type.googleapis.com/google.rpc.ErrorInfo")]
    ErrorInfo { reason: &'a str, domain: &'static str },
    #[serde(rename = "type.googleapis.com/google.rpc.BadRequest")]
    BadRequest {
        #[serde(rename = "fieldViolations")]
        field_violations: [FieldViolation<'a>; 1],
    },
    #[serde(rename = "type.googleapis.com/google.rpc.RequestInfo")]
    RequestInfo {
        #[serde(rename = "requestId")]
        request_id: &'a str,
    },
}

#[derive(Serialize)]
struct FieldViolation<'a> {
    field: &'a str,
    description: &'a str,
}

pub(super) fn write_error(error: &ErrorFacts<'_>) -> Vec<u8> {
    let info = Detail::ErrorInfo {
        reason: error.code,
        domain: DOMAIN,
    };
    let violation = error.param.map(|field| Detail::BadRequest {
        field_violations: [FieldViolation {
            field,
            description: error.message,
        }],
    });
    let request = Detail::RequestInfo {
        request_id: error.request_id,
    };
    let envelope = Envelope {
        error: Inner {
            code: error.status,
            message: error.message,
            status: status_name(error.status),
            details: [Some(info), violation, Some(request)].into_iter().flatten().collect(),
        },
    };
    serde_json::to_vec(&envelope).expect("texts can always be written as JSON")
}

/// The name of the `google.rpc.Code` that Google gives with a status.
const fn status_name(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHENTICATED",
        402 => "FAILED_PRECONDITION",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        405 | 501 => "UNIMPLEMENTED",
        408 | 504 => "DEADLINE_EXCEEDED",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        502 | 503 | 529 => "UNAVAILABLE",
        400..500 => "INVALID_ARGUMENT",
        500..600 => "INTERNAL",
        _ => "UNKNOWN",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_is_googles_and_tells_our_reason() {
        let error = ErrorFacts {
            status: 404,
            message: "no model 'x'",
            code: "model_not_found",
            param: Some("model"),
            request_id: "req_1",
        };

        let body = String::from_utf8(write_error(&error)).expect("text");

        let expected = concat!(
            r#"{"error":{"code":404,"message":"no model 'x'","status":"NOT_FOUND","details":["#,
            r#"{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"model_not_found","domain":"gatewright"},"#,
            r#"{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":["#,
            r#"{"field":"model","description":"no model 'x'"}]},"#,
            r#"{"@type":"type.googleapis.com/google.rpc.RequestInfo","requestId":"req_1"}]}}"#,
        );
        assert_eq!(body, expected);
    }

    #[test]
    fn statuses_have_googles_names() {
        for (status, name) in [
            (400, "INVALID_ARGUMENT"),
            (413, "INVALID_ARGUMENT"),
            (429, "RESOURCE_EXHAUSTED"),
            (500, "INTERNAL"),
            (503, "UNAVAILABLE"),
            (504, "DEADLINE_EXCEEDED"),
            (200, "UNKNOWN"),
        ] {
            assert_eq!(status_name(status), name);
        }
    }
}
