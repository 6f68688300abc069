use serde_json::{Value, json};

use super::*;

fn route(value: Value) -> Result<Route, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

#[test]
fn a_tree_is_written_as_it_was_read() {
    let written = json!({
        "when": [{"if": "request.stream", "route": {"sticky": {"routes": [{"target": "a/x"}, {"target": "b/x"}]}}}],
        "otherwise": {"fallback": [
            {"weighted": [
                {"weight": 90, "route": {"target": "a/x"}},
                {"weight": 10, "route": {"canary": {
                    "stable": {"target": "a/x"}, "candidate": {"target": "b/y"}, "percent": 5,
                    "ramp": {"step": 10, "every": "1h"}, "rollback": {"error_rate": 2}
                }}}
            ]},
            {"on": ["timeout", "rate_limit"], "route": {"round_robin": [{"target": "c/z"}, {"least_busy": [{"target": "d/z"}]}]}},
            {"task": {"code": {"fastest": [{"target": "a/x"}]}}, "otherwise": {"cheapest": [{"lowest_usage": [{"target": "a/x"}]}]}},
            {"target": {"provider": "e", "model": "w", "params": {"temperature": 0}, "fault": {"kind": "stall", "percent": 50}}}
        ]}
    });

    let read = route(written.clone()).expect("a route");

    assert_eq!(serde_json::to_value(&read).expect("JSON"), written);
}

#[test]
fn a_node_is_exactly_one_strategy() {
    let wrong = [
        (json!({}), "this one is none of them"),
        (
            json!({"target": "a/x", "fallback": []}),
            "this one is target and fallback",
        ),
        (
            json!({"target": "a/x", "otherwise": {"target": "a/x"}}),
            "otherwise belongs to when and task",
        ),
        (
            json!({"target": "x"}),
            "the target \"x\" must be written provider/model",
        ),
        (json!({"target": {"provider": "a"}}), "missing field `model`"),
        (json!({"target": 1}), "written provider/model, or as a map"),
        (json!({"wieghted": []}), "unknown field `wieghted`"),
        (
            json!({"fallback": [{"on": ["timeout"], "target": "a/x"}]}),
            "has its route in route",
        ),
        (
            json!({"fallback": [{"route": {"target": "a/x"}, "target": "a/x"}]}),
            "has both",
        ),
    ];
    for (written, expected) in wrong {
        let error = route(written.clone()).expect_err("no route");
        assert!(error.contains(expected), "{written}: {error}");
    }
}

#[test]
fn every_target_is_found_with_the_place_where_it_is_written() {
    let read = route(json!({"fallback": [
        {"weighted": [{"weight": 1, "route": {"target": "a/x"}}]},
        {"on": ["timeout"], "route": {"when": [{"if": "true", "route": {"target": "b/y"}}], "otherwise": {"target": "c/z"}}},
        {"task": {"code": {"target": "d/w"}}}
    ]}));

    let read = read.expect("a route");
    let found = read.targets();
    let found: Vec<_> = found
        .iter()
        .map(|(place, route)| (place.as_str(), route.target.to_string()))
        .collect();

    assert_eq!(
        found,
        [
            ("route.fallback[0].weighted[0].route.target", "a/x".to_owned()),
            ("route.fallback[1].route.when[0].route.target", "b/y".to_owned()),
            ("route.fallback[1].route.otherwise.target", "c/z".to_owned()),
            ("route.fallback[2].task.code.target", "d/w".to_owned()),
        ]
    );
}
