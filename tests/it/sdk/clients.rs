//! Each client library against models behind every dialect that a provider may speak.

use gatewright_types::api::Dialect;

use super::fakes::{Failures, Stage};
use super::packages::Suites;

const ALL: [&str; 6] = ["openai", "compatible", "anthropic", "gemini", "bedrock", "sandbox"];

async fn check(suites: Suites, suite: &str, dialects: &[Dialect]) {
    play(suites, suite, dialects, &ALL, &[false, true]).await;
}

/// The suite passes, no provider would have refused what the gateway made of it, and all of it is counted. `ways` are
/// those in which it asks for answers: whole, as streams.
pub(super) async fn play(suites: Suites, suite: &str, dialects: &[Dialect], providers: &[&str], ways: &[bool]) {
    let stage = run(suites, suite).await;
    stage
        .everything_was_counted(dialects, providers, ways, Failures::Limits)
        .await;
}

/// As [`check`], for a suite that asks every kind of provider for all there is to ask for, failures included.
async fn check_widely(suites: Suites, suite: &str, dialect: Dialect) {
    let stage = run(suites, suite).await;
    let everybody: Vec<_> = Stage::providers().collect();
    stage
        .everything_was_counted(&[dialect], &everybody, &[false, true], Failures::Any)
        .await;
}

async fn run(suites: Suites, suite: &str) -> Stage {
    let stage = run_suite(suites, suite).await;
    stage.nothing_was_invalid().await;
    stage
}

async fn run_suite(suites: Suites, suite: &str) -> Stage {
    let stage = Stage::set(suite).await;
    let address = *stage.organization.nodes.first().expect("there is a data plane");

    suites
        .run(suite, |command| {
            command.env("GATEWAY_ORIGIN", format!("http://{address}"));
            command.env("GATEWAY_KEY", &stage.key.secret);
        })
        .await;
    stage
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openai_for_python_works_with_every_provider() {
    let dialects = [Dialect::OpenaiChat, Dialect::OpenaiResponses];
    check(Suites::Python, "test_openai_everywhere.py", &dialects).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anthropic_for_python_works_with_every_provider() {
    let dialects = [Dialect::AnthropicMessages];
    check(Suites::Python, "test_anthropic.py", &dialects).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn google_genai_for_python_works_with_every_provider() {
    let dialects = [Dialect::GeminiGenerate];
    check(Suites::Python, "test_google.py", &dialects).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn langchain_openai_works_with_every_provider() {
    let dialects = [Dialect::OpenaiChat, Dialect::OpenaiResponses];
    check(Suites::Python, "test_langchain_openai.py", &dialects).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn langchain_anthropic_works_with_every_provider() {
    let dialects = [Dialect::AnthropicMessages];
    check(Suites::Python, "test_langchain_anthropic.py", &dialects).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn litellm_works_with_every_provider() {
    let dialects = [Dialect::OpenaiChat, Dialect::AnthropicMessages, Dialect::GeminiGenerate];
    check(Suites::Python, "test_litellm.py", &dialects).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pydantic_ai_works_with_every_provider() {
    let dialects = [
        Dialect::OpenaiChat,
        Dialect::OpenaiResponses,
        Dialect::AnthropicMessages,
        Dialect::GeminiGenerate,
    ];
    check(Suites::Python, "test_pydantic_ai.py", &dialects).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_openai_for_python_asks_in_chat_arrives_at_every_kind_of_provider() {
    check_widely(Suites::Python, "test_wide_chat.py", Dialect::OpenaiChat).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_openai_for_python_asks_in_responses_arrives_at_every_kind_of_provider() {
    check_widely(Suites::Python, "test_wide_responses.py", Dialect::OpenaiResponses).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_anthropic_for_python_asks_arrives_at_every_kind_of_provider() {
    check_widely(Suites::Python, "test_wide_messages.py", Dialect::AnthropicMessages).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_google_genai_for_python_asks_arrives_at_every_kind_of_provider() {
    check_widely(Suites::Python, "test_wide_gemini.py", Dialect::GeminiGenerate).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openai_for_javascript_works_with_every_provider() {
    let dialects = [Dialect::OpenaiChat, Dialect::OpenaiResponses];
    check(Suites::Node, "openai_everywhere.test.mjs", &dialects).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anthropic_for_javascript_works_with_every_provider() {
    let dialects = [Dialect::AnthropicMessages];
    check(Suites::Node, "anthropic.test.mjs", &dialects).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn google_genai_for_javascript_works_with_every_provider() {
    let dialects = [Dialect::GeminiGenerate];
    check(Suites::Node, "google.test.mjs", &dialects).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vercel_ai_works_with_every_provider() {
    let dialects = [
        Dialect::OpenaiChat,
        Dialect::OpenaiResponses,
        Dialect::AnthropicMessages,
    ];
    check(Suites::Node, "ai.test.mjs", &dialects).await;
}

/// Failures of the providers are part of it: what was asked is judged, not how it was counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_helpers_of_libraries_for_javascript_work_with_every_kind_of_provider() {
    run(Suites::Node, "wide.test.mjs").await;
}

/// The suite tells itself where a vendor may refuse what a client says in the vendor's own dialect.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_well_known_clients_send_arrives_at_every_kind_of_provider() {
    run_suite(Suites::Python, "test_profiles.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fakes_refuse_what_vendors_would() {
    Suites::Python.run("test_fakes.py", |_| ()).await;
}
