//! What is tried again at the same provider, how often, and what is not.

use harness::chat::refused;
use harness::dialect::CHAT;
use harness::upstream::Script;
use serde_json::json;

use super::World;

#[tokio::test]
async fn a_call_that_failed_is_tried_again_as_often_as_the_model_says() {
    let world = World::make(&json!({"attempts": 2, "pause": "1ms"})).await;
    world
        .first
        .on("m", Script::json(500, &json!({"error": {"message": "no"}})));

    let answer = world.ask(&CHAT, "m", false).await.expect(200);
    assert_eq!((world.first.seen().len(), world.second.seen().len()), (3, 1));
    assert_eq!(answer.headers.need("x-gw-attempts"), "4");
}

#[tokio::test]
async fn what_the_provider_says_of_trying_again_is_heeded() {
    let world = World::make(&json!({"attempts": 1, "pause": "1ms", "longest_pause": "1s"})).await;
    let told = json!({"error": {"message": "no"}});
    let calls = async |script: Script| {
        let before = world.first.seen().len();
        world.first.on("m", script);
        let answer = world.ask(&CHAT, "alone", false).await;
        (world.first.seen().len() - before, answer)
    };

    let (short, _) = calls(Script::json(503, &told).header("retry-after-ms", "5")).await;
    let (long, answer) = calls(Script::json(503, &told).header("retry-after", "120")).await;
    let (never, _) = calls(Script::json(500, &told).header("x-should-retry", "false")).await;

    assert_eq!((short, long, never), (2, 1, 1));
    assert_eq!(answer.status, 503);
    assert_eq!(answer.headers.need("retry-after"), "120", "the caller is told as well");
}

#[tokio::test]
async fn another_credential_is_tried_before_anything_else() {
    let world = World::make(&json!({"attempts": 0})).await;
    let body = json!({"name": "two", "kind": "openai-compatible", "base_url": world.first.base_url(), "credentials": [
        {"name": "a", "api_key": "sk-upstream-secret-0001", "weight": 1},
        {"name": "b", "api_key": "sk-upstream-secret-0002", "weight": 1}]});
    world.organization.add("/providers", &body).await;
    world
        .model("both", &json!({"target": "two/m"}), &json!({"attempts": 0}))
        .await;
    world.organization.settled(&world.key, &["both"]).await;
    world
        .first
        .on("m", Script::json(429, &json!({"error": {"message": "slow down"}})));

    let answer = world.ask(&CHAT, "both", false).await;

    refused(&answer, 429, "rate_limit_exceeded");
    let used: Vec<_> = world
        .first
        .seen()
        .iter()
        .map(|seen| seen.headers.need("authorization").to_owned())
        .collect();
    assert_eq!(used.len(), 2);
    assert_ne!(used.first(), used.last());
}

#[tokio::test]
async fn the_callers_own_mistake_is_told_and_tried_nowhere_else() {
    let world = World::make(&json!({"attempts": 1, "pause": "1ms"})).await;
    let told = json!({"error": {"message": "temperature is too high", "type": "invalid_request_error"}});
    world.first.on("m", Script::json(400, &told));

    for stream in [false, true] {
        let answer = world.ask(&CHAT, "m", stream).await;
        assert_eq!((answer.status, answer.json()), (400, told.clone()));
    }
    assert_eq!((world.first.seen().len(), world.second.seen().len()), (2, 0));
}

#[tokio::test]
async fn a_budget_bounds_what_is_tried_again() {
    let world = World::make(&json!({"attempts": 1, "pause": "1ms", "budget": 10})).await;
    world
        .first
        .on("m", Script::json(500, &json!({"error": {"message": "no"}})));
    for _ in 0..20 {
        world.ask(&CHAT, "alone", false).await;
    }

    let calls = world.first.seen().len();
    assert!((23..=26).contains(&calls), "{calls}");
}
