//! The benchmark of the ledger works: whatever it measures, it finds in the database what it put there.

use std::process::Stdio;

use harness::environment::{Topology, binary};
use serde_json::{Value, json};
use tokio::process::Command;

const ROWS: u64 = 3_000;
/// One request in twenty is another organization's.
const LEAST_OF_THE_BIG_ONE: u64 = ROWS * 9 / 10;

#[tokio::test]
async fn the_benchmark_of_the_ledger_asks_for_what_it_put_in() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let database = match Topology::of_this_run() {
        Topology::Solo => "sqlite",
        Topology::Cluster => "postgres",
    };
    let output = Command::new(binary().with_file_name("gatewright-bench"))
        .args(["ledger", "--verify", "all", "--times", "1", "--databases", database])
        .args(["--rows", &ROWS.to_string()])
        .arg("--binary")
        .arg(binary())
        .arg("--out")
        .arg(directory.path())
        .stdin(Stdio::null())
        .output()
        .await
        .expect("the benchmark runs");

    // Its exit code says how fast it was, which is for another day.
    let words = String::from_utf8_lossy(&output.stderr);
    let lines = String::from_utf8(output.stdout).expect("text");
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let with = |member: &str| -> Vec<&Value> { lines.iter().filter(|line| line.get(member).is_some()).collect() };
    let number = |line: &Value, member: &str| line.get(member).and_then(Value::as_u64);

    let loaded = with("rows_per_second");
    assert_eq!(loaded.len(), 1, "{words}");
    assert_eq!(loaded[0].get("rows"), Some(&json!(ROWS)));
    let taken = with("bytes_per_request");
    let bytes = taken[0].pointer("/bytes_per_request/all").and_then(Value::as_f64);
    assert!(bytes.is_some_and(|bytes| bytes > 100.0), "{taken:?}");
    let questions = with("question");
    assert!(questions.len() > 50, "{}", questions.len());
    assert!(
        questions
            .iter()
            .any(|line| line.get("question") == Some(&json!("budgets")))
    );
    let verified = with("verified");
    let requests = number(verified[0], "requests").expect("a number");
    assert!((LEAST_OF_THE_BIG_ONE..ROWS).contains(&requests), "{requests}");
    assert_eq!(number(verified[0], "verified"), Some(requests));
    assert_eq!(verified[0].get("clean"), Some(&json!(true)));
}
