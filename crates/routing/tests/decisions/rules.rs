//! Rules: conditions, tasks, and what may answer at all.

use gatewright_contract::{OverlayUnit, ProviderUnit, UnitBody, UnitId, unit_expression};
use gatewright_llm::Tokens;
use gatewright_routing::{Asked, BudgetView, Headers, Said, Unroutable, units};
use gatewright_types::api::{ModelFacts, ProviderKind, ProviderSettings};
use gatewright_types::{Nanos, OverlayId, ProviderId, UsageUnit};
use serde_json::{Value, json};

use crate::world::{World, chat};

fn facts(model: &str, facts: Value) -> (UnitId, UnitBody) {
    let unit = OverlayUnit {
        kind: ProviderKind::Openai,
        model: model.parse().expect("a model"),
        facts: serde_json::from_value::<ModelFacts>(facts).expect("facts"),
    };
    (UnitId::Overlay(OverlayId::mint()), UnitBody::Overlay(unit))
}

fn provider(name: &str, kind: ProviderKind, settings: Value) -> (UnitId, UnitBody) {
    let unit = ProviderUnit {
        name: name.parse().expect("a slug"),
        kind,
        base_url: None,
        settings: serde_json::from_value::<ProviderSettings>(settings).expect("settings"),
        network: None,
        credentials: Vec::new(),
    };
    (UnitId::Provider(ProviderId::mint()), UnitBody::Provider(unit))
}

fn refusal(world: &World) -> String {
    world.decide(1).expect_err("no plan").to_string()
}

