//! Protection of calls made by session cookie against pages of other origins: a token only our own page knows, and
//! the browser's word on where the call comes from. Calls by token need neither: no browser adds those by itself.

use gatewright_contract::Digest;
use url::Url;

/// Header that carries the token.
pub(crate) const CSRF_HEADER: &str = "x-gw-csrf";

/// The CSRF token of a session: derived from its secret, so that it needs no storage and ends with it.
pub(crate) fn csrf_token(session_secret: &str) -> String {
    Digest::of(format!("csrf token of {session_secret}").as_bytes()).to_string()
}

/// Why a changing call is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CsrfRefusal {
    Token,
    Origin,
}

/// Checks the token that came with a changing call made by session cookie.
pub(crate) fn check_token(session_secret: &str, token: Option<&str>) -> Result<(), CsrfRefusal> {
    let expected = csrf_token(session_secret);
    let same = token.is_some_and(|token| constant_time_equal(token.as_bytes(), expected.as_bytes()));
    if same { Ok(()) } else { Err(CsrfRefusal::Token) }
}

/// Refuses a call that a browser made from another page; programs send no origin. Our page is at the public address,
/// or at the very host the call went to: somebody's `localhost` is as good as its number.
pub(crate) fn check_origin(origin: Option<&str>, host: Option<&str>, public_url: &Url) -> Result<(), CsrfRefusal> {
    let Some(origin) = origin else { return Ok(()) };
    let same_host = origin.split_once("://").is_some_and(|(_, name)| Some(name) == host);
    let origin = Url::parse(origin).map_err(|_| CsrfRefusal::Origin)?.origin();
    let ours = origin.is_tuple() && (same_host || origin == public_url.origin());
    if ours { Ok(()) } else { Err(CsrfRefusal::Origin) }
}

/// Takes the same time wherever two texts of one length differ.
fn constant_time_equal(one: &[u8], other: &[u8]) -> bool {
    let different = one.iter().zip(other).fold(0_u8, |bits, (a, b)| bits | (a ^ b));
    one.len() == other.len() && std::hint::black_box(different) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_needs_its_own_sessions_token() {
        for (token, expected) in [
            (Some(csrf_token("one")), Ok(())),
            (Some(csrf_token("two")), Err(CsrfRefusal::Token)),
            (Some(String::new()), Err(CsrfRefusal::Token)),
            (None, Err(CsrfRefusal::Token)),
        ] {
            assert_eq!(check_token("one", token.as_deref()), expected, "{token:?}");
        }
    }

    #[test]
    fn a_browsers_call_comes_from_our_own_page() {
        let public: Url = "https://gw.example.com".parse().expect("a URL");
        for (origin, host, ours) in [
            (Some("https://gw.example.com"), "internal:8080", true),
            (None, "gw.example.com", true),
            (Some("http://localhost:8080"), "localhost:8080", true),
            (Some("http://localhost:8081"), "localhost:8080", false),
            (Some("https://gw.example.com:444"), "gw.example.com", false),
            (Some("http://gw.example.com"), "other", false),
            (Some("https://evil.example.com"), "gw.example.com", false),
            (Some("null"), "gw.example.com", false),
        ] {
            assert_eq!(
                check_origin(origin, Some(host), &public).is_ok(),
                ours,
                "{origin:?} {host}"
            );
        }
    }

    #[test]
    fn the_token_does_not_tell_the_session() {
        assert_ne!(csrf_token("one"), Digest::of(b"one").to_string());
        assert_ne!(csrf_token("one"), csrf_token("two"));
    }
}
