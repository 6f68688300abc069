//! What budgets and limits cost a request that finds its leases at hand. `cargo bench -p gatewright-proxy`
//!
//! "reserve, settle" is what accounts do; "all" is also to tell from what is configured how a request counts, and how all
//! of it stands then.

use std::hint::black_box;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use futures_util::FutureExt as _;
use gatewright_contract::{Budget, BudgetUnit, RateLimit};
use gatewright_coord::{Counters, LocalCounters};
use gatewright_proxy::Metrics;
use gatewright_proxy::accounts::{Accounts, Counter, Demand};
use gatewright_types::api::LimitScope;
use gatewright_types::{BudgetId, LimitId, NodeId, OrganizationId};
use serde_json::{Value, json};

const COUNTS: [usize; 3] = [0, 5, 20];
/// What a request reserves and what it spends.
const RESERVED: i64 = 1000;
const SPENT: i64 = 700;

fn budgets(criterion: &mut Criterion) {
    let windows = [
        json!("month"),
        json!("day"),
        json!("total"),
        json!({"rolling": "24h"}),
        json!("hour"),
    ];
    let budgets: Vec<_> = windows.iter().cycle().take(20).map(budget).collect();
    bench(criterion, "budgets", |count, now| {
        let met = budgets.iter().take(count);
        met.map(|budget| Counter::of_budget(budget, None, now)).collect()
    });
}

fn limits(criterion: &mut Criterion) {
    let measures = ["rpm", "tpm", "rph", "tph", "rpd"];
    let limits: Vec<_> = measures.iter().cycle().take(20).copied().map(limit).collect();
    bench(criterion, "limits", |count, _| {
        let met = limits.iter().take(count);
        met.flat_map(|limit| limit.measures().map(|measure| Counter::of_limit(limit, measure, None)))
            .collect()
    });
}

fn bench(criterion: &mut Criterion, name: &str, counters_of: impl Fn(usize, DateTime<Utc>) -> Vec<Counter>) {
    let (counters, organization) = (Counters::Local(LocalCounters::new()), OrganizationId::mint());
    let seeded = counters.seed(organization, &[]).now_or_never();
    assert!(matches!(seeded, Some(Ok(true))), "{seeded:?}");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let accounts = Accounts::new(counters, NodeId::mint(), Arc::<Metrics>::default());
    let demands = |count, amount: fn(&Counter) -> i64| -> Vec<Demand> {
        let counters = counters_of(count, accounts.now()).into_iter();
        counters
            .map(|counter| Demand {
                amount: amount(&counter),
                counter,
            })
            .collect()
    };
    let reserve = |demands: &[Demand]| {
        let reserved = accounts.reserve(organization, demands, None).now_or_never();
        reserved.expect("nobody is asked").expect("there is plenty")
    };
    let mut group = criterion.benchmark_group(name);
    for count in COUNTS {
        // A lease that outlasts the bench: what it spends is never reported.
        let large = demands(count, |counter| counter.cap / 2);
        let leased = runtime.block_on(accounts.reserve(organization, &large, None));
        drop(leased.expect("there is plenty"));
        let made = demands(count, |_| RESERVED);
        group.bench_function(BenchmarkId::new("reserve, settle", count), |bencher| {
            bencher.iter(|| reserve(black_box(&made)).settle_all((0..count).map(|_| SPENT)));
        });
        group.bench_function(BenchmarkId::new("all", count), |bencher| {
            bencher.iter(|| {
                let demands = demands(count, |_| RESERVED);
                let mut reserved = reserve(black_box(&demands));
                let now = accounts.now();
                for (index, demand) in demands.iter().enumerate() {
                    black_box(reserved.standing(index, &demand.counter, now));
                }
                reserved.settle_all((0..count).map(|_| SPENT));
            });
        });
    }
    group.finish();
}

fn budget(window: &Value) -> Budget {
    let spec = json!({ "amount": "8000000", "window": window });
    let unit = BudgetUnit {
        scope: LimitScope::Organization,
        spec: serde_json::from_value(spec).expect("a budget"),
        increases: Vec::new(),
        since: None,
    };
    Budget::compiled(BudgetId::mint(), &unit).expect("it compiles")
}

fn limit(measure: &str) -> RateLimit {
    let spec = json!({ measure: 8_000_000_000_000_000_u64 });
    RateLimit {
        id: LimitId::mint(),
        scope: LimitScope::Organization,
        spec: serde_json::from_value(spec).expect("a limit"),
        units: None,
    }
}

criterion_group!(benches, budgets, limits);
criterion_main!(benches);
