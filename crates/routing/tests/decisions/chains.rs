//! Who stands in for whom.

use gatewright_types::api::FailureClass;
use serde_json::json;

use crate::world::{World, names};

/// The targets that are tried when every one of them fails like this.
fn chain(world: &World, failed: FailureClass) -> Vec<String> {
    let plan = world.decide(1).expect("a plan");
    let names = names(&plan);
    let mut leg = Some(0);
    let mut tried = Vec::new();
    while let Some(index) = leg {
        tried.push(names.get(index).expect("a leg of the plan").clone());
        leg = plan.after(index, failed);
    }
    tried
}

#[test]
fn steps_stand_in_in_their_order_each_for_its_failures() {
    let world = World::with(json!({"fallback": [
        {"target": "a/x"},
        {"on": ["rate_limit"], "route": {"target": "b/x"}},
        {"on": ["content_policy", "guardrail"], "route": {"target": "c/x"}},
        {"target": "d/x"},
    ]}));

    let check = |failed, expected: &[&str]| assert_eq!(chain(&world, failed), expected, "{failed:?}");

    check(FailureClass::RateLimit, &["a/x", "b/x", "d/x"]);
    check(FailureClass::Error, &["a/x", "d/x"]);
    check(FailureClass::Timeout, &["a/x", "d/x"]);
    check(FailureClass::ContextLength, &["a/x", "d/x"]);
    check(FailureClass::ContentPolicy, &["a/x", "c/x"]);
    check(FailureClass::Guardrail, &["a/x", "c/x"]);
}

#[test]
fn within_a_step_others_stand_in_for_what_is_usual_whatever_led_there() {
    let world = World::with(json!({"fallback": [
        {"fallback": [{"target": "a/x"}, {"target": "b/x"}]},
        {"on": ["content_policy"], "route": {"fallback": [{"target": "c/x"}, {"target": "d/x"}]}},
    ]}));
    let plan = world.decide(1).expect("a plan");

    assert_eq!(names(&plan), ["a/x", "b/x", "c/x", "d/x"]);
    let expected = [
        (0, FailureClass::Error, Some(1)),
        (0, FailureClass::ContentPolicy, Some(2)),
        (1, FailureClass::Error, None),
        (1, FailureClass::ContentPolicy, Some(2)),
        (2, FailureClass::Timeout, Some(3)),
        (2, FailureClass::ContentPolicy, None),
        (3, FailureClass::Error, None),
        (9, FailureClass::Error, None),
    ];
    for (leg, failed, next) in expected {
        assert_eq!(plan.after(leg, failed), next, "{leg} {failed:?}");
    }
}

#[test]
fn a_target_that_comes_up_again_is_tried_once() {
    let world = World::with(json!({"fallback": [
        {"target": "a/x"},
        {"weighted": [{"weight": 1, "route": {"target": "a/x"}}]},
        {"target": {"provider": "a", "model": "x", "prompt": "Be brief."}},
        {"target": "b/x"},
    ]}));

    assert_eq!(world.order(1), ["a/x", "a/x", "b/x"]);
    let plan = world.decide(1).expect("a plan");
    let places: Vec<_> = plan.legs.iter().map(|leg| &*leg.place).collect();
    assert_eq!(places, ["route.fallback[0]", "route.fallback[2]", "route.fallback[3]"]);
}

#[test]
fn one_that_is_not_healthy_is_the_last_resort_and_never_left_out() {
    let world = World::with(json!({"fallback": [
        {"target": "a/x"},
        {"on": ["content_policy"], "route": {"target": "b/x"}},
        {"target": "c/x"},
    ]}));
    world.open("a", "x");

    assert_eq!(world.order(1), ["c/x", "b/x", "a/x"]);
    assert_eq!(chain(&world, FailureClass::Error), ["c/x", "a/x"]);
    assert_eq!(chain(&world, FailureClass::ContentPolicy), ["c/x"]);
    world.open("c", "x");
    assert_eq!(world.order(1), ["a/x", "b/x", "c/x"]);

    let only = World::with(json!({"target": "a/x"}));
    only.open("a", "x");
    assert_eq!(only.order(1), ["a/x"]);
}
