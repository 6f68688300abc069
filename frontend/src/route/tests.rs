use gatewright_types::api::{Decision, Route};

use super::place::places;
use super::*;

const TREE: &str = "
when:
- if: request.stream && team == 'search'
  route:
    sticky:
      by: [user]
      routes:
      - target: a/x
      - target: b/x
otherwise:
  fallback:
  - weighted:
    - weight: 90
      route: {target: a/x}
    - weight: 10
      route:
        canary:
          stable: {target: a/x}
          candidate: {target: b/y}
          percent: 5
          ramp: {step: 10, every: 1h, until: 50}
          rollback: {min_requests: 20, error_rate: 2, cost: 150}
  - on: [timeout, rate_limit]
    route:
      round_robin:
      - target: c/z
      - least_busy: [{target: d/z}, {fastest: [{target: d/w}]}]
  - task:
      code: {cheapest: [{target: a/x}]}
      prose: {lowest_usage: [{target: a/x}]}
    otherwise: {target: a/x}
  - target:
      provider: e
      model: w
      params: {temperature: 0, stop: ['a', null]}
      prompt: Be short.
      headers: {x-title: Tests}
      fault: {kind: stall, percent: 50, delay: 2s}
";

fn route(text: &str) -> Route {
    serde_yaml_ng::from_str(text).expect("a route")
}

fn draft(text: &str) -> Draft {
    parse(text).expect("a route")
}

/// The node whose target is this.
fn target(draft: &Draft, name: &str) -> NodeId {
    let nodes = draft.walk();
    let found = nodes
        .iter()
        .find(|visit| format!("{}/{}", visit.node.leaf.provider, visit.node.leaf.model) == name);
    found.expect("a target").node.id
}

#[test]
fn a_tree_is_the_same_after_graph_and_text() {
    let draft = draft(TREE);

    assert_eq!(read(&draft), Ok(route(TREE)));
    let written = write(&draft);
    assert_eq!(route(&written), route(TREE), "{written}");
    assert_eq!(parse(&written).as_ref(), Ok(&draft));
}

#[test]
fn places_are_those_of_the_route() {
    let draft = draft(TREE);
    let read = route(TREE);
    let mut expected = Vec::new();
    read.visit("route", &mut |place, node| {
        expected.push((place.to_owned(), node.strategy()))
    });

    let mut found: Vec<_> = places(&draft)
        .into_iter()
        .map(|(place, id)| (place, draft.node(id).expect("a node").strategy.word()))
        .collect();

    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    let at = node_at(&draft, "route.otherwise.fallback[3].target.fault.percent");
    assert_eq!(at, Some(target(&draft, "e/w")));
    // What stands on an edge belongs to the node it leads to.
    let edge = node_at(&draft, "route.otherwise.fallback[0].weighted[1].weight");
    assert_eq!(
        edge,
        node_at(&draft, "route.otherwise.fallback[0].weighted[1].route.canary")
    );
    assert_eq!(
        node_at(&draft, "route.when[0].if"),
        node_at(&draft, "route.when[0].route")
    );
    assert_eq!(node_at(&draft, "name"), None);
}

#[test]
fn a_text_that_is_no_route_says_where() {
    for (text, line, expected) in [
        ("fallback:\n- target: a/x\n- target: nowhere\n", 3, "provider/model"),
        ("fallback:\n- target: a/x\n  wieghted: []\n", 3, "wieghted"),
        ("fallback: [\n", 1, "there is no ]"),
        (
            "fallback:\n- target: b/y\n- weighted:\n  - weight: 1\n    route: {}\n",
            4,
            "none of them",
        ),
        ("target:\n  provider: a\n  model: 4\n", 3, "put it in quotes"),
        ("", 1, "nothing here yet"),
        ("weighted:\n- weight: many\n  route: {target: a/x}\n", 2, "many"),
    ] {
        let error = parse(text).expect_err("no route");
        assert!(error.message.contains(expected), "{text}: {error:?}");
        assert!(!error.message.contains(" at line "), "{error:?}");
        assert_eq!(error.at.line, line, "{text}: {error:?}");
    }
}

#[test]
fn everything_unfinished_is_told_with_its_node() {
    let mut draft = draft("weighted: [{weight: 1, route: {target: a/x}}, {weight: 2, route: {target: b/x}}]");
    let (first, second) = (target(&draft, "a/x"), target(&draft, "b/x"));
    draft.change_terms(first, |terms| terms.weight = "much".to_owned());
    draft.change_node(second, |node| {
        node.leaf.model.clear();
        node.leaf.params = "{".to_owned();
    });
    let third = draft.wrap(second, Strategy::When).expect("a node");

    let problems = read(&draft).expect_err("problems");

    let found: Vec<_> = problems.iter().map(|problem| (problem.node, problem.field)).collect();
    let beside = draft.node(third).expect("a node").children[1].node.id;
    let expected = [
        (first, "weight"),
        (second, "model"),
        (second, "params"),
        (second, "if"),
        (beside, "provider"),
        (beside, "model"),
    ];
    assert_eq!(found, expected);
    // It can be written all the same, and what was typed is in the text.
    assert!(write(&draft).contains("weight: much"));
}

