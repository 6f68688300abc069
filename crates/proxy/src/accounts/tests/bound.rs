//! How far beyond its cap a smooth budget ends when requests cost many times what they reserve: by no more than what those
//! cost beyond it that are under way while their node asks for the last one that it lets in, and about as far as that.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use gatewright_types::OrganizationId;
use tokio::task::LocalSet;
use tokio::time::sleep;

use super::{Accounts, Counter, World, of, smooth, strict};

const USUAL: i64 = 100;
const NODES: usize = 3;

/// What a node's callers do. All of them are on one thread, so that what is noted is what was so at that moment.
#[derive(Debug, Default)]
struct Seen {
    /// Numbers of requests, with what each costs beyond what it reserved.
    under_way: BTreeSet<(u64, i64)>,
    ended: Vec<(u64, i64)>,
    /// What was under way at any time while the last one asked that was let in.
    at_last: BTreeSet<(u64, i64)>,
    spent: i64,
}

/// Callers who differ in when they come, how long they take and what they cost.
#[derive(Debug, Clone, Copy)]
struct Callers {
    count: u64,
    /// Each asks again until it is refused.
    again: bool,
    begin_within_ms: u64,
    take_up_to_ms: u64,
    /// In multiples of what is reserved.
    cost_up_to: i64,
}

fn mixed(number: u64, below: u64) -> u64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)) % below.max(1)
}

async fn call(
    accounts: Accounts,
    organization: OrganizationId,
    counter: Counter,
    seen: Rc<RefCell<Seen>>,
    callers: Callers,
    caller: u64,
) {
    sleep(Duration::from_millis(mixed(caller, callers.begin_within_ms))).await;
    for turn in 0.. {
        let number = caller * 1_000 + turn;
        let multiple = i64::try_from(mixed(number, callers.cost_up_to.unsigned_abs())).expect("few") + 1;
        let cost = USUAL * multiple.max(callers.cost_up_to / 2);
        let ended_before = seen.borrow().ended.len();
        let Ok(mut reserved) = accounts.reserve(organization, &[of(&counter, USUAL)], None).await else {
            return;
        };
        let request = (number, cost - USUAL);
        {
            let mut seen = seen.borrow_mut();
            seen.under_way.insert(request);
            let meanwhile = seen.ended.iter().skip(ended_before);
            seen.at_last = seen.under_way.iter().chain(meanwhile).copied().collect();
        }
        sleep(Duration::from_millis(1 + mixed(number, callers.take_up_to_ms))).await;
        reserved.settle(0, cost);
        let mut seen = seen.borrow_mut();
        seen.under_way.remove(&request);
        seen.ended.push(request);
        seen.spent += cost;
        if !callers.again {
            return;
        }
    }
}

/// What was spent in all, and the formula's sum.
async fn spent_and_bound(world: &World, counter: &Counter, callers: Callers) -> (i64, i64) {
    let nodes = [world.node(), world.node(), world.node()];
    let seen: [Rc<RefCell<Seen>>; NODES] = Default::default();
    let local = LocalSet::new();
    for caller in 0..callers.count {
        let place = usize::try_from(caller).expect("few") % NODES;
        let (Some(node), Some(seen)) = (nodes.get(place), seen.get(place)) else {
            continue;
        };
        local.spawn_local(call(
            node.accounts.clone(),
            world.organization,
            counter.clone(),
            seen.clone(),
            callers,
            caller,
        ));
    }
    local.await;
    for node in nodes {
        node.stop().await;
    }
    let spent = seen.iter().map(|seen| seen.borrow().spent).sum();
    let beyond = |seen: &Rc<RefCell<Seen>>| seen.borrow().at_last.iter().map(|(_, beyond)| beyond).sum::<i64>();
    assert_eq!(world.spent(counter).await, spent, "all of it is reported");
    (spent, seen.iter().map(beyond).sum())
}

#[tokio::test]
async fn a_smooth_budget_ends_beyond_its_cap_by_the_bound_at_most_and_comes_near_it() {
    let all_at_once = Callers {
        count: 300,
        again: false,
        begin_within_ms: 1,
        take_up_to_ms: 30,
        cost_up_to: 20,
    };
    for world in World::both().await {
        for (name, cap, callers) in [
            ("all at once", 120 * USUAL, all_at_once),
            (
                "again and again",
                3_000 * USUAL,
                Callers {
                    count: 90,
                    again: true,
                    begin_within_ms: 20,
                    ..all_at_once
                },
            ),
            (
                "long ones among short ones",
                400 * USUAL,
                Callers {
                    count: 60,
                    again: true,
                    take_up_to_ms: 200,
                    cost_up_to: 50,
                    ..all_at_once
                },
            ),
        ] {
            let counter = smooth(name, cap);
            let (spent, bound) = spent_and_bound(&world, &counter, callers).await;

            assert!(spent <= cap + bound, "{name}: {spent} of {cap}, and {bound}");
            assert!(
                spent - cap >= bound / 2,
                "{name}: the bound is loose: {spent} of {cap}, and {bound}"
            );
        }
    }
}

#[tokio::test]
async fn a_strict_budget_has_nothing_to_add() {
    for world in World::both().await {
        let counter = strict("strict", 500 * USUAL);
        let callers = Callers {
            count: 60,
            again: true,
            begin_within_ms: 10,
            take_up_to_ms: 20,
            // What each reserves is the most that it costs.
            cost_up_to: 1,
        };
        let (spent, bound) = spent_and_bound(&world, &counter, callers).await;

        assert_eq!(bound, 0);
        assert!((450 * USUAL..=500 * USUAL).contains(&spent), "{spent}");
    }
}
