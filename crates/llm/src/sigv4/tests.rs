use chrono::TimeZone as _;

use super::*;

const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The credentials of AWS's published suite.
const SUITE: Credentials<'_> = Credentials {
    access_key_id: "AKIDEXAMPLE",
    secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    session_token: None,
};

const VANILLA: Request<'_> = Request {
    method: "GET",
    host: "example.amazonaws.com",
    path: "/",
    query: "",
    headers: &[],
    body_hash: EMPTY,
    region: "us-east-1",
    service: "service",
};

fn value<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
    let header = headers.iter().find(|header| header.name == name);
    header.map(|header| header.value.as_str())
}

/// A case of AWS's suite: its signed headers and its signature.
fn check(request: &Request<'_>, credentials: &Credentials<'_>, signed_headers: &str, signature: &str) {
    let at = Utc.with_ymd_and_hms(2015, 8, 30, 12, 36, 0).single().expect("a time");

    let headers = sign(request, credentials, at);

    let expected = format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
         SignedHeaders={signed_headers}, Signature={signature}"
    );
    assert_eq!(value(&headers, "authorization"), Some(expected.as_str()));
    assert_eq!(value(&headers, "x-amz-date"), Some("20150830T123600Z"));
    assert_eq!(value(&headers, "x-amz-security-token"), credentials.session_token);
}

#[test]
fn the_published_suite_is_signed_alike() {
    let plain = |request: &Request<'_>, signature| check(request, &SUITE, "host;x-amz-date", signature);

    // get-vanilla
    plain(
        &VANILLA,
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    );
    // post-vanilla
    plain(
        &Request {
            method: "POST",
            ..VANILLA
        },
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    );
    // get-vanilla-query-order-key-case
    plain(
        &Request {
            query: "Param2=value2&Param1=value1",
            ..VANILLA
        },
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    );
    // get-vanilla-utf8-query, its query encoded as it would be sent
    plain(
        &Request {
            query: "%E1%88%B4=bar",
            ..VANILLA
        },
        "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
    );
    // get-header-value-trim
    check(
        &Request {
            headers: &[("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
            ..VANILLA
        },
        &SUITE,
        "host;my-header1;my-header2;x-amz-date",
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    );
    // post-x-www-form-urlencoded
    let hash = body_hash(b"Param1=value1");
    check(
        &Request {
            method: "POST",
            headers: &[
                ("Content-Type", "application/x-www-form-urlencoded"),
                ("Content-Length", "13"),
                ("x-amz-content-sha256", &hash),
            ],
            body_hash: &hash,
            ..VANILLA
        },
        &SUITE,
        "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
        "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
    );
    // get-vanilla-with-session-token
    check(
        &VANILLA,
        &Credentials {
            session_token: Some("6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"),
            ..SUITE
        },
        "host;x-amz-date;x-amz-security-token",
        "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
    );
}

/// The path of the suite's `double-url-encode`: what is sent with `%3A` is signed with `%253A`.
#[test]
fn a_path_is_encoded_once_more_to_be_signed() {
    assert_eq!(
        canonical_path("/functions/arn%3Aaws%3Alambda/invocations"),
        "/functions/arn%253Aaws%253Alambda/invocations"
    );
    assert_eq!(
        canonical_path("/test/@connections/JBDvjfGEIAMCERw%3D"),
        "/test/%40connections/JBDvjfGEIAMCERw%253D"
    );
    assert_eq!(canonical_path(""), "/");
}

/// Signatures that botocore 1.44.8 made of the same requests: `SigV4Auth(credentials, "bedrock", "eu-central-1")
/// .add_auth(AWSRequest("POST", url, headers, body))`, its clock set to the time below.
#[test]
fn calls_of_bedrock_are_signed_as_botocore_does() {
    let at = Utc.with_ymd_and_hms(2026, 11, 26, 9, 30, 5).single().expect("a time");
    let hash = body_hash(br#"{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}"#);
    let profile = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1b2c3";
    let path = format!("/model/{}/converse-stream", crate::path_segment(profile));
    let request = Request {
        method: "POST",
        host: "bedrock-runtime.eu-central-1.amazonaws.com",
        path: &path,
        query: "",
        headers: &[("content-type", "application/json")],
        body_hash: &hash,
        region: "eu-central-1",
        service: "bedrock",
    };
    let credentials = Credentials {
        session_token: Some("IQoJb3JpZ2luX2VjEXAMPLE//token=="),
        ..SUITE
    };

    let expiring = sign(&request, &credentials, at);

    assert_eq!(
        value(&expiring, "authorization"),
        Some(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261126/eu-central-1/bedrock/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, \
             Signature=360af2897acaf64a1c37e1f756133294cca267f503872cd6aa15c13aecd98b76"
        )
    );

    let lasting = sign(
        &Request {
            path: "/model/us.anthropic.claude-sonnet-4-5-20250929-v1:0/converse",
            query: "b=2&a=%2F&a=1",
            headers: &[
                ("content-type", "application/json"),
                ("accept", "application/vnd.amazon.eventstream"),
            ],
            ..request
        },
        &SUITE,
        at,
    );

    assert_eq!(
        value(&lasting, "authorization"),
        Some(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261126/eu-central-1/bedrock/aws4_request, \
             SignedHeaders=accept;content-type;host;x-amz-date, \
             Signature=d0628067f6982c9191ae1133c4b0d8af514b686866cedfa81a7c79b70b343732"
        )
    );
}

/// The test cases 2 and 6 of RFC 4231: a short key, and one that is longer than a block.
#[test]
fn hmac_is_that_of_the_standard() {
    assert_eq!(
        hex::encode(hmac(b"Jefe", b"what do ya want for nothing?")),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    assert_eq!(
        hex::encode(hmac(
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First"
        )),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    );
}

#[test]
fn secrets_are_not_shown() {
    let credentials = Credentials {
        session_token: Some("the-token"),
        ..SUITE
    };

    let shown = format!(
        "{credentials:?} {:?}",
        sign(&VANILLA, &credentials, DateTime::UNIX_EPOCH)
    );

    assert!(!shown.contains("wJalrX") && !shown.contains("the-token") && !shown.contains("Signature="));
}
