//! What was delivered of a stream is the same, whether it passed unread or was translated: nobody's bill depends on that.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use gatewright_llm::chat::Chat;
use gatewright_llm::dialect::anthropic::Anthropic;
use gatewright_llm::dialect::gemini::Gemini;
use gatewright_llm::dialect::openai_chat::{OpenaiChatTo, Quirks};
use gatewright_llm::dialect::openai_responses::OpenaiResponses;
use gatewright_llm::dialect::{Outbound, ReplyFacts, inbound};
use gatewright_llm::{Delivered, Flow, Tokens, TranslatedStream, Uncounted, UsageChunk, delivered};
use gatewright_types::UsageUnit;
use gatewright_types::api::Dialect;

fn passed(dialect: Dialect, stream: &[u8]) -> Delivered {
    let mut flow = Flow::passed(dialect, UsageChunk::Keep);
    flow.push(Bytes::copy_from_slice(stream));
    flow.end().delivered
}

fn translated(outbound: &dyn Outbound, stream: &[u8]) -> Delivered {
    let chat = Chat::default();
    let reply = ReplyFacts {
        request_id: "req_1",
        model: "m",
        created: 0,
        usage_wanted: false,
        chat: &chat,
    };
    let encoder = inbound(Dialect::OpenaiChat).encoder(&reply);
    let mut stream_of = TranslatedStream::new(outbound.decoder(), encoder);
    stream_of.push(stream);
    stream_of.end().delivered
}

fn tokens(delivered: Delivered) -> Tokens {
    Uncounted::new("gpt-5", Bytes::from_static(b"{}"), delivered).count()
}

fn check(dialect: Dialect, outbound: &dyn Outbound, folder: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/dialects")
        .join(folder);
    let mut any_output = false;
    for entry in fs::read_dir(folder.join("streams")).expect("streams") {
        let path = entry.expect("an entry").path();
        // What is said about a refusal was not said by the model; only translated it is a text like any other.
        let is_stream = path.extension().is_some_and(|ending| ending == "sse");
        if !is_stream || path.ends_with("refusal.sse") {
            continue;
        }
        let stream = fs::read(&path).expect("a stream");

        let passed = tokens(passed(dialect, &stream));
        let translated = tokens(translated(outbound, &stream));

        for unit in UsageUnit::OUTPUT {
            // Pieces of parallel calls stand in another order, and spaces between arguments are left out.
            let (one, other) = (passed.get(*unit), translated.get(*unit));
            assert!(one.abs_diff(other) <= 1, "{}: {one} {other}", path.display());
        }
        any_output |= passed.total_output() > 0;
    }
    assert!(any_output, "no stream of {folder:?} says anything");
}

#[test]
fn of_chat_completions() {
    check(Dialect::OpenaiChat, &OpenaiChatTo(Quirks::OPENAI), "openai_chat");
}

#[test]
fn of_responses() {
    check(Dialect::OpenaiResponses, &OpenaiResponses, "openai_responses");
}

#[test]
fn of_messages() {
    check(Dialect::AnthropicMessages, &Anthropic, "anthropic");
}

#[test]
fn of_generated_content() {
    check(Dialect::GeminiGenerate, &Gemini, "gemini");
}

#[test]
fn of_whole_answers_that_do_not_say_what_was_used() {
    let check = |dialect, body: &str, said: u64, thought: u64| {
        let tokens = tokens(delivered(dialect, body.as_bytes()));
        let told = (
            tokens.get(UsageUnit::OutputText),
            tokens.get(UsageUnit::OutputReasoning),
        );
        assert_eq!(told, (said, thought), "{body}");
    };

    check(
        Dialect::OpenaiChat,
        r#"{"choices":[{"message":{"content":"Say hello.","reasoning_content":"Hello, world!"},"finish_reason":"stop"}]}"#,
        3,
        4,
    );
    check(
        Dialect::OpenaiResponses,
        r#"{"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"Say hello."}]}]}"#,
        3,
        0,
    );
    check(
        Dialect::AnthropicMessages,
        r#"{"content":[{"type":"thinking","thinking":"Hello, world!","signature":"x"},{"type":"text","text":"Say hello."}]}"#,
        3,
        4,
    );
    check(
        Dialect::GeminiGenerate,
        r#"{"candidates":[{"content":{"parts":[{"text":"Say hello."}]},"finishReason":"STOP"}]}"#,
        3,
        0,
    );
    check(
        Dialect::OpenaiCompletions,
        r#"{"choices":[{"text":"Say hello."}]}"#,
        3,
        0,
    );
    check(Dialect::OpenaiEmbeddings, r#"{"data":[]}"#, 0, 0);
    check(Dialect::OpenaiChat, "nonsense", 0, 0);
}
