//! What one node does.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use gatewright_contract::Counting;
use gatewright_coord::{Counters, LocalCounters};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::super::{Counter, Denied};
use super::{World, a_minute, eventually, of, smooth, spend, strict};

#[tokio::test]
async fn what_is_reserved_and_not_settled_is_free_again() {
    let world = World::local().await;
    let (accounts, _) = world.accounts();
    let budget = smooth("budget", 10);

    let mut first = accounts
        .reserve(world.organization, &[of(&budget, 6)], None)
        .await
        .expect("it fits");
    let refused = accounts.reserve(world.organization, &[of(&budget, 6)], None).await;
    assert!(matches!(refused, Err(Denied::Spent { index: 0, .. })), "{refused:?}");
    first.settle(0, 2);
    let released = accounts
        .reserve(world.organization, &[of(&budget, 8)], None)
        .await
        .expect("it fits by now");
    drop(released);

    let standing = accounts.peek(world.organization, &budget);
    assert_eq!((standing.spent_or_reserved, standing.remaining), (2, 8));
    first.settle(0, 5);
    assert_eq!(accounts.peek(world.organization, &budget).spent_or_reserved, 5);
}

#[tokio::test]
async fn all_is_reserved_or_nothing() {
    let world = World::local().await;
    let (accounts, _) = world.accounts();
    let (wide, narrow) = (smooth("wide", 100), smooth("narrow", 3));

    let mut reserved = accounts
        .reserve(world.organization, &[of(&wide, 10)], None)
        .await
        .expect("it fits");
    let refused = reserved.add(&[of(&wide, 10), of(&narrow, 4)], None).await;
    assert!(matches!(refused, Err(Denied::Spent { index: 1, .. })), "{refused:?}");
    assert_eq!(accounts.peek(world.organization, &wide).spent_or_reserved, 10);

    reserved
        .add(&[of(&narrow, 1), of(&wide, 80), of(&narrow, 2)], None)
        .await
        .expect("it fits");
    let left = |index, counter| {
        let standing = reserved.standing(index, counter, accounts.now());
        standing.map(|standing| standing.remaining)
    };
    assert_eq!(
        (left(0, &wide), left(1, &narrow), left(4, &wide)),
        (Some(10), Some(0), None)
    );
    reserved.settle_all([9, 1, 70, 0]);
    drop(reserved);
    assert_eq!(accounts.peek(world.organization, &wide).spent_or_reserved, 79);
    assert_eq!(accounts.peek(world.organization, &narrow).spent_or_reserved, 1);
}

#[tokio::test]
async fn a_cap_that_is_lowered_holds_at_once() {
    let world = World::local().await;
    let (accounts, _) = world.accounts();
    assert!(spend(&accounts, &world, &smooth("budget", 1000), 10).await);

    assert!(!spend(&accounts, &world, &smooth("budget", 10), 1).await);
    assert!(spend(&accounts, &world, &smooth("budget", 20), 10).await);
}

