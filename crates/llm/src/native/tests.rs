//! What addresses are for, which models they name, and what the answers say was used.

use bytes::Bytes;
use gatewright_types::UsageUnit;

use super::*;
use crate::Uncounted;

fn posted(kind: ProviderKind, path: &str, body: &str) -> Native {
    Native::of(kind, "POST", path, body.as_bytes())
}

#[test]
fn addresses_say_what_they_are_for_and_some_name_the_model() {
    let check = |kind: ProviderKind, path: &str, purpose: Option<Purpose>, named: &str, stream: bool| {
        let native = posted(kind, path, r#"{"model":"m"}"#);
        assert_eq!((native.purpose, native.stream), (purpose, stream), "{path}");
        assert_eq!(native.named, Named::Once(named.to_owned()), "{path}");
    };
    let spoken = |dialect| Some(Purpose::Spoken(dialect));

    use ProviderKind::{Anthropic, Azure, Bedrock, Cohere, Gemini, Openai, Vertex};
    check(Openai, "/v1/chat/completions", spoken(Dialect::OpenaiChat), "m", false);
    check(
        Openai,
        "/v1/completions",
        spoken(Dialect::OpenaiCompletions),
        "m",
        false,
    );
    check(Openai, "/v1/responses", spoken(Dialect::OpenaiResponses), "m", false);
    check(Openai, "/v1/embeddings", spoken(Dialect::OpenaiEmbeddings), "m", false);
    check(
        Anthropic,
        "/v1/messages",
        spoken(Dialect::AnthropicMessages),
        "m",
        false,
    );
    check(Anthropic, "/v1/messages/count_tokens", Some(Purpose::Count), "m", false);
    check(
        Azure,
        "/openai/deployments/ours/chat/completions",
        spoken(Dialect::OpenaiChat),
        "ours",
        false,
    );
    let gemini = "/v1beta/models/gemini-x";
    let generate = spoken(Dialect::GeminiGenerate);
    check(
        Gemini,
        &format!("{gemini}:generateContent"),
        generate,
        "gemini-x",
        false,
    );
    check(
        Gemini,
        &format!("{gemini}:streamGenerateContent"),
        generate,
        "gemini-x",
        true,
    );
    check(
        Gemini,
        &format!("{gemini}:countTokens"),
        Some(Purpose::Count),
        "gemini-x",
        false,
    );
    let claude = "/v1/projects/p/locations/l/publishers/anthropic/models";
    let messages = spoken(Dialect::AnthropicMessages);
    check(
        Vertex,
        &format!("{claude}/claude-x:rawPredict"),
        messages,
        "claude-x",
        false,
    );
    check(
        Vertex,
        &format!("{claude}/claude-x:streamRawPredict"),
        messages,
        "claude-x",
        true,
    );
    check(
        Vertex,
        &format!("{claude}/count-tokens:rawPredict"),
        Some(Purpose::Count),
        "m",
        false,
    );
    let arn = "/model/arn%3Aaws%3Aprofile%2Fa1/converse-stream";
    check(Bedrock, arn, Some(Purpose::Converse), "arn:aws:profile/a1", true);
    let invoke = "/model/eu.anthropic.claude-x/invoke";
    check(
        Bedrock,
        invoke,
        Some(Purpose::InvokeClaude),
        "eu.anthropic.claude-x",
        false,
    );
    check(
        Bedrock,
        "/model/meta.llama/invoke",
        Some(Purpose::Invoke),
        "meta.llama",
        false,
    );
    let streamed = "/model/meta.llama/invoke-with-response-stream";
    check(Bedrock, streamed, Some(Purpose::Invoke), "meta.llama", true);
    let mistral = "/v1/projects/p/locations/l/publishers/mistralai/models/codestral";
    let chat = spoken(Dialect::OpenaiChat);
    check(Vertex, &format!("{mistral}:rawPredict"), chat, "codestral", false);
    check(Vertex, &format!("{mistral}:streamRawPredict"), chat, "codestral", true);
    check(
        Gemini,
        &format!("{gemini}:embedContent"),
        spoken(Dialect::GeminiEmbed),
        "gemini-x",
        false,
    );
    let batch = spoken(Dialect::GeminiBatchEmbed);
    check(
        Gemini,
        &format!("{gemini}:batchEmbedContents"),
        batch,
        "gemini-x",
        false,
    );
    check(Cohere, "/v2/chat", Some(Purpose::CohereChat), "m", false);
}

#[test]
fn what_is_not_known_names_nothing() {
    let nothing = |native: Native| (native.purpose, native.named) == (None, Named::Nowhere);

    assert!(nothing(posted(
        ProviderKind::Openai,
        "/v1/images/generations",
        r#"{"model":"m"}"#
    )));
    assert!(nothing(posted(
        ProviderKind::Openai,
        "/v1/threads/t/messages",
        r#"{"model":"m"}"#
    )));
    assert!(nothing(posted(
        ProviderKind::Openai,
        "/threads/t/messages",
        r#"{"model":"m"}"#
    )));
    assert!(nothing(posted(
        ProviderKind::Openai,
        "/v1/chat%2Fcompletions",
        r#"{"model":"m"}"#
    )));
    assert!(nothing(Native::of(ProviderKind::Openai, "GET", "/v1/responses", b"")));
}

#[test]
fn a_body_names_a_model_only_when_no_reader_could_find_another() {
    let named = |body: &str| posted(ProviderKind::Openai, "/v1/chat/completions", body).named;
    let once = |name: &str| Named::Once(name.to_owned());

    assert_eq!(named(r#"{"x":{"model":"n"}, "mod\u0065l" : "m"}"#), once("m"));
    assert_eq!(named(r#"{"model":"m","model":"m"}"#), once("m"));
    let both = Named::Differently(vec!["m".to_owned(), "n".to_owned()]);
    assert_eq!(named(r#"{"model":"m","model":"n"}"#), both);
    assert_eq!(named(r#"{"model":"m","Model":"n"}"#), both);
    for body in [
        "",
        "{}",
        "[]",
        r#"{"model":7}"#,
        r#"{"model":"m""#,
        r#"{"model":"m"} x"#,
        "\u{feff}{\"model\":\"m\"}",
    ] {
        assert_eq!(named(body), Named::Nowhere, "{body}");
    }
}

#[test]
fn whole_answers_say_what_was_used() {
    let check = |purpose: Purpose, body: &str, input: u64, output: u64| {
        let used = purpose.used(body.as_bytes()).expect(body).usage.expect(body);
        assert_eq!((used.total_input(), used.total_output()), (input, output), "{body}");
    };

    let gemini = r#"{"candidates":[],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":2}}"#;
    check(Purpose::Spoken(Dialect::GeminiGenerate), gemini, 5, 2);
    let array = format!(r#"[{{"usageMetadata":{{"promptTokenCount":5}}}},{gemini}]"#);
    check(Purpose::Spoken(Dialect::GeminiGenerate), &array, 5, 2);
    let converse = r#"{"output":{"message":{"role":"assistant","content":[{"text":"a"}]}},"stopReason":"end_turn",
        "usage":{"inputTokens":5,"outputTokens":2,"totalTokens":7}}"#;
    check(Purpose::Converse, converse, 5, 2);
    check(
        Purpose::InvokeClaude,
        r#"{"usage":{"input_tokens":5,"output_tokens":2}}"#,
        5,
        2,
    );
    check(
        Purpose::Embed(EmbedDialect::Titan),
        r#"{"embedding":[1],"inputTextTokenCount":6}"#,
        6,
        0,
    );
    check(
        Purpose::Embed(EmbedDialect::Vertex),
        r#"{"predictions":[{"embeddings":{"statistics":{"token_count":6}}}]}"#,
        6,
        0,
    );
    let embedded = r#"{"embedding":{"values":[1]},"usageMetadata":{"promptTokenCount":6}}"#;
    check(Purpose::Spoken(Dialect::GeminiEmbed), embedded, 6, 0);
    assert_eq!(Purpose::Spoken(Dialect::OpenaiChat).used(b"<html>"), None);
}

#[test]
fn bedrock_tells_what_any_model_used_in_its_answers_head() {
    let head = |name: &str| match name {
        "x-amzn-bedrock-input-token-count" => Some("5"),
        "x-amzn-bedrock-output-token-count" => Some("2"),
        "x-amzn-bedrock-cache-read-input-token-count" => Some("3"),
        _ => None,
    };

    for purpose in [
        Purpose::Invoke,
        Purpose::InvokeClaude,
        Purpose::Embed(EmbedDialect::CohereOnBedrock),
    ] {
        let used = purpose.used_by_head(head).expect("usage");
        let counts = [
            UsageUnit::InputUncached,
            UsageUnit::InputCacheRead,
            UsageUnit::OutputText,
        ]
        .map(|unit| used.get(unit));
        assert_eq!(counts, [5, 3, 2], "{purpose:?}");
    }
    assert_eq!(Purpose::Invoke.used_by_head(|_| None), None);
    assert_eq!(Purpose::Converse.used_by_head(head), None, "its body tells");
}

#[test]
fn bedrock_tells_what_any_model_used_at_the_end_of_its_stream() {
    use base64::Engine as _;
    let frame = |data: &str| {
        let payload = format!(r#"{{"bytes":"{}"}}"#, base64::prelude::BASE64_STANDARD.encode(data));
        let headers = [(":message-type", "event"), (":event-type", "chunk")];
        crate::dialect::bedrock::event_stream::write_frame(&headers, payload.as_bytes())
    };
    let metrics =
        r#""amazon-bedrock-invocationMetrics":{"inputTokenCount":5,"outputTokenCount":2,"invocationLatency":9}"#;
    let (first, last) = (
        r#"{"generation":"a"}"#,
        format!(r#"{{"generation":"","stop_reason":"stop",{metrics}}}"#),
    );
    let native = posted(
        ProviderKind::Bedrock,
        "/model/meta.llama/invoke-with-response-stream",
        "{}",
    );
    let watched = |stream: &[u8], size: usize| {
        let mut watch = native.watch("application/vnd.amazon.eventstream");
        stream.chunks(size).for_each(|piece| {
            watch.look(Bytes::copy_from_slice(piece));
        });
        watch.end()
    };

    let whole = [frame(first), frame(&last)].concat();
    for size in [1, 7, 1_000] {
        let watched = watched(&whole, size);
        let used = watched.facts.usage.expect("usage");
        assert_eq!(
            (used.get(UsageUnit::InputUncached), used.get(UsageUnit::OutputText)),
            (5, 2)
        );
        assert_eq!((watched.content_events, watched.failed), (2, None));
    }
    let untold = watched(&frame(first), 1_000);
    assert_eq!(
        (untold.facts.usage, untold.content_events, untold.failed),
        (None, 1, None)
    );
    let headers = [
        (":message-type", "exception"),
        (":exception-type", "throttlingException"),
    ];
    let broken = crate::dialect::bedrock::event_stream::write_frame(&headers, b"{}");
    assert!(watched(&[frame(first), broken].concat(), 1_000).failed.is_some());
}

#[test]
fn streams_are_watched_wherever_they_are_cut() {
    let chunk = r#"data: {"choices":[{"delta":{"content":"a"}}]}"#;
    let last = r#"data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}"#;
    let finish = r#"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
    let stream = format!("{chunk}\n\n{finish}\n\n{last}\n\ndata: [DONE]\n\n");
    let native = posted(
        ProviderKind::Openai,
        "/v1/chat/completions",
        r#"{"model":"m","stream":true}"#,
    );

    for size in [1, 7, 1000] {
        let mut watch = native.watch("text/event-stream; charset=utf-8");
        let first = stream
            .as_bytes()
            .chunks(size)
            .filter(|piece| watch.look(Bytes::copy_from_slice(piece)));
        assert_eq!(first.count(), 1);
        let watched = watch.end();
        let used = watched.facts.usage.expect("usage");
        assert_eq!(
            (used.get(UsageUnit::InputUncached), used.get(UsageUnit::OutputText)),
            (5, 2)
        );
        assert_eq!((watched.content_events, watched.failed), (1, None));
    }

    let mut cut = native.watch("text/event-stream");
    cut.look(Bytes::from(format!("{chunk}\n\n")));
    let watched = cut.end();
    assert!(watched.failed.is_some() && watched.facts.usage.is_none());
    assert_eq!(
        Uncounted::new("m", Bytes::new(), watched.delivered)
            .count()
            .total_output(),
        1
    );
}

#[test]
fn a_stream_in_one_array_is_read_at_its_end() {
    let native = posted(ProviderKind::Gemini, "/v1beta/models/m:streamGenerateContent", "{}");
    let mut watch = native.watch("application/json");
    for piece in [
        "[{\"usageMetadata\":{\"promptTokenCount\":5}}\n,",
        "{\"usageMetadata\":{\"promptTokenCount\":6}}]",
    ] {
        watch.look(Bytes::from(piece));
    }

    assert_eq!(watch.end().facts.usage.expect("usage").total_input(), 6);
}
