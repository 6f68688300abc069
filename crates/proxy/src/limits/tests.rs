//! Budgets by a clock that the test turns.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use gatewright_contract::{
    BudgetUnit, Caller, Catalog, KeyEntry, ModelUnit, OrganizationUnit, PriceUnit, ProviderUnit, UnitBody, UnitId,
    compile,
};
use gatewright_coord::{Counters, LocalCounters};
use gatewright_llm::dialect::PathFacts;
use gatewright_llm::{Request, Tokens};
use gatewright_routing::{Headers, Health};
use gatewright_types::api::Dialect;
use gatewright_types::{BudgetId, KeyId, ModelId, Nanos, NodeId, OrganizationId, PriceId, ProviderId};
use serde_json::{Value, json};

use super::amount::{Purchase, Question};
use super::spending::spend;
use super::ticket::{Held, Ticket};
use super::told::LimitsTold;
use super::who::Who;
use crate::accounts::Accounts;
use crate::metrics::Metrics;

struct World {
    clock: Arc<AtomicI64>,

    accounts: Accounts,
    caller: Caller,
    budget: BudgetId,
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("what a test writes")
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect(text)
}

impl World {
    /// An organization with one budget and the model `m` at 1 USD per million tokens, at a time.
    async fn with(budget: Value, now: &str) -> Self {
        let (organization, id) = (OrganizationId::mint(), BudgetId::mint());
        let provider = json!({"name": "up", "kind": "openai", "credentials": []});
        let price = json!({
            "provider": "up", "model": "m", "rates": {"input": "1", "output": "1"},
            "effective_from": "2020-01-01T00:00:00Z",
        });
        let units = BTreeMap::from([
            (
                UnitId::Organization,
                UnitBody::Organization(OrganizationUnit::new("acme".parse().expect("a slug"))),
            ),
            (
                UnitId::Provider(ProviderId::mint()),
                UnitBody::Provider(read::<ProviderUnit>(provider)),
            ),
            (
                UnitId::Price(PriceId::mint()),
                UnitBody::Price(read::<PriceUnit>(price)),
            ),
            (
                UnitId::Model(ModelId::mint()),
                UnitBody::Model(read::<ModelUnit>(json!({"name": "m", "route": {"target": "up/m"}}))),
            ),
            (
                UnitId::Budget(id),
                UnitBody::Budget(read::<BudgetUnit>(json!({"scope": "organization", "spec": budget}))),
            ),
        ]);
        let tenant = compile(organization, &units).expect("it compiles");
        let clock = Arc::new(AtomicI64::new(time(now).timestamp_millis()));
        let shown = clock.clone();
        let counters = Counters::Local(LocalCounters::with_clock(move || shown.load(Ordering::Relaxed)));
        assert!(counters.seed(organization, &[]).await.expect("it answers"));
        let accounts = Accounts::new(counters.clone(), NodeId::mint(), Arc::<Metrics>::default());
        let world = Self {
            clock,

            accounts,
            caller: Caller {
                tenant: Arc::new(tenant),
                key: Arc::new(KeyEntry::new(organization, KeyId::mint())),
            },
            budget: id,
        };
        // The node learns what time it is.
        let mut first = world.ticket();
        world.spend(&mut first, 0).await.expect("there is enough");
        first.settle(None, &Tokens::default(), Nanos::ZERO);
        world
    }

    fn ticket(&self) -> Ticket {
        Ticket {
            accounts: self.accounts.clone(),
            caller: self.caller.clone(),
            who: Who::default(),
            model: None,
            headers: Headers::default(),
            limits: Held::default(),
            budgets: Held::default(),
            at_target: Held::default(),
            only_priced: None,
            told: LimitsTold::default(),
            shadow: None,
        }
    }

