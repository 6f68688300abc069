use serde_json::json;

use super::*;

fn target(text: &str) -> Target {
    text.parse().expect("a target")
}

#[test]
fn kept_candidates_come_first_in_their_turn() {
    let mut route = RouteDecision::default();
    route.step("route.when[0]", "when", "condition holds");
    route.drop(target("a/x"), "route.fallback[0].target", "no vision");
    route.keep(target("b/y"), "route.fallback[1].target", None);
    route.keep(
        target("c/z"),
        "route.fallback[2].target",
        Some("stands in on timeout".into()),
    );

    let written = serde_json::to_value(&route).expect("JSON");

    assert_eq!(
        written,
        json!({
            "steps": [{"place": "route.when[0]", "strategy": "when", "why": "condition holds"}],
            "candidates": [
                {"target": "b/y", "place": "route.fallback[1].target", "verdict": "kept", "order": 1},
                {"target": "c/z", "place": "route.fallback[2].target", "verdict": "kept", "order": 2, "why": "stands in on timeout"},
                {"target": "a/x", "place": "route.fallback[0].target", "verdict": "dropped", "why": "no vision"},
            ]
        })
    );
    assert_eq!(
        serde_json::from_value::<RouteDecision>(written).expect("a decision"),
        route
    );
}

#[test]
fn what_did_not_happen_takes_no_room() {
    let decision = Decision {
        model: Some("fast".to_owned()),
        ..Decision::default()
    };

    let written = decision.clone().into_json();

    assert_eq!(written, r#"{"model":"fast"}"#);
    assert_eq!(
        serde_json::from_str::<Decision>(&written).expect("a decision"),
        decision
    );
}

#[test]
fn a_long_decision_loses_the_candidates_that_count_least_and_says_so() {
    let mut decision = Decision::default();
    decision.route.step("route.fallback[0]", "fallback", "first of 400");
    for index in 0..400 {
        let place = format!("route.fallback[{index}].target");
        match index % 2 {
            0 => decision.route.keep(target("a/kept"), place, None),
            _ => decision.route.drop(target("a/dropped"), place, "x".repeat(900)),
        }
    }

    let written = decision.into_json();

    assert!(written.len() <= Decision::LONGEST_BYTES, "{}", written.len());
    assert!(written.len() > Decision::LONGEST_BYTES / 2, "{}", written.len());
    let read: Decision = serde_json::from_str(&written).expect("a decision");
    let told = u32::try_from(read.route.candidates.len()).expect("few");
    assert_eq!(told + read.left_out.candidates, 400);
    assert_eq!((read.left_out.steps, read.route.steps.len()), (0, 1));
    let dropped = read
        .route
        .candidates
        .iter()
        .filter(|candidate| matches!(candidate.verdict, Verdict::Dropped { .. }));
    assert!(read.route.kept().count() > dropped.count());
}

#[test]
fn whatever_is_long_the_bound_holds() {
    let attempt = Attempt {
        target: target("a/x"),
        credential: None,
        reason: AttemptReason::Retry,
        began_us: 0,
        took_us: 1,
        ended: AttemptEnd::Failed {
            status: Some(500),
            failure: Some(FailureClass::Error),
            // In JSON six bytes each.
            message: "\u{1}".repeat(5_000).into(),
        },
    };
    let decision = Decision {
        model: Some("\u{1}".repeat(100_000)),
        attempts: vec![attempt; 100],
        error: Some(DecisionError {
            code: "upstream_error".into(),
            message: "é".repeat(50_000).into(),
        }),
        ..Decision::default()
    };

    let written = decision.into_json();

    assert!(written.len() <= Decision::LONGEST_BYTES, "{}", written.len());
    let read: Decision = serde_json::from_str(&written).expect("a decision");
    assert_eq!(read.attempts.len() + read.left_out.attempts as usize, 100);
    assert!(read.error.is_some_and(|error| error.message.ends_with('…')));
}
