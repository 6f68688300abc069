//! Requests go by whole months, and what comes in before its month has a part is moved there.

use std::time::Duration;

use chrono::{DateTime, Utc};
use gatewright_contract::{Batch, UsageRecord};
use gatewright_types::api::{LedgerVerificationQuery, UsageQuery};
use gatewright_types::{NodeId, OrganizationId, RequestId};
use uuid::Uuid;

use super::fixture::Fixture;
use super::ingesting::record;
use super::on_both_databases;
use crate::usage::first_id_of;

const DAY: Duration = Duration::from_secs(86_400);

fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect(text)
}

async fn request_at(fixture: &Fixture, organization: OrganizationId, at: DateTime<Utc>) -> RequestId {
    let random = RequestId::mint().uuid().as_u128() & u128::from(u64::MAX);
    let id = RequestId::from_uuid(Uuid::from_u128(first_id_of(at).as_u128() | random));
    let record = UsageRecord {
        id,
        started_at: at,
        ..record(organization)
    };
    let batch = Batch {
        node: NodeId::mint(),
        follows: 0,
        first: 1,
        records: vec![record],
    };
    fixture.system().ingest(&batch).await.expect("the batch comes in");
    id
}

async fn kept(fixture: &Fixture, organization: OrganizationId) -> Vec<RequestId> {
    let rows = fixture.organization(organization).usage(&UsageQuery::default()).await;
    let mut ids: Vec<_> = rows.expect("the list").items.iter().map(|row| row.id).collect();
    ids.reverse();
    ids
}

/// Of every table of requests, or the one there is.
async fn parts(fixture: &Fixture) -> i64 {
    match fixture.is_postgres() {
        true => {
            let sql = "SELECT COUNT(*) FROM pg_inherits WHERE inhparent = 'usage'::regclass";
            fixture.number(sql).await
        }
        false => 0,
    }
}

async fn parts_are_made_ahead_once_and_take_over_what_came_before_them(fixture: Fixture) {
    let acme = OrganizationId::mint();
    let now = Utc::now();
    let early = request_at(&fixture, acme, now + 40 * DAY).await;
    let today = request_at(&fixture, acme, now).await;
    let before = parts(&fixture).await;

    let made = fixture.system().make_usage_parts(now).await.expect("parts are made");

    assert_eq!(made, if fixture.is_postgres() { 2 } else { 0 });
    assert_eq!(parts(&fixture).await, before + i64::try_from(made).expect("few"));
    assert_eq!(
        fixture.system().make_usage_parts(now).await.expect("nothing is made"),
        0
    );
    assert_eq!(kept(&fixture, acme).await, [today, early]);
    if fixture.is_postgres() {
        assert_eq!(fixture.number("SELECT COUNT(*) FROM usage_other").await, 0);
    }
    let later = now + 200 * DAY;
    let more = fixture.system().make_usage_parts(later).await.expect("parts are made");
    assert_eq!(more > 0, fixture.is_postgres());
}

async fn old_months_go_as_a_whole_and_sums_stay(fixture: Fixture) {
    let acme = OrganizationId::mint();
    let mut all = Vec::new();
    for at in [
        "2027-01-31T23:50:00Z",
        "2027-02-01T00:10:00Z",
        "2027-02-28T12:00:00Z",
        "2027-03-05T12:00:00Z",
    ] {
        fixture
            .system()
            .make_usage_parts(time(at))
            .await
            .expect("parts are made");
        all.push(request_at(&fixture, acme, time(at)).await);
    }

    let removed = fixture
        .system()
        .remove_usage_before(time("2027-02-27T00:00:00Z"), Utc::now())
        .await
        .expect("old ones go");

    assert!(removed >= 1);
    assert_eq!(kept(&fixture, acme).await, all.get(1..).expect("three"));
    assert_eq!(
        fixture.system().usage_from().await.expect("a time"),
        Some(time("2027-02-01T00:00:00Z"))
    );
    let days = "SELECT CAST(SUM(requests) AS BIGINT) FROM usage_rollup WHERE granularity_seconds = 86400";
    assert_eq!(fixture.number(days).await, 4);
    let query = LedgerVerificationQuery::default();
    let verification = fixture.verify_ledger(acme, &query).await.expect("it is read");
    assert!(verification.clean, "{verification:#?}");
    assert_eq!(verification.requests, 2);

    let again = fixture
        .system()
        .remove_usage_before(time("2027-02-27T00:00:00Z"), Utc::now())
        .await
        .expect("nothing goes");
    assert_eq!(again, 0);
}

async fn many_old_requests_go_a_portion_at_a_time(fixture: Fixture) {
    let (acme, beta) = (OrganizationId::mint(), OrganizationId::mint());
    let last_year = Utc::now() - 400 * DAY;
    for organization in [acme, beta] {
        let records = super::ingesting::records(organization, 1_200)
            .into_iter()
            .map(|record| {
                let id = first_id_of(last_year).as_u128() | (record.id.uuid().as_u128() & u128::from(u64::MAX));
                UsageRecord {
                    id: RequestId::from_uuid(Uuid::from_u128(id)),
                    started_at: last_year,
                    ..record
                }
            });
        let batch = Batch {
            node: NodeId::mint(),
            follows: 0,
            first: 1,
            records: records.collect(),
        };
        fixture.system().ingest(&batch).await.expect("the batch comes in");
    }
    let today = request_at(&fixture, beta, Utc::now()).await;

    let removed = fixture
        .system()
        .remove_usage_before(Utc::now(), Utc::now())
        .await
        .expect("old ones go");

    if fixture.is_postgres() {
        // Everything before the tables were divided is one part, of which this month is one.
        assert_eq!(removed, 0);
    } else {
        assert_eq!(removed, 2_400);
        assert_eq!(kept(&fixture, beta).await, [today]);
    }
}

on_both_databases!(
    parts_are_made_ahead_once_and_take_over_what_came_before_them,
    old_months_go_as_a_whole_and_sums_stay,
    many_old_requests_go_a_portion_at_a_time,
);
