//! Strategies that look at how deployments do, at what requests cost, or at what they have in common.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use gatewright_contract::{PriceUnit, UnitBody, UnitId};
use gatewright_llm::Tokens;
use gatewright_routing::{Flight, Headers};
use gatewright_types::api::Rates;
use gatewright_types::{PriceId, UsageUnit};
use serde_json::{Value, json};

use crate::world::{World, chat};

const REQUESTS: u64 = 10_000;

fn targets(providers: &[&str]) -> Vec<Value> {
    let target = |provider| json!({"target": format!("{provider}/x")});
    providers.iter().map(target).collect()
}

fn price(provider: &str, rates: Value) -> (UnitId, UnitBody) {
    let unit = PriceUnit {
        provider: provider.parse().expect("a slug"),
        model: "x".parse().expect("a model"),
        rates: serde_json::from_value::<Rates>(rates).expect("rates"),
        tiers: Vec::new(),
        service_tiers: Vec::new(),
        effective_from: "2026-01-01T00:00:00Z".parse().expect("a time"),
    };
    (UnitId::Price(PriceId::mint()), UnitBody::Price(unit))
}

#[test]
fn round_robin_is_exact_and_goes_round_those_that_are_healthy() {
    let world = World::with(json!({"round_robin": targets(&["a", "b", "c"])}));

    let turns: Vec<_> = (0..6).map(|dice| world.first(dice)).collect();
    assert_eq!(turns, ["a/x", "b/x", "c/x", "a/x", "b/x", "c/x"]);
    assert_eq!(world.order(0), ["a/x", "b/x", "c/x"]);
    assert_eq!(world.order(0), ["b/x", "c/x", "a/x"]);

    world.open("b", "x");
    let share = world.share(1_000);
    assert_eq!(share.into_values().collect::<Vec<_>>(), [500, 500]);
}

#[test]
fn the_least_busy_is_the_one_with_the_fewest_requests_under_way() {
    let world = World::with(json!({"least_busy": targets(&["a", "b", "c"])}));
    let fly = |provider: &str| world.vitals(provider, "x").fly(world.now);

    let under_way = [fly("a"), fly("a"), fly("b")];
    assert_eq!(world.order(1), ["c/x", "b/x", "a/x"]);
    drop(under_way);

    // Each that begins is seen by the next: all get the same.
    let mut under_way: Vec<Flight> = Vec::new();
    let mut share = BTreeMap::<String, u64>::new();
    for dice in 0..300 {
        let first = world.first(dice);
        under_way.push(fly(&first[..1]));
        *share.entry(first).or_default() += 1;
    }
    assert_eq!(share.into_values().collect::<Vec<_>>(), [100, 100, 100]);
}

#[test]
fn the_lowest_usage_is_that_of_the_last_minute() {
    let mut world = World::with(json!({"lowest_usage": targets(&["a", "b"])}));
    world.vitals("a", "x").used_tokens(10, world.now);

    assert_eq!(world.first(1), "b/x");
    world
        .vitals("b", "x")
        .used_tokens(11, world.now + TimeDelta::seconds(60));
    world.now += TimeDelta::seconds(90);
    assert_eq!(world.first(1), "a/x");
}

#[test]
fn the_faster_gets_more_and_nobody_starves() {
    let mut world = World::with(json!({"fastest": targets(&["a", "b", "c"])}));
    let takes = BTreeMap::from([("a/x", 200_u64), ("b/x", 400), ("c/x", 4_000)]);
    let mut share = BTreeMap::<String, u64>::new();
    let mut under_way: Vec<(chrono::DateTime<chrono::Utc>, u64, Flight)> = Vec::new();

    // A request every 20 ms for 200 seconds.
    for dice in 0..REQUESTS {
        world.now += TimeDelta::milliseconds(20);
        under_way.retain(|(end, took, flight)| {
            let is_over = *end <= world.now;
            if is_over {
                flight.first_token(Duration::from_millis(*took), world.now);
            }
            !is_over
        });
        let first = world.first(dice);
        let took = *takes.get(&*first).expect("one of them");
        let end = world.now + TimeDelta::milliseconds(took.cast_signed());
        under_way.push((end, took, world.vitals(&first[..1], "x").fly(world.now)));
        *share.entry(first).or_default() += 1;
    }

    let of = |name: &str| share.get(name).copied().unwrap_or_default();
    assert!(of("a/x") > of("b/x") && of("b/x") > of("c/x"), "{share:?}");
    assert!(of("c/x") > 10 && of("c/x") < REQUESTS / 10, "{share:?}");
}

