//! What a decision costs. `cargo bench -p gatewright-routing`

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use gatewright_routing::route;
use serde_json::json;

use crate::large::large;
use crate::world::World;

#[path = "../tests/decisions/large.rs"]
mod large;
#[expect(dead_code, reason = "the tests use all of it")]
#[path = "../tests/decisions/world.rs"]
mod world;

fn decisions(criterion: &mut Criterion) {
    let world = large();
    criterion.bench_function("route", |bencher| {
        let mut dice = 0;
        bencher.iter(|| {
            dice += 1;
            route(black_box(&world.situation(dice)))
        });
    });
    let world = World::with(json!({"target": "a/gpt-4o"}));
    criterion.bench_function("one target", |bencher| {
        bencher.iter(|| route(black_box(&world.situation(1))));
    });
}

criterion_group!(benches, decisions);
criterion_main!(benches);