    /// Reserves for an answer of so many tokens.
    async fn spend(&self, ticket: &mut Ticket, longest: u64) -> Result<(), String> {
        let body = json!({"model": "m", "messages": [{"role": "user", "content": "a"}], "max_tokens": longest});
        let request = Request::parse(Dialect::OpenaiChat, Bytes::from(body.to_string()), PathFacts::default());
        let request = request.expect("a request");
        let targets = self.caller.tenant.models.get("m").expect("it is there").route.targets();
        let targets: Vec<_> = targets.into_iter().map(|target| &**target).collect();
        let purchase = Purchase {
            question: Question::Read(&request),
            targets: &targets,
            catalog: &Catalog::default(),
            health: &Health::default(),
            now: time("2026-11-30T12:00:00Z"),
        };
        spend(ticket, purchase)
            .await
            .map_err(|refusal| refusal.message().into_owned())
    }

    fn turn_clock(&self, now: &str) {
        self.clock.store(time(now).timestamp_millis(), Ordering::Relaxed);
    }
}

const DAY_OF_A_DOLLAR: &str = r#"{"amount": "1", "window": "day", "mode": "strict"}"#;

fn strict() -> Value {
    serde_json::from_str(DAY_OF_A_DOLLAR).expect("JSON")
}

#[tokio::test]
async fn what_is_let_through_before_a_window_ends_counts_where_it_was_let_through() {
    let world = World::with(strict(), "2026-11-30T23:59:59Z").await;
    let mut ticket = world.ticket();
    world.spend(&mut ticket, 900_000).await.expect("there is enough");
    let shares = ticket.shares();

    world.turn_clock("2026-12-01T00:00:01Z");
    ticket.settle(None, &Tokens::default(), Nanos::new(900_000_000));

    let [share] = shares.as_slice() else {
        panic!("{shares:?}")
    };
    assert_eq!(
        (share.budget, share.from_ms),
        (world.budget, time("2026-11-30T00:00:00Z").timestamp_millis())
    );
    let budget = &ticket.path().budgets()[0];
    let spent = |day: &str| {
        let standing = world.accounts.peek(world.caller.tenant.id, &budget.counter(time(day)));
        standing.spent_or_reserved
    };
    assert_eq!(spent("2026-11-30T12:00:00Z"), 900_000_000);
    assert_eq!(spent("2026-12-01T12:00:00Z"), 0);
}

#[tokio::test]
async fn a_strict_budget_reserves_the_most_and_gives_back_what_was_not_used() {
    let world = World::with(strict(), "2026-11-30T12:00:00Z").await;
    let (mut first, mut second) = (world.ticket(), world.ticket());

    world.spend(&mut first, 999_000).await.expect("there is enough");
    first.settle(None, &Tokens::default(), Nanos::new(5));
    world.spend(&mut second, 999_000).await.expect("it was given back");
    let mut third = world.ticket();
    let refused = world
        .spend(&mut third, 1_000_001)
        .await
        .expect_err("more than all of it");

    assert!(refused.contains("The budget of the organization"), "{refused}");
    assert!(
        refused.contains("1.00 USD a day. The request may come to 1.000078 USD, and 0.000923995 USD is left."),
        "{refused}"
    );
    assert!(
        refused.contains("It begins anew at 2026-12-01 00:00 (UTC)."),
        "{refused}"
    );
    assert!(refused.contains("All of it is less than that"), "{refused}");
}

#[tokio::test]
async fn a_budget_that_only_warns_lets_through_more_than_its_amount_and_counts_it() {
    let warns = json!({"amount": "0.000001", "window": "day", "action": "warn"});
    let world = World::with(warns, "2026-11-30T12:00:00Z").await;
    let mut ticket = world.ticket();
    world.spend(&mut ticket, 500_000).await.expect("it only warns");
    ticket.settle(None, &Tokens::default(), Nanos::new(500_000_000));

    let mut next = world.ticket();
    world.spend(&mut next, 500_000).await.expect("it only warns");

    assert!(
        next.told
            .warning
            .is_some_and(|warning| warning.contains("the organization is spent"))
    );
}
