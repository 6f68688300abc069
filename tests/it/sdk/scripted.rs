//! The official OpenAI libraries against a provider that fails as it is told: their error classes, and their retries.

use std::time::Duration;

use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::sse::{self, content};
use harness::upstream::{Script, Upstream};
use serde_json::json;
use tokio::process::Command;

use super::packages::Suites;

const MODELS: [&str; 8] = ["plain", "limited", "broken", "refused", "bad", "cut", "slow", "told"];

struct Stage {
    upstream: Upstream,
    organization: Organization,
    key: Key,
    narrow: Key,
}

async fn stage() -> Stage {
    let upstream = Upstream::start().await;
    let (organization, key) = Organization::with_upstream(Installation::shared().await, &upstream, &MODELS).await;
    organization.provider("sandbox", "sandbox", None).await;
    organization.model("echo", "sandbox/echo", &json!({})).await;
    let narrow = organization
        .key_as(&json!({"name": "narrow", "models": ["plain"]}))
        .await;
    organization.settled(&key, &["echo"]).await;
    let error = |code: &str| json!({"error": {"message": "no", "type": "t", "param": null, "code": code}});
    upstream.on(
        "limited",
        Script::json(429, &error("rate_limit_exceeded")).header("retry-after-ms", "10"),
    );
    upstream.on("broken", Script::json(500, &error("boom")));
    upstream.on("refused", Script::json(401, &error("invalid_api_key")));
    upstream.on("bad", Script::json(400, &error("invalid_value")));
    upstream.on("cut", Script::stream([content("a")]).cut());
    upstream.on("told", Script::stream([content("a"), sse::data(&error("boom"))]));
    let slow = Script::stream::<&str>([])
        .after(Duration::from_millis(900))
        .send(content("late"));
    upstream.on(
        "slow",
        slow.wait(Duration::from_millis(900))
            .send(sse::finish())
            .send(sse::usage(1, 1))
            .send(sse::DONE),
    );
    Stage {
        upstream,
        organization,
        key,
        narrow,
    }
}

impl Stage {
    fn tell(&self, command: &mut Command) {
        let address = self.organization.nodes.first().expect("there is a data plane");
        command.env("GATEWAY_URL", format!("http://{address}/v1"));
        command
            .env("GATEWAY_KEY", &self.key.secret)
            .env("GATEWAY_NARROW_KEY", &self.narrow.secret);
    }

    /// Each library tries a failing call three times by itself; the gateway must not make nine of that.
    fn retries_are_not_multiplied(&self) {
        for model in ["limited", "broken", "refused"] {
            let calls = self
                .upstream
                .seen()
                .iter()
                .filter(|seen| seen.json().get("model") == Some(&json!(model)))
                .count();
            assert_eq!(calls, 3, "calls of {model}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_library_works_and_sees_its_own_errors() {
    let stage = stage().await;

    let tell = |command: &mut Command| stage.tell(command);
    Suites::Python.run("test_openai.py", tell).await;

    stage.retries_are_not_multiplied();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_javascript_library_works_and_sees_its_own_errors() {
    let stage = stage().await;

    let tell = |command: &mut Command| stage.tell(command);
    Suites::Node.run("openai.test.mjs", tell).await;

    stage.retries_are_not_multiplied();
}
