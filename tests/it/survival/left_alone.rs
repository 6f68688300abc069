//! Targets that fail too often: left alone on every node, seen, and called again.

use harness::chat::refused;
use harness::dialect::CHAT;
use harness::sse::{self, DONE, content, finish, opening, usage};
use harness::upstream::Script;
use harness::wait::{SOON, eventually};
use serde_json::{Value, json};

use super::World;

#[tokio::test]
async fn a_model_that_fails_too_often_is_left_alone_and_tried_again_later() {
    let breaker = json!({"error_rate": 50, "min_requests": 4, "window": "60s", "open_for": "5s"});
    let world = World::with(&json!({"attempts": 0}), &breaker).await;
    world
        .first
        .on("m", Script::json(500, &json!({"error": {"message": "no"}})));
    for _ in 0..4 {
        world.ask(&CHAT, "m", false).await.expect(200);
    }
    assert_eq!(world.first.seen().len(), 4);

    world.ask(&CHAT, "m", false).await.expect(200);
    assert_eq!(world.first.seen().len(), 4, "it is open");
    let alone = world.ask(&CHAT, "alone", false).await;
    refused(&alone, 502, "upstream_error");
    assert_eq!(world.first.seen().len(), 5, "there is nowhere else to go");

    world.first.on("m", Script::answer("Hello again", 9, 2));
    eventually("a probe closes the breaker", SOON, async || {
        let answer = world.ask(&CHAT, "m", false).await.expect(200);
        ((CHAT.text)(&answer, false) == "Hello again").then_some(())
    })
    .await;
    let answer = world.ask(&CHAT, "m", false).await.expect(200);
    assert_eq!(answer.headers.need("x-gw-provider"), "first");
}

#[tokio::test]
async fn limits_mistakes_and_few_failures_open_no_breaker() {
    let breaker = json!({"min_requests": 3, "window": "60s"});
    let world = World::with(&json!({"attempts": 0}), &breaker).await;
    world
        .first
        .on("m", Script::json(400, &json!({"error": {"message": "wrong"}})));
    for _ in 0..6 {
        world.ask(&CHAT, "m", false).await.expect(400);
    }
    for script in [
        Script::answer("Hello there", 9, 2),
        Script::answer("Hello there", 9, 2),
        Script::json(429, &json!({"error": {"message": "slow down"}})),
    ] {
        world.first.on("m", script);
        world.ask(&CHAT, "m", false).await.expect(200);
    }

    world.first.on("m", Script::answer("Hello there", 9, 2));
    let answer = world.ask(&CHAT, "m", false).await.expect(200);
    assert_eq!(answer.headers.need("x-gw-provider"), "first");
    let streamed = Script::stream([
        opening(),
        content("Hello there"),
        finish(),
        usage(9, 2),
        DONE.to_owned(),
    ]);
    world.first.on("m", streamed);
    let answer = world.ask(&CHAT, "m", true).await.expect(200);
    assert_eq!(sse::text(&answer.body), "Hello there");
}

#[tokio::test]
async fn other_nodes_leave_alone_what_one_found_failing() {
    const ENOUGH: usize = 40;
    let breaker = json!({"min_requests": ENOUGH, "window": "120s", "open_for": "120s"});
    let world = World::with(&json!({"attempts": 0}), &breaker).await;
    world
        .first
        .on("m", Script::json(500, &json!({"error": {"message": "no"}})));
    for _ in 0..ENOUGH {
        world.ask(&CHAT, "m", false).await.expect(200);
    }
    // What counts is what others ask from here on.
    let by_one = world.first.seen().len();
    assert!(by_one >= ENOUGH, "{by_one}");

    for node in 0..world.organization.nodes.len() {
        eventually("a node hears that a breaker opened", SOON, async || {
            let answer = world.ask_at(node, &CHAT, "m", false).await.expect(200);
            (answer.headers.need("x-gw-attempts") == "1").then_some(())
        })
        .await;
    }
    let by_others = world.first.seen().len() - by_one;
    assert!(by_others < ENOUGH, "they found out by themselves: {by_others}");
}

#[tokio::test]
async fn what_is_left_alone_is_seen_and_can_be_called_again_at_once() {
    let breaker = json!({"min_requests": 2, "window": "120s", "open_for": "120s"});
    let world = World::with(&json!({"attempts": 0}), &breaker).await;
    let organization = &world.organization;
    world
        .first
        .on("m", Script::json(500, &json!({"error": {"message": "no"}})));
    for _ in 0..2 {
        world.ask(&CHAT, "m", false).await.expect(200);
    }
    let first = async || {
        let listed = organization
            .owner
            .get(&organization.path("/targets"))
            .await
            .expect(200)
            .json();
        let items = listed
            .get("items")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        items
            .into_iter()
            .find(|item| item.get("provider") == Some(&json!("first")))
    };
    let open = eventually("the breaker is seen", SOON, async || {
        // Nodes hear that it opened before they hear how many calls that was after.
        first().await.filter(|item| {
            let seen = ["state", "requests", "failures"].map(|name| item.get(name).cloned().unwrap_or_default());
            seen == [json!("open"), json!(2), json!(2)]
        })
    })
    .await;
    assert!(
        open.get("since").is_some() && open.get("open_until").is_some(),
        "{open}"
    );

    let body = json!({"provider": "first", "model": "m"});
    let reset = organization.path("/targets/reset");
    organization.token("viewer").await.post(&reset, &body).await.expect(403);
    organization
        .owner
        .post(&reset, &json!({"provider": "none", "model": "m"}))
        .await
        .expect(422);
    organization.owner.post(&reset, &body).await.expect(204);

    world.first.on("m", Script::answer("Hello again", 9, 2));
    eventually("it is called again", SOON, async || {
        let answer = world.ask(&CHAT, "m", false).await.expect(200);
        ((CHAT.text)(&answer, false) == "Hello again").then_some(())
    })
    .await;
    let audit = organization.audit().await;
    assert!(audit.iter().any(|entry| entry.action == "target.reset"), "{audit:?}");
}
