//! Accounts of several nodes over counters in memory.

use std::sync::Arc;
use std::time::Duration;

use gatewright_contract::Counting;
use gatewright_coord::{Counters, LocalCounters};
use gatewright_types::api::WhenUnavailable;
use gatewright_types::{NodeId, OrganizationId};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{Accounts, Counter, Demand, Denied};
use crate::metrics::Metrics;

const CENT: i64 = 10_000_000;

fn total(key: &str, cap: i64) -> Counter {
    Counter {
        key: key.into(),
        cap,
        counting: Counting::Total,
        exact: true,
        when_unavailable: WhenUnavailable::Deny,
        carry: None,
    }
}

fn of(counter: &Counter, amount: i64) -> [Demand; 1] {
    [Demand {
        counter: counter.clone(),
        amount,
    }]
}

async fn seeded() -> (Counters, OrganizationId) {
    let (counters, organization) = (Counters::Local(LocalCounters::new()), OrganizationId::mint());
    assert!(counters.seed(organization, &[]).await.expect("it answers"));
    (counters, organization)
}

fn node(counters: &Counters) -> (Accounts, Arc<Metrics>) {
    let metrics = Arc::<Metrics>::default();
    (
        Accounts::new(counters.clone(), NodeId::mint(), metrics.clone()),
        metrics,
    )
}

#[tokio::test]
async fn what_is_reserved_and_not_settled_is_free_again() {
    let (counters, organization) = seeded().await;
    let (accounts, _) = node(&counters);
    let budget = total("budget", 10);

    let mut first = accounts
        .reserve(organization, &of(&budget, 6), None)
        .await
        .expect("it fits");
    let refused = accounts.reserve(organization, &of(&budget, 6), None).await;
    assert!(matches!(refused, Err(Denied::Spent { index: 0, .. })), "{refused:?}");
    first.settle(0, 2);
    drop(first);
    let second = accounts
        .reserve(organization, &of(&budget, 8), None)
        .await
        .expect("it fits by now");
    drop(second);

    let standing = accounts.peek(organization, &budget);
    assert_eq!((standing.spent_or_reserved, standing.remaining), (2, 8));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_nodes_serve_a_strict_budget_to_its_end_and_not_beyond() {
    let (counters, organization) = seeded().await;
    let budget = total("budget", 100 * CENT);
    let (stop, _) = tokio::sync::watch::channel(false);
    let mut loops = JoinSet::new();
    let mut calls = JoinSet::new();
    for _ in 0..3 {
        let (accounts, _) = node(&counters);
        loops.spawn(accounts.clone().keep_in_step(stop.subscribe()));
        for _ in 0..300 {
            let (accounts, budget) = (accounts.clone(), budget.clone());
            calls.spawn(async move {
                // The worst case is three times what it costs in the end.
                let patience = Some(Duration::from_secs(5));
                let mut reserved = accounts
                    .reserve(organization, &of(&budget, 3 * CENT), patience)
                    .await
                    .ok()?;
                sleep(Duration::from_millis(20)).await;
                reserved.settle(0, CENT);
                Some(())
            });
        }
    }

    let served = calls.join_all().await.into_iter().flatten().count();
    stop.send_replace(true);
    loops.join_all().await;

    assert!((98..=100).contains(&served), "{served} were served");
    let standing = counters
        .standing(organization, &["budget".into()])
        .await
        .expect("it answers");
    let spent: i64 = standing.iter().flat_map(|standing| standing.parts.values()).sum();
    assert_eq!(spent, i64::try_from(served).expect("few") * CENT);
    assert!(
        standing.iter().all(|standing| standing.leased.is_empty()),
        "{standing:?}"
    );
}
