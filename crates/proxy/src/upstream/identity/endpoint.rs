//! One call to whoever gives out keys or tokens, under the same rules as calls to providers: addresses are checked, there
//! are no redirects, answers are small and come in time.

use std::time::Duration;

use bytes::Bytes;
use gatewright_contract::{BaseUrl, Egress};
use gatewright_llm::FailureKind;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use url::Url;

use super::IdentityError;
use crate::upstream::sending::send;
use crate::upstream::ways::Way;
use crate::upstream::{AGENT, failure, read_body};

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const DEADLINE: Duration = Duration::from_secs(10);
const LARGEST_ANSWER_BYTES: usize = 256 << 10;
const LONGEST_CODE: usize = 64;

/// The way of the call that needs keys or a token.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) way: Way,
    pub(crate) egress: Egress,
}

impl Endpoint {
    /// Sends a form below a checked base; gives the body of a good answer. `code` finds the word for a refusal.
    pub(super) async fn post(
        &self,
        base: &BaseUrl,
        path: &str,
        form: String,
        headers: HeaderMap,
        code: fn(&[u8]) -> Option<String>,
    ) -> Result<Bytes, IdentityError> {
        self.egress.check(base)?;
        let url = match path {
            "" => base.as_str().to_owned(),
            path => base.join(path),
        };
        let url: Url = url.parse().map_err(|_| IdentityError::Malformed)?;
        let checked = self.way.check(&self.egress, &url).await;
        checked.map_err(|error| not_answered(&error))?;
        let request = self
            .way
            .client
            .post(url)
            .headers(headers)
            .header(CONTENT_TYPE, FORM)
            .header(ACCEPT, "*/*")
            .header(USER_AGENT, AGENT)
            .timeout(DEADLINE)
            .body(form);
        let response = send(request).await.map_err(|error| not_answered(&failure(&error)))?;
        let status = response.status().as_u16();
        let body = read_body(response, LARGEST_ANSWER_BYTES)
            .await
            .map_err(|error| not_answered(&error))?;
        match status {
            200 => Ok(body),
            400 | 401 | 403 | 404 => Err(IdentityError::Refused {
                status,
                code: code(&body).map_or_else(|| "no reason given".to_owned(), |code| word(&code)),
            }),
            _ => Err(IdentityError::Unavailable(status)),
        }
    }
}

/// The word that OAuth has for a refusal: `invalid_client`.
pub(super) fn oauth_code(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Answer {
        error: String,
    }
    serde_json::from_slice::<Answer>(body).ok().map(|answer| answer.error)
}

/// Whatever stands there, no more than a word of it is repeated.
fn word(code: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || "._-".contains(*c);
    code.chars().take_while(plain).take(LONGEST_CODE).collect()
}

fn not_answered(failure: &gatewright_llm::Failure) -> IdentityError {
    match failure.kind {
        FailureKind::Timeout => IdentityError::Late,
        FailureKind::Malformed => IdentityError::Malformed,
        FailureKind::Credential
        | FailureKind::RateLimited
        | FailureKind::BadRequest
        | FailureKind::NotFound
        | FailureKind::Overloaded
        | FailureKind::Server
        | FailureKind::Connection
        | FailureKind::ErrorEvent => IdentityError::Unreachable(failure.message.clone()),
    }
}
