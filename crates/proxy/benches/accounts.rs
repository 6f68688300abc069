//! What budgets and limits cost a request that finds its leases at hand. `cargo bench -p gatewright-proxy`

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use futures_util::FutureExt as _;
use gatewright_contract::Counting;
use gatewright_coord::{Counters, LocalCounters};
use gatewright_proxy::Metrics;
use gatewright_proxy::accounts::{Accounts, Counter, Demand};
use gatewright_types::api::WhenUnavailable;
use gatewright_types::{BudgetId, NodeId, OrganizationId};

const DEMANDS: [usize; 3] = [0, 5, 20];
const PLENTY: i64 = 9_000_000_000_000_000;

fn leases_at_hand(criterion: &mut Criterion) {
    let (counters, organization) = (Counters::Local(LocalCounters::new()), OrganizationId::mint());
    let seeded = counters.seed(organization, &[]).now_or_never();
    assert!(matches!(seeded, Some(Ok(true))), "{seeded:?}");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let accounts = Accounts::new(counters, NodeId::mint(), Arc::<Metrics>::default());
    let mut group = criterion.benchmark_group("reserve and settle");
    for count in DEMANDS {
        let demands: Vec<_> = (0..count).map(|_| demand()).collect();
        // A lease that outlasts the bench: what it spends is never reported.
        let large: Vec<_> = demands.iter().map(|demand| with_amount(demand, PLENTY / 2)).collect();
        let leased = runtime.block_on(accounts.reserve(organization, &large, None));
        drop(leased.expect("there is plenty"));
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| {
                let reserved = accounts.reserve(organization, black_box(&demands), None).now_or_never();
                let mut reserved = reserved.expect("nobody is asked").expect("there is plenty");
                reserved.settle_all((0..count).map(|_| 700));
            });
        });
    }
    group.finish();
}

fn demand() -> Demand {
    Demand {
        counter: Counter {
            key: format!("budget/{}/1764460800000/", BudgetId::mint()).into(),
            cap: PLENTY,
            counting: Counting::Total,
            exact: true,
            when_unavailable: WhenUnavailable::Deny,
            carry: None,
        },
        amount: 1000,
    }
}

fn with_amount(demand: &Demand, amount: i64) -> Demand {
    Demand {
        counter: demand.counter.clone(),
        amount,
    }
}

criterion_group!(benches, leases_at_hand);
criterion_main!(benches);