#[test]
fn another_strategy_keeps_the_branches_and_what_was_said_of_them() {
    let mut draft = draft("weighted: [{weight: 3, route: {target: a/x}}, {weight: 7, route: {target: b/x}}]");
    let before = draft.clone();

    draft.change_strategy(draft.root.id, Strategy::Fallback);
    let other = route("fallback: [{target: a/x}, {target: b/x}]");
    assert_eq!(read(&draft), Ok(other));
    draft.change_strategy(draft.root.id, Strategy::Weighted);
    assert_eq!(read(&draft), read(&before));

    draft.change_strategy(draft.root.id, Strategy::Target);
    assert_eq!(read(&draft), Ok(route("target: a/x")));
}

#[test]
fn a_canary_has_two_branches_whatever_it_was_made_from() {
    let mut draft = draft("fallback: [{target: a/x}, {target: b/x}, {target: c/x}]");
    draft.change_strategy(draft.root.id, Strategy::Canary);

    let expected = "canary: {stable: {target: a/x}, candidate: {fallback: [{target: b/x}, {target: c/x}]}, percent: 5}";
    assert_eq!(read(&draft), Ok(route(expected)));
}

#[test]
fn branches_are_added_moved_wrapped_and_taken_out() {
    let mut draft = draft("when: [{if: a, route: {target: a/x}}]\notherwise: {target: b/x}");
    let (first, rest) = (target(&draft, "a/x"), target(&draft, "b/x"));

    let added = draft.add_child(draft.root.id).expect("a node");
    let order = |draft: &Draft| {
        draft
            .root
            .children
            .iter()
            .map(|child| child.node.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(order(&draft), [first, added, rest], "otherwise stays the last");
    draft.shift(added, Direction::Before);
    assert_eq!(order(&draft), [added, first, rest]);
    draft.shift(first, Direction::After);
    assert_eq!(order(&draft), [added, first, rest], "nothing comes after otherwise");

    let outer = draft.wrap(first, Strategy::Fallback).expect("a node");
    assert_eq!(draft.node(outer).expect("a node").children[0].node.id, first);
    assert_eq!(draft.edge(outer).map(|(_, position)| position), Some(1));
    assert_eq!(
        draft.root.children[1].terms.condition, "a",
        "the edge stays what it was"
    );
    assert_eq!(draft.unwrap(first), Some(first));
    assert_eq!(order(&draft), [added, first, rest]);

    assert_eq!(draft.remove(added), Some(draft.root.id));
    assert_eq!(draft.remove(draft.root.id), None);
    assert_eq!(order(&draft), [first, rest]);
}

#[test]
fn no_card_covers_another_or_stands_outside() {
    let mut draft = draft(TREE);
    let many = draft.walk().iter().map(|visit| visit.node.id).nth(3).expect("a node");
    draft.wrap(many, Strategy::RoundRobin);
    for flow in [Flow::Across, Flow::Outline] {
        let Drawing { cards, size } = lay_out(&draft, flow);
        assert_eq!(cards.len(), draft.walk().len());
        for (index, card) in cards.iter().enumerate() {
            assert!(card.left + CARD.width <= size.width && card.top + CARD.height <= size.height);
            for other in &cards[index + 1..] {
                let apart = card.left.abs_diff(other.left) >= CARD.width || card.top.abs_diff(other.top) >= CARD.height;
                assert!(apart, "{flow:?}: {card:?} and {other:?}");
            }
            assert_eq!(card.edge.is_none(), index == 0);
        }
    }
}

#[test]
fn edges_say_what_leads_along_them() {
    let draft = draft(TREE);
    let labels: Vec<_> = draft
        .walk()
        .into_iter()
        .filter_map(|visit| edge_label(visit.parent?, visit.position))
        .collect();

    let expected = [
        "if request.stream && team == 'search'",
        "otherwise",
        "first",
        "90 %",
        "10 %",
        "stable",
        "candidate 5 %",
        "on timeout, rate limit",
        "on failure",
        "code",
        "prose",
        "otherwise",
        "on failure",
    ];
    assert_eq!(labels, expected);
    assert_eq!(told(&route(TREE)), "12 targets by condition");
    assert_eq!(told(&route("target: a/x")), "a/x");
}

#[test]
fn a_decision_lights_the_way_of_the_first_choice() {
    let draft = draft(
        "when: [{if: a, route: {fallback: [{target: a/x}, {target: b/x}, {target: c/x}]}}]\notherwise: {target: d/x}",
    );
    let mut decision = Decision::default();
    let route = &mut decision.route;
    route.step("route.when[0]", "when", "condition holds");
    let to = |target: &str| target.parse().expect("a target");
    route.keep(to("b/x"), "route.when[0].route.fallback[1].target", None);
    route.keep(
        to("c/x"),
        "route.when[0].route.fallback[2].target",
        Some("stands in on failure".into()),
    );
    route.drop(to("a/x"), "route.when[0].route.fallback[0].target", "no vision");

    let marks = marks(&draft, &decision);

    let of = |name: &str| marks.get(&target(&draft, name)).cloned().unwrap_or_default();
    let fallback = node_at(&draft, "route.when[0].route").expect("a node");
    assert_eq!(marks[&draft.root.id].way, Way::Taken);
    assert_eq!(
        (marks[&fallback].way, marks[&fallback].why.as_deref()),
        (Way::Taken, Some("condition holds"))
    );
    assert_eq!((of("b/x").way, of("b/x").order), (Way::Taken, Some(1)));
    assert_eq!((of("c/x").way, of("c/x").order), (Way::StandsBy, Some(2)));
    assert_eq!(
        (of("a/x").way, of("a/x").why.as_deref()),
        (Way::Dropped, Some("no vision"))
    );
    assert_eq!(of("d/x").way, Way::Aside);
}
