//! The official OpenAI client libraries, each in its own language, against a running installation.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use harness::environment::workspace;
use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::sse::{self, content};
use harness::upstream::{Script, Upstream};
use serde_json::json;
use tokio::process::Command;
use tokio::time::timeout;

const PYTHON_PACKAGE: &str = "openai==3.52.0";
const NODE_PACKAGE: &str = "openai@7.55.0";
const INSTALL: Duration = Duration::from_secs(240);
const RUN: Duration = Duration::from_secs(120);

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
        command.stdin(Stdio::null()).kill_on_drop(true);
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

/// Where the libraries are installed, once for all runs.
fn place(language: &str) -> PathBuf {
    let place = workspace().join("target/sdk").join(language);
    std::fs::create_dir_all(&place).expect("the target directory is ours");
    place
}

async fn run(what: &str, command: &mut Command, limit: Duration) {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(limit, command.output())
        .await
        .unwrap_or_else(|_| panic!("{what} took longer than {limit:?}"));
    let output = output.unwrap_or_else(|error| panic!("{what} could not be started: {error}"));
    let told = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        output.status.success(),
        "{what} failed; is the package registry within reach?\n{told}"
    );
}

async fn installed(place: &Path, package: &str, commands: Vec<Command>) {
    let mark = place.join("installed");
    if std::fs::read_to_string(&mark).is_ok_and(|content| content == package) {
        return;
    }
    for mut command in commands {
        run(&format!("installing {package}"), command.current_dir(place), INSTALL).await;
    }
    std::fs::write(mark, package).expect("the target directory is ours");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_library_works_and_sees_its_own_errors() {
    let place = place("python");
    let python = place.join("venv/bin/python");
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "venv"]);
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        PYTHON_PACKAGE,
    ]);
    installed(&place, PYTHON_PACKAGE, vec![venv, pip]).await;
    let stage = stage().await;

    let mut suite = Command::new(python);
    suite
        .arg(workspace().join("tests/sdk/python/test_openai.py"))
        .current_dir(&place);
    stage.tell(&mut suite);
    run("the suite in Python", &mut suite, RUN).await;

    stage.retries_are_not_multiplied();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_javascript_library_works_and_sees_its_own_errors() {
    let place = place("node");
    let mut npm = Command::new("npm");
    npm.args([
        "install",
        "--no-audit",
        "--no-fund",
        "--no-package-lock",
        "--loglevel",
        "error",
        NODE_PACKAGE,
    ]);
    std::fs::write(place.join("package.json"), "{\"private\": true}").expect("the target directory is ours");
    installed(&place, NODE_PACKAGE, vec![npm]).await;
    // The library is found from where the suite lies.
    let suite_file = place.join("openai.test.mjs");
    std::fs::copy(workspace().join("tests/sdk/node/openai.test.mjs"), &suite_file).expect("the suite is there");
    let stage = stage().await;

    let mut suite = Command::new("node");
    suite.arg("--test").arg(suite_file).current_dir(&place);
    stage.tell(&mut suite);
    run("the suite in JavaScript", &mut suite, RUN).await;

    stage.retries_are_not_multiplied();
}
