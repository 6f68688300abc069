//! Requests that are priced anew: each once by a run, in everything that they count in, and what does not add up is found.

mod cancelling;
mod dry_runs;
mod keeping;
mod months;
mod runs;

use std::time::Duration;

use chrono::Utc;
use gatewright_contract::{Batch, BudgetShare, Revision, UsageRecord};
use gatewright_types::api::{LedgerVerificationQuery, NewReprice, PricedAnew};
use gatewright_types::{BudgetId, Nanos, NodeId, OrganizationId, RepriceId, UnitPrice};

use super::fixture::Fixture;
use super::ingesting::records;
use crate::{Adjustment, ChargedRequest, RepriceRun, RepriceStep};

const DAY: Duration = Duration::from_secs(86_400);

fn new(reason: &str) -> NewReprice {
    NewReprice {
        from: Utc::now() - DAY,
        to: Utc::now() + DAY,
        provider: None,
        model: None,
        priced_at: None,
        reason: reason.to_owned(),
        dry_run: false,
        as_told_by: None,
    }
}

fn dry(reason: &str) -> NewReprice {
    NewReprice {
        dry_run: true,
        ..new(reason)
    }
}

/// Sixty requests that count in a budget, of which every sixth has no price and every tenth no model of the organization.
async fn counted(fixture: &Fixture) -> (OrganizationId, Vec<UsageRecord>) {
    let acme = fixture.organization_named("acme").await;
    let budget = BudgetId::mint();
    let mut all = records(acme, 60);
    for (number, record) in (0..).zip(&mut all) {
        record.budgets.push(BudgetShare {
            budget,
            from_ms: 0,
            name: None,
        });
        if number % 6 == 0 {
            record.cost = None;
            record.lines.iter_mut().for_each(|line| line.price = None);
        }
        if number % 10 == 0 {
            (record.model, record.model_id) = (Some("invented".to_owned()), None);
        }
    }
    let batch = Batch {
        node: NodeId::mint(),
        follows: 0,
        first: 1,
        records: all.clone(),
    };
    fixture.system().ingest(&batch).await.expect("the batch comes in");
    (acme, all)
}

async fn begun(fixture: &Fixture, acme: OrganizationId, reason: &str) -> RepriceRun {
    begun_as(fixture, acme, &new(reason)).await
}

async fn begun_as(fixture: &Fixture, acme: OrganizationId, new: &NewReprice) -> RepriceRun {
    let id = RepriceId::mint();
    let run = fixture
        .change(acme, async |tx| tx.create_reprice(acme, id, new, Revision(0)).await)
        .await;
    run.expect("it begins");
    let mut taken = fixture.system().take_up_reprices().await.expect("runs");
    assert_eq!(taken.len(), 1);
    taken.pop().expect("one")
}

fn version(picos: i64) -> String {
    format!("price_{picos}")
}

/// As if each token cost so much.
fn at(picos: i64, request: ChargedRequest) -> Adjustment {
    let mut lines = request.lines.clone();
    for line in &mut lines {
        line.price = Some(UnitPrice::from_picos(picos));
        line.price_version = Some(version(picos));
    }
    Adjustment {
        request,
        cost: Nanos::new(22 * picos / 1_000),
        lines,
    }
}

async fn portion(fixture: &Fixture, run: &mut RepriceRun, limit: u64, picos: i64) -> Option<RepriceStep> {
    let scope = fixture.organization(run.organization);
    let requests = scope
        .charged(&run.range, Some(run.position), limit)
        .await
        .expect("requests");
    let position = requests.last()?.id;
    let mut after = run.sums.clone();
    let adjustments: Vec<_> = requests.into_iter().map(|request| at(picos, request)).collect();
    for adjustment in &adjustments {
        after.add(PricedAnew {
            provider: &adjustment.request.provider,
            model: adjustment.request.model.as_ref(),
            before: adjustment.request.cost,
            priced: Ok((adjustment.cost, &version(picos))),
        });
    }
    let changed = adjustments.into_iter().filter(|one| one.request.cost != Some(one.cost));
    let changed: Vec<_> = changed.collect();
    let step = fixture
        .adjust(run, &changed, &[], position, &after)
        .await
        .expect("the database");
    if step == RepriceStep::Done {
        (run.position, run.sums) = (position, after);
    }
    Some(step)
}

async fn clean(fixture: &Fixture, acme: OrganizationId) -> bool {
    let query = LedgerVerificationQuery::default();
    let verification = fixture.verify_ledger(acme, &query).await.expect("it is read");
    verification.clean
}

async fn spent(fixture: &Fixture, all: &[UsageRecord]) -> i64 {
    let share = all.first().and_then(|record| record.budgets.first()).expect("a budget");
    let acme = all.first().expect("one").organization;
    let rows = fixture.organization(acme).spent(share.budget, 0).await.expect("rows");
    rows.iter().map(|row| row.cost.get()).sum()
}
