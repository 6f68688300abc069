//! Everything that is derived from requests' rows says what the rows say, and what does not is found and named.

use std::time::Duration;

use chrono::{DateTime, Utc};
use gatewright_contract::{Batch, BudgetShare, UsageRecord};
use gatewright_types::api::{
    LedgerCheck, LedgerDifference, LedgerVerification, LedgerVerificationQuery, Outcome, UsageBudget, UsageQuery,
};
use gatewright_types::{
    BudgetId, CredentialId, DisplayName, Nanos, NodeId, OrganizationId, PersonId, RequestId, TeamId,
};

use uuid::Uuid;

use super::fixture::Fixture;
use super::ingesting::{record, records, whole_minute};
use super::on_both_databases;
use crate::BudgetSpend;
use crate::usage::first_id_of;

const DAY: Duration = Duration::from_secs(86_400);

fn name(text: &str) -> DisplayName {
    text.parse().expect(text)
}

fn share(budget: BudgetId, from_ms: i64) -> BudgetShare {
    BudgetShare {
        budget,
        from_ms,
        name: None,
    }
}

/// As it had been so long ago.
fn back(record: UsageRecord, by: Duration) -> UsageRecord {
    let started_at = record.started_at - by;
    let minted =
        Uuid::from_u128(first_id_of(started_at).as_u128() | (record.id.uuid().as_u128() & u128::from(u64::MAX)));
    UsageRecord {
        id: RequestId::from_uuid(minted),
        started_at,
        ..record
    }
}

pub(super) async fn take_in(fixture: &Fixture, records: Vec<UsageRecord>) {
    let batch = Batch {
        node: NodeId::mint(),
        follows: 0,
        first: 1,
        records,
    };
    fixture.system().ingest(&batch).await.expect("the batch comes in");
}

async fn verified(fixture: &Fixture, organization: OrganizationId) -> LedgerVerification {
    let query = LedgerVerificationQuery::default();
    let verified = fixture.verify_ledger(organization, &query).await;
    verified.expect("the ledger can be read")
}

fn differences(verification: &LedgerVerification, check: LedgerCheck) -> Vec<&LedgerDifference> {
    let all = verification.differences.iter();
    all.filter(|difference| difference.check == check).collect()
}

/// Requests of every kind, over ten days, that count in two budgets.
async fn filled(fixture: &Fixture, acme: OrganizationId, budgets: [BudgetId; 2]) -> Vec<UsageRecord> {
    let [everybodys, each] = budgets;
    let mut all = records(acme, 200);
    for (number, record) in (0_u32..).zip(&mut all) {
        *record = back(record.clone(), DAY * (number % 10));
        record.budgets.push(share(everybodys, 0));
        record.budgets.push(BudgetShare {
            name: Some(name(if number % 3 == 0 { "ana" } else { "bob" })),
            ..share(each, 1_790_000_000_000)
        });
        if number % 7 == 0 {
            record.outcome = Outcome::Failed;
            record.cost = None;
            record.lines.iter_mut().for_each(|line| line.price = None);
        }
        if number % 5 == 0 {
            record.team = Some(TeamId::mint());
        }
    }
    take_in(fixture, all.clone()).await;
    all
}

async fn what_a_request_counts_in_is_kept_with_it(fixture: Fixture) {
    let (acme, budget) = (OrganizationId::mint(), BudgetId::mint());
    let (owner, credential) = (PersonId::mint(), CredentialId::mint());
    let mut told = record(acme);
    told.owner = Some(owner);
    told.end_user = Some(name("ana"));
    told.tags = [("project".parse().expect("a tag"), name("apollo"))].into();
    told.budgets = vec![share(budget, 7)];
    told.downgraded_to = "small".parse().ok();
    told.over = Some("key ci\0".to_owned());
    told.upstream.as_mut().expect("an upstream").credential = Some(credential);
    let other_user = UsageRecord {
        id: RequestId::mint(),
        end_user: Some(name("bob")),
        ..told.clone()
    };
    let plain = record(acme);

    take_in(&fixture, vec![told.clone(), other_user.clone(), plain.clone()]).await;
    take_in(&fixture, vec![told.clone(), other_user.clone(), plain.clone()]).await;

    let rows = fixture.organization(acme).usage(&UsageQuery::default()).await;
    let rows = rows.expect("the list").items;
    let row = |id: RequestId| rows.iter().find(|row| row.id == id).expect("the row").clone();
    assert_eq!(rows.len(), 3);
    let kept = row(told.id);
    assert_eq!((kept.owner, kept.credential), (Some(owner), Some(credential)));
    assert_eq!((kept.end_user, kept.tags), (told.end_user, told.tags));
    assert_eq!(
        (kept.downgraded_to, kept.over.as_deref()),
        (told.downgraded_to, Some("key ci\u{fffd}"))
    );
    let counted = UsageBudget {
        budget,
        from: DateTime::from_timestamp_millis(7),
        name: None,
    };
    assert_eq!(kept.budgets, [counted]);
    assert_eq!(row(other_user.id).end_user, other_user.end_user);
    let plain = row(plain.id);
    assert_eq!((plain.owner, plain.credential, plain.end_user), (None, None, None));
    assert!(plain.tags.is_empty() && plain.budgets.is_empty());
    assert_eq!((plain.downgraded_to, plain.over), (None, None));
}

