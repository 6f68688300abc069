//! Which headers pass between a caller and a provider: all but those that belong to one of the two connections, that show
//! who somebody is, or that would let a caller act as somebody else at the provider.

use http::header::{CONNECTION, HeaderMap, HeaderName, HeaderValue};
use memchr::memmem;

/// Of one connection and not of the request.
const OF_THE_CONNECTION: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

/// What a caller sends and a provider does not get.
const KEPT_BACK: [&str; 20] = [
    // Credentials: the provider sees ours.
    "authorization",
    "proxy-authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "x-goog-iam-authorization-token",
    "cookie",
    // Parts of a signature that is made anew.
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-content-sha256",
    // They choose whose account pays, and the account is ours.
    "openai-organization",
    "openai-project",
    "x-goog-user-project",
    // An answer that is packed could not be metered.
    "accept-encoding",
    // Where the caller is, is nothing to the provider.
    "forwarded",
    "via",
    "x-real-ip",
    "baggage",
    // Ours is put in its place.
    "traceparent",
    "tracestate",
];

/// What a provider sends and a caller does not get.
const NOT_TOLD: [&str; 12] = [
    // Its relation to us.
    "set-cookie",
    "www-authenticate",
    "proxy-authenticate",
    "openai-organization",
    "openai-project",
    "anthropic-organization-id",
    // About its host, which is not the one that the caller speaks to.
    "alt-svc",
    "strict-transport-security",
    "date",
    "server",
    // Ours stand there.
    "request-id",
    "x-request-id",
];

/// The headers for a provider.
pub(super) fn sent(headers: &HeaderMap, secret: &[u8]) -> HeaderMap {
    passed(headers, |name, value| {
        !KEPT_BACK.contains(&name)
            && !name.starts_with("x-gw-")
            && !name.starts_with("x-forwarded-")
            && (secret.is_empty() || memmem::find(value.as_bytes(), secret).is_none())
    })
}

/// The headers for the caller.
pub(super) fn told(headers: &HeaderMap) -> HeaderMap {
    passed(headers, |name, _| {
        !NOT_TOLD.contains(&name)
            && !name.starts_with("x-gw-")
            && !name.starts_with("x-ratelimit-")
            && !name.starts_with("anthropic-ratelimit-")
            && !name.starts_with("access-control-")
    })
}

fn passed(headers: &HeaderMap, may_pass: impl Fn(&str, &HeaderValue) -> bool) -> HeaderMap {
    let mut passed = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let of_the_connection = OF_THE_CONNECTION.contains(&name.as_str()) || is_listed(headers, name);
        if !of_the_connection && may_pass(name.as_str(), value) {
            passed.append(name.clone(), value.clone());
        }
    }
    passed
}

/// Whether `connection` names it as one of its own.
fn is_listed(headers: &HeaderMap, name: &HeaderName) -> bool {
    let lists = headers
        .get_all(CONNECTION)
        .into_iter()
        .filter_map(|list| list.to_str().ok());
    lists
        .flat_map(|list| list.split(','))
        .any(|listed| listed.trim().eq_ignore_ascii_case(name.as_str()))
}
