//! Accounts of one node or several, over counters in memory. Where a test may use a Redis, those that are about several
//! nodes use it as well.

mod apart;
mod away;
mod bound;
mod many;
mod memory;
mod one;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use gatewright_contract::{CounterKey, Counting};
use gatewright_coord::{CounterStanding, Counters, LocalCounters, Redis, RedisCounters};
use gatewright_types::api::WhenUnavailable;
use gatewright_types::{NodeId, OrganizationId};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Accounts, Counter, Demand, Reservation};
use crate::metrics::Metrics;

/// Not one of those that the tests of the counters empty.
const DATABASE: u8 = 20;
const MINUTE: Counting = Counting::Rolling {
    part: TimeDelta::seconds(1),
    parts: 61,
};

/// Counters with an organization whose counters are seeded.
#[derive(Debug, Clone)]
struct World {
    counters: Counters,
    organization: OrganizationId,
}

/// A node with its loop.
struct Node {
    accounts: Accounts,
    metrics: Arc<Metrics>,
    stop: watch::Sender<bool>,
    running: JoinSet<()>,
}

impl World {
    async fn over(counters: Counters) -> Self {
        let organization = OrganizationId::mint();
        assert!(counters.seed(organization, &[]).await.expect("it answers"));
        Self { counters, organization }
    }

    async fn local() -> Self {
        Self::over(Counters::Local(LocalCounters::new())).await
    }

    /// Its clock goes with that of the test, which may be paused.
    async fn with_the_tests_clock() -> Self {
        let (began, then) = (Instant::now(), chrono::Utc::now().timestamp_millis());
        let clock = move || then + i64::try_from(began.elapsed().as_millis()).unwrap_or(0);
        Self::over(Counters::Local(LocalCounters::with_clock(clock))).await
    }

    async fn both() -> Vec<Self> {
        let mut worlds = vec![Self::local().await];
        if let Some(address) = redis_address() {
            let redis = Redis::open(&format!("{address}/{DATABASE}")).expect("a usable address");
            worlds.push(Self::over(Counters::Redis(RedisCounters::new(redis))).await);
        }
        worlds
    }

    fn accounts(&self) -> (Accounts, Arc<Metrics>) {
        let metrics = Arc::<Metrics>::default();
        let accounts = Accounts::new(self.counters.clone(), NodeId::mint(), metrics.clone());
        (accounts, metrics)
    }

    fn node(&self) -> Node {
        let (accounts, metrics) = self.accounts();
        let stop = watch::Sender::new(false);
        let mut running = JoinSet::new();
        running.spawn(accounts.clone().keep_in_step(stop.subscribe()));
        Node {
            accounts,
            metrics,
            stop,
            running,
        }
    }

    async fn standing(&self, counter: &Counter) -> CounterStanding {
        let keys = [counter.key.text()];
        let mut standing = self
            .counters
            .standing(self.organization, &keys)
            .await
            .expect("it answers");
        standing.pop().expect("one for each key")
    }

    async fn spent(&self, counter: &Counter) -> i64 {
        let now = self.counters.now().await.expect("it answers");
        self.standing(counter).await.spent(counter.counting, now)
    }
}

impl Node {
    async fn stop(self) {
        self.stop.send_replace(true);
        self.running.join_all().await;
    }

    fn round_trips(&self) -> u64 {
        round_trips(&self.metrics)
    }
}

fn round_trips(metrics: &Metrics) -> u64 {
    let mut text = String::new();
    metrics.render(&mut text);
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("gatewright_counter_round_trips_total "));
    line.expect("it is told").parse().expect("a number")
}

/// The same for the same name.
fn budget(name: &str) -> CounterKey {
    let number = name
        .bytes()
        .fold(1_u128, |number, byte| (number << 7) ^ u128::from(byte));
    let id = format!("bud_{number:032x}").parse().expect("an identifier");
    CounterKey::of_budget(id, Counting::Total, None)
}

fn strict(name: &str, cap: i64) -> Counter {
    Counter {
        key: budget(name),
        cap,
        counting: Counting::Total,
        exact: true,
        when_unavailable: WhenUnavailable::Deny,
        carry: None,
    }
}

fn smooth(name: &str, cap: i64) -> Counter {
    Counter {
        exact: false,
        when_unavailable: WhenUnavailable::Local,
        ..strict(name, cap)
    }
}

fn a_minute(name: &str, cap: i64) -> Counter {
    Counter {
        counting: MINUTE,
        ..smooth(name, cap)
    }
}

fn of(counter: &Counter, amount: i64) -> Demand {
    Demand {
        counter: counter.clone(),
        amount,
    }
}

/// Reserves and spends all of it.
async fn spend(accounts: &Accounts, world: &World, counter: &Counter, amount: i64) -> bool {
    let reserved = accounts.reserve(world.organization, &[of(counter, amount)], None).await;
    reserved
        .map(|mut reserved: Reservation| reserved.settle(0, amount))
        .is_ok()
}

async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(90);
    while !holds().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the address of the test's Redis comes from whoever runs the tests"
)]
fn redis_address() -> Option<String> {
    let address = std::env::var("GATEWRIGHT_TEST_REDIS").ok();
    assert!(
        address.is_some() || std::env::var("CI").is_err(),
        "GATEWRIGHT_TEST_REDIS is not set: nothing may be skipped here"
    );
    address.map(|address| address.trim_end_matches('/').to_owned())
}