async fn spending_is_summed_by_window_and_name_once(fixture: Fixture) {
    let (acme, beta) = (OrganizationId::mint(), OrganizationId::mint());
    let budget = BudgetId::mint();
    let of = |from_ms, for_whom: Option<&str>, organization| UsageRecord {
        budgets: vec![BudgetShare {
            name: for_whom.map(name),
            ..share(budget, from_ms)
        }],
        ..record(organization)
    };
    let unpriced = UsageRecord {
        cost: None,
        ..of(1_000, Some("ana"), acme)
    };
    let batch = vec![
        of(1_000, Some("ana"), acme),
        of(1_000, Some("ana"), acme),
        of(1_000, Some("bob"), acme),
        of(2_000, None, acme),
        unpriced,
        of(2_000, None, beta),
    ];

    take_in(&fixture, batch.clone()).await;
    take_in(&fixture, batch).await;

    let spent = async |since_ms| {
        fixture
            .organization(acme)
            .spent(budget, since_ms)
            .await
            .expect("the sums")
    };
    let row = |from_ms, for_whom: Option<&str>, cost, requests| BudgetSpend {
        budget,
        from_ms,
        name: for_whom.map(name),
        cost: Nanos::new(cost),
        requests,
    };
    assert_eq!(
        spent(0).await,
        [
            row(1_000, Some("ana"), 6_600, 3),
            row(1_000, Some("bob"), 3_300, 1),
            row(2_000, None, 3_300, 1),
        ]
    );
    assert_eq!(spent(1_001).await, [row(2_000, None, 3_300, 1)]);
}

async fn a_ledger_that_was_left_alone_is_clean(fixture: Fixture) {
    let (acme, beta) = (OrganizationId::mint(), OrganizationId::mint());
    let records = filled(&fixture, acme, [BudgetId::mint(), BudgetId::mint()]).await;
    take_in(&fixture, vec![record(beta)]).await;

    let verification = verified(&fixture, acme).await;

    assert!(verification.clean, "{verification:#?}");
    assert_eq!(verification.requests, 200);
    let cost = records.iter().filter_map(|record| record.cost);
    assert_eq!(verification.cost, Nanos::new(cost.map(Nanos::get).sum()));
    let compared: Vec<_> = verification.checks.iter().map(|check| check.check).collect();
    assert_eq!(
        compared,
        [
            LedgerCheck::Lines,
            LedgerCheck::Adjustments,
            LedgerCheck::Minutes,
            LedgerCheck::Hours,
            LedgerCheck::Days,
            LedgerCheck::BudgetSpend
        ]
    );
    let nothing = verification.checks.iter().filter(|check| check.compared == 0);
    let nothing: Vec<_> = nothing.map(|check| check.check).collect();
    assert_eq!(
        nothing,
        [LedgerCheck::Adjustments],
        "nothing was priced anew: {verification:#?}"
    );
}

async fn what_is_no_longer_kept_by_the_minute_is_no_difference(fixture: Fixture) {
    let acme = OrganizationId::mint();
    let old = back(record(acme), 30 * DAY);
    take_in(&fixture, vec![old, record(acme)]).await;
    fixture.system().prune_rollups(Utc::now()).await.expect("old sums go");

    assert!(verified(&fixture, acme).await.clean);
}

