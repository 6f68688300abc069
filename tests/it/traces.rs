//! Traces of requests: whose are kept, who reads them, and what is in them.

use gatewright_types::api::{AttemptEnd, AttemptReason, Decision, Outcome, Stage, TracedRequests};
use harness::chat::{Chat, question, request_id, sandbox};
use harness::http::Answer;
use harness::installation::Installation;
use harness::organization::{EFFECT, Key, Organization};
use harness::wait::eventually;
use serde_json::{Value, json};

/// What is kept of a request, once it is counted: both come in together.
pub(crate) async fn trace(organization: &Organization, answer: &Answer) -> Option<Decision> {
    let id = request_id(answer);
    organization.usage(&id).await;
    let kept = organization.owner.get(&trace_path(organization, &id)).await;
    match kept.status {
        404 => None,
        _ => Some(kept.expect(200).read()),
    }
}

fn trace_path(organization: &Organization, request: &str) -> String {
    organization.path(&format!("/usage/{request}/trace"))
}

async fn traced(chat: &Chat, body: &Value) -> Answer {
    let request = chat.request(body).header("x-gw-trace", "1");
    request.send(chat.address).await.expect("the data plane answers")
}

/// Sets whose traces are kept, and waits until every node keeps to it.
async fn keep(organization: &Organization, key: &Key, traces: Value) {
    let wanted: TracedRequests = serde_json::from_value(traces["requests"].clone()).expect("a setting");
    let body = json!({"name": "Acme", "traces": traces});
    organization
        .owner
        .patch(&organization.path(""), &body)
        .await
        .expect(200);
    for node in 0..organization.nodes.len() {
        let chat = organization.chat_at(node, key);
        eventually("a node keeps to the setting", EFFECT * 10, async || {
            let failed = trace(organization, &chat.ask("none").await).await.is_some();
            let went_well = trace(organization, &chat.ask("echo").await).await.is_some();
            let there = match wanted {
                TracedRequests::Off => (false, false),
                TracedRequests::Failures => (true, false),
                // Of a sample, one will be in it.
                TracedRequests::All => (true, true),
            };
            ((failed, went_well) == there).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_request_that_asks_for_it_keeps_its_trace_for_its_organization_alone() {
    let installation = Installation::shared().await;
    let (organization, key) = Organization::with_sandbox(installation).await;
    let other = Organization::make(installation).await;
    let stranger = other.token("owner").await;
    let chat = organization.chat(&key);

    let answer = traced(&chat, &question("echo")).await.expect(200);
    let without = chat.ask("echo").await.expect(200);

    let decision = trace(&organization, &answer).await.expect("it was asked for");
    assert_eq!(decision.model.as_deref(), Some("echo"));
    let [attempt] = decision.attempts.as_slice() else {
        panic!("one call was made: {decision:?}")
    };
    assert_eq!(attempt.target.to_string(), "sandbox/echo");
    assert_eq!(attempt.reason, AttemptReason::First);
    assert_eq!(attempt.ended, AttemptEnd::Answered { status: 200 });
    let row = organization.usage(&request_id(&answer)).await;
    assert!(
        attempt.began_us + attempt.took_us <= (row.duration_ms + 1) * 1_000,
        "{decision:?}"
    );
    let stages: Vec<_> = decision.stages.iter().map(|time| time.stage).collect();
    assert_eq!(
        stages,
        [Stage::Admit, Stage::Read, Stage::Limits, Stage::Cache, Stage::Route]
    );
    assert_eq!(trace(&organization, &without).await, None);

    let path = trace_path(&organization, &request_id(&answer));
    stranger.get(&path).await.expect(404);
    let as_theirs = trace_path(&other, &request_id(&answer));
    stranger.get(&as_theirs).await.expect(404);
}

#[tokio::test]
async fn failures_keep_their_traces_unless_the_organization_keeps_none_or_all() {
    let (organization, key) = Organization::with_sandbox(Installation::shared().await).await;
    let chat = organization.chat(&key);

    let failed = chat.send(&sandbox("echo", "status=500")).await;
    let refused = chat.ask("none").await.expect(404);
    let fine = chat.ask("echo").await.expect(200);

    let decision = trace(&organization, &failed)
        .await
        .expect("failures are kept by default");
    let error = decision.error.expect("it says why");
    assert_eq!(error.code, "upstream_error");
    let last = decision.attempts.last().expect("the provider was called");
    assert!(
        matches!(last.ended, AttemptEnd::Failed { status: Some(500), .. }),
        "{last:?}"
    );
    let decision = trace(&organization, &refused)
        .await
        .expect("refusals are kept by default");
    assert_eq!(
        decision.error.map(|error| error.code).as_deref(),
        Some("model_not_found")
    );
    assert_eq!(trace(&organization, &fine).await, None);

    keep(&organization, &key, json!({"requests": "off"})).await;
    let wished = traced(&chat, &question("echo")).await.expect(200);
    assert!(trace(&organization, &wished).await.is_some());

    keep(&organization, &key, json!({"requests": "all"})).await;
    let fine = chat.ask("echo").await.expect(200);
    let decision = trace(&organization, &fine).await.expect("all are kept");
    assert_eq!(decision.error, None);
}

#[tokio::test]
async fn a_sample_keeps_a_part_of_what_went_well_and_all_that_did_not() {
    let (organization, key) = Organization::with_sandbox(Installation::shared().await).await;
    keep(&organization, &key, json!({"requests": "all", "sample": 50})).await;
    let chat = organization.chat(&key);
    let mut kept = 0;

    for _ in 0..60 {
        let fine = chat.ask("echo").await.expect(200);
        kept += u32::from(trace(&organization, &fine).await.is_some());
    }

    // Fewer or more than this come up once in a hundred million runs.
    assert!((8..=52).contains(&kept), "{kept} of 60");
    for _ in 0..5 {
        let failed = chat.send(&sandbox("echo", "status=500")).await;
        assert!(trace(&organization, &failed).await.is_some());
    }
}

#[tokio::test]
async fn settings_of_traces_are_part_of_the_configuration() {
    let (organization, _) = Organization::with_sandbox(Installation::shared().await).await;
    let path = organization.path("");

    let wrong = json!({"name": "Acme", "traces": {"requests": "failures", "sample": 10}});
    let refused = organization.owner.patch(&path, &wrong).await.expect(422).json();
    assert!(refused["error"]["fields"]["traces.sample"].is_string(), "{refused}");

    let traces = json!({"requests": "all", "sample": 10, "keep": "2d"});
    let document = json!({"version": 1, "organization": organization.slug, "traces": traces});
    let apply = organization.path("/configuration/apply");
    let report = organization.owner.post(&apply, &document).await.expect(200).json();
    assert_eq!(report["changes"][0]["fields"], json!(["traces"]), "{report}");
    let exported = organization
        .owner
        .get(&organization.path("/configuration"))
        .await
        .expect(200)
        .json();
    assert_eq!(exported["traces"], traces);
    assert_eq!(organization.owner.get(&path).await.expect(200).json()["traces"], traces);

    let wrong = json!({"version": 1, "organization": organization.slug, "traces": {"keep": "1s"}});
    let plan = organization.path("/configuration/plan");
    let refused = organization.owner.post(&plan, &wrong).await.expect(422).json();
    assert!(refused["error"]["fields"]["traces.keep"].is_string(), "{refused}");
}

#[tokio::test]
async fn a_caller_who_hangs_up_leaves_a_trace() {
    let (organization, key) = Organization::with_sandbox(Installation::shared().await).await;
    let mut body = sandbox("echo", "chunks=200 chunk_delay=100ms");
    body["stream"] = json!(true);

    let stream = organization.chat(&key).begin(&body).await;
    let id = stream.head.headers.need("x-gw-request-id").to_owned();
    drop(stream);

    let row = organization.usage(&id).await;
    assert_eq!(row.outcome, Outcome::ClientGone);
    let decision: Decision = organization
        .owner
        .get(&trace_path(&organization, &id))
        .await
        .expect(200)
        .read();
    assert_eq!(decision.attempts.len(), 1);
}
