//! What budgets have to know of requests that are removed: an opening is the same before and after, whatever was priced
//! anew, and what cannot be known is told.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_contract::{Budget, BudgetShare, Revision, UsageRecord};
use gatewright_types::api::{LedgerCheck, LedgerVerificationQuery, NewBudget, NewReprice, RepriceSums, UsageGroup};
use gatewright_types::{
    BudgetId, CredentialId, DisplayName, Nanos, OrganizationId, PersonId, RepriceId, RequestId, UnitPrice,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::fixture::Fixture;
use super::ingesting::record;
use super::ledger::take_in;
use super::on_both_databases;
use crate::usage::first_id_of;
use crate::{Adjustment, Opening, RepriceStep};

const COST: i64 = 3_300;

/// The present: three months of requests are there, and no budget counts in any of them.
struct World {
    fixture: Fixture,
    acme: OrganizationId,
    ana: PersonId,
    credential: CredentialId,
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect(text)
}

fn now() -> DateTime<Utc> {
    time("2027-03-05T12:00:00Z")
}

impl World {
    async fn new(fixture: Fixture) -> Self {
        let acme = fixture.organization_named("acme").await;
        let provider = fixture.provider_named(acme, "openai").await;
        let rules: Vec<gatewright_types::api::TagRule> =
            serde_json::from_value(json!([{"name": "project"}])).expect("tags");
        let changed = fixture.change(acme, async |tx| tx.change_tags(acme, &rules).await);
        changed.await.expect("it has a tag");
        let world = Self {
            ana: fixture.member_named(acme, "ana", gatewright_types::Role::Member).await,
            credential: provider.credentials.first().expect("one").id,
            fixture,
            acme,
        };
        for at in [
            "2027-01-10T00:10:00Z",
            "2027-01-31T23:30:00Z",
            "2027-02-03T12:00:00Z",
            "2027-02-20T12:00:00Z",
            "2027-03-01T12:00:00Z",
        ] {
            let parts = world.fixture.system().make_usage_parts(time(at)).await;
            parts.expect("parts are made");
            let of_bob = UsageRecord {
                owner: None,
                end_user: Some("bob".parse().expect("a name")),
                tags: BTreeMap::new(),
                ..world.spent(time(at), Vec::new())
            };
            take_in(&world.fixture, vec![world.spent(time(at), Vec::new()), of_bob]).await;
        }
        world
    }

    /// A request of Ana's.
    fn spent(&self, at: DateTime<Utc>, budgets: Vec<BudgetShare>) -> UsageRecord {
        let random = RequestId::mint().uuid().as_u128() & u128::from(u64::MAX);
        let mut record = UsageRecord {
            id: RequestId::from_uuid(Uuid::from_u128(first_id_of(at).as_u128() | random)),
            started_at: at,
            owner: Some(self.ana),
            end_user: Some("ana".parse().expect("a name")),
            tags: [("project".parse().expect("a tag"), "apollo".parse().expect("a value"))].into(),
            budgets,
            ..record(self.acme)
        };
        record.upstream.as_mut().expect("an upstream").credential = Some(self.credential);
        record
    }

    async fn budget(&self, scope: Value, window: Value) -> Budget {
        let new = NewBudget {
            scope: serde_json::from_value(scope).expect("a scope"),
            spec: serde_json::from_value(json!({"amount": "5", "window": window})).expect("a budget"),
        };
        let id = BudgetId::mint();
        let acme = self.acme;
        let made = self
            .fixture
            .change(acme, async |tx| tx.create_budget(acme, id, &new).await);
        made.await.expect("it is made");
        self.read(id).await
    }

    async fn read(&self, id: BudgetId) -> Budget {
        let budgets = self.fixture.organization(self.acme).counted_budgets().await;
        let mut budgets = budgets.expect("budgets").into_iter();
        budgets.find(|budget| budget.id == id).expect("it is there")
    }

    /// By the name and where the window or part begins, without what cost nothing.
    async fn opening(&self, budget: &Budget, at: DateTime<Utc>) -> BTreeMap<(Option<DisplayName>, i64), (i64, u64)> {
        let opened = self.fixture.open_budget(self.acme, budget, at).await;
        assert_eq!(opened.expect("it is added up"), Opening::Open);
        self.spending(budget).await
    }

    async fn spending(&self, budget: &Budget) -> BTreeMap<(Option<DisplayName>, i64), (i64, u64)> {
        let spent = self.fixture.organization(self.acme).spent(budget.id, 0).await;
        let spent = spent.expect("what was spent").into_iter();
        spent
            .filter(|row| row.requests > 0)
            .map(|row| ((row.name, row.from_ms), (row.cost.get(), row.requests)))
            .collect()
    }

    async fn remove_before(&self, moment: &str) {
        let removed = self.fixture.system().remove_usage_before(time(moment), now()).await;
        assert!(removed.expect("old ones go") > 0);
    }

    /// Of each kind that no sums of usage know, and one of which the parts are shorter than an hour.
    async fn budgets(&self) -> Vec<Budget> {
        let mut budgets = Vec::new();
        for (scope, window) in [
            (json!({"user": self.ana}), json!("total")),
            (json!({"credential": self.credential}), json!("total")),
            (json!({"tag": {"name": "project", "value": "apollo"}}), json!("total")),
            (json!({"tag": {"name": "project"}}), json!("total")),
            (json!({"end_user": "ana"}), json!({"rolling": "40d"})),
            (json!({"end_user": {"each": true}}), json!({"rolling": "90d"})),
            (json!("organization"), json!({"rolling": "90d"})),
            (json!("organization"), json!("total")),
            (json!({"user": self.ana}), json!({"fiscal_month": {"starts_on": 20}})),
        ] {
            budgets.push(self.budget(scope, window).await);
        }
        budgets
    }

    async fn verified(&self) -> Vec<LedgerCheck> {
        let query = LedgerVerificationQuery::default();
        let verification = self.fixture.verify_ledger(self.acme, &query).await;
        let verification = verification.expect("it is read");
        let wrong = verification.checks.iter().filter(|check| check.differences > 0);
        wrong.map(|check| check.check).collect()
    }
}

async fn an_opening_is_the_same_before_and_after_requests_are_removed(fixture: Fixture) {
    let world = World::new(fixture).await;
    let budgets = world.budgets().await;
    let mut before = Vec::new();
    for budget in &budgets {
        before.push(world.opening(budget, now()).await);
    }
    let sums: Vec<i64> = before
        .iter()
        .map(|spent| spent.values().map(|(cost, _)| cost).sum())
        .collect();
    assert_eq!(sums, [5, 10, 5, 5, 4, 10, 10, 10, 2].map(|requests| requests * COST));

    for moment in ["2027-02-01T00:00:00Z", "2027-03-01T00:00:00Z"] {
        world.remove_before(moment).await;
        for (budget, before) in budgets.iter().zip(&before) {
            let after = world.opening(budget, now() + TimeDelta::minutes(1)).await;
            assert_eq!(after, *before, "{:?} {:?}", budget.scope, budget.spec.window);
            let scope = world.fixture.organization(world.acme);
            assert_eq!(scope.known_from(budget, now()).await.expect("it is told"), None);
        }
    }
    let rows = world.fixture.number("SELECT COUNT(*) FROM usage").await;
    assert_eq!(rows, 2);
    assert!(world.verified().await.is_empty());
}

async fn what_was_priced_anew_is_kept_as_it_came_to(fixture: Fixture) {
    let world = World::new(fixture).await;
    let budget = world.budget(json!({"user": world.ana}), json!("total")).await;
    world.opening(&budget, now()).await;
    let (acme, id) = (world.acme, RepriceId::mint());
    let new = NewReprice {
        from: time("2027-01-01T00:00:00Z"),
        to: now(),
        provider: None,
        model: None,
        priced_at: None,
        reason: "the price was wrong".to_owned(),
        dry_run: false,
        as_told_by: None,
    };
    let begun = world
        .fixture
        .change(acme, async |tx| tx.create_reprice(acme, id, &new, Revision(0)).await)
        .await;
    begun.expect("it begins");
    let mut run = world.fixture.system().take_up_reprices().await.expect("runs").remove(0);
    let budgets = [budget.clone()];
    let portion = async |run: &mut crate::RepriceRun, limit| {
        let scope = world.fixture.organization(acme);
        let requests = scope
            .charged(&run.range, Some(run.position), limit)
            .await
            .expect("requests");
        let position = requests.last().expect("some").id;
        let adjustments: Vec<_> = requests.into_iter().map(twice).collect();
        let sums = RepriceSums::default();
        let step = world.fixture.adjust(run, &adjustments, &budgets, position, &sums).await;
        (step.expect("the database"), position)
    };

    let (step, position) = portion(&mut run, 4).await;
    assert_eq!(step, RepriceStep::Done);
    run.position = position;
    let spent = |ana_twice: i64| BTreeMap::from([((None, 0), ((5 + ana_twice) * COST, 5))]);
    assert_eq!(world.spending(&budget).await, spent(2));

    let scope = world.fixture.organization(acme);
    let stale = scope
        .charged(&run.range, Some(run.position), 1)
        .await
        .expect("requests");
    world.remove_before("2027-02-01T00:00:00Z").await;
    assert_eq!(world.opening(&budget, now()).await, spent(2));

    // Of February, whose requests are there and not to be touched any more.
    world.remove_before("2027-03-01T00:00:00Z").await;
    let stale: Vec<_> = stale.into_iter().map(twice).collect();
    let position = stale.first().expect("one").request.id;
    let sums = RepriceSums::default();
    let step = world.fixture.adjust(&run, &stale, &budgets, position, &sums).await;
    assert_eq!(step.expect("the database"), RepriceStep::Lost);
    assert_eq!(portion(&mut run, 10).await.0, RepriceStep::Done);

    assert_eq!(world.spending(&budget).await, spent(3));
    assert_eq!(world.opening(&budget, now()).await, spent(3));
    assert!(world.verified().await.is_empty());
}

fn twice(request: crate::ChargedRequest) -> Adjustment {
    let mut lines = request.lines.clone();
    for line in &mut lines {
        line.price = Some(UnitPrice::from_picos(300_000));
    }
    Adjustment {
        request,
        cost: Nanos::new(2 * COST),
        lines,
    }
}

async fn a_budget_of_later_tells_since_when_it_knows(fixture: Fixture) {
    let world = World::new(fixture).await;
    let early = world.budget(json!({"user": world.ana}), json!("total")).await;
    world.remove_before("2027-02-01T00:00:00Z").await;
    let late = world
        .budget(json!({"credential": world.credential}), json!("total"))
        .await;
    let of_sums = world.budget(json!("organization"), json!("total")).await;
    let of_this_month = world.budget(json!({"user": world.ana}), json!("month")).await;
    let scope = world.fixture.organization(world.acme);
    let known_from = async |budget: &Budget| scope.known_from(budget, now()).await.expect("it is told");

    let requests = async |budget: &Budget| {
        let opening = world.opening(budget, now()).await;
        opening.values().map(|(_, requests)| *requests).sum::<u64>()
    };
    assert_eq!((requests(&early).await, known_from(&early).await), (5, None));
    let february = Some(time("2027-02-01T00:00:00Z"));
    assert_eq!((requests(&late).await, known_from(&late).await), (6, february));
    assert_eq!((requests(&of_sums).await, known_from(&of_sums).await), (10, None));
    assert_eq!(
        (requests(&of_this_month).await, known_from(&of_this_month).await),
        (1, None)
    );

    world.remove_before("2027-03-01T00:00:00Z").await;
    assert_eq!((requests(&early).await, known_from(&early).await), (5, None));
    assert_eq!((requests(&late).await, known_from(&late).await), (6, february));
}

async fn what_counts_by_itself_is_kept_apart_and_verified(fixture: Fixture) {
    let world = World::new(fixture).await;
    let budget = world.budget(json!({"end_user": {"each": true}}), json!("total")).await;
    let budget_rolls = world
        .budget(json!({"user": world.ana}), json!({"rolling": "90d"}))
        .await;
    let counted_at = time("2027-02-10T12:00:00Z");
    let opened = world
        .fixture
        .open_budget(world.acme, &budget, counted_at - Duration::from_secs(60));
    opened.await.expect("it is added up");
    let name = Some("ana".parse().expect("a name"));
    let shares = vec![
        budget.share(budget.counting(counted_at), counted_at, name),
        budget_rolls.share(budget_rolls.counting(counted_at), counted_at, None),
    ];
    take_in(&world.fixture, vec![world.spent(counted_at, shares)]).await;
    let before = (world.opening(&budget_rolls, now()).await, world.spending(&budget).await);

    world.remove_before("2027-03-01T00:00:00Z").await;

    assert_eq!(world.opening(&budget_rolls, now()).await, before.0);
    assert!(world.verified().await.is_empty());
    for table in ["budget_spend", "budget_kept"] {
        let change = |sign| {
            format!(
                "UPDATE {table} SET cost_nanos = cost_nanos {sign} 1 WHERE budget = {}",
                uuid(&world, budget.id)
            )
        };
        world.fixture.run(&change('+')).await;
        assert_eq!(world.verified().await, [LedgerCheck::BudgetSpend], "{table}");
        world.fixture.run(&change('-')).await;
    }
    assert!(world.verified().await.is_empty());
}

fn uuid(world: &World, id: BudgetId) -> String {
    match world.fixture.is_postgres() {
        true => format!("'{}'", id.uuid()),
        false => format!("x'{}'", id.uuid().simple()),
    }
}

async fn what_no_window_reaches_any_more_is_forgotten(fixture: Fixture) {
    let world = World::new(fixture).await;
    let kept = async || world.fixture.number("SELECT COUNT(*) FROM budget_kept").await;
    let rolling = world
        .budget(json!({"user": world.ana}), json!({"rolling": "40d"}))
        .await;
    let gone = world.budget(json!({"user": world.ana}), json!("total")).await;
    let acme = world.acme;
    world.remove_before("2027-03-01T00:00:00Z").await;
    assert_eq!(kept().await, 3 + 4);

    let deleted = world
        .fixture
        .change(acme, async |tx| tx.delete_budget(acme, gone.id).await);
    deleted.await.expect("it is deleted");
    let later = now() + TimeDelta::days(60);
    let settled = world.fixture.open_budget(acme, &rolling, later).await;
    assert_eq!(settled.expect("it is added up"), Opening::Settled);
    let removed = world.fixture.system().remove_usage_before(later, later).await;
    removed.expect("nothing of these");

    assert_eq!(kept().await, 0);
}

async fn a_course_is_the_same_before_and_after_requests_are_removed(fixture: Fixture) {
    let world = World::new(fixture).await;
    let scope = world.fixture.organization(world.acme);
    let days = async |budget: &Budget, by, most_rows| {
        let course = scope.course(budget, by, now(), most_rows).await.expect("a course");
        let mut days: BTreeMap<String, (i64, u64)> = BTreeMap::new();
        for bucket in &course.buckets {
            let day = days.entry(bucket.start.date_naive().to_string()).or_default();
            *day = (day.0 + bucket.cost.get(), day.1 + bucket.requests);
        }
        (course.known_from, days)
    };
    let expected = |days: &[&str], requests: u64| {
        let cost = i64::try_from(requests).expect("few") * COST;
        days.iter()
            .map(|day| ((*day).to_owned(), (cost, requests)))
            .collect::<BTreeMap<_, _>>()
    };
    let all = ["2027-01-10", "2027-01-31", "2027-02-03", "2027-02-20", "2027-03-01"];
    let of_ana = world.budget(json!({"user": world.ana}), json!("total")).await;
    let of_each = world.budget(json!({"end_user": {"each": true}}), json!("total")).await;
    let of_all = world.budget(json!("organization"), json!("total")).await;
    let february = Some(time("2027-02-01T00:00:00Z"));

    for removed in [false, true] {
        for by in [UsageGroup::None, UsageGroup::Key, UsageGroup::Model, UsageGroup::Team] {
            assert_eq!(days(&of_ana, by, 1_000).await, (None, expected(&all, 1)), "{by:?}");
            assert_eq!(days(&of_each, by, 1_000).await, (None, expected(&all, 2)), "{by:?}");
        }
        assert_eq!(days(&of_all, UsageGroup::None, 1_000).await, (None, expected(&all, 2)));
        if !removed {
            let (known_from, newest) = days(&of_ana, UsageGroup::None, 3).await;
            assert_eq!(known_from, Some(time("2027-02-20T12:00:00Z")));
            assert_eq!(newest.keys().next_back().map(String::as_str), all.last().copied());
            assert!(newest.len() <= 2, "{newest:?}");
            world.remove_before("2027-02-01T00:00:00Z").await;
        }
    }
    let later = world
        .budget(json!({"credential": world.credential}), json!("total"))
        .await;
    world.opening(&later, now()).await;
    assert_eq!(
        days(&later, UsageGroup::None, 1_000).await,
        (february, expected(all.get(2..).expect("three"), 2))
    );
}

on_both_databases!(
    a_course_is_the_same_before_and_after_requests_are_removed,
    an_opening_is_the_same_before_and_after_requests_are_removed,
    what_was_priced_anew_is_kept_as_it_came_to,
    a_budget_of_later_tells_since_when_it_knows,
    what_counts_by_itself_is_kept_apart_and_verified,
    what_no_window_reaches_any_more_is_forgotten,
);
