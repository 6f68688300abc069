//! OpenAI's error envelope: written, in a body and in a stream, and read wherever a provider tells an error, in the
//! shapes that compatible servers have made of it.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use crate::json::{Kind, Members, Value};

#[derive(Serialize)]
struct Envelope<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    param: Option<&'a str>,
    code: &'a str,
}

/// An error as a provider told it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ToldError {
    pub(crate) message: String,
    pub(crate) kind: Option<String>,
    pub(crate) code: Option<String>,
    /// The status it has or should have had, where the code is a number.
    pub(crate) status: Option<u16>,
    /// When it may be tried again.
    pub(crate) retry_after: Option<Duration>,
}

pub fn error_body(message: &str, kind: &str, param: Option<&str>, code: &str) -> Vec<u8> {
    let mut body = Vec::with_capacity(message.len() + 96);
    write_error(&mut body, message, kind, param, code);
    body
}

/// `data: {"error":…}` with its blank line.
pub fn error_event(message: &str, kind: &str, param: Option<&str>, code: &str) -> Bytes {
    let mut event = Vec::with_capacity(message.len() + 104);
    event.extend_from_slice(b"data: ");
    write_error(&mut event, message, kind, param, code);
    event.extend_from_slice(b"\n\n");
    event.into()
}

fn write_error(out: &mut Vec<u8>, message: &str, kind: &str, param: Option<&str>, code: &str) {
    let envelope = Envelope {
        error: Inner {
            message,
            kind,
            param,
            code,
        },
    };
    serde_json::to_writer(out, &envelope).expect("texts can always be written as JSON");
}

impl ToldError {
    /// Reads the value of an `error` member; `None` when it says that there is none.
    pub(crate) fn read(value: &Value<'_>) -> Option<Self> {
        match value.kind {
            Kind::Null | Kind::False => None,
            Kind::String if value.is_empty() => None,
            Kind::Object => Some(Self::read_object(value.members())),
            Kind::String => Some(Self {
                message: text_of(value).unwrap_or_default(),
                ..Self::default()
            }),
            Kind::Number | Kind::True | Kind::Array => Some(Self::default()),
        }
    }

    /// Reads a whole error body: the envelope, a list of one envelope, or the error by itself.
    pub(crate) fn read_body(body: &[u8]) -> Option<Self> {
        let body = body.trim_ascii();
        let body = body
            .strip_prefix(b"[")
            .and_then(|body| body.strip_suffix(b"]"))
            .unwrap_or(body);
        let mut members = Members::of_document(body).ok()?;
        while let Some(member) = members.next_member().ok()? {
            if &*member.key == b"error"
                && let Some(told) = Self::read(&member.value)
            {
                return Some(told);
            }
        }
        let told = Self::read_object(Members::of_document(body).ok()?);
        (!told.message.is_empty()).then_some(told)
    }

    fn read_object(mut members: Members<'_>) -> Self {
        let (mut told, mut name) = (Self::default(), None);
        while let Ok(Some(member)) = members.next_member() {
            match &*member.key {
                // With a capital from the servers in front of Amazon's.
                b"message" | b"Message" | b"detail" if told.message.is_empty() => {
                    told.message = text_of(&member.value).unwrap_or_default();
                }
                b"type" => told.kind = text_of(&member.value),
                b"code" => {
                    told.code = text_of(&member.value);
                    told.status = told.code.as_deref().and_then(|code| code.parse().ok());
                }
                b"status" => name = text_of(&member.value).filter(|_| member.value.kind == Kind::String),
                b"details" => told.retry_after = retry_delay(&member.value),
                _ => {}
            }
        }
        // Google's code is the status as a number, and its status the code.
        if told.status.is_some() && name.is_some() {
            told.code = name;
        }
        told
    }
}

/// Of Google's `RetryInfo`, one of the details: `"37s"`.
fn retry_delay(details: &Value<'_>) -> Option<Duration> {
    details.elements().find_map(|detail| {
        let mut members = detail.members();
        while let Ok(Some(member)) = members.next_member() {
            if &*member.key == b"retryDelay" {
                let text = member.value.string()?;
                let seconds = text.strip_suffix('s')?.parse().ok()?;
                return Duration::try_from_secs_f64(seconds).ok();
            }
        }
        None
    })
}

fn text_of(value: &Value<'_>) -> Option<String> {
    match value.kind {
        Kind::String => value
            .string()
            .map(|text| text.into_owned())
            .filter(|text| !text.is_empty()),
        Kind::Number => std::str::from_utf8(value.text).ok().map(str::to_owned),
        Kind::Object | Kind::Array | Kind::True | Kind::False | Kind::Null => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_has_openais_members() {
        let body = error_body("say \"please\"\n", "invalid_request_error", None, "bad_request");

        assert_eq!(
            String::from_utf8(body).expect("text"),
            r#"{"error":{"message":"say \"please\"\n","type":"invalid_request_error","param":null,"code":"bad_request"}}"#
        );
    }

    #[test]
    fn an_error_event_is_one_line_and_a_blank_one() {
        let event = error_event("a\nb", "server_error", Some("model"), "upstream_error");

        assert_eq!(
            &event[..],
            br#"data: {"error":{"message":"a\nb","type":"server_error","param":"model","code":"upstream_error"}}

"#
        );
    }

    #[test]
    fn errors_are_read_in_the_shapes_servers_use() {
        let check = |body: &str, expected: Option<(&str, Option<&str>, Option<&str>)>| {
            let told = ToldError::read_body(body.as_bytes());
            let told = told
                .as_ref()
                .map(|told| (told.message.as_str(), told.kind.as_deref(), told.code.as_deref()));
            assert_eq!(told, expected, "{body}");
        };

        check(
            r#"{"error":{"message":"no","type":"t","param":null,"code":"c"}}"#,
            Some(("no", Some("t"), Some("c"))),
        );
        check(
            r#"{"error":{"message":"no","code":502}}"#,
            Some(("no", None, Some("502"))),
        );
        check(r#"{"error":"no \u00e9"}"#, Some(("no é", None, None)));
        check(r#"[{"error":{"message":"no"}}]"#, Some(("no", None, None)));
        check(
            r#"{"object":"error","message":"no","code":40301}"#,
            Some(("no", None, Some("40301"))),
        );
        check(r#"{"detail":"Not Found"}"#, Some(("Not Found", None, None)));
        check(
            r#"{"Message":"Bearer Token has expired"}"#,
            Some(("Bearer Token has expired", None, None)),
        );
        check(
            r#"{"error":{"code":503,"message":"no","status":"UNAVAILABLE"}}"#,
            Some(("no", None, Some("UNAVAILABLE"))),
        );
        check(r#"{"status":404,"message":"no"}"#, Some(("no", None, None)));
        check(r#"{"error":{}}"#, Some(("", None, None)));
        check(r#"{"error":null}"#, None);
        check(r#"{"detail":[{"loc":["body"]}]}"#, None);
        check("<html></html>", None);
        check("", None);
    }
}
