//! What conditions of routes cost for a request. `cargo bench -p gatewright-cel`

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use gatewright_cel::{Expression, Failed};

use crate::world::{World, declarations};

#[path = "../tests/it/world.rs"]
mod world;

const CONDITIONS: [(&str, &str); 7] = [
    ("header", r#"request.headers["x-tier"] == "free""#),
    (
        "header and tag",
        r#"request.headers["x-tier"] == "free" && key.tags.exists(t, t == "batch")"#,
    ),
    ("list of models", "request.model in ['o3', 'gpt-4o-mini', 'gpt-4o']"),
    ("pattern", "request.model.matches('^gpt-[0-9]+o$')"),
    ("tokens", "request.tokens * 2 > 1000 && request.tokens < 200000"),
    (
        "hours",
        "time.getHours('Europe/Berlin') < 8 && time.getDayOfWeek('Europe/Berlin') in [1, 2, 3, 4, 5]",
    ),
    ("missing header", r#"request.headers["x-none"] == "free""#),
];

fn conditions(criterion: &mut Criterion) {
    let world = World::new();
    for (name, source) in CONDITIONS {
        let expression = Expression::compile_condition(source, &declarations());
        let expression = expression.unwrap_or_else(|problem| panic!("{source}: {problem}"));
        let result = expression.condition(&world);
        assert!(
            matches!(result, Ok(true) | Err(Failed::Missing(_))),
            "{source}: {result:?}"
        );
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| expression.condition(black_box(&world)));
        });
    }
}

fn compilation(criterion: &mut Criterion) {
    let declared = declarations();
    let source = r#"request.headers["x-tier"] == "free" && key.tags.exists(t, t == "batch")"#;
    criterion.bench_function("compile", |bencher| {
        bencher.iter(|| Expression::compile_condition(black_box(source), &declared));
    });
}

criterion_group!(benches, conditions, compilation);
criterion_main!(benches);
