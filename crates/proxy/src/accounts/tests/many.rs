//! What several nodes do with the same counters.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{World, a_minute, eventually, of, smooth, spend, strict};

const CENT: i64 = 10_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_nodes_serve_a_strict_budget_to_its_end_and_not_beyond() {
    for world in World::both().await {
        let budget = strict("budget", 100 * CENT);
        let nodes = [world.node(), world.node(), world.node()];
        let mut calls = JoinSet::new();
        for node in &nodes {
            for _ in 0..300 {
                let (accounts, budget, organization) = (node.accounts.clone(), budget.clone(), world.organization);
                calls.spawn(async move {
                    // The worst case is three times what it costs in the end.
                    let (demand, patience) = (of(&budget, 3 * CENT), Some(Duration::from_secs(10)));
                    let mut reserved = accounts.reserve(organization, &[demand], patience).await.ok()?;
                    sleep(Duration::from_millis(20)).await;
                    reserved.settle(0, CENT);
                    Some(())
                });
            }
        }

        let served = calls.join_all().await.into_iter().flatten().count();
        let asked: u64 = nodes.iter().map(super::Node::round_trips).sum();
        for node in nodes {
            node.stop().await;
        }

        assert!(asked < 900, "{asked} round trips: most calls only wait for their turn");
        // With less than the worst case left nobody is let in.
        assert!((98..=100).contains(&served), "{served} were served");
        assert_eq!(world.spent(&budget).await, i64::try_from(served).expect("few") * CENT);
        let standing = world.standing(&budget).await;
        assert!(standing.leased.is_empty(), "{standing:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_nodes_let_through_what_a_minute_has_and_no_more() {
    for world in World::both().await {
        let limit = a_minute("requests", 1000);
        let nodes = [world.node(), world.node(), world.node()];
        let mut calls = JoinSet::new();
        // One of them has most of the traffic, and what the others do not need.
        for (node, count) in nodes.iter().zip([50, 300, 1500]) {
            let (accounts, limit, world) = (node.accounts.clone(), limit.clone(), world.clone());
            calls.spawn(async move {
                let mut through = 0;
                for _ in 0..count {
                    through += u32::from(spend(&accounts, &world, &limit, 1).await);
                }
                through
            });
        }

        let through: u32 = calls.join_all().await.into_iter().sum();
        for node in nodes {
            node.stop().await;
        }
        assert_eq!(through, 1000);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_node_holds_and_does_not_use_goes_to_who_needs_it() {
    for world in World::both().await {
        let budget = smooth("budget", 100);
        let (idle, busy) = (world.node(), world.node());
        let held = idle
            .accounts
            .reserve(world.organization, &[of(&budget, 90)], None)
            .await
            .expect("it fits");
        drop(held);
        let leased: i64 = world.standing(&budget).await.leased.values().sum();
        assert!(leased >= 90, "{leased}");

        // Not even with patience.
        assert!(spend(&busy.accounts, &world, &budget, 100).await);

        busy.stop().await;
        idle.stop().await;
        assert_eq!(world.spent(&budget).await, 100);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_single_caller_gets_all_of_a_limit_whatever_others_held() {
    for world in World::both().await {
        let limit = smooth("at once", 10);
        let nodes = [world.node(), world.node(), world.node()];
        for node in &nodes {
            let all: Vec<_> = (0..10).map(|_| of(&limit, 1)).collect();
            let reserved = node.accounts.reserve(world.organization, &all, None).await;
            let mut reserved = reserved.expect("nobody else uses any");
            assert!(!spend(&node.accounts, &world, &limit, 1).await);
            reserved.settle_all([0; 10]);
        }
        for node in nodes {
            node.stop().await;
        }
        assert_eq!(world.spent(&limit).await, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_long_request_has_reserved_is_held_until_it_ends() {
    let world = World::with_the_tests_clock().await;
    let (one, other) = (world.node(), world.node());
    let at_once = smooth("at once", 10);
    let long = one.accounts.reserve(world.organization, &[of(&at_once, 6)], None).await;
    let long = long.expect("there is room");

    sleep(Duration::from_secs(120)).await;
    assert!(!spend(&other.accounts, &world, &at_once, 5).await);

    drop(long);
    let all = || spend(&other.accounts, &world, &at_once, 10);
    eventually("it is free", all).await;
    for node in [one, other] {
        node.stop().await;
    }
}