#[tokio::test]
async fn what_costs_more_than_it_reserved_counts_in_full_and_is_the_last() {
    let world = World::local().await;
    let node = world.node();
    let budget = smooth("budget", 100);

    let mut under_way = Vec::new();
    for _ in 0..10 {
        under_way.push(
            node.accounts
                .reserve(world.organization, &[of(&budget, 10)], None)
                .await
                .expect("it fits"),
        );
    }
    for reserved in &mut under_way {
        reserved.settle(0, 15);
    }

    assert!(!spend(&node.accounts, &world, &budget, 1).await);
    node.stop().await;
    assert_eq!(world.spent(&budget).await, 150);
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_served_in_the_order_of_arrival() {
    let world = World::with_the_tests_clock().await;
    let (accounts, _) = world.accounts();
    let budget = strict("budget", 10);
    let mut first = accounts
        .reserve(world.organization, &[of(&budget, 10)], None)
        .await
        .expect("it fits");
    let (served, mut order) = tokio::sync::mpsc::channel(8);
    let mut waiting = JoinSet::new();
    for number in 0..6 {
        let (accounts, budget, served, organization) =
            (accounts.clone(), budget.clone(), served.clone(), world.organization);
        waiting.spawn(async move {
            let patience = Some(Duration::from_secs(600));
            let mut reserved = accounts
                .reserve(organization, &[of(&budget, 9)], patience)
                .await
                .expect("it waits");
            served.send(number).await.expect("somebody listens");
            sleep(Duration::from_secs(1)).await;
            reserved.settle(0, 0);
        });
        sleep(Duration::from_secs(1)).await;
    }
    let begun = Instant::now();
    let impatient = accounts
        .reserve(world.organization, &[of(&budget, 1)], Some(Duration::from_secs(3)))
        .await;
    assert!(impatient.is_err(), "nobody is let past those who wait");
    assert!(begun.elapsed() >= Duration::from_secs(3));
    // Nobody can have more than this leaves, however long it waits.
    first.settle(0, 1);
    waiting.join_all().await;

    let mut served = Vec::new();
    while let Ok(number) = order.try_recv() {
        served.push(number);
    }
    assert_eq!(served, [0, 1, 2, 3, 4, 5]);
    let begun = Instant::now();
    let in_vain = accounts
        .reserve(world.organization, &[of(&budget, 10)], Some(Duration::from_secs(60)))
        .await;
    assert!(matches!(in_vain, Err(Denied::Spent { .. })), "{in_vain:?}");
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn steady_traffic_hardly_ever_asks() {
    let world = World::with_the_tests_clock().await;
    let node = world.node();
    let counters = [
        smooth("organization", 1_000_000_000_000),
        smooth("team", 100_000_000_000),
        strict("key", 100_000_000_000),
        a_minute("requests", 12_000),
        a_minute("tokens", 12_000_000),
        smooth("at once", 100),
    ];
    let demands = [
        of(&counters[0], 1_000_000),
        of(&counters[1], 1_000_000),
        of(&counters[2], 9_000_000),
        of(&counters[3], 1),
        of(&counters[4], 700),
        of(&counters[5], 1),
    ];

    let mut calls = JoinSet::new();
    for _ in 0..10_000 {
        let (accounts, demands, organization) = (node.accounts.clone(), demands.clone(), world.organization);
        calls.spawn(async move {
            let reserved = accounts
                .reserve(organization, &demands, Some(Duration::from_secs(1)))
                .await;
            let mut reserved = reserved.expect("there is plenty");
            reserved.settle(3, 1);
            sleep(Duration::from_millis(400)).await;
            reserved.settle_all([2_000_000, 2_000_000, 2_000_000, 1, 1000, 0]);
        });
        sleep(Duration::from_millis(10)).await;
    }
    calls.join_all().await;

    let asked = node.round_trips();
    node.stop().await;
    assert!(asked < 200, "{asked} round trips for 10,000 requests");
    assert_eq!(world.spent(&counters[0]).await, 20_000_000_000);
    assert_eq!(world.spent(&counters[2]).await, 20_000_000_000);
    assert_eq!(world.spent(&counters[5]).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_uses_nothing_holds_nothing_and_forgets() {
    let world = World::with_the_tests_clock().await;
    let node = world.node();
    let budget = smooth("budget", 1000);
    assert!(spend(&node.accounts, &world, &budget, 10).await);
    assert!(!world.standing(&budget).await.leased.is_empty());

    eventually("it gives back what it does not use", || async {
        let standing = world.standing(&budget).await;
        standing.leased.is_empty() && standing.parts.get(&0) == Some(&10)
    })
    .await;
    let shelves = &node.accounts.inner.shelves;
    eventually("it forgets", || async { shelves.all().is_empty() }).await;
    assert!(spend(&node.accounts, &world, &budget, 10).await);
    node.stop().await;
    assert_eq!(world.spent(&budget).await, 20);
}

#[tokio::test]
async fn windows_go_by_the_counters_clock() {
    let ahead = TimeDelta::minutes(7);
    let clock = move || (chrono::Utc::now() + ahead).timestamp_millis();
    let world = World::over(Counters::Local(LocalCounters::with_clock(clock))).await;
    let node = world.node();
    let limit = a_minute("requests", 100);
    eventually("it learns what time it is", || async {
        let differs = node.accounts.now() - world.counters.now().await.expect("it answers");
        differs.abs() < TimeDelta::seconds(2)
    })
    .await;

    assert!(spend(&node.accounts, &world, &limit, 1).await);
    node.stop().await;

    assert_eq!(world.spent(&limit).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_minute_that_is_spent_is_free_again_when_it_is_over() {
    let world = World::with_the_tests_clock().await;
    let node = world.node();
    let limit = a_minute("requests", 30);
    let mut let_through = 0;
    while spend(&node.accounts, &world, &limit, 1).await {
        let_through += 1;
    }
    assert_eq!(let_through, 30);
    let standing = node.accounts.peek(world.organization, &limit);
    assert_eq!((standing.cap, standing.remaining), (30, 0));
    assert!(standing.resets_at.is_some());

    sleep(Duration::from_secs(50)).await;
    assert!(!spend(&node.accounts, &world, &limit, 1).await);
    sleep(Duration::from_secs(12)).await;
    assert!(spend(&node.accounts, &world, &limit, 30).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_order_of_threads_goes_beyond_a_cap_or_loses_anything() {
    let world = World::local().await;
    let node = world.node();
    let counters: Arc<[Counter]> = Arc::new([strict("a", 5_000), strict("b", 7_000), strict("c", 1_000_000)]);
    let (in_use, settled) = (
        Arc::new([(); 2].map(|()| AtomicI64::new(0))),
        Arc::new(AtomicI64::new(0)),
    );
    let mut threads = JoinSet::new();
    for seed in 0..16_i64 {
        let (accounts, counters, organization) = (node.accounts.clone(), counters.clone(), world.organization);
        let (in_use, settled) = (in_use.clone(), settled.clone());
        threads.spawn(async move {
            let mut dice = seed;
            for _ in 0..200 {
                dice = (dice * 1_103_515_245 + 12_345) % 2_147_483_648;
                let amount = 1 + dice % 40;
                let demands: Vec<_> = counters.iter().map(|counter| of(counter, amount)).collect();
                let Ok(mut reserved) = accounts.reserve(organization, &demands, None).await else {
                    tokio::task::yield_now().await;
                    continue;
                };
                for (used, cap) in in_use.iter().zip([5_000, 7_000]) {
                    let used = used.fetch_add(amount, Ordering::SeqCst) + amount;
                    assert!(used <= cap, "{used} of {cap}");
                }
                tokio::task::yield_now().await;
                let actual = match dice % 3 {
                    0 => 0,
                    1 => amount / 2,
                    _ => amount,
                };
                in_use.iter().for_each(|used| {
                    used.fetch_sub(amount - actual, Ordering::SeqCst);
                });
                settled.fetch_add(actual, Ordering::SeqCst);
                match actual {
                    0 => drop(reserved),
                    _ => reserved.settle_all([actual; 3]),
                }
            }
        });
    }
    while let Some(done) = threads.join_next().await {
        done.expect("no thread saw a cap broken");
    }
    node.stop().await;

    for counter in counters.iter() {
        assert_eq!(world.spent(counter).await, settled.load(Ordering::SeqCst));
        assert!(world.standing(counter).await.leased.is_empty());
    }
    assert_eq!(Counting::Total, counters[0].counting);
}
