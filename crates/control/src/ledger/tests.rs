//! Counters are filled from the ledger, raised to it at once, and lowered to it when nothing moves any more.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_contract::{Batch, BudgetShare, CounterKey, UsageRecord};
use gatewright_coord::{Counters, LocalCounters, Right, Seed};
use gatewright_store::{Actor, Change, DatabaseUrl, Db};
use gatewright_types::api::NewBudget;
use gatewright_types::{BudgetId, KeyId, NodeId, OrganizationId, RequestId};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::reconciler::{Reconciler, Repaired, seed};

const NOW: &str = "2026-11-30T12:00:00Z";

struct World {
    db: Db,
    counters: Counters,
    acme: OrganizationId,
    _directory: TempDir,
}

fn now() -> DateTime<Utc> {
    NOW.parse().expect(NOW)
}

impl World {
    async fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let url = DatabaseUrl::Sqlite(directory.path().join("db"));
        let db = Db::open(&url).await.expect("it opens");
        db.migrate().await.expect("it migrates");
        let world = Self {
            db,
            counters: Counters::Local(LocalCounters::with_clock(|| now().timestamp_millis())),
            acme: OrganizationId::mint(),
            _directory: directory,
        };
        let acme = world.acme;
        let (slug, name) = ("acme".parse().expect("a slug"), "Acme".parse().expect("a name"));
        let change = Change::new(acme, "organization.create", acme, json!({}));
        let made = world
            .db
            .write(&Actor::system("test"), change, async |tx| {
                tx.create_organization(acme, &slug, &name).await
            })
            .await;
        made.expect("an organization");
        world
    }

    async fn budget(&self, scope: Value, window: Value) -> BudgetId {
        self.budget_as(scope, &json!({"amount": "5.00", "window": window}))
            .await
    }

    async fn budget_as(&self, scope: Value, spec: &Value) -> BudgetId {
        let (acme, id) = (self.acme, BudgetId::mint());
        let new = NewBudget {
            scope: serde_json::from_value(scope).expect("a scope"),
            spec: serde_json::from_value(spec.clone()).expect("a budget"),
        };
        let change = Change::new(acme, "budget.create", id, json!({}));
        let actor = Actor::system("test");
        let made = self
            .db
            .write(&actor, change, async |tx| tx.create_budget(acme, id, &new).await);
        made.await.expect("a budget");
        id
    }

    /// A request of one cent that ended before now by this, and counts in these.
    async fn spend(&self, before: TimeDelta, shares: Vec<BudgetShare>) {
        let started_at = now() - before;
        let minted = u128::try_from(started_at.timestamp_millis()).expect("after 1970") << 80;
        let random = RequestId::mint().uuid().as_u128() & u128::from(u64::MAX);
        let record = UsageRecord {
            id: format!("req_{:032x}", minted | random).parse().expect("an identifier"),
            started_at,
            budgets: shares,
            ..record(self.acme)
        };
        let batch = Batch {
            node: NodeId::mint(),
            follows: 0,
            first: 1,
            records: vec![record],
        };
        self.db.system().ingest(&batch).await.expect("it comes in");
    }

    async fn counter(&self, key: &Arc<str>) -> BTreeMap<i64, i64> {
        let standing = self.counters.standing(self.acme, std::slice::from_ref(key)).await;
        let standing = standing.expect("it stands").pop().expect("one key");
        standing.parts.into_iter().filter(|(_, spent)| *spent != 0).collect()
    }

    async fn seeded(&self) -> bool {
        seed(&self.db, &self.counters, self.acme)
            .await
            .expect("the ledger is read")
    }

    async fn reconcile(&self, reconciler: &mut Reconciler) -> Repaired {
        let repaired = reconciler.reconcile(&self.db, &self.counters, self.acme).await;
        repaired.expect("they can be compared")
    }

    /// The key of its counter in the window of now, and where that begins.
    async fn counted(&self, id: BudgetId, name: Option<&str>) -> (Arc<str>, i64, gatewright_contract::Counting) {
        let budgets = self
            .db
            .organization(self.acme)
            .counted_budgets()
            .await
            .expect("budgets");
        let budget = budgets.into_iter().find(|budget| budget.id == id).expect("it is there");
        let counting = budget.counting(now());
        let from_ms = budget.share(counting, now(), None).from_ms;
        let name = name.map(|name| name.parse().expect("a name"));
        (
            CounterKey::of_budget(id, counting, name.as_ref()).text(),
            from_ms,
            counting,
        )
    }
}

const CENT: i64 = 10_000_000;

/// A request that cost a cent.
fn record(organization: OrganizationId) -> UsageRecord {
    let record = json!({
        "id": RequestId::mint(), "organization": organization, "key": KeyId::mint(), "started_at": 0,
        "dialect": "openai_chat", "stream": false, "outcome": "complete", "status": 200, "attempts": 1, "cache": "off",
        "cost": "0.01", "duration_us": 1, "overhead_us": 1, "end_user": "ana",
    });
    serde_json::from_value(record).expect("a record")
}

fn share(budget: BudgetId, from_ms: i64, name: Option<&str>) -> BudgetShare {
    BudgetShare {
        budget,
        from_ms,
        name: name.map(|name| name.parse().expect(name)),
    }
}

#[tokio::test]
async fn counters_are_filled_with_what_counts_and_with_what_was_spent_before() {
    let world = World::new().await;
    world.spend(TimeDelta::hours(1), Vec::new()).await;
    world.spend(TimeDelta::days(1), Vec::new()).await;
    let day = world.budget(json!("organization"), json!("day")).await;
    let (key, from_ms, _) = world.counted(day, None).await;
    world
        .spend(TimeDelta::minutes(1), vec![share(day, from_ms, None)])
        .await;

    assert!(world.seeded().await);

    assert_eq!(world.counter(&key).await, [(0, 2 * CENT)].into());
    assert!(!world.seeded().await, "they are filled once");
}

