//! How often a request asks for memory that finds its leases at hand.

use allocation_counter::measure;
use futures_util::FutureExt as _;

use super::{World, of, smooth};
use crate::accounts::Demand;

async fn asked(world: &World, count: usize) -> u64 {
    let (accounts, _) = world.accounts();
    let counters: Vec<_> = (0..count)
        .map(|number| smooth(&format!("{count}/{number}"), 1_000_000_000))
        .collect();
    let wanting = |amount| -> Vec<Demand> { counters.iter().map(|counter| of(counter, amount)).collect() };
    let large = accounts.reserve(world.organization, &wanting(1_000_000), None).await;
    drop(large.expect("there is plenty"));
    let demands = wanting(1_000);
    let spend = || {
        let reserved = accounts.reserve(world.organization, &demands, None).now_or_never();
        let mut reserved = reserved.expect("nobody is asked").expect("there is plenty");
        reserved.settle_all((0..count).map(|_| 700));
    };
    spend();

    measure(spend).count_total
}

#[tokio::test]
async fn it_is_the_same_whatever_number_of_counters_is_met() {
    let world = World::local().await;

    let (one, twenty) = (asked(&world, 1).await, asked(&world, 20).await);

    assert!(one <= 4, "{one} times for one");
    assert_eq!(twenty, one, "for twenty");
}
