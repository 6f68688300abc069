//! How often an evaluation asks for memory: conditions run for every request.

use allocation_counter::measure;
use gatewright_cel::Expression;

use crate::world::{World, declarations};

#[test]
fn typical_conditions_ask_for_no_memory() {
    let world = World::new();
    for source in [
        r#"request.headers["x-tier"] == "free" && key.tags.exists(t, t == "batch")"#,
        "request.tokens > 1000 && request.model.startsWith('gpt-')",
        "request.model in ['gpt-4o', 'gpt-4o-mini'] || has(request.user)",
        "time.getDayOfWeek('Europe/Berlin') in [1, 2, 3, 4, 5] && time.getHours() >= 8 || true",
        "key.tags.all(t, key.tags.exists(u, t == u)) && request.model.trim().matches('^gpt-[0-9]')",
        "request.tokens < 2000 ? size(request.headers) == 2 : false",
        "request.model.lowerAscii() == 'gpt-4o' && 'batch' in key.tags",
    ] {
        let expression = Expression::compile_condition(source, &declarations()).expect("it compiles");
        // A pattern makes its scratch space once for each thread.
        assert_eq!(expression.condition(&world), Ok(true), "{source}");

        let asked = measure(|| {
            drop(expression.condition(&world));
        });

        assert_eq!(asked.count_total, 0, "{source}");
    }
}
