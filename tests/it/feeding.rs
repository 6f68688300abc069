//! What calls besides answers say of a model at a provider: those at its own address, and those that count tokens. And
//! which credential what sticks together goes by.

use std::collections::BTreeSet;

use harness::http::{Answer, Request};
use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::upstream::{Script, Upstream};
use serde_json::json;

const ENOUGH: usize = 3;
const CLAUDE: &str = "/v1/messages";
const COUNT: &str = "/v1/messages/count_tokens";

/// The model `m` goes to Claude and falls back to another provider.
struct World {
    claude: Upstream,
    organization: Organization,
    key: Key,
}

impl World {
    async fn make() -> (Self, Upstream) {
        let (claude, other) = (Upstream::start().await, Upstream::start().await);
        let organization = Organization::make(Installation::shared().await).await;
        for (name, kind, upstream) in [("claude", "anthropic", &claude), ("other", "openai-compatible", &other)] {
            let credential =
                |name: &str| json!({"name": name, "api_key": format!("sk-upstream-secret-{name}"), "weight": 1});
            let body = json!({"name": name, "kind": kind, "base_url": upstream.base_url(),
                "credentials": [credential("0001"), credential("0002"), credential("0003")],
                "breaker": {"min_requests": ENOUGH, "window": "120s", "open_for": "120s"}});
            organization.add("/providers", &body).await;
        }
        let both = [json!({"target": "claude/claude-x"}), json!({"target": "other/m"})];
        let sticky = json!({"sticky": {"by": ["session"], "routes": [{"target": "other/m"}]}});
        for (name, route) in [("m", json!({ "fallback": both })), ("sticky", sticky)] {
            let model = json!({"name": name, "route": route, "retries": {"attempts": 0}});
            organization.add("/models", &model).await;
        }
        let key = organization.key("main").await;
        organization.settled(&key, &["m", "sticky"]).await;
        let world = Self {
            claude,
            organization,
            key,
        };
        (world, other)
    }

    async fn send(&self, path: &str, session: &str, model: &str) -> Answer {
        let messages = json!([{"role": "user", "content": "Say hello."}]);
        let body = json!({"model": model, "max_tokens": 9, "messages": messages});
        let request = Request::new("POST", path)
            .header("x-api-key", &self.key.secret)
            .header("x-gw-session", session)
            .json(&body);
        let address = self.organization.chat(&self.key).address;
        request.send(address).await.expect("the data plane answers")
    }

    /// Of a request for `m`: by whom it was answered, and after how many calls.
    async fn asked(&self) -> (String, String) {
        let answer = self.send(CLAUDE, "", "m").await.expect(200);
        let told = |name: &str| answer.headers.need(name).to_owned();
        (told("x-gw-provider"), told("x-gw-attempts"))
    }
}

#[tokio::test]
async fn a_model_that_fails_at_its_providers_own_address_is_left_alone_by_routes() {
    let (world, _other) = World::make().await;
    world
        .claude
        .on("claude-x", Script::json(500, &json!({"error": {"message": "no"}})));

    for _ in 0..ENOUGH {
        let answer = world.send("/native/claude/messages", "", "claude-x").await;
        assert_eq!(answer.status, 500, "{}", answer.text());
    }

    assert_eq!(world.asked().await, ("other".to_owned(), "1".to_owned()));
    let natively = world.send("/native/claude/messages", "", "claude-x").await;
    assert_eq!(natively.status, 500, "it is called all the same");
}

#[tokio::test]
async fn answers_at_the_providers_own_address_speak_for_it() {
    let (world, _other) = World::make().await;
    let said = json!({"type": "message", "content": [], "usage": {"input_tokens": 3, "output_tokens": 1}});
    world.claude.on("claude-x", Script::json(200, &said));
    for _ in 0..=ENOUGH {
        world.send("/native/claude/messages", "", "claude-x").await.expect(200);
    }
    world
        .claude
        .on("claude-x", Script::json(500, &json!({"error": {"message": "no"}})));
    for _ in 0..ENOUGH {
        world.asked().await;
    }

    let last = world.asked().await;
    assert_eq!(
        last,
        ("other".to_owned(), "2".to_owned()),
        "three of seven are less than half"
    );
}

#[tokio::test]
async fn a_model_whose_tokens_cannot_be_counted_is_left_alone_unless_it_has_no_such_address() {
    let (world, _other) = World::make().await;
    let no = json!({"type": "error", "error": {"type": "not_found_error", "message": "no"}});
    world.claude.on("claude-x", Script::json(404, &no));
    for _ in 0..ENOUGH {
        world.send(COUNT, "", "m").await.expect(404);
    }
    assert_eq!(world.asked().await, ("other".to_owned(), "2".to_owned()));

    world
        .claude
        .on("claude-x", Script::json(500, &json!({"error": {"message": "no"}})));
    for _ in 1..ENOUGH {
        world.send(COUNT, "", "m").await.expect(502);
    }

    assert_eq!(world.asked().await, ("other".to_owned(), "1".to_owned()));
}

#[tokio::test]
async fn what_sticks_together_uses_one_credential_until_that_is_limited() {
    let (world, other) = World::make().await;
    let by = |from: usize| -> Vec<String> {
        let seen = other.seen().into_iter().skip(from);
        seen.map(|seen| seen.headers.need("authorization").to_owned()).collect()
    };
    for session in 0..12 {
        for _ in 0..3 {
            world
                .send("/v1/chat/completions", &format!("s-{session}"), "sticky")
                .await
                .expect(200);
        }
    }
    let first = by(0);
    let of_sessions: Vec<BTreeSet<_>> = first.chunks(3).map(|uses| uses.iter().collect()).collect();
    assert!(of_sessions.iter().all(|uses| uses.len() == 1), "{of_sessions:?}");
    assert!(
        first.iter().collect::<BTreeSet<_>>().len() > 1,
        "they are shared out: {first:?}"
    );

    let own = first.first().expect("there was a call").clone();
    let limited = Script::json(429, &json!({"error": {"message": "slow down"}})).header("retry-after", "120");
    other.on(&own, limited);
    let before = other.seen().len();
    for _ in 0..3 {
        world.send("/v1/chat/completions", "s-0", "sticky").await.expect(200);
    }

    let now = by(before);
    assert_eq!(now.first(), Some(&own), "until it is limited");
    let others: BTreeSet<_> = now.iter().skip(1).collect();
    assert!(
        others.len() == 1 && !others.contains(&own),
        "then they go on together: {now:?}"
    );
}
