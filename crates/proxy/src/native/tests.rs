//! Addresses stay below their base, headers on their side.

use gatewright_contract::BaseUrl;
use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::{Tail, headers};

fn below(path: &str, query: Option<&str>) -> Option<String> {
    let base: BaseUrl = "https://api.example.com/v1/".parse().expect("an address");
    let tail = Tail { path, query };
    tail.below(&base, b"gw-secret").ok().map(String::from)
}

#[test]
fn an_address_is_what_was_written_below_the_base() {
    let check = |path: &str| {
        assert_eq!(
            below(path, None),
            Some(format!("https://api.example.com/v1/{path}")),
            "{path}"
        );
    };

    check("");
    check("chat/completions");
    check("a//b/");
    check("/evil.example.com/x");
    check("@evil.example.com");
    check("model/arn:aws:bedrock:eu:1:profile%2Fa1/converse");
    check("a%2Fb%5cc");
    check("...");
    check("a..b/.c");
    check("%25/100%25");
    assert_eq!(
        below("files", Some("after=a%20b&x=../..")).as_deref(),
        Some("https://api.example.com/v1/files?after=a%20b&x=../..")
    );
}

#[test]
fn no_spelling_leads_out_of_the_base() {
    for path in [
        "..",
        ".",
        "../admin",
        "a/../../admin",
        "%2e%2e/admin",
        "%2E./admin",
        ".%2e",
        "a/%2e/b",
        "..%2fadmin",
        "a%2f..%2f..%2fadmin",
        "..%5cadmin",
        "..\\admin",
        "%252e%252e/admin",
        "%25252e%25252e",
        "%2525252525252e%2525252525252e",
        "..;/admin",
        "..;x=1/admin",
        "%ff/%2e%2e",
        "%ff%2f%2e%2e/a",
        "a\\b",
        "a\"b",
        "{a}",
    ] {
        assert_eq!(below(path, None), None, "{path}");
    }
}

#[test]
fn the_secret_does_not_stand_in_an_address() {
    assert_eq!(below("models", Some("key=gw-secret")), None);
    assert_eq!(below("models", Some("key=gw%2Dsecret")), None);
    assert_eq!(below("gw-secret/models", None), None);
}

fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect()
}

#[test]
fn headers_pass_but_for_those_that_are_not_the_others_business() {
    let sent = headers::sent(
        &map(&[
            ("authorization", "Bearer gw-secret"),
            ("x-goog-api-key", "gw-secret"),
            ("x-custom", "so gw-secret it is"),
            ("host", "gateway"),
            ("connection", "close, X-Hop"),
            ("x-hop", "1"),
            ("cookie", "a=b"),
            ("x-gw-strict", "true"),
            ("x-forwarded-for", "10.0.0.1"),
            ("accept-encoding", "gzip"),
            ("openai-organization", "org"),
            ("x-amz-date", "then"),
            ("content-type", "text/odd"),
            ("anthropic-beta", "one"),
            ("x-amzn-bedrock-trace", "ENABLED"),
            ("user-agent", "curl"),
        ]),
        b"gw-secret",
    );
    let told = headers::told(&map(&[
        ("content-type", "application/json"),
        ("transfer-encoding", "chunked"),
        ("set-cookie", "a=b"),
        ("x-ratelimit-limit-requests", "9"),
        ("openai-organization", "org"),
        ("x-gw-cost-usd", "0"),
        ("x-request-id", "theirs"),
        ("x-vendor", "1"),
    ]));

    let names = |headers: &HeaderMap| headers.keys().map(|name| name.as_str().to_owned()).collect::<Vec<_>>();
    assert_eq!(
        names(&sent),
        ["content-type", "anthropic-beta", "x-amzn-bedrock-trace", "user-agent"]
    );
    assert_eq!(names(&told), ["content-type", "x-vendor"]);
}
