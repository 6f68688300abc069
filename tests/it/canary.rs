//! Canaries: their share sticks to users, grows by itself, and is taken back on every node when the candidate does worse.

use std::collections::BTreeMap;
use std::time::Duration;

use gatewright_types::api::{CanaryProgress, CanaryState, Model};
use gatewright_types::{Page, ProblemCode};
use harness::api::refused;
use harness::chat::question;
use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::upstream::{Script, Upstream};
use harness::wait::{SOON, eventually};
use serde_json::{Value, json};

const PLACE: &str = "route.canary";
/// Longer than a few looks of the control nodes and what they wait for take on a busy machine.
const JUDGED: Duration = Duration::from_secs(60);

/// An organization whose model `smart` has a canary from `up/old` to `up/new`.
struct Trial {
    organization: Organization,
    key: Key,
    model: Model,
    upstream: Upstream,
}

impl Trial {
    async fn begin(installation: &Installation, canary: &Value) -> Self {
        let upstream = Upstream::start().await;
        let (organization, key) = Organization::with_upstream(installation, &upstream, &["old"]).await;
        let body = json!({"name": "smart", "route": route(canary)});
        let model = organization
            .owner
            .post(&organization.path("/models"), &body)
            .await
            .expect(201)
            .read();
        organization.settled(&key, &["smart"]).await;
        Self {
            organization,
            key,
            model,
            upstream,
        }
    }

    fn path(&self, tail: &str) -> String {
        self.organization.path(&format!("/models/{}{tail}", self.model.id))
    }

    async fn progress(&self) -> CanaryProgress {
        let page: Page<CanaryProgress> = self
            .organization
            .owner
            .get(&self.path("/canary"))
            .await
            .expect(200)
            .read();
        page.items.into_iter().next().expect("there is one")
    }

    async fn act(&self, action: &str) -> CanaryProgress {
        let path = self.path(&format!("/canary/{action}"));
        let page: Page<CanaryProgress> = self
            .organization
            .owner
            .post(&path, &json!({"place": PLACE}))
            .await
            .expect(200)
            .read();
        page.items.into_iter().next().expect("there is one")
    }

    /// A request of a user at a node. What comes of it is the provider's to say.
    async fn ask(&self, node: usize, user: &str) -> harness::http::Answer {
        let mut body = question("smart");
        body["user"] = json!(user);
        self.organization.chat_at(node, &self.key).send(&body).await
    }

    /// Which of the provider's models answers each of some users.
    async fn sides(&self, node: usize, users: usize) -> BTreeMap<usize, String> {
        let mut sides = BTreeMap::new();
        for user in 0..users {
            let answer = self.ask(node, &format!("user {user}")).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            sides.insert(user, answer.headers.need("x-gw-model").to_owned());
        }
        sides
    }

    /// Asks at all nodes, as ever other users, until the canary is as it should be.
    async fn until(&self, what: &str, is_so: impl Fn(&CanaryProgress) -> bool) -> CanaryProgress {
        let mut asked = 0_u32;
        eventually(what, JUDGED, async || {
            for node in 0..self.organization.nodes.len() {
                for _ in 0..5 {
                    asked += 1;
                    self.ask(node, &format!("visitor {asked}")).await;
                }
            }
            Some(self.progress().await).filter(&is_so)
        })
        .await
    }

    async fn until_rolled_back(&self) -> CanaryProgress {
        let is_so = |canary: &CanaryProgress| canary.state == CanaryState::RolledBack;
        self.until("the candidate is rolled back", is_so).await
    }

    async fn everybody_gets_the_stable_side(&self) {
        for node in 0..self.organization.nodes.len() {
            eventually("a node gives the candidate nothing", SOON, async || {
                (on(&self.sides(node, 20).await, "old") == 20).then_some(())
            })
            .await;
        }
    }

    async fn audited(&self, action: &str) -> Vec<(String, Value)> {
        let entries = self.organization.audit().await.into_iter();
        let ours = entries.filter(|entry| entry.action == action);
        ours.map(|entry| (entry.actor, entry.detail)).collect()
    }
}

