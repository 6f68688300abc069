//! The command lines of coding agents against models behind every dialect: no library is as particular about answers, and
//! what a model tells them to do they do.

use gatewright_types::api::Dialect;

use super::clients::play;
use super::packages::Suites;

const FAKES: [&str; 5] = ["openai", "compatible", "anthropic", "gemini", "bedrock"];

/// Neither ever asks for an answer in one piece.
async fn check(suite: &str, dialect: Dialect) {
    play(Suites::Agents, suite, &[dialect], &FAKES, &[true]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claude_code_works_with_every_provider() {
    check("claude.test.mjs", Dialect::AnthropicMessages).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn codex_works_with_every_provider() {
    check("codex.test.mjs", Dialect::OpenaiResponses).await;
}
