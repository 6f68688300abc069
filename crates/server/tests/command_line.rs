//! The binary's commands and their exit codes, against a control plane that is played.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Output};

fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatewright"));
    command.args(arguments).env_clear().envs(environment.iter().copied());
    command.output().expect("it runs")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it ends by itself")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

/// Answers one call with the given status and body, and gives what was asked.
fn control_plane(status: u16, body: &'static str) -> (SocketAddr, std::thread::JoinHandle<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a caller");
        let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(reader.read_line(&mut head).expect("a line"), 0, "the caller went away");
        }
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut sent = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut sent).expect("the body");
        let answer = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).expect("the caller is there");
        (head, String::from_utf8(sent).expect("UTF-8"))
    });
    (address, answering)
}

fn document(directory: &tempfile::TempDir, text: &str) -> String {
    let path = directory.path().join("gatewright.yaml");
    std::fs::write(&path, text).expect("written");
    path.display().to_string()
}

const ACME: &str = "version: 1\norganization: acme\ntokens: [{name: ci, role: admin, secret: {env: CI_TOKEN}}]\n";
const NOTHING: &str = r#"{"organization":"acme","changes":[],"minted":{}}"#;
const SOMETHING: &str = r#"{"organization":"acme","changes":[{"kind":"create","resource":"team","name":"search","fields":[]}],"minted":{}}"#;
const REFUSED: &str = r#"{"error":{"code":"invalid","message":"Some fields are wrong.","fields":{"models[0].name":"is taken"},"request_id":"req_1"}}"#;

#[test]
fn a_wrong_environment_is_told_line_by_line_with_exit_code_64() {
    let wrong = [
        ("GATEWRIGHT_LISTEN", "x"),
        ("GATEWRIGHT_KEEPALIVE", "x"),
        ("GATEWRIGHT_ROLE", "x"),
    ];

    let output = run(&["serve"], &wrong);

    assert_eq!(code(&output), 64);
    assert_eq!(text(&output.stderr).lines().count(), 3, "{}", text(&output.stderr));
}

#[test]
fn unknown_arguments_end_with_64_and_help_with_0() {
    assert_eq!(code(&run(&["plan", "--nonsense"], &[])), 64);
    assert_eq!(code(&run(&["--help"], &[])), 0);
}

#[test]
fn the_schema_is_json() {
    let output = run(&["schema"], &[]);

    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((code(&output), &schema["title"]), (0, &serde_json::json!("Document")));
}

#[test]
fn validate_needs_no_secrets_and_tells_every_mistake() {
    let directory = tempfile::tempdir().expect("a directory");
    let good = run(&["validate", "-f", &document(&directory, ACME)], &[]);
    let bad = run(
        &[
            "validate",
            "-f",
            &document(&directory, "version: 1\norganization: X\nmodles: []\n"),
        ],
        &[],
    );

    assert_eq!((code(&good), code(&bad)), (0, 1));
    let told = text(&bad.stderr);
    assert!(told.contains("organization: ") && told.contains("modles: "), "{told}");
}

#[test]
fn plan_says_by_its_exit_code_whether_something_would_change() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = document(&directory, ACME);
    for (status, body, expected) in [
        (200, NOTHING, 0),
        (200, SOMETHING, 2),
        (422, REFUSED, 1),
        (502, "<html>", 1),
    ] {
        let (address, answering) = control_plane(status, body);
        let url = format!("http://{address}");
        let output = run(
            &["plan", "-f", &file, "--url", &url],
            &[("GATEWRIGHT_TOKEN", "gwt-1"), ("CI_TOKEN", "gwt-imported-0123456789")],
        );

        let (head, sent) = answering.join().expect("it was asked");
        assert_eq!(code(&output), expected, "{status} {body}: {}", text(&output.stderr));
        assert!(
            head.starts_with("POST /api/v1/organizations/acme/configuration/plan "),
            "{head}"
        );
        assert!(
            head.to_ascii_lowercase()
                .contains("\r\nauthorization: bearer gwt-1\r\n"),
            "{head}"
        );
        assert!(sent.contains(r#"{"value":"gwt-imported-0123456789"}"#), "{sent}");
    }
}

#[test]
fn a_refusal_is_told_with_its_fields() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = document(&directory, "version: 1\norganization: acme\n");
    let (address, answering) = control_plane(422, REFUSED);

    let output = run(
        &[
            "apply",
            "-f",
            &file,
            "--url",
            &format!("http://{address}"),
            "--token",
            "gwt-1",
        ],
        &[],
    );

    answering.join().expect("it was asked");
    assert_eq!(
        text(&output.stderr),
        "gatewright: Some fields are wrong.\n  models[0].name: is taken (request req_1)\n"
    );
}

#[test]
fn apply_as_json_prints_the_reports() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = document(&directory, "version: 1\norganization: acme\n");
    let (address, answering) = control_plane(200, NOTHING);

    let url = format!("http://{address}");
    let output = run(
        &["apply", "-f", &file, "--url", &url, "--token", "gwt-1", "--json"],
        &[],
    );

    answering.join().expect("it was asked");
    assert_eq!(code(&output), 0);
    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        printed,
        serde_json::json!({"reports": [{"organization": "acme", "changes": [], "minted": {}}]})
    );
}

