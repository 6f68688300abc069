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

fn contents(body: &str, amount: Amount) -> EmbedContents {
    EmbedContents::parse(Bytes::from(body.to_owned()), amount).expect(body)
}

fn texts(bodies: &[(Bytes, usize)]) -> Vec<(&str, usize)> {
    bodies
        .iter()
        .map(|(body, count)| (std::str::from_utf8(body).expect("text"), *count))
        .collect()
}

#[test]
fn a_body_of_googles_is_passed_on_with_only_the_models_changed() {
    let one = r#"{"content": {"parts":[{"text":"a"}]}, "x":1, "model" : "models/mine"}"#;
    let several = r#" { "y":2,"requests" : [ {"model":"models/mine","content":{}} , {"content":{},"z":3} ] } "#;

    let (one, several) = (contents(one, Amount::One), contents(several, Amount::Several));

    assert_eq!((one.count(), several.count()), (1, 2));
    assert_eq!(
        texts(&one.forward("theirs")),
        [(
            r#"{"content": {"parts":[{"text":"a"}]}, "x":1, "model" : "models/theirs"}"#,
            1
        )]
    );
    assert_eq!(
        texts(&several.forward("models/theirs")),
        [(
            r#" { "y":2,"requests" : [ {"model":"models/theirs","content":{}},{"content":{},"z":3} ] } "#,
            2
        )]
    );
    assert_eq!(
        texts(&several.forward("mine")),
        [(
            r#" { "y":2,"requests" : [ {"model":"models/mine","content":{}} , {"content":{},"z":3} ] } "#,
            2
        )]
    );
}

#[test]
fn more_contents_than_google_takes_are_shared_out_as_they_are() {
    let request = |number: usize| format!(r#"{{"content":{{"parts":[{{"text":"t{number}"}}]}},"x":1}}"#);
    let all: Vec<_> = (0..201).map(request).collect();
    let body = format!(r#"{{"requests":[{}],"y":2}}"#, all.join(","));

    let shares = contents(&body, Amount::Several).forward("m");

    let counts: Vec<_> = shares.iter().map(|(_, count)| *count).collect();
    assert_eq!(counts, [100, 100, 1]);
    let last = format!(r#"{{"requests":[{}],"y":2}}"#, request(200));
    assert_eq!(shares.last().expect("three").0, last);
}

#[test]
fn a_bad_request_of_googles_says_where() {
    let check = |body: &str, amount, param: &str| {
        let read = EmbedContents::parse(Bytes::from(body.to_owned()), amount);
        let told = read.and_then(|contents| contents.read().map(|_| ())).expect_err(body);
        assert_eq!(told.param.as_deref(), Some(param), "{body}");
    };

    check(r#"{"requests":[]}"#, Amount::Several, "requests");
    check("{}", Amount::Several, "requests");
    check(r#"{"requests":{}}"#, Amount::Several, "requests");
    check(r#"{"requests":[1]}"#, Amount::Several, "requests[0]");
    check(r#"{"requests":[{}]}"#, Amount::Several, "requests[0].content");
    check(
        r#"{"requests":[{"model":"a","model":"b"}]}"#,
        Amount::Several,
        "requests[0].model",
    );
    check("{}", Amount::One, "content");
    check(
        r#"{"content":{"parts":[{"text":1}]}}"#,
        Amount::One,
        "content.parts[0].text",
    );
    check(r#"{"content":{"parts":[]}}"#, Amount::One, "content");
    check(
        r#"{"content":{"parts":[{"fileData":{}}]}}"#,
        Amount::One,
        "content.parts[0].fileData",
    );
    check(
        r#"{"content":{"parts":[{"text":"a"}]},"outputDimensionality":0}"#,
        Amount::One,
        "outputDimensionality",
    );
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
        for amount in [Amount::One, Amount::Several] {
            let _ = EmbedContents::parse(Bytes::from(body.clone()), amount).map(|contents| contents.read().map(|_| ()));
        }
        let _ = EmbedAnswer::read_openai(&body, 1);
        let _ = EmbedAnswer::read_gemini(&body, 1);
        let _ = EmbedAnswer::read_cohere(&body, 1);
    }
}

#[test]
fn more_texts_than_a_vendor_takes_at_once_are_shared_out() {
    let check = |dialect: EmbedDialect, model: &str, most: usize| {
        let of = |count: usize| request(&serde_json::json!({"model": "m", "input": vec!["a"; count]}).to_string());
        let counts = |count| {
            let (request, count) = (of(count), count);
            let shares = dialect.write(&request.read().expect("texts"), model).expect("written");
            let counts: Vec<_> = shares.bodies.iter().map(|(_, count)| *count).collect();
            assert_eq!(counts.iter().sum::<usize>(), count);
            counts
        };
        assert_eq!(counts(most), [most], "{dialect:?}");
        assert_eq!(dialect.most(model), most, "{dialect:?}");
        if most < 2_048 {
            assert_eq!(counts(most + 1), [most, 1], "{dialect:?}");
        }
        let too_many = of(2_049);
        let refused = dialect.write(&too_many.read().expect("texts"), model);
        assert_eq!(refused.expect_err("too many").param, "input", "{dialect:?}");
    };

    check(EmbedDialect::Openai, "text-embedding-3-small", 2_048);
    check(EmbedDialect::Gemini, "gemini-embedding-001", 100);
    check(EmbedDialect::Vertex, "gemini-embedding-001", 1);
    check(EmbedDialect::Vertex, "text-embedding-005", 250);
    check(EmbedDialect::Cohere, "embed-v4.0", 96);
    check(EmbedDialect::CohereOnBedrock, "cohere.embed-v4:0", 96);
    check(EmbedDialect::Titan, "amazon.titan-embed-text-v2:0", 1);
}

#[test]
fn only_the_second_titan_has_vectors_of_several_lengths() {
    let request = request(r#"{"model":"m","input":["a"],"dimensions":256}"#);
    let dropped = |model| {
        let shares = EmbedDialect::Titan
            .write(&request.read().expect("texts"), model)
            .expect("written");
        shares.dropped.to_string()
    };

    assert_eq!(dropped("amazon.titan-embed-text-v2:0"), "");
    assert_eq!(dropped("amazon.titan-embed-text-v1"), "dimensions");
}

#[test]
fn what_was_used_by_several_calls_is_known_when_each_of_them_tells() {
    let told = |used| EmbedAnswer {
        usage: Some(input(used)),
        ..answer(vec![vec![1.0]])
    };

    let all = EmbedAnswer::joined(vec![told(3), told(4)]);
    let some = EmbedAnswer::joined(vec![told(3), answer(vec![vec![2.0]])]);

    assert_eq!(all.usage, Some(input(7)));
    assert_eq!((some.usage, some.vectors), (None, vec![vec![1.0], vec![2.0]]));
}

fn input(count: u64) -> crate::Tokens {
    let mut tokens = crate::Tokens::default();
    tokens.set(UsageUnit::InputUncached, count);
    tokens
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
