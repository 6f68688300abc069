use http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_445_412_440, 0).expect("a time")
}

fn classified(status: u16, body: &str) -> Failure {
    classify(status, &HeaderMap::new(), body.as_bytes(), now())
}

#[test]
fn the_status_decides_what_a_failure_means() {
    let check = |kind, statuses: &[u16]| {
        for status in statuses {
            assert_eq!(classified(*status, "").kind, kind, "{status}");
        }
    };

    check(FailureKind::Credential, &[401, 402, 403]);
    check(FailureKind::BadRequest, &[400, 406, 411, 413, 415, 422, 431, 451]);
    check(FailureKind::NotFound, &[404, 405, 410]);
    check(FailureKind::Timeout, &[408, 504, 522, 524]);
    check(FailureKind::Overloaded, &[409, 425, 503, 529]);
    check(FailureKind::RateLimited, &[429]);
    check(FailureKind::Server, &[424, 500, 501, 502, 520, 599]);
    check(FailureKind::Malformed, &[100, 204, 301, 302, 600]);
}

#[test]
fn an_exhausted_account_is_no_rate_limit() {
    let body = r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#;

    let failure = classified(429, body);

    assert_eq!(
        (failure.kind, failure.code.as_deref()),
        (FailureKind::Credential, Some("insufficient_quota"))
    );
}

#[test]
fn the_providers_words_are_kept_clean() {
    let failure = classified(
        400,
        r#"{"error":{"message":"bad\n'temperature'","type":"invalid_request_error","code":null}}"#,
    );
    let empty = classified(500, "");
    let page = classified(502, "<html><head><title>502 Bad Gateway</title></head></html>");
    let unreadable = classified(500, "\u{19}\0");
    let blank = classified(500, r#"{"error":{"message":"\u0000 "}}"#);
    let redirect = classified(302, "<title>Moved to http://10.0.0.1/</title>");

    assert_eq!(failure.message, "bad 'temperature'");
    assert_eq!(
        (failure.status, failure.code.as_deref()),
        (Some(400), Some("invalid_request_error"))
    );
    assert_eq!(empty.message, "the provider answered with status 500 and no message");
    assert_eq!(unreadable.message, empty.message);
    assert_eq!(blank.message, empty.message);
    assert_eq!(page.message, "502 Bad Gateway");
    assert_eq!(
        redirect.message,
        "the provider answered with status 302, which is not expected"
    );
}

#[test]
fn retry_after_is_read_as_seconds_milliseconds_or_date() {
    let check = |name: &'static str, value: &str, expected: Option<u64>| {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).expect("a header"));
        let found = classify(429, &headers, b"", now()).retry_after;
        assert_eq!(found, expected.map(Duration::from_millis), "{name}: {value}");
    };

    check("retry-after", "2", Some(2_000));
    check("retry-after", "0", Some(0));
    check("retry-after", " 1.5 ", Some(1_500));
    check("retry-after-ms", "250.0", Some(250));
    check("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT", Some(40_000));
    check("retry-after", "Wed, 21 Oct 2015 07:00:00 GMT", Some(0));
    for nonsense in ["", "120s", "-1", "NaN", "inf", "1e300", "soon"] {
        check("retry-after", nonsense, None);
    }
}

#[test]
fn milliseconds_go_before_seconds() {
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", HeaderValue::from_static("9"));
    headers.insert("retry-after-ms", HeaderValue::from_static("300"));

    assert_eq!(
        classify(429, &headers, b"", now()).retry_after,
        Some(Duration::from_millis(300))
    );
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(
        status in any::<u16>(),
        header in proptest::collection::vec(32_u8..127, 0..20),
        body in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_bytes(&header).expect("visible characters"));

        let failure = classify(status, &headers, &body, now());
        let in_json = classify(status, &headers, &[b"{\"error\":", body.as_slice()].concat(), now());

        prop_assert!(failure.message.chars().count() <= 500 && !failure.message.is_empty());
        prop_assert!(!in_json.message.is_empty());
    }
}

#[test]
fn amazons_exceptions_say_more_than_their_status() {
    let check = |name: &'static str, status, kind| {
        let headers = HeaderMap::from_iter([(
            http::HeaderName::from_static("x-amzn-errortype"),
            HeaderValue::from_static(name),
        )]);
        let failure = classify(status, &headers, br#"{"message":"no"}"#, now());
        assert_eq!(failure.kind, kind, "{name}");
        assert_eq!(failure.code.as_deref(), name.split(':').next(), "{name}");
    };

    check(
        "ThrottlingException:http://internal.amazon.com/",
        400,
        FailureKind::RateLimited,
    );
    check("ModelNotReadyException", 429, FailureKind::Overloaded);
    check("ServiceUnavailableException", 500, FailureKind::Overloaded);
    check("ModelTimeoutException", 400, FailureKind::Timeout);
    check("AccessDeniedException", 400, FailureKind::Credential);
    check("UnrecognizedClientException", 400, FailureKind::Credential);
    check("ValidationException", 500, FailureKind::BadRequest);
    check("SomethingElse", 424, FailureKind::Server);
}

#[test]
fn google_says_in_the_body_when_to_come_back() {
    let body = r#"{"error":{"code":429,"message":"no","status":"RESOURCE_EXHAUSTED","details":[
        {"@type":"type.googleapis.com/google.rpc.Help"},
        {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"37.5s"}]}}"#;

    let failure = classified(429, body);

    assert_eq!(failure.retry_after, Some(Duration::from_millis(37_500)));
    assert_eq!(failure.code.as_deref(), Some("RESOURCE_EXHAUSTED"));
}

#[test]
fn a_provider_can_say_whether_to_try_again() {
    for (value, expected) in [("true", Some(true)), ("false", Some(false)), ("maybe", None)] {
        let mut headers = HeaderMap::new();
        headers.insert("x-should-retry", HeaderValue::from_static(value));
        assert_eq!(classify(500, &headers, b"", now()).should_retry, expected, "{value}");
    }
    assert_eq!(classified(500, "").should_retry, None);
}

#[test]
fn what_comes_in_place_of_a_stream_is_an_error_it_tells_or_nothing_readable() {
    let told = unexpected(br#"{"error":{"message":"slow down","code":"rate_limit_exceeded"}}"#);
    let page = unexpected(b"<html><head><title>Bad gateway</title></head></html>");
    let other = unexpected(br#"{"id":"x","choices":[]}"#);

    assert_eq!(
        (told.kind, told.message.as_str()),
        (FailureKind::ErrorEvent, "slow down")
    );
    assert_eq!(
        (page.kind, page.message.as_str()),
        (
            FailureKind::Malformed,
            "the provider sent a page instead of a stream: Bad gateway"
        )
    );
    assert_eq!(other.kind, FailureKind::Malformed);
}