#[tokio::test]
async fn an_opening_is_counted_in_the_scope_of_its_budget_and_by_its_names() {
    let world = World::new().await;
    world.spend(TimeDelta::hours(1), Vec::new()).await;
    let month = world.budget(json!({"end_user": {"each": true}}), json!("month")).await;
    let other = world.budget(json!({"end_user": "bob"}), json!("month")).await;
    let total = world.budget(json!("organization"), json!("total")).await;
    let rolling = world.budget(json!("organization"), json!({"rolling": "1h"})).await;
    world.spend(TimeDelta::minutes(30), Vec::new()).await;

    assert!(world.seeded().await);

    let of = async |budget, name| world.counter(&world.counted(budget, name).await.0).await;
    assert_eq!(of(month, Some("ana")).await, [(0, 2 * CENT)].into());
    assert_eq!(of(other, None).await, BTreeMap::new());
    assert_eq!(of(total, None).await, [(0, 2 * CENT)].into());
    let parts = of(rolling, None).await;
    assert_eq!(parts.values().copied().collect::<Vec<_>>(), [CENT, CENT], "{parts:?}");
}

#[tokio::test]
async fn an_opening_grows_by_late_records_until_it_is_settled() {
    let world = World::new().await;
    let day = world.budget(json!("organization"), json!("day")).await;
    let budgets = world
        .db
        .organization(world.acme)
        .counted_budgets()
        .await
        .expect("budgets");
    let budget = budgets.iter().find(|budget| budget.id == day).expect("it is there");
    let from_ms = world.counted(day, None).await.1;
    let spent = async || {
        let spent = world
            .db
            .organization(world.acme)
            .spent(day, from_ms)
            .await
            .expect("the ledger");
        spent.iter().map(|row| row.cost.get()).sum::<i64>()
    };
    let open = async |at| world.db.open_budget(world.acme, budget, at).await.expect("the ledger");

    open(now()).await;
    world.spend(TimeDelta::minutes(1), Vec::new()).await;
    assert_eq!(spent().await, 0);
    open(now() + TimeDelta::minutes(1)).await;
    assert_eq!(spent().await, CENT);
    open(now() + TimeDelta::hours(1)).await;
    world.spend(TimeDelta::minutes(1), Vec::new()).await;
    open(now() + TimeDelta::hours(2)).await;
    assert_eq!(spent().await, CENT);
}

#[tokio::test]
async fn a_counter_with_too_little_is_raised_at_once() {
    let world = World::new().await;
    let day = world.budget(json!("organization"), json!("day")).await;
    let (key, from_ms, _) = world.counted(day, None).await;
    assert!(world.seeded().await);
    world
        .spend(TimeDelta::minutes(1), vec![share(day, from_ms, None)])
        .await;

    let repaired = world.reconcile(&mut Reconciler::default()).await;

    assert_eq!(repaired, Repaired { raised: 1, lowered: 0 });
    assert_eq!(world.counter(&key).await, [(0, CENT)].into());
}

#[tokio::test]
async fn a_counter_with_too_much_is_lowered_when_nothing_moves_any_more() {
    let world = World::new().await;
    let day = world.budget(json!("organization"), json!("day")).await;
    let (key, from_ms, counting) = world.counted(day, None).await;
    world
        .spend(TimeDelta::minutes(1), vec![share(day, from_ms, None)])
        .await;
    assert!(world.seeded().await);
    let more = Seed {
        key: key.clone(),
        counting,
        part: 0,
        spent: 3 * CENT,
    };
    world
        .counters
        .correct(world.acme, &more, Right::To)
        .await
        .expect("it is set");
    let mut reconciler = Reconciler::default();
    let mut after = async |seconds| {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(seconds)).await;
        tokio::time::resume();
        world.reconcile(&mut reconciler).await
    };

    assert_eq!(after(0).await, Repaired::default());
    assert_eq!(after(25).await, Repaired::default());
    world
        .spend(TimeDelta::minutes(1), vec![share(day, from_ms, None)])
        .await;
    assert_eq!(after(10).await, Repaired::default(), "a record came in");
    assert_eq!(after(25).await, Repaired::default());
    assert_eq!(world.counter(&key).await, [(0, 3 * CENT)].into());

    assert_eq!(after(10).await, Repaired { raised: 0, lowered: 1 });
    assert_eq!(world.counter(&key).await, [(0, 2 * CENT)].into());
}

#[tokio::test]
async fn a_strict_budgets_counter_waits_for_a_node_to_come_back() {
    let world = World::new().await;
    let strict = json!({"amount": "5.00", "window": "total", "mode": "strict"});
    let budget = world.budget_as(json!("organization"), &strict).await;
    let (key, _, counting) = world.counted(budget, None).await;
    assert!(world.seeded().await);
    let reported = Seed {
        key: key.clone(),
        counting,
        part: 0,
        spent: CENT,
    };
    world
        .counters
        .correct(world.acme, &reported, Right::To)
        .await
        .expect("it is set");
    let mut reconciler = Reconciler::default();
    let mut lowered_after = async |seconds| {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(seconds)).await;
        tokio::time::resume();
        world.reconcile(&mut reconciler).await.lowered
    };

    assert_eq!(lowered_after(0).await, 0);
    assert_eq!(lowered_after(600).await, 0);
    assert_eq!(lowered_after(100).await, 1);
    assert_eq!(world.counter(&key).await, BTreeMap::new());
}
