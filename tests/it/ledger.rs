//! The ledger adds up, whatever is killed or lost; and what does not add up is found and named.

use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use gatewright_types::api::{Budget, LedgerCheck, LedgerVerification};
use harness::environment::Topology;
use harness::installation::{Installation, command};
use harness::organization::{Key, Organization};
use harness::postgres;
use harness::wait::{SOON, eventually};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::metering::{Load, reconcile};

/// An organization whose requests cost something and count in budgets of several kinds.
pub(crate) async fn counted(installation: &Installation) -> (Organization, Key) {
    let (organization, key) = Organization::with_sandbox(installation).await;
    let rates = json!({"input": "3.00", "output": "15.00"});
    organization.price("sandbox", "echo", &rates).await;
    for (scope, window) in [
        (json!("organization"), json!("month")),
        (json!("organization"), json!({"rolling": "1h"})),
        (json!({"key": key.id}), json!("day")),
        (json!({"model": "echo"}), json!("total")),
    ] {
        let budget = json!({"scope": scope, "amount": "1000.00", "window": window});
        organization
            .owner
            .post(&organization.path("/budgets"), &budget)
            .await
            .expect(201);
    }
    let asked = organization.chat(&key);
    eventually("requests count in the budgets", SOON, async || {
        asked.ask("echo").await.expect(200);
        let rows = organization.rows().await;
        rows.iter().any(|row| row.budgets.len() == 4).then_some(())
    })
    .await;
    (organization, key)
}

/// Runs `gatewright ledger verify` as an admin of the organization would.
async fn verify(organization: &Organization, more: &[&str]) -> Output {
    ledger(organization, &[&["verify"], more].concat()).await
}

/// Runs `gatewright ledger` as an admin of the organization would.
pub(crate) async fn ledger(organization: &Organization, more: &[&str]) -> Output {
    let mut command = ledger_command(organization, more).await;
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    output.expect("it ends").expect("the binary runs")
}

pub(crate) async fn ledger_command(organization: &Organization, more: &[&str]) -> Command {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let token: Value = organization
        .owner
        .post(
            &organization.path("/tokens"),
            &json!({"name": format!("ledger {number}"), "role": "admin"}),
        )
        .await
        .expect(201)
        .read();
    let secret = token
        .get("secret")
        .and_then(Value::as_str)
        .expect("it is minted")
        .to_owned();
    let url = format!("http://{}", organization.owner.address);
    let arguments = [&["ledger"], more, &["--url", &url, "--token", &secret]].concat();
    command(&arguments, &[])
}

pub(crate) fn told(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

pub(crate) async fn is_clean(organization: &Organization) {
    let output = verify(organization, &["--wait", "90s"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(told(&output).contains("counters"), "{}", told(&output));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_adds_up_after_nodes_were_killed_under_load() {
    let mut installation = Installation::fresh().await;
    let (organization, key) = counted(&installation).await;

    let load = Load::begin(&organization, &key);
    sleep(Duration::from_millis(1_200)).await;
    installation.first_data_plane_mut().restart().await;
    sleep(Duration::from_millis(1_200)).await;
    installation.control_node_mut().kill();
    installation.control_node_mut().restart().await;
    sleep(Duration::from_millis(500)).await;
    let complete = load.end().await;

    reconcile(&organization, &complete).await;
    is_clean(&organization).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_adds_up_after_redis_lost_everything() {
    if Topology::of_this_run() == Topology::Solo {
        return;
    }
    let mut installation = Installation::fresh().await;
    let (organization, key) = counted(&installation).await;

    let load = Load::begin(&organization, &key);
    sleep(Duration::from_millis(1_000)).await;
    installation.redis.as_mut().expect("a cluster has one").kill();
    sleep(Duration::from_millis(500)).await;
    installation.redis.as_mut().expect("a cluster has one").restart().await;
    sleep(Duration::from_millis(1_000)).await;
    let complete = load.end().await;

    reconcile(&organization, &complete).await;
    is_clean(&organization).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sum_and_a_counter_that_were_changed_are_found_and_named() {
    if Topology::of_this_run() == Topology::Solo {
        return;
    }
    let installation = Installation::fresh().await;
    let (organization, _) = counted(&installation).await;
    is_clean(&organization).await;
    let budgets: Vec<Budget> = organization.all("/budgets").await;
    let total = budgets
        .iter()
        .find(|budget| budget.scope_name.contains("echo"))
        .expect("it was made");
    let database = installation.database.as_deref().expect("a cluster has one");

    let more = format!(
        "for _, key in ipairs(redis.call('KEYS', '*{}*')) do redis.call('HINCRBY', key, 's0', 7000000) end",
        total.id
    );
    let redis = installation.redis.as_ref().expect("a cluster has one");
    redis.command(&["EVAL", &more, "0"]).await.expect("Redis answers");
    let output = verify(&organization, &["--json", "--wait", "1ms"]).await;

    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let verification: LedgerVerification = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let [counter] = verification.differences.as_slice() else {
        panic!("{verification:#?}")
    };
    assert_eq!((counter.check, counter.budget), (LedgerCheck::Counters, Some(total.id)));
    assert_eq!(counter.found.cost.get() - counter.expected.cost.get(), 7_000_000);

    postgres::query(
        database,
        "UPDATE usage_rollup SET cost_nanos = cost_nanos + 1 WHERE granularity_seconds = 86400",
    );
    let output = verify(&organization, &["--wait", "1ms"]).await;

    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let text = told(&output);
    assert!(text.contains("days") && text.contains("DIFFERS"), "{text}");
    assert!(text.contains(&format!("counters budget {}", total.id)), "{text}");
}