#[test]
fn the_first_condition_that_holds_decides() {
    let when = |condition: &str| {
        World::with(json!({
            "when": [{"if": condition, "route": {"target": "yes/x"}}], "otherwise": {"target": "no/x"}
        }))
    };
    let check = |condition: &str, expected: bool| {
        let mut world = when(condition);
        world.headers = Headers::from_iter([("x-tier", "free"), ("x-gw-session", "s"), ("authorization", "Bearer x")]);
        world.request = chat(json!({
            "stream": true, "max_tokens": 7, "user": "u", "tools": [{"type": "function"}], "metadata": {"team": "a"},
        }));
        world
            .vitals("no", "x")
            .fly(world.now)
            .first_token(std::time::Duration::from_millis(40), world.now);
        let expected = if expected { "yes/x" } else { "no/x" };
        assert_eq!(world.order(1), [expected], "{condition}");
    };

    check(r#"request.headers["x-tier"] == "free""#, true);
    check(r#"request.headers["x-tier"] == "paid""#, false);
    check(r#""authorization" in request.headers"#, false);
    check(
        r#"request.model == "m" && request.stream && request.dialect == "openai_chat""#,
        true,
    );
    check(r#"request.user == "u" && request.session == "s""#, true);
    check("request.max_tokens == 7 && request.input_tokens > 10", true);
    check("request.has_tools && !request.has_images && !request.has_schema", true);
    check(
        r#"request.metadata["team"] == "a" && size(request.metadata) == 1"#,
        true,
    );
    check("has(request.task)", false);
    check(r#"organization.slug == "acme" && key.id.startsWith("key_")"#, true);
    check("has(team.name)", false);
    check(r#"now >= timestamp("2026-11-30T05:00:00Z")"#, true);
    check(r#"health["no/x"].healthy && health["no/x"].latency_ms == 40"#, true);
    check(r#"health["no/x"].in_flight == 1"#, false);
    check(r#"!("yes/x" in health)"#, true);
}

#[test]
fn conditions_read_how_the_tightest_budget_stands() {
    let check = |condition: &str, budget: Option<(i64, i64)>, expected: bool| {
        let mut world = World::with(json!({
            "when": [{"if": condition, "route": {"target": "yes/x"}}], "otherwise": {"target": "no/x"}
        }));
        world.budget = budget.map(|(cap, spent)| BudgetView {
            cap: Nanos::new(cap),
            spent: Nanos::new(spent),
        });
        let expected = if expected { "yes/x" } else { "no/x" };
        assert_eq!(world.order(1), [expected], "{condition} {budget:?}");
    };
    let of_two = Some((2_000_000_000, 1_500_000_000));

    check("budget.remaining_percent == 100.0", None, true);
    check("has(budget.spent)", None, false);
    check(
        "budget.remaining_percent < 30.0 && budget.remaining_percent > 20.0",
        of_two,
        true,
    );
    check(
        "budget.amount == 2.0 && budget.spent == 1.5 && budget.remaining == 0.5",
        of_two,
        true,
    );
    check("budget.remaining_percent == 0.0", Some((0, 0)), true);
    check("budget.remaining == 0.0", Some((1, 5)), true);
}

#[test]
fn tokens_are_weighed_as_it_is_written() {
    let world = World::with(json!({"target": "a/x"}));
    let mut tokens = Tokens::default();
    for (unit, count) in [
        (UsageUnit::InputUncached, 10),
        (UsageUnit::InputCacheRead, 100),
        (UsageUnit::InputCacheWrite1h, 7),
        (UsageUnit::OutputText, 3),
        (UsageUnit::OutputReasoning, 2),
    ] {
        tokens.set(unit, count);
    }
    let check = |written: Option<&str>, expected: u64| {
        let expression = written.map(|written| unit_expression(written).expect(written));
        let said = Said::of(
            &world.caller,
            "m",
            Asked {
                request: Some(&world.request),
                headers: &world.headers,
            },
        );
        assert_eq!(units(expression.as_ref(), &said, &tokens), expected, "{written:?}");
    };

    check(None, 122);
    check(Some("tokens.input + 0.1 * tokens.cache_read + 4.0 * tokens.output"), 40);
    check(Some("tokens.cache_write + tokens.reasoning + 0.001"), 10);
    check(Some(r#"request.model == "m" ? 1 : 2"#), 1);
    check(Some("0.0 - 5.0"), 0);
    // A request that does not say it is not free.
    check(Some(r#"request.user == "free" ? 0 : 1"#), 122);
}

#[test]
fn a_condition_that_fails_does_not_match_and_the_trace_says_so() {
    let world = World::with(json!({
        "when": [
            {"if": r#"request.headers["x-tier"] == "free""#, "route": {"target": "a/x"}},
            {"if": "request.stream", "route": {"target": "b/x"}},
        ],
        "otherwise": {"target": "c/x"}
    }));

    let decision = world.explain(1);

    assert_eq!(world.order(1), ["c/x"]);
    let steps: Vec<_> = decision.steps.iter().map(|step| (&*step.place, &*step.why)).collect();
    assert_eq!(steps[0].0, "route.when[0]");
    assert!(steps[0].1.contains("x-tier"), "{}", steps[0].1);
    assert_eq!(steps[1..], [("route.otherwise", "nothing else applies")]);
}

#[test]
fn where_no_rule_applies_the_request_is_refused() {
    let world = World::with(json!({"when": [{"if": "false", "route": {"target": "a/x"}}]}));

    let refused = world.decide(1).expect_err("no plan");

    assert!(matches!(refused, Unroutable::NoRule { .. }), "{refused:?}");
    let behind = World::with(json!({"fallback": [
        {"when": [{"if": "false", "route": {"target": "a/x"}}]}, {"target": "b/x"}
    ]}));
    assert_eq!(behind.order(1), ["b/x"]);
}

#[test]
fn a_task_is_named_in_a_header_or_a_label() {
    let mut world = World::with(json!({
        "task": {"code": {"target": "a/x"}, "chat": {"target": "b/x"}}, "otherwise": {"target": "c/x"}
    }));

    assert_eq!(world.first(1), "c/x");
    world.request = chat(json!({"metadata": {"task": "chat"}}));
    assert_eq!(world.first(1), "b/x");
    world.headers = Headers::from_iter([("X-GW-Task", "code")]);
    assert_eq!(world.first(1), "a/x");
    world.headers = Headers::from_iter([("x-gw-task", "poetry")]);
    assert_eq!(world.first(1), "c/x");
}

#[test]
fn what_cannot_answer_is_not_asked() {
    let world = |request: Value| {
        let units = [
            facts("small", json!({"context": 100})),
            facts(
                "blind",
                json!({"capabilities": {"vision": false, "tools": false, "structured_output": false}}),
            ),
            facts("gone", json!({"sunset_on": "2026-11-30"})),
        ];
        let route = json!({"fallback": [
            {"target": "a/small"}, {"target": "a/blind"}, {"target": "a/gone"}, {"target": "a/unknown"}
        ]});
        let mut world = World::with_units(route, units);
        world.request = chat(request);
        world
    };
    let check = |request: Value, expected: &[&str]| {
        assert_eq!(world(request.clone()).order(1), expected, "{request}");
    };
    let picture = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,aa"}});

    check(json!({}), &["a/small", "a/blind", "a/unknown"]);
    check(json!({"max_tokens": 101}), &["a/blind", "a/unknown"]);
    check(
        json!({"messages": [{"role": "user", "content": "x".repeat(1_000)}]}),
        &["a/blind", "a/unknown"],
    );
    check(json!({"tools": [{"type": "function"}]}), &["a/small", "a/unknown"]);
    check(
        json!({"messages": [{"role": "user", "content": [picture]}]}),
        &["a/unknown"],
    );
    check(
        json!({"response_format": {"type": "json_schema", "json_schema": {}}}),
        &["a/small", "a/unknown"],
    );
}

#[test]
fn where_nothing_can_answer_the_refusal_says_why_for_each() {
    let units = [
        facts("small", json!({"context": 100})),
        facts("blind", json!({"capabilities": {"tools": false}})),
        facts("gone", json!({"sunset_on": "2026-01-31"})),
    ];
    let route = json!({"fallback": [{"target": "a/small"}, {"target": "a/blind"}, {"target": "a/gone"}]});
    let mut world = World::with_units(route, units);
    world.request = chat(json!({"max_tokens": 1_000, "tools": [{"type": "function"}]}));

    let refused = refusal(&world);

    assert!(
        refused.starts_with("No target of the model `m` can answer this request: a/small takes 100 tokens"),
        "{refused}"
    );
    assert!(
        refused.contains("; a/blind cannot take tools; a/gone was retired on 2026-01-31."),
        "{refused}"
    );
    let dropped: Vec<_> = world
        .explain(1)
        .candidates
        .into_iter()
        .map(|candidate| candidate.place)
        .collect();
    assert_eq!(dropped, ["route.fallback[0]", "route.fallback[1]", "route.fallback[2]"]);
}

#[test]
fn the_catalogue_is_believed_about_models_it_speaks_of() {
    let mut world = World::with(json!({"fallback": [{"target": "a/gpt-3.5-turbo"}, {"target": "a/gpt-4o"}]}));
    let picture = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,aa"}});

    assert_eq!(world.order(1), ["a/gpt-3.5-turbo", "a/gpt-4o"]);
    world.request = chat(json!({"messages": [{"role": "user", "content": [picture]}]}));
    assert_eq!(world.order(1), ["a/gpt-4o"]);
}

#[test]
fn one_that_is_too_small_is_stood_in_for_by_the_step_for_that() {
    let units = [facts("small", json!({"context": 100}))];
    let route = json!({"fallback": [
        {"target": "a/small"},
        {"on": ["rate_limit"], "route": {"target": "b/x"}},
        {"on": ["context_length"], "route": {"target": "c/x"}},
    ]});
    let mut world = World::with_units(route, units);
    world.request = chat(json!({"max_tokens": 1_000}));

    assert_eq!(world.first(1), "c/x");
}

#[test]
fn what_may_be_too_long_is_tried_last_and_by_itself_all_the_same() {
    let units = [facts("small", json!({"context": 150}))];
    let route = json!({"fallback": [{"target": "a/small"}, {"target": "b/x"}]});
    let mut world = World::with_units(route, units.clone());
    let question = chat(json!({"messages": [{"role": "user", "content": "x".repeat(800)}]}));
    world.request = question.clone();
    assert_eq!(world.order(1), ["b/x", "a/small"]);

    let mut only = World::with_units(json!({"target": "a/small"}), units);
    only.request = question;
    assert_eq!(only.order(1), ["a/small"]);
}

#[test]
fn a_request_that_is_bound_to_a_region_stays_there() {
    let mut world = World::with_units(
        json!({"weighted": [
            {"weight": 1, "route": {"target": "said/x"}},
            {"weight": 98, "route": {"target": "elsewhere/x"}},
            {"weight": 1, "route": {"target": "unknown/x"}},
        ]}),
        [
            provider("said", ProviderKind::Openai, json!({"residency": ["eu"]})),
            provider("elsewhere", ProviderKind::Openai, json!({"residency": ["us", "ca"]})),
        ],
    );

    assert_eq!(world.order(1).len(), 3);
    world.headers = Headers::from_iter([("x-gw-region", "EU")]);
    assert!((0..100).all(|dice| world.order(dice) == ["said/x"]));
    world.headers = Headers::default();
    world.request = chat(json!({"metadata": {"region": "us"}}));
    assert_eq!(world.order(1), ["elsewhere/x"]);
    world.request = chat(json!({"metadata": {"region": "jp"}}));
    let refused = world.decide(1).expect_err("no plan");
    assert!(
        matches!(&refused, Unroutable::NotInRegion { region, .. } if &**region == "jp"),
        "{refused:?}"
    );
}

#[test]
fn a_region_tells_the_area_but_not_of_a_model_that_runs_everywhere() {
    let route = json!({"fallback": [
        {"target": "bedrock/eu.anthropic.claude-sonnet-4-5"}, {"target": "bedrock/global.anthropic.claude-sonnet-4-5"}
    ]});
    let bedrock = provider("bedrock", ProviderKind::Bedrock, json!({"region": "eu-central-1"}));
    let mut world = World::with_units(route, [bedrock]);

    assert_eq!(world.order(1).len(), 2);
    for region in ["eu", "eu-central-1"] {
        world.headers = Headers::from_iter([("x-gw-region", region)]);
        assert_eq!(world.order(1), ["bedrock/eu.anthropic.claude-sonnet-4-5"], "{region}");
    }
}

#[test]
fn strategies_nest_and_the_trace_tells_each_decision_from_the_root_on() {
    let mut world = World::with(json!({
        "when": [{"if": "request.stream", "route": {"fallback": [
            {"weighted": [{"weight": 0, "route": {"target": "a/x"}}, {"weight": 5, "route": {"target": "b/x"}}]},
            {"round_robin": [{"target": "c/x"}, {"target": "d/x"}]},
        ]}}],
        "otherwise": {"target": "e/x"}
    }));
    world.request = chat(json!({"stream": true}));
    world.open("c", "x");

    let decision = world.explain(1);

    let steps: Vec<_> = decision
        .steps
        .iter()
        .map(|step| (&*step.place, &*step.strategy, &*step.why))
        .collect();
    assert_eq!(
        steps,
        [
            ("route.when[0]", "when", "the condition holds"),
            ("route.when[0].route.fallback[0]", "fallback", "the first step"),
            (
                "route.when[0].route.fallback[0].weighted[1].route",
                "weighted",
                "drawn with a weight of 5 of 5"
            ),
            (
                "route.when[0].route.fallback[1].round_robin[1]",
                "round_robin",
                "its turn"
            ),
        ]
    );
    let candidates = serde_json::to_value(&decision.candidates).expect("JSON");
    assert_eq!(
        candidates,
        json!([
            {"target": "b/x", "place": "route.when[0].route.fallback[0].weighted[1].route", "verdict": "kept", "order": 1},
            {"target": "d/x", "place": "route.when[0].route.fallback[1].round_robin[1]", "verdict": "kept", "order": 2,
             "why": "stands in on error, rate_limit, timeout, context_length"},
            {"target": "c/x", "place": "route.when[0].route.fallback[1].round_robin[0]", "verdict": "kept", "order": 3,
             "why": "its breaker is open: the last resort"},
        ])
    );
}
