use proptest::prelude::*;

use super::*;

fn parse_chat(body: Bytes) -> Result<Request, BadRequest> {
    Request::parse(Dialect::OpenaiChat, body, PathFacts::default())
}

fn parse(body: &str) -> Result<Request, BadRequest> {
    parse_chat(Bytes::copy_from_slice(body.as_bytes()))
}

fn forwarded(body: &str, upstream_model: &str) -> String {
    let segments = parse(body).expect(body).forward(upstream_model);
    let length = segments.len();
    let parts: Vec<Bytes> = segments.into_iter().collect();
    assert!(parts.iter().all(|part| !part.is_empty()));
    let text = String::from_utf8(parts.concat()).expect("text");
    assert_eq!(text.len(), length);
    text
}

#[test]
fn what_matters_is_read() {
    let body = r#" {"messages":[{"role":"user","content":"hi"}],"mod\u0065l":"gpt\u002d4o","stream":true,
        "stream_options":{"include_usage":true},"x":{"model":1}} "#;

    let request = parse(body).expect("a request");

    assert_eq!(
        (request.model(), request.stream(), request.caller_asked_usage()),
        ("gpt-4o", true, true)
    );
    assert_eq!(
        (request.body_len(), request.content()),
        (body.len(), &br#"[{"role":"user","content":"hi"}]"#[..])
    );
    assert_eq!(request.body(), body);
}

