//! How often a decision asks for memory: every request needs one.

use allocation_counter::measure;
use gatewright_routing::route;
use serde_json::json;

use crate::large::large;
use crate::world::World;

/// How often, once everything is warm.
fn asked(world: &World) -> u64 {
    let mut legs = route(&world.situation(1)).expect("a plan").legs.iter().count();
    let asked = measure(|| {
        legs = route(&world.situation(1)).expect("a plan").legs.iter().count();
    });
    assert!(legs > 0);
    asked.count_total
}

#[test]
fn a_decision_asks_for_little_memory() {
    let large = asked(&large());
    let one = asked(&World::with(json!({"target": "a/gpt-4o"})));

    assert!(one <= 8, "{one} times for one target");
    assert!(large <= 80, "{large} times for twenty targets");
}
