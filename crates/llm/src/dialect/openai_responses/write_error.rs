//! Writes refusals and failures in OpenAI's error envelope.

use crate::dialect::ErrorFacts;
use crate::wire::error_body;

pub(super) fn write_error(error: &ErrorFacts<'_>) -> Vec<u8> {
    let kind = match error.status {
        401 => "authentication_error",
        402 => "insufficient_quota",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        408 | 500.. => "api_error",
        _ => "invalid_request_error",
    };
    error_body(error.message, kind, error.param, error.code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errors_type_follows_its_status() {
        let check = |status: u16, kind: &str| {
            let body = write_error(&ErrorFacts {
                status,
                message: "no",
                code: "a_code",
                param: Some("input"),
                request_id: "req_1",
            });
            let expected = format!(r#"{{"error":{{"message":"no","type":"{kind}","param":"input","code":"a_code"}}}}"#);
            assert_eq!(String::from_utf8(body).expect("text"), expected);
        };

        check(400, "invalid_request_error");
        check(401, "authentication_error");
        check(403, "permission_error");
        check(404, "not_found_error");
        check(408, "api_error");
        check(429, "rate_limit_error");
        check(504, "api_error");
    }
}