#[test]
fn one_that_was_slow_is_tried_again_and_wins_when_it_is_fast() {
    let mut world = World::with(json!({"fastest": targets(&["a", "b"])}));
    let note = |world: &World, provider: &str, millis| {
        let flight = world.vitals(provider, "x").fly(world.now);
        flight.first_token(Duration::from_millis(millis), world.now);
    };
    note(&world, "a", 5_000);
    note(&world, "b", 300);
    assert!((0..100).all(|dice| world.first(dice) == "b/x"));

    let tried_again = (0..120).find(|_| {
        world.now += TimeDelta::seconds(1);
        note(&world, "b", 300);
        world.first(1) == "a/x"
    });

    assert!(
        tried_again.is_some_and(|seconds| (10..60).contains(&seconds)),
        "{tried_again:?}"
    );
    note(&world, "a", 100);
    for _ in 0..30 {
        world.now += TimeDelta::seconds(1);
        note(&world, "a", 100);
        note(&world, "b", 300);
    }
    assert_eq!(world.first(1), "a/x");
}

#[test]
fn the_cheapest_is_that_of_this_request_and_one_without_a_price_comes_last() {
    let units = [
        price("a", json!({"input": "1.00", "output": "10.00"})),
        price("b", json!({"input": "3.00", "output": "3.00"})),
    ];
    let mut world = World::with_units(json!({"cheapest": targets(&["c", "a", "b"])}), units);

    world.request = chat(json!({"max_tokens": 10, "messages": [{"role": "user", "content": "x".repeat(40_000)}]}));
    assert_eq!(world.order(1), ["a/x", "b/x", "c/x"]);
    world.request = chat(json!({"max_tokens": 400}));
    assert_eq!(world.order(1), ["b/x", "a/x", "c/x"]);

    // Its answers turn out to be short.
    let mut tokens = Tokens::default();
    tokens.set(UsageUnit::OutputText, 1);
    world.vitals("a", "x").habits().note(&tokens, None, None, world.now);
    assert_eq!(world.order(1), ["a/x", "b/x", "c/x"]);
}

#[test]
fn a_conversation_is_cheapest_where_its_prompt_is_warm_and_only_as_long_as_it_is() {
    let rates = json!({"input": "1.00", "output": "1.00", "cache_read": "0.10"});
    let units = [
        price("a", json!({"input": "0.90", "output": "1.00", "cache_read": "0.09"})),
        price("b", rates.clone()),
    ];
    let mut world = World::with_units(json!({"cheapest": targets(&["a", "b"])}), units);
    let said = |more: &str| {
        let first = json!({"role": "user", "content": "x".repeat(40_000)});
        chat(json!({"messages": [first, {"role": "assistant", "content": "y"}, {"role": "user", "content": more}]}))
    };
    world.request = said("one");
    let plan = world.decide(1).expect("a plan");
    assert_eq!(world.order(1), ["a/x", "b/x"]);

    let mut tokens = Tokens::default();
    tokens.set(UsageUnit::InputUncached, 10_000);
    let rates: Rates = serde_json::from_value(rates).expect("rates");
    let habits = world.vitals("b", "x");
    habits
        .habits()
        .note(&tokens, Some(&rates), plan.conversation, world.now);

    world.request = said("two");
    assert_eq!(world.order(1), ["b/x", "a/x"]);
    world.request = chat(json!({"messages": [{"role": "user", "content": "z".repeat(40_000)}]}));
    assert_eq!(world.order(1), ["a/x", "b/x"]);
    world.request = said("three");
    world.now += TimeDelta::minutes(6);
    assert_eq!(world.order(1), ["a/x", "b/x"]);
}

fn of_user(world: &mut World, user: u64) -> String {
    world.headers = Headers::from_iter([("x-gw-user", format!("user-{user}"))]);
    world.first(user)
}

#[test]
fn those_that_stick_move_only_when_their_own_leaves() {
    let sticky = |providers: &[&str]| World::with(json!({"sticky": {"by": ["user"], "routes": targets(providers)}}));
    let mut all = sticky(&["a", "b", "c", "d"]);
    let mut without_c = sticky(&["d", "a", "b"]);
    let mut share = BTreeMap::<String, u64>::new();

    for user in 0..REQUESTS {
        let before = of_user(&mut all, user);
        let after = of_user(&mut without_c, user);
        assert!(before == after || before == "c/x", "{user}: from {before} to {after}");
        *share.entry(before).or_default() += 1;
    }

    let least = share.values().min().copied().unwrap_or_default();
    let most = share.values().max().copied().unwrap_or_default();
    assert!(
        least.abs_diff(2_500) <= REQUESTS / 50 && most.abs_diff(2_500) <= REQUESTS / 50,
        "{share:?}"
    );
}

