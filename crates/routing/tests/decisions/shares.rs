//! Strategies that share requests out.

use serde_json::json;

use crate::world::World;

const REQUESTS: u64 = 10_000;

/// Two percent of all requests.
#[track_caller]
fn about(got: Option<&u64>, expected: u64) {
    let got = got.copied().unwrap_or_default();
    assert!(got.abs_diff(expected) <= REQUESTS / 50, "{got} instead of {expected}");
}

#[test]
fn weighted_requests_are_shared_out_by_their_weights_and_a_weight_of_0_gets_none() {
    let world = World::with(json!({"weighted": [
        {"weight": 70, "route": {"target": "a/x"}},
        {"weight": 20, "route": {"target": "b/x"}},
        {"weight": 10, "route": {"target": "c/x"}},
        {"weight": 0, "route": {"target": "d/x"}},
    ]}));

    let share = world.share(REQUESTS);

    about(share.get("a/x"), 7_000);
    about(share.get("b/x"), 2_000);
    about(share.get("c/x"), 1_000);
    assert_eq!(share.get("d/x"), None);
    assert!((0..100).all(|dice| !world.order(dice).contains(&"d/x".to_owned())));
}

#[test]
fn those_that_stand_in_are_drawn_by_their_weights_too() {
    let world = World::with(json!({"weighted": [
        {"weight": 50, "route": {"target": "a/x"}},
        {"weight": 40, "route": {"target": "b/x"}},
        {"weight": 10, "route": {"target": "c/x"}},
    ]}));

    let behind_a: Vec<_> = (0..2 * REQUESTS)
        .map(|dice| world.order(dice))
        .filter(|order| order.first().is_some_and(|first| first == "a/x"))
        .collect();

    let all = behind_a.len() as u64;
    let second_b = behind_a
        .iter()
        .filter(|order| order.get(1).is_some_and(|second| second == "b/x"));
    about(Some(&(second_b.count() as u64 * REQUESTS / all)), 8_000);
}

#[test]
fn the_share_of_one_that_is_not_healthy_goes_to_the_others_by_their_weights() {
    let world = World::with(json!({"weighted": [
        {"weight": 50, "route": {"target": "a/x"}},
        {"weight": 30, "route": {"target": "b/x"}},
        {"weight": 20, "route": {"target": "c/x"}},
    ]}));
    world.open("a", "x");

    let share = world.share(REQUESTS);

    about(share.get("b/x"), 6_000);
    about(share.get("c/x"), 4_000);
    assert!((0..100).all(|dice| world.order(dice).last().is_some_and(|last| last == "a/x")));
}