async fn a_changed_cost_is_found_in_its_row_and_wherever_it_counts(fixture: Fixture) {
    let (acme, budget) = (OrganizationId::mint(), BudgetId::mint());
    let tampered = UsageRecord {
        budgets: vec![share(budget, 5_000)],
        ..record(acme)
    };
    take_in(&fixture, vec![tampered.clone(), record(acme)]).await;

    fixture
        .run("UPDATE usage SET cost_nanos = 1 WHERE budgets IS NOT NULL")
        .await;
    let verification = verified(&fixture, acme).await;

    assert!(!verification.clean);
    let [line] = differences(&verification, LedgerCheck::Lines)[..] else {
        panic!("{verification:#?}")
    };
    assert_eq!(line.request, Some(tampered.id));
    assert_eq!(
        (line.expected.cost, line.found.cost),
        (Nanos::new(3_300), Nanos::new(1))
    );
    let [window] = differences(&verification, LedgerCheck::BudgetSpend)[..] else {
        panic!("{verification:#?}")
    };
    assert_eq!(window.budget, Some(budget));
    assert_eq!(window.start.map(|start| start.timestamp_millis()), Some(5_000));
    assert_eq!(
        (window.expected.cost, window.found.cost),
        (Nanos::new(1), Nanos::new(3_300))
    );
    for check in [LedgerCheck::Minutes, LedgerCheck::Hours, LedgerCheck::Days] {
        assert_eq!(differences(&verification, check).len(), 1, "{check:?}");
    }
}

async fn a_changed_sum_is_found_at_its_grain_alone(fixture: Fixture) {
    let acme = OrganizationId::mint();
    let kept = record(acme);
    take_in(&fixture, vec![kept.clone()]).await;

    for (seconds, check) in [
        (60, LedgerCheck::Minutes),
        (3_600, LedgerCheck::Hours),
        (86_400, LedgerCheck::Days),
    ] {
        let change = |sign| {
            format!("UPDATE usage_rollup SET requests = requests {sign} 1 WHERE granularity_seconds = {seconds}")
        };
        fixture.run(&change('+')).await;

        let verification = verified(&fixture, acme).await;

        let [found] = verification.differences.as_slice() else {
            panic!("{check:?}: {verification:#?}")
        };
        assert_eq!(
            (found.check, found.expected.requests, found.found.requests),
            (check, 1, 2)
        );
        let start = kept.started_at.timestamp();
        assert_eq!(
            found.start.map(|at| at.timestamp()),
            Some(start - start.rem_euclid(seconds))
        );
        fixture.run(&change('-')).await;
    }
    assert!(verified(&fixture, acme).await.clean);
}

async fn a_row_that_is_gone_and_spending_of_no_row_are_found(fixture: Fixture) {
    let (acme, budget) = (OrganizationId::mint(), BudgetId::mint());
    let gone = UsageRecord {
        budgets: vec![share(budget, 0)],
        ..record(acme)
    };
    take_in(&fixture, vec![gone, record(acme)]).await;

    fixture.run("DELETE FROM usage WHERE budgets IS NOT NULL").await;
    let verification = verified(&fixture, acme).await;

    let [window] = differences(&verification, LedgerCheck::BudgetSpend)[..] else {
        panic!("{verification:#?}")
    };
    assert_eq!((window.budget, window.start), (Some(budget), None));
    assert_eq!((window.expected.requests, window.found.requests), (0, 1));
    assert_eq!(differences(&verification, LedgerCheck::Days).len(), 1);
}

async fn a_span_is_verified_by_whole_days(fixture: Fixture) {
    let acme = OrganizationId::mint();
    filled(&fixture, acme, [BudgetId::mint(), BudgetId::mint()]).await;
    let query = LedgerVerificationQuery {
        from: Some(whole_minute() - 5 * DAY),
        to: Some(whole_minute() - 2 * DAY),
    };

    let verification = fixture.verify_ledger(acme, &query).await.expect("it can be read");

    assert!(verification.clean, "{verification:#?}");
    assert_eq!(verification.requests, 80);
    let checks = verification.checks.iter();
    assert!(checks.clone().all(|check| check.check != LedgerCheck::BudgetSpend));
    let days = checks.clone().find(|check| check.check == LedgerCheck::Days);
    assert!(days.is_some_and(|days| days.compared > 0), "{verification:#?}");
}

on_both_databases!(
    what_a_request_counts_in_is_kept_with_it,
    spending_is_summed_by_window_and_name_once,
    a_ledger_that_was_left_alone_is_clean,
    what_is_no_longer_kept_by_the_minute_is_no_difference,
    a_changed_cost_is_found_in_its_row_and_wherever_it_counts,
    a_changed_sum_is_found_at_its_grain_alone,
    a_row_that_is_gone_and_spending_of_no_row_are_found,
    a_span_is_verified_by_whole_days,
);