#[test]
fn a_refusal_says_what_where_and_what_to_do() {
    let check = |body: &str, message: &str, param: Option<&'static str>| {
        let refused = parse(body).expect_err(body);
        assert_eq!(
            (refused.message.as_str(), refused.param.as_deref()),
            (message, param),
            "{body}"
        );
    };
    let with = |members: &str| format!(r#"{{"model":"m","messages":[1],{members}}}"#);

    check(
        "",
        "the request body is empty; send a JSON object with 'model' and 'messages'",
        None,
    );
    check(
        "{\n  \"model\": oops}",
        "the request body is not valid JSON at line 2, column 12: a value was expected",
        None,
    );
    check(
        "[1]",
        "the request body is not valid JSON at line 1, column 1: a JSON object was expected",
        None,
    );
    check("{}", "'model' is missing; name the model to answer", Some("model"));
    check(
        r#"{"model":"m"}"#,
        "'messages' is missing; send at least one message",
        Some("messages"),
    );
    check(
        r#"{"model":7,"messages":[1]}"#,
        "'model' must be a string, not a number",
        Some("model"),
    );
    check(
        r#"{"model":"","messages":[1]}"#,
        "'model' is empty; name the model to answer",
        Some("model"),
    );
    check(
        r#"{"model":"\ud800","messages":[1]}"#,
        "'model' holds an escape that is no character",
        Some("model"),
    );
    check(
        &format!(r#"{{"model":"{}","messages":[1]}}"#, "m".repeat(129)),
        "'model' is longer than 128 bytes; no model has such a name",
        Some("model"),
    );
    check(
        r#"{"model":"m","messages":"hi"}"#,
        "'messages' must be an array, not a string",
        Some("messages"),
    );
    check(
        r#"{"model":"m","messages":[ ]}"#,
        "'messages' is empty; send at least one message",
        Some("messages"),
    );
    check(
        &with(r#""stream":"yes""#),
        "'stream' must be a boolean, not a string",
        Some("stream"),
    );
    check(
        &with(r#""model":"n""#),
        "'model' is given twice; give it once",
        Some("model"),
    );
    check(
        &with(r#""mod\u0065l":"n""#),
        "'model' is given twice; give it once",
        Some("model"),
    );
    check(
        &with(r#""messages":[2]"#),
        "'messages' is given twice; give it once",
        Some("messages"),
    );
    check(
        &with(r#""stream_options":[]"#),
        "'stream_options' must be an object, not an array",
        Some("stream_options"),
    );
    check(
        &with(r#""stream_options":{"include_usage":1}"#),
        "'stream_options.include_usage' must be a boolean, not a number",
        Some("stream_options"),
    );
    check(
        &with(r#""stream_options":{"include_usage":true,"include_usage":false}"#),
        "'stream_options.include_usage' is given twice; give it once",
        Some("stream_options"),
    );
}

#[test]
fn text_that_is_not_utf_8_is_refused_with_its_place() {
    let refused = parse_chat(Bytes::from_static(b"{\"model\":\"m\",\"messages\":[\"\xff\"]}")).expect_err("not UTF-8");

    assert_eq!(refused.to_string(), "the request body is not valid UTF-8 at byte 26");
}

#[test]
fn the_body_goes_on_as_it_came() {
    let body = r#"{ "model" : "m" ,"messages":[{"role":"user","content":"é\u00e9 \ud83d\ude00"}],"n":1.0e0,"x":{"b":1,"a":[]} }"#;

    assert_eq!(forwarded(body, "m"), body);
    assert_eq!(forwarded(body, "vendor/m-1"), body.replace(r#""m""#, r#""vendor/m-1""#));
    assert_eq!(forwarded(body, "q\"\\\n"), body.replace(r#""m""#, r#""q\"\\\n""#));
}

#[test]
fn an_unchanged_body_is_one_slice_of_the_same_bytes() {
    let body = Bytes::from_static(br#"{"model":"m","messages":[1]}"#);
    let request = parse_chat(body.clone()).expect("a request");

    let same: Vec<Bytes> = request.forward("m").into_iter().collect();
    let renamed: Vec<Bytes> = request.forward("n").into_iter().collect();

    assert_eq!(
        same.iter().map(|part| part.as_ptr()).collect::<Vec<_>>(),
        [body.as_ptr()]
    );
    assert_eq!(renamed.len(), 3);
    assert_eq!(
        renamed.last().map(|part| part.as_ptr()),
        Some(body.slice(12..).as_ptr())
    );
}

#[test]
fn usage_is_asked_for_in_a_stream() {
    let check = |body: &str, expected: &str| assert_eq!(forwarded(body, "m"), expected);

    check(
        r#"{ "stream":true,"model":"m","messages":[1]}"#,
        r#"{"stream_options":{"include_usage":true}, "stream":true,"model":"m","messages":[1]}"#,
    );
    check(
        r#"{"stream":true,"stream_options":null,"model":"m","messages":[1]}"#,
        r#"{"stream":true,"stream_options":{"include_usage":true},"model":"m","messages":[1]}"#,
    );
    check(
        r#"{"stream":true,"stream_options":{ },"model":"m","messages":[1]}"#,
        r#"{"stream":true,"stream_options":{"include_usage":true },"model":"m","messages":[1]}"#,
    );
    check(
        r#"{"stream":true,"model":"m","messages":[1],"stream_options":{"include_obfuscation":false}}"#,
        r#"{"stream":true,"model":"m","messages":[1],"stream_options":{"include_usage":true,"include_obfuscation":false}}"#,
    );
    check(
        r#"{"stream":true,"stream_options":{"a":1, "include_usage": false },"model":"m","messages":[1]}"#,
        r#"{"stream":true,"stream_options":{"a":1, "include_usage": true },"model":"m","messages":[1]}"#,
    );
    check(
        r#"{"stream":true,"stream_options":{"include_usage":null},"model":"m","messages":[1]}"#,
        r#"{"stream":true,"stream_options":{"include_usage":true},"model":"m","messages":[1]}"#,
    );
}

#[test]
fn usage_is_not_asked_for_twice_nor_without_a_stream() {
    for body in [
        r#"{"stream":true,"stream_options":{"include_usage":true},"model":"m","messages":[1]}"#,
        r#"{"stream":false,"model":"m","messages":[1]}"#,
        r#"{"stream":null,"stream_options":{"include_usage":false},"model":"m","messages":[1]}"#,
    ] {
        assert_eq!(forwarded(body, "m"), body);
    }
}

#[test]
fn both_edits_go_to_their_places_in_either_order() {
    assert_eq!(
        forwarded(r#"{"model":"m","messages":[1],"stream":true,"stream_options":{}}"#, "n"),
        r#"{"model":"n","messages":[1],"stream":true,"stream_options":{"include_usage":true}}"#
    );
    assert_eq!(
        forwarded(r#"{"stream_options":{},"messages":[1],"stream":true,"model":"m"}"#, "n"),
        r#"{"stream_options":{"include_usage":true},"messages":[1],"stream":true,"model":"n"}"#
    );
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..80), cut in 0_usize..80) {
        let whole = br#"{"model":"m\u0041","messages":[{"content":"x"}],"stream":true,"stream_options":{"include_usage":null}}"#;
        let cut = whole.len().saturating_sub(cut);

        let _ = parse_chat(body.clone().into());
        let mixed = [&whole[..cut], body.as_slice()].concat();
        if let Ok(request) = parse_chat(mixed.into()) {
            let segments = request.forward("other");
            prop_assert!(!segments.is_empty());
        }
    }

    #[test]
    fn what_is_forwarded_differs_only_in_model_and_usage(
        model in "[a-z\"\\\\é]{1,8}", upstream in "[a-z\"\\\\é]{1,8}", stream in any::<bool>(), spaces in " {0,3}",
        options in proptest::option::of(prop_oneof![Just("null"), Just("{}"), Just(r#"{"include_usage":false,"z":1}"#)]),
    ) {
        let options = options.map(|options| format!(r#","stream_options":{spaces}{options}"#)).unwrap_or_default();
        let model = serde_json::to_string(&model).expect("text");
        let body = format!(r#"{spaces}{{"k":[1,{{}}],"stream":{stream}{options},{spaces}"model"{spaces}:{model},"messages":["m"]}}"#);

        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        let mut expected = read(&body);
        expected["model"] = upstream.clone().into();
        if stream {
            if !expected["stream_options"].is_object() {
                expected["stream_options"] = serde_json::json!({});
            }
            expected["stream_options"]["include_usage"] = true.into();
        }

        prop_assert_eq!(read(&forwarded(&body, &upstream)), expected);
    }
}