#[test]
fn what_sticks_goes_to_the_same_next_one_while_its_own_is_not_healthy() {
    let mut world = World::with(json!({"sticky": {"by": ["user"], "routes": targets(&["a", "b", "c"])}}));
    world.headers = Headers::from_iter([("x-gw-user", "u")]);
    let order = world.order(1);
    assert!((0..100).all(|dice| world.order(dice) == order));

    let (own, _) = order[0].split_once('/').expect("a target");
    world.open(own, "x");

    assert!((0..100).all(|dice| world.first(dice) == order[1]));
    world.now += TimeDelta::minutes(2);
    assert_eq!(world.first(5), order[0]);
}

#[test]
fn the_first_thing_in_common_decides_and_without_any_chance_does() {
    let by = |by: Value| World::with(json!({"sticky": {"by": by, "routes": targets(&["a", "b", "c", "d"])}}));
    let turns = |world: &World| {
        (0..50)
            .map(|dice| world.first(dice))
            .collect::<std::collections::BTreeSet<_>>()
    };

    let mut world = by(json!(["session", "user"]));
    assert!(turns(&world).len() > 1);
    world.request = chat(json!({"user": "u"}));
    let of_user = turns(&world);
    assert_eq!(of_user.len(), 1);
    world.request = chat(json!({"user": "another", "prompt_cache_key": "s"}));
    let of_session = turns(&world);
    world.request = chat(json!({"user": "u", "prompt_cache_key": "s"}));
    assert_eq!(turns(&world), of_session);

    assert_eq!(turns(&by(json!(["prefix"]))).len(), 1);
    assert_eq!(turns(&by(json!(["key"]))).len(), 1);
}

#[test]
fn a_candidate_gets_its_part_always_of_the_same_users_and_is_stood_in_for() {
    let canary = |percent| {
        let route = json!({"canary": {
            "stable": {"target": "a/x"}, "candidate": {"target": "b/x"}, "percent": percent, "by": ["user"],
        }});
        World::with(route)
    };
    let mut ten = canary(10);
    let mut thirty = canary(30);
    // The same canary, some time later.
    let mut later = World {
        model: Arc::clone(&thirty.model),
        ..canary(10)
    };
    let model = Arc::make_mut(&mut later.model);
    model.route = ten.model.route.clone();
    model.id = thirty.model.id;

    let (mut of_ten, mut of_thirty) = (0, 0);
    for user in 0..REQUESTS {
        let candidate = of_user(&mut later, user) == "b/x";
        of_ten += u64::from(of_user(&mut ten, user) == "b/x");
        let still = of_user(&mut thirty, user) == "b/x";
        of_thirty += u64::from(still);
        assert!(still || !candidate, "{user} was taken back");
    }

    assert!(of_ten.abs_diff(1_000) <= REQUESTS / 50, "{of_ten}");
    assert!(of_thirty.abs_diff(3_000) <= REQUESTS / 50, "{of_thirty}");
    assert_eq!(canary(0).share(1_000).get("b/x"), None);
    assert_eq!(canary(100).order(1), ["b/x", "a/x"]);
    assert_eq!(canary(0).order(1), ["a/x"]);
}

#[test]
fn legs_that_requests_stick_to_know_what_those_have_in_common() {
    let sticky = json!({"sticky": {"by": ["session"], "routes": targets(&["a", "b"])}});
    let mut world = World::with(json!({"fallback": [{"target": "c/x"}, sticky]}));
    let affinities = |world: &World| {
        let plan = world.decide(1).expect("a plan");
        plan.legs.iter().map(|leg| leg.affinity).collect::<Vec<_>>()
    };

    assert_eq!(affinities(&world), [None, None, None], "nothing in common");
    world.headers = Headers::from_iter([("x-gw-session", "one")]);
    let one = affinities(&world);
    assert!(
        matches!(one[..], [None, Some(first), Some(second)] if first == second),
        "{one:?}"
    );
    world.headers = Headers::from_iter([("x-gw-session", "other")]);
    assert_ne!(affinities(&world), one);
}