#[test]
fn without_a_token_nothing_is_sent() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = document(&directory, "version: 1\norganization: acme\n");

    let output = run(&["apply", "-f", &file, "--url", "http://127.0.0.1:1"], &[]);

    assert_eq!(code(&output), 1);
    assert!(
        text(&output.stderr).contains("a control-plane token is needed"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn an_export_is_yaml_that_can_be_applied() {
    let (address, answering) = control_plane(
        200,
        r#"{"version":1,"organization":"acme","teams":[{"name":"search"}]}"#,
    );

    let url = format!("http://{address}");
    let output = run(
        &["export", "--url", &url, "--token", "gwt-1", "--organization", "acme"],
        &[],
    );

    let (head, _) = answering.join().expect("it was asked");
    assert!(
        head.starts_with("GET /api/v1/organizations/acme/configuration "),
        "{head}"
    );
    assert_eq!(
        (code(&output), text(&output.stdout)),
        (0, "version: 1\norganization: acme\nteams:\n- name: search\n")
    );
}

#[test]
fn a_migration_brings_a_new_database_up_and_does_nothing_the_second_time() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().display().to_string();

    for _ in 0..2 {
        let output = run(&["migrate", "--data-dir", &data], &[]);
        assert_eq!(
            (code(&output), text(&output.stdout)),
            (0, "the database is up to date\n"),
            "{}",
            text(&output.stderr)
        );
    }
    assert!(directory.path().join("gatewright.sqlite").exists());
}

const ROUTED: &str = "\
version: 1
organization: acme
providers: [{name: up, kind: openai-compatible, base_url: 'http://127.0.0.1:9/v1', credentials: [{name: a, api_key: {env: NOT_SET}}]}]
prices: [{provider: up, model: cheap, input: '1', output: '2'}]
models:
  - name: smart
    route:
      when: [{if: 'request.headers[\"x-tier\"] == \"free\"', route: {target: up/cheap}}]
      otherwise: {fallback: [{target: up/good}, {target: up/cheap}]}
keys: [{name: some, models: [other]}]
";

#[test]
fn a_request_is_explained_by_a_file_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = document(&directory, ROUTED);
    let request = directory.path().join("request.json");
    std::fs::write(&request, r#"{"model": "smart", "headers": {"X-Tier": "free"}}"#).expect("written");
    let request = request.display().to_string();

    let told = run(&["explain", "-f", &file, "-r", &request], &[]);

    assert_eq!(code(&told), 0, "{}", text(&told.stderr));
    let lines: Vec<_> = text(&told.stdout).lines().collect();
    assert_eq!(lines.first(), Some(&"smart"));
    assert!(
        lines
            .iter()
            .any(|line| line.contains("route.when[0] (when): the condition holds")),
        "{lines:?}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.contains("1. up/cheap") && line.contains("about $0.")),
        "{lines:?}"
    );
    let json = run(&["explain", "-f", &file, "-r", &request, "--json"], &[]);
    let explained: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(explained["decision"]["route"]["candidates"][0]["target"], "up/cheap");
    let other = run(&["explain", "-f", &file, "-r", &request, "--model", "none"], &[]);
    assert!(
        text(&other.stdout).contains("refused with model_not_found"),
        "{}",
        text(&other.stdout)
    );
}

#[test]
fn assertions_beside_a_file_are_held_by_validate_and_plan() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = document(&directory, ROUTED);
    let assertions = directory.path().join("gatewright.assertions.yaml");
    let write = |expect: &str| {
        let assertion =
            "{name: free callers get the cheap one, request: {model: smart, headers: {x-tier: free}}, expect:";
        let rest = "{name: others get the good one, request: {model: smart}, expect: {targets: [up/good, up/cheap]}}, \
                    {name: not for some, request: {model: smart, key: some}, expect: {error: model_not_allowed}}";
        std::fs::write(&assertions, format!("assertions: [{assertion} {expect}}}, {rest}]")).expect("written");
    };

    write("{target: up/cheap}");
    let held = run(&["validate", "-f", &file], &[]);
    assert_eq!(code(&held), 0, "{}", text(&held.stderr));
    assert!(
        text(&held.stdout).contains("3 assertions hold"),
        "{}",
        text(&held.stdout)
    );

    write("{target: up/good}");
    for command in [
        vec!["validate", "-f", &file],
        vec!["plan", "-f", &file, "--url", "http://127.0.0.1:1", "--token", "x"],
    ] {
        let broken = run(&command, &[("NOT_SET", "sk-0123456789")]);
        assert_eq!(code(&broken), 1);
        let said = text(&broken.stderr);
        for part in [
            "free callers get the cheap one",
            "expected up/good first, found up/cheap",
            "route.when[0]: the condition holds",
        ] {
            assert!(said.contains(part), "{command:?}: {said}");
        }
    }

    write("{}");
    let empty = run(&["validate", "-f", &file], &[]);
    assert!(
        text(&empty.stderr).contains("assertions[0].expect"),
        "{}",
        text(&empty.stderr)
    );
    let elsewhere = directory.path().join("other.yaml").display().to_string();
    let missing = run(&["validate", "-f", &file, "--assertions", &elsewhere], &[]);
    assert_eq!(code(&missing), 1);
    let schema = run(&["schema", "--assertions"], &[]);
    assert!(text(&schema.stdout).contains("\"Expectation\""));
}
