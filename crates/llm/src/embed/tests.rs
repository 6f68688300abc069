//! Numbers keep their bits whichever way they go; bodies pass on unchanged but for what has to differ.

use bytes::Bytes;
use gatewright_types::UsageUnit;
use proptest::prelude::*;

use super::*;
use crate::FailureKind;

fn request(body: &str) -> EmbedRequest {
    EmbedRequest::parse(Bytes::from(body.to_owned())).expect(body)
}

fn forwarded(request: &EmbedRequest, model: &str, encoding: Encoding) -> String {
    let body = request
        .forward(model, encoding)
        .into_iter()
        .collect::<Vec<_>>()
        .concat();
    String::from_utf8(body).expect("text")
}

fn answer(vectors: Vec<Vec<f32>>) -> EmbedAnswer {
    EmbedAnswer {
        vectors,
        model: None,
        usage: None,
    }
}

#[test]
fn a_body_is_passed_on_with_only_the_model_changed() {
    let body = r#"{"input": ["a\u00e9", "b"] , "encoding_format":"base64","model":"mine", "x":1}"#;
    let request = request(body);

    assert_eq!((request.model(), request.inputs()), ("mine", Inputs::Texts(2)));
    assert_eq!(forwarded(&request, "mine", Encoding::Base64), body);
    assert_eq!(
        forwarded(&request, "theirs", Encoding::Base64),
        body.replace(r#""mine""#, r#""theirs""#)
    );
    assert_eq!(
        forwarded(&request, "theirs", Encoding::Float),
        body.replace(r#""mine""#, r#""theirs""#)
            .replace(r#""base64""#, r#""float""#)
    );
}

#[test]
fn inputs_are_counted_in_all_their_shapes() {
    let check = |input: &str, expected| {
        let body = format!(r#"{{"model":"m","input":{input},"encoding_format":null}}"#);
        let request = request(&body);
        assert_eq!(
            (request.inputs(), request.encoding()),
            (expected, Encoding::Float),
            "{input}"
        );
        assert_eq!(expected.count(), request.inputs().count());
    };

    check(r#""a""#, Inputs::Texts(1));
    check(r#"["a","b"]"#, Inputs::Texts(2));
    check("[1,2,3]", Inputs::Tokens(1));
    check("[[1,2],[3]]", Inputs::Tokens(2));
}

#[test]
fn a_bad_request_says_where() {
    let check = |body: &str, param: &str| {
        let told = EmbedRequest::parse(Bytes::from(body.to_owned())).expect_err(body);
        assert_eq!(told.param.as_deref(), Some(param), "{body}");
    };

    check(r#"{"input":"a"}"#, "model");
    check(r#"{"model":"m"}"#, "input");
    check(r#"{"model":"m","input":[]}"#, "input");
    check(r#"{"model":"m","input":["a",1]}"#, "input[1]");
    check(r#"{"model":"m","input":[[1],[-2]]}"#, "input[1][0]");
    check(r#"{"model":"m","input":""}"#, "input");
    check(r#"{"model":"m","input":{"text":"a"}}"#, "input");
    check(
        r#"{"model":"m","input":"a","encoding_format":"int8"}"#,
        "encoding_format",
    );
    check(r#"{"model":"m","input":"a","dimensions":0}"#, "dimensions");
    check(r#"{"model":"m","input":"a","model":"n"}"#, "model");
}

#[test]
fn requests_are_written_for_gemini_and_cohere() {
    let body = r#"{"model":"m","input":["a\n","b"],"dimensions":256,"user":"u","input_type":"search_query","x":1}"#;
    let request = request(body);

    let gemini = request.write_gemini("gemini-embedding-001").expect("written");
    let cohere = request.write_cohere("embed-v4.0").expect("written");

    assert_eq!(
        String::from_utf8(gemini.body).expect("text"),
        concat!(
            r#"{"requests":[{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"a\n"}]},"outputDimensionality":256},"#,
            r#"{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"b"}]},"outputDimensionality":256}]}"#
        )
    );
    assert_eq!(gemini.dropped.to_string(), "x, user, input_type");
    assert_eq!(
        String::from_utf8(cohere.body).expect("text"),
        r#"{"model":"embed-v4.0","input_type":"search_query","texts":["a\n","b"],"output_dimension":256,"embedding_types":["float"]}"#
    );
    assert_eq!(cohere.dropped.to_string(), "x, user");
}

#[test]
fn what_another_vendor_cannot_embed_is_refused() {
    let tokens = request(r#"{"model":"m","input":[1,2]}"#);
    let texts = vec!["a"; 97];
    let many = request(&serde_json::json!({ "model": "m", "input": texts }).to_string());

    assert_eq!(tokens.write_gemini("m").expect_err("tokens").param, "input");
    assert_eq!(tokens.write_cohere("m").expect_err("tokens").param, "input");
    assert_eq!(many.write_cohere("m").expect_err("too many").param, "input");
}

#[test]
fn a_known_vector_is_written_as_openai_writes_it() {
    let usage = r#"{"prompt_tokens":5,"total_tokens":5}"#;
    let read = format!(
        r#"{{"object":"list","model":"text-embedding-3-small","usage":{usage},"data":[
            {{"object":"embedding","index":1,"embedding":[1,-2.5e0]}},
            {{"object":"embedding","index":0,"embedding":[0.1,-0.0]}}]}}"#
    );

    let answer = EmbedAnswer::read_openai(read.as_bytes(), 2).expect("an answer");

    assert_eq!(
        String::from_utf8(answer.write(Encoding::Base64, "else")).expect("text"),
        concat!(
            r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":"zczMPQAAAIA="},"#,
            r#"{"object":"embedding","index":1,"embedding":"AACAPwAAIMA="}],"model":"text-embedding-3-small","#,
            r#""usage":{"prompt_tokens":5,"total_tokens":5}}"#
        )
    );
}

#[test]
fn answers_of_gemini_and_cohere_are_read() {
    let gemini = br#"{"embeddings":[{"values":[0.5,1]},{"values":[2,3]}],"usageMetadata":{"promptTokenCount":7}}"#;
    let cohere = br#"{"id":"1","texts":["a"],"embeddings":{"float":[[0.5,1]]},"response_type":"embeddings_by_type",
        "meta":{"api_version":{"version":"2"},"billed_units":{"input_tokens":3.0}}}"#;

    let gemini = EmbedAnswer::read_gemini(gemini, 2).expect("an answer");
    let cohere = EmbedAnswer::read_cohere(cohere, 1).expect("an answer");

    assert_eq!(gemini.vectors, [[0.5, 1.0], [2.0, 3.0]]);
    assert_eq!(gemini.usage.expect("usage").get(UsageUnit::InputUncached), 7);
    assert_eq!(cohere.vectors, [[0.5, 1.0]]);
    assert_eq!(cohere.usage.expect("usage").total_input(), 3);
}

#[test]
fn what_is_no_answer_is_a_failure() {
    let kind = |body: &str| EmbedAnswer::read_openai(body.as_bytes(), 1).expect_err(body).kind;

    assert_eq!(kind("<html>"), FailureKind::Malformed);
    assert_eq!(kind(r#"{"data":[]}"#), FailureKind::Malformed);
    assert_eq!(
        kind(r#"{"data":[{"embedding":"AAAAAA=="},{"embedding":"AAAAAA=="}]}"#),
        FailureKind::Malformed
    );
    assert_eq!(kind(r#"{"data":[{"embedding":"AAA="}]}"#), FailureKind::Malformed);
    // Not a number, which JSON cannot say.
    assert_eq!(kind(r#"{"data":[{"embedding":"AADAfw=="}]}"#), FailureKind::Malformed);
    assert_eq!(kind(r#"{"data":[{"embedding":[1e99]}]}"#), FailureKind::Malformed);
    assert_eq!(kind(r#"{"error":{"message":"no"}}"#), FailureKind::ErrorEvent);
    assert_eq!(kind(r#"{"message":"invalid api token"}"#), FailureKind::ErrorEvent);
}

proptest! {
    #[test]
    fn no_bit_is_lost_between_the_notations(bits in prop::collection::vec(any::<u32>(), 1..32)) {
        let vector: Vec<f32> = bits.into_iter().map(f32::from_bits).filter(|number| number.is_finite()).collect();
        let answer = answer(vec![vector.clone()]);

        let as_floats = answer.write(Encoding::Float, "m");
        let floats = EmbedAnswer::read_openai(&as_floats, 1).expect("an answer");
        let as_base64 = floats.write(Encoding::Base64, "m");
        let read = EmbedAnswer::read_openai(&as_base64, 1).expect("an answer");

        let bits = |vector: &[f32]| vector.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(read.vectors.first().expect("one")), bits(&vector));
    }

    #[test]
    fn no_bytes_are_too_odd(body in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = EmbedRequest::parse(Bytes::from(body.clone()));
        let _ = EmbedAnswer::read_openai(&body, 1);
        let _ = EmbedAnswer::read_gemini(&body, 1);
        let _ = EmbedAnswer::read_cohere(&body, 1);
    }
}

#[test]
fn requests_are_written_for_the_clouds() {
    let body = r#"{"model":"m","input":["a"],"dimensions":256,"user":"u","input_type":"search_query"}"#;
    let check = |dialect: EmbedDialect, model: &str, expected: &str, dropped: &str| {
        let written = dialect.write(&request(body), model).expect("written");
        assert_eq!(String::from_utf8(written.body).expect("text"), expected, "{dialect:?}");
        assert_eq!(written.dropped.to_string(), dropped, "{dialect:?}");
    };

    check(
        EmbedDialect::Vertex,
        "text-embedding-005",
        r#"{"instances":[{"content":"a"}],"parameters":{"outputDimensionality":256}}"#,
        "user, input_type",
    );
    check(
        EmbedDialect::CohereOnBedrock,
        "eu.cohere.embed-v4:0",
        r#"{"input_type":"search_query","texts":["a"],"output_dimension":256,"embedding_types":["float"]}"#,
        "user",
    );
    check(
        EmbedDialect::Titan,
        "amazon.titan-embed-text-v2:0",
        r#"{"inputText":"a","dimensions":256}"#,
        "user, input_type",
    );
    check(
        EmbedDialect::Titan,
        "amazon.titan-embed-text-v1",
        r#"{"inputText":"a"}"#,
        "user, input_type, dimensions",
    );
}

#[test]
fn more_texts_than_a_vendor_takes_at_once_are_refused() {
    let check = |dialect: EmbedDialect, model: &str, most: usize| {
        let of = |count: usize| request(&serde_json::json!({"model": "m", "input": vec!["a"; count]}).to_string());
        assert!(dialect.write(&of(most), model).is_ok(), "{dialect:?}");
        let refused = dialect.write(&of(most + 1), model).expect_err("too many");
        assert_eq!(refused.param, "input", "{dialect:?}");
    };

    check(EmbedDialect::Gemini, "gemini-embedding-001", 100);
    check(EmbedDialect::Vertex, "gemini-embedding-001", 1);
    check(EmbedDialect::Vertex, "text-embedding-005", 250);
    check(EmbedDialect::Cohere, "embed-v4.0", 96);
    check(EmbedDialect::CohereOnBedrock, "cohere.embed-v4:0", 96);
    check(EmbedDialect::Titan, "amazon.titan-embed-text-v2:0", 1);
}

#[test]
fn answers_of_the_clouds_are_read() {
    let vertex =
        br#"{"predictions":[{"embeddings":{"values":[0.5,1],"statistics":{"truncated":false,"token_count":4}}},
        {"embeddings":{"values":[2,3],"statistics":{"token_count":3.0}}}],"metadata":{"billableCharacterCount":9}}"#;
    let untold = br#"{"predictions":[{"embeddings":{"values":[0.5,1]}}]}"#;
    let titan = br#"{"embedding":[0.5,1],"embeddingsByType":{"float":[9]},"inputTextTokenCount":6}"#;

    let vertex = EmbedDialect::Vertex.read(vertex, 2).expect("an answer");
    let untold = EmbedDialect::Vertex.read(untold, 1).expect("an answer");
    let titan = EmbedDialect::Titan.read(titan, 1).expect("an answer");

    assert_eq!(vertex.vectors, [[0.5, 1.0], [2.0, 3.0]]);
    assert_eq!(vertex.usage.expect("usage").get(UsageUnit::InputUncached), 7);
    assert_eq!(untold.usage, None);
    assert_eq!(titan.vectors, [[0.5, 1.0]]);
    assert_eq!(titan.usage.expect("usage").get(UsageUnit::InputUncached), 6);
    assert!(EmbedDialect::Titan.read(b"{}", 1).is_err());
}

#[test]
fn the_notation_of_an_answer_is_seen_without_reading_its_numbers() {
    assert_eq!(notation(br#"{"data":[{"embedding":"AAAA"}]}"#), Some(Encoding::Base64));
    assert_eq!(
        notation(br#"{"data":[{"index":0,"embedding":[1]}]}"#),
        Some(Encoding::Float)
    );
    assert_eq!(notation(br#"{"data":[]}"#), None);
    assert_eq!(notation(b"<html>"), None);
}
