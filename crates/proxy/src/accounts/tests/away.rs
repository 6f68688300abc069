//! What a node does while nobody can say what was spent.

use std::time::Duration;

use gatewright_coord::{Counters, LocalCounters, Redis, RedisCounters, Seed};
use gatewright_types::OrganizationId;
use tokio::time::{sleep, timeout};

use super::super::{Accounts, Denied};
use super::{World, eventually, of, smooth, spend, strict};

/// At an address where nobody listens.
fn nowhere() -> World {
    let redis = Redis::open("redis://127.0.0.1:1/").expect("a usable address");
    World {
        counters: Counters::Redis(RedisCounters::new(redis)),
        organization: OrganizationId::mint(),
    }
}

async fn refusal(accounts: &Accounts, world: &World, demands: &[super::Demand]) -> Denied {
    let refused = accounts.reserve(world.organization, demands, None).await;
    refused.map(drop).expect_err("it is refused")
}

#[tokio::test]
async fn each_counter_says_what_is_done_while_it_cannot_be_asked_for() {
    let world = nowhere();
    let (accounts, _) = world.accounts();
    let (local, deny) = (smooth("local", 10), strict("deny", 10));

    let one = [of(&local, 1)];
    let given_up = accounts.reserve(world.organization, &one, None);
    assert!(
        timeout(Duration::from_millis(1), given_up).await.is_err(),
        "it takes longer"
    );

    for _ in 0..10 {
        assert!(spend(&accounts, &world, &local, 1).await);
    }
    let spent = refusal(&accounts, &world, &[of(&local, 1)]).await;
    assert!(matches!(spent, Denied::Spent { index: 0, .. }), "{spent:?}");
    let both = refusal(&accounts, &world, &[of(&smooth("other", 10), 1), of(&deny, 1)]).await;
    assert_eq!(both, Denied::Unavailable { index: 1 });
    assert_eq!(
        accounts
            .peek(world.organization, &smooth("other", 10))
            .spent_or_reserved,
        0
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_let_through_meanwhile_is_reported_when_it_is_back() {
    let world = World {
        counters: Counters::Local(LocalCounters::new()),
        organization: OrganizationId::mint(),
    };
    let node = world.node();
    let (budget, exact) = (smooth("budget", 10), strict("exact", 10));
    assert!(spend(&node.accounts, &world, &budget, 7).await);
    let unseeded = refusal(&node.accounts, &world, &[of(&exact, 1)]).await;
    assert_eq!(unseeded, Denied::Unavailable { index: 0 });

    let seed = Seed {
        key: budget.key.text(),
        counting: budget.counting,
        part: 0,
        spent: 2,
    };
    assert!(
        world
            .counters
            .seed(world.organization, &[seed])
            .await
            .expect("it answers")
    );

    eventually("it reports what it let through", || async {
        world.spent(&budget).await == 9
    })
    .await;
    assert!(!spend(&node.accounts, &world, &budget, 2).await);
    assert!(spend(&node.accounts, &world, &budget, 1).await);
    let all = || spend(&node.accounts, &world, &exact, 10);
    eventually("it asks again", all).await;
    node.stop().await;
}

/// A report of this node, or of what another needs of it, may be the first to find them filled.
#[tokio::test(start_paused = true)]
async fn who_waits_for_counters_to_be_filled_is_served_when_a_report_finds_them_filled_first() {
    let world = World {
        counters: Counters::Local(LocalCounters::new()),
        organization: OrganizationId::mint(),
    };
    let node = world.node();
    let exact = strict("exact", 10);
    // More than a report brings.
    let demands = [of(&exact, 10)];
    let waits = node.accounts.reserve(world.organization, &demands, None);
    let filled = async {
        sleep(Duration::from_millis(60)).await;
        assert!(world.counters.seed(world.organization, &[]).await.expect("it answers"));
    };
    // Reports are due all five seconds.
    sleep(Duration::from_millis(4_900)).await;

    let (served, ()) = tokio::join!(waits, filled);

    assert!(served.is_ok(), "{served:?}");
    drop(served);
    node.stop().await;
}
