//! A route as large as any that somebody writes: four strategies deep, twenty targets, five conditions.

use std::time::Duration;

use gatewright_routing::Headers;
use serde_json::{Value, json};

use crate::world::{World, chat};

const MODELS: [&str; 5] = ["gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano"];
const PROVIDERS: [&str; 4] = ["a", "b", "c", "d"];

/// Every deployment was called before, and the last of the conditions holds.
pub(crate) fn large() -> World {
    let at = |provider: &str| -> Vec<Value> {
        let target = |model| json!({"target": format!("{provider}/{model}")});
        MODELS.into_iter().map(target).collect()
    };
    let tree = json!({"fallback": [
        {"weighted": [
            {"weight": 90, "route": {"least_busy": at("a")}},
            {"weight": 10, "route": {"fastest": at("b")}},
        ]},
        {"sticky": {"routes": [{"cheapest": at("c")}, {"lowest_usage": at("d")}]}},
    ]});
    let never = json!({"target": "a/gpt-4o"});
    let mut world = World::with(json!({"when": [
        {"if": "request.headers['x-tier'] == 'free'", "route": never},
        {"if": "request.input_tokens > 100000 && request.has_images", "route": never},
        {"if": "team.name == 'search' || key.name in ['a', 'b', 'c']", "route": never},
        {"if": "now.getHours('+02:00') < 6 && health['a/gpt-4o'].in_flight > 10", "route": never},
        {"if": "request.metadata['feature'] == 'chat' && request.stream", "route": tree},
    ]}));
    let name = |index| (format!("x-header-{index}"), "some value of usual length".to_owned());
    world.headers = (0..12)
        .map(name)
        .chain([
            ("x-gw-session".to_owned(), "s".to_owned()),
            ("x-tier".to_owned(), "paid".to_owned()),
        ])
        .collect::<Headers>();
    let said = "What is the tallest mountain of each continent? ".repeat(80);
    world.request = chat(json!({
        "stream": true, "metadata": {"feature": "chat"}, "messages": [{"role": "user", "content": said}],
    }));
    for provider in PROVIDERS {
        for (index, model) in MODELS.into_iter().enumerate() {
            let flight = world.vitals(provider, model).fly(world.now);
            flight.first_token(Duration::from_millis(200 + index as u64), world.now);
        }
    }
    world
}