fn route(canary: &Value) -> Value {
    let mut canary = canary.clone();
    canary["stable"] = json!({"target": "up/old"});
    canary["candidate"] = json!({"target": "up/new"});
    json!({"canary": canary})
}

fn on(sides: &BTreeMap<usize, String>, side: &str) -> usize {
    sides.values().filter(|model| *model == side).count()
}

#[tokio::test]
async fn a_canary_gives_the_same_users_to_its_candidate_on_every_node() {
    let trial = Trial::begin(Installation::shared().await, &json!({"percent": 30, "by": ["user"]})).await;

    let first = trial.sides(0, 100).await;

    let candidates = on(&first, "new");
    // Of 100 users: four standard deviations around the 30 that are meant.
    assert!((12..=48).contains(&candidates), "{candidates}");
    for node in 0..trial.organization.nodes.len() {
        assert_eq!(trial.sides(node, 100).await, first);
    }
    let progress = trial.progress().await;
    assert_eq!((progress.place.as_str(), progress.percent), (PLACE, 30));
    assert_eq!((progress.state, progress.next_step_at), (CanaryState::Holding, None));
}

#[tokio::test]
async fn a_canary_grows_by_itself_as_its_candidate_does_well() {
    let canary = json!({
        "percent": 20, "by": ["user"], "ramp": {"step": 30, "every": "1s"},
        "rollback": {"min_requests": 2, "error_rate": 5},
    });
    let trial = Trial::begin(Installation::shared().await, &canary).await;

    let done = trial
        .until("the ramp comes to its end", |canary| canary.state == CanaryState::Done)
        .await;

    assert_eq!((done.percent, done.next_step_at), (100, None));
    let steps = trial.audited("canary.step").await;
    let parts: Vec<_> = steps
        .iter()
        .rev()
        .map(|(_, detail)| detail["percent"].clone())
        .collect();
    assert_eq!(parts, [json!(50), json!(80), json!(100)]);
    assert!(steps.iter().all(|(actor, _)| actor == "system"), "{steps:?}");
    for node in 0..trial.organization.nodes.len() {
        eventually("a node gives the candidate everything", SOON, async || {
            (on(&trial.sides(node, 20).await, "new") == 20).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_candidate_that_fails_is_rolled_back_on_every_node_and_stays_so() {
    let canary = json!({"percent": 50, "by": ["user"], "rollback": {"min_requests": 10, "error_rate": 10}});
    let mut installation = Installation::fresh().await;
    let trial = Trial::begin(&installation, &canary).await;
    trial.upstream.on(
        "new",
        Script::json(
            400,
            &json!({"error": {"message": "no", "type": "invalid_request_error"}}),
        ),
    );

    let judged = trial.until_rolled_back().await;

    assert_eq!(judged.percent, 0);
    let reason = judged.reason.as_deref().expect("there is a reason");
    assert_eq!(
        reason,
        "100.0 % of the candidate's requests failed, 0.0 % of the others'"
    );
    assert!(judged.candidate.requests >= 10 && judged.candidate.failed == judged.candidate.requests);
    assert_eq!(judged.stable.failed, 0);
    let audited = trial.audited("canary.rollback").await;
    assert_eq!(audited.len(), 1, "whatever the number of control nodes: {audited:?}");
    assert_eq!(
        (audited[0].0.as_str(), &audited[0].1["reason"]),
        ("system", &json!(reason))
    );
    for node in 0..trial.organization.nodes.len() {
        eventually("a node gives the candidate nothing", SOON, async || {
            let mut all_well = true;
            for user in 0..20 {
                all_well &= trial.ask(node, &format!("user {user}")).await.status == 200;
            }
            all_well.then_some(())
        })
        .await;
    }

    for node in &mut installation.nodes {
        node.restart().await;
    }
    assert_eq!(on(&trial.sides(0, 40).await, "old"), 40);
    assert_eq!(trial.progress().await.state, CanaryState::RolledBack);
}

#[tokio::test]
async fn a_candidate_that_takes_longer_is_rolled_back() {
    let canary = json!({"percent": 50, "by": ["user"], "rollback": {"min_requests": 5, "latency": 150}});
    let trial = Trial::begin(Installation::shared().await, &canary).await;
    let slow = Script::answer("Hello there", 9, 2).after(Duration::from_secs(1));
    trial.upstream.on("new", slow);

    let judged = trial.until_rolled_back().await;

    let reason = judged.reason.as_deref().expect("there is a reason");
    assert!(reason.starts_with("the candidate's requests took 1"), "{reason}");
    assert!(reason.contains(" ms to their first token, the others' "), "{reason}");
    let [candidate, stable] = [&judged.candidate, &judged.stable].map(|side| side.latency_ms.unwrap_or_default());
    assert!(candidate >= 1_000 && candidate * 100 > stable * 150, "{judged:?}");
    assert_eq!((judged.candidate.failed, judged.stable.failed), (0, 0));
    trial.everybody_gets_the_stable_side().await;
}

#[tokio::test]
async fn a_candidate_that_costs_more_is_rolled_back() {
    let canary = json!({"percent": 50, "by": ["user"], "rollback": {"min_requests": 5, "cost": 200}});
    let trial = Trial::begin(Installation::shared().await, &canary).await;
    for (model, rate) in [("old", "1"), ("new", "3")] {
        let rates = json!({"input": rate, "output": rate});
        trial.organization.price("up", model, &rates).await;
    }

    let judged = trial.until_rolled_back().await;

    let reason = "the candidate's requests cost $0.000033 each, the others' $0.000011";
    assert_eq!(judged.reason.as_deref(), Some(reason));
    assert_eq!((judged.candidate.failed, judged.stable.failed), (0, 0));
    trial.everybody_gets_the_stable_side().await;
}

#[tokio::test]
async fn people_promote_a_canary_roll_it_back_and_begin_it_anew() {
    let trial = Trial::begin(Installation::shared().await, &json!({"percent": 10, "by": ["user"]})).await;

    let promoted = trial.act("promote").await;
    assert_eq!((promoted.percent, promoted.state), (100, CanaryState::Done));
    eventually("the candidate gets everything", SOON, async || {
        (on(&trial.sides(0, 20).await, "new") == 20).then_some(())
    })
    .await;

    let back = trial.act("rollback").await;
    assert_eq!((back.percent, back.state), (0, CanaryState::RolledBack));
    assert!(back.reason.expect("there is a reason").ends_with(" rolled it back"));
    eventually("the candidate gets nothing", SOON, async || {
        (on(&trial.sides(0, 20).await, "old") == 20).then_some(())
    })
    .await;

    // Only what is written of the canary itself begins it anew.
    let change = json!({"route": route(&json!({"percent": 10, "by": ["user"]})), "retries": {"attempts": 1}});
    trial
        .organization
        .owner
        .patch(&trial.path(""), &change)
        .await
        .expect(200);
    assert_eq!(trial.progress().await.state, CanaryState::RolledBack);
    let change = json!({"route": route(&json!({"percent": 60, "by": ["user"]}))});
    trial
        .organization
        .owner
        .patch(&trial.path(""), &change)
        .await
        .expect(200);
    let anew = trial.progress().await;
    assert_eq!(
        (anew.percent, anew.state, anew.reason),
        (60, CanaryState::Holding, None)
    );

    trial.act("rollback").await;
    let restarted = trial.act("restart").await;
    assert_eq!((restarted.percent, restarted.state), (60, CanaryState::Holding));
    for action in ["canary.promote", "canary.rollback", "canary.restart"] {
        let audited = trial.audited(action).await;
        assert!(!audited.is_empty() && audited.iter().all(|(actor, _)| actor != "system"));
    }
    let path = trial.path("/canary/promote");
    let elsewhere = trial
        .organization
        .owner
        .post(&path, &json!({"place": "route.fallback[3].canary"}))
        .await;
    let problem = refused(&elsewhere, 422, ProblemCode::Invalid);
    let place = problem.fields.get("place").map(String::as_str);
    assert_eq!(place, Some("the model has no canary at route.fallback[3].canary"));
}
