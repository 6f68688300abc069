//! What a provider's failure means. Decides from the status and the error body alone; what to do about it (retry, another
//! target, what the caller is told) is the proxy's business.

mod class;
mod clean;

use std::time::Duration;

use chrono::{DateTime, Utc};
use http::{HeaderMap, header};

use crate::Tokens;
use crate::dialect::bedrock::exception;
use crate::wire::ToldError;

/// A failure of one attempt at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    /// The provider's status, when it gave one that means something.
    pub status: Option<u16>,
    /// At most 500 characters on one line, with anything that looks like a secret or an account removed.
    pub message: String,
    /// The provider's own code or type.
    pub code: Option<String>,
    pub retry_after: Option<Duration>,
    /// Whether the provider said that trying again has a point, or none.
    pub should_retry: Option<bool>,
    /// What the provider says was used all the same.
    pub used: Option<Box<Tokens>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The provider refuses our credential or its account (401, 402, 403, an exhausted quota): nothing the caller can
    /// mend, and nothing to tell the caller about.
    Credential,
    RateLimited,
    /// The caller's request is at fault (400, 413, 422 and the like); the message is for the caller.
    BadRequest,
    /// The provider does not know the model or the address (404, 405, 410).
    NotFound,
    /// The provider cannot take the request just then (409, 425, 503, 529).
    Overloaded,
    Server,
    /// It took too long: by our clock, or by the provider's (408, 504, 522, 524).
    Timeout,
    Connection,
    /// The provider sent what is no answer.
    Malformed,
    /// An error told inside an answer that had begun with status 200.
    ErrorEvent,
}

impl Failure {
    /// A failure of which nothing but its kind is known. The message is cleaned.
    pub fn new(kind: FailureKind, message: &str) -> Self {
        Self {
            kind,
            status: None,
            message: clean::message(message),
            code: None,
            retry_after: None,
            should_retry: None,
            used: None,
        }
    }

    /// The provider refused the prompt, in an answer that says nothing else.
    pub fn blocked(used: Option<Tokens>) -> Self {
        let message = "the provider refused the prompt and no model answered it";
        Self {
            code: Some("content_filter".to_owned()),
            ..Self::new(FailureKind::BadRequest, message)
        }
        .having_used(used)
    }

    #[must_use]
    pub fn having_used(self, used: Option<Tokens>) -> Self {
        Self {
            used: used.map(Box::new).or(self.used),
            ..self
        }
    }

    /// An error under status 200. Some servers put the status it should have had into its code.
    pub(crate) fn told(told: &ToldError) -> Self {
        let code = || told.code.as_deref().and_then(|code| code.parse().ok());
        let status = told.status.or_else(code).filter(|code| (400..600).contains(code));
        let message = match clean::message(&told.message) {
            words if words.is_empty() => "the provider reported an error".to_owned(),
            words => words,
        };
        Self {
            status,
            code: code_of(told),
            retry_after: told.retry_after,
            ..Self::new(FailureKind::ErrorEvent, &message)
        }
    }
}

/// What an answer with another status than 200 means.
pub fn classify(status: u16, headers: &HeaderMap, body: &[u8], now: DateTime<Utc>) -> Failure {
    let told = ToldError::read_body(body).unwrap_or_default();
    let exception = exception_name(headers);
    let kind = exception
        .and_then(exception::kind_of)
        .filter(|_| (400..600).contains(&status))
        .unwrap_or_else(|| kind_of(status, &told));
    let message = match (kind, clean::message(&told.message).as_str()) {
        (FailureKind::Malformed, _) => format!("the provider answered with status {status}, which is not expected"),
        (_, "") => clean::from_other_body(body)
            .unwrap_or_else(|| format!("the provider answered with status {status} and no message")),
        (_, told) => told.into(),
    };
    let retry_after = retry_after(headers, now).or(told.retry_after);
    Failure {
        status: Some(status),
        code: code_of(&told).or_else(|| exception.map(clean::code)),
        retry_after,
        should_retry: should_retry(headers),
        ..Failure::new(kind, &message)
    }
}

/// What an answer under status 200 means that should have been a stream and is a text of its own.
pub fn unexpected(body: &[u8]) -> Failure {
    if let Some(told) = ToldError::read_body(body) {
        return Failure::told(&told);
    }
    let words =
        clean::from_other_body(body).map(|words| format!("the provider sent a page instead of a stream: {words}"));
    let message = words.unwrap_or_else(|| "the provider sent something else than a stream".to_owned());
    Failure::new(FailureKind::Malformed, &message)
}

fn kind_of(status: u16, told: &ToldError) -> FailureKind {
    let quota = "insufficient_quota";
    match status {
        401..=403 => FailureKind::Credential,
        404 | 405 | 410 => FailureKind::NotFound,
        408 | 504 | 522 | 524 => FailureKind::Timeout,
        429 if told.code.as_deref() == Some(quota) || told.kind.as_deref() == Some(quota) => FailureKind::Credential,
        429 => FailureKind::RateLimited,
        409 | 425 | 503 | 529 => FailureKind::Overloaded,
        // Amazon's servers say so when the model behind them failed.
        424 => FailureKind::Server,
        400..500 => FailureKind::BadRequest,
        500..600 => FailureKind::Server,
        _ => FailureKind::Malformed,
    }
}

/// The kind of error as Amazon's servers tell it in a header, in which more may follow: `ThrottlingException:http://…`.
fn exception_name(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get("x-amzn-errortype")?.to_str().ok()?;
    text.split(':').next().filter(|name| !name.is_empty())
}

/// The code, cleaned like a message: it is written by the provider too.
fn code_of(told: &ToldError) -> Option<String> {
    told.code.as_deref().or(told.kind.as_deref()).map(clean::code)
}

/// `retry-after-ms`, else `retry-after` as seconds or as a date; anything else says nothing.
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    let millis = text("retry-after-ms").and_then(number).map(|millis| millis / 1_000.0);
    let after = text(header::RETRY_AFTER.as_str());
    if let Some(seconds) = millis.or_else(|| after.and_then(number)) {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = DateTime::parse_from_rfc2822(after?).ok()?;
    Some((date.to_utc() - now).to_std().unwrap_or_default())
}

fn should_retry(headers: &HeaderMap) -> Option<bool> {
    match headers.get("x-should-retry")?.as_bytes() {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
