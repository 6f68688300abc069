//! Usage comes in once, whatever is repeated, overlaps, is missing or breaks off.

use std::time::Duration;

use chrono::{DateTime, Utc};
use gatewright_contract::{Batch, Upstream, UsageRecord};
use gatewright_types::api::{CacheStatus, Dialect, LineItem, Outcome, ServedTier, UsageQuery, UsageSeriesQuery};
use gatewright_types::{
    KeyId, ModelId, Money, Nanos, NodeId, OrganizationId, ProviderId, RequestId, UnitPrice, UsageUnit,
};
use tokio::task::JoinSet;

use super::fixture::Fixture;
use super::on_both_databases;
use crate::{Db, Ingested};

async fn a_repeated_batch_counts_once(fixture: Fixture) {
    let acme = OrganizationId::mint();
    let batch = batch(NodeId::mint(), 0, 1, records(acme, 100));

    let first = fixture.system().ingest(&batch).await.expect("the batch comes in");
    let again = fixture.system().ingest(&batch).await.expect("the batch comes in again");

    assert_eq!(first, Ingested { acked: 100, new: 100 });
    assert_eq!(again, Ingested { acked: 100, new: 0 });
    assert_counted(&fixture, acme, 100).await;
}

async fn overlapping_batches_count_each_record_once(fixture: Fixture) {
    let (acme, node) = (OrganizationId::mint(), NodeId::mint());
    let records = records(acme, 90);
    let part = |from: usize, to: usize| records.get(from..to).expect("within the records").to_vec();

    let one = fixture
        .system()
        .ingest(&batch(node, 0, 1, part(0, 50)))
        .await
        .expect("it comes in");
    let two = fixture
        .system()
        .ingest(&batch(node, 20, 21, part(20, 90)))
        .await
        .expect("it comes in");

    assert_eq!((one.new, two.new, two.acked), (50, 40, 90));
    assert_counted(&fixture, acme, 90).await;
}

async fn a_gap_is_stored_but_not_acknowledged(fixture: Fixture) {
    let (acme, node) = (OrganizationId::mint(), NodeId::mint());
    let records = records(acme, 30);
    let part = |from: usize, to: usize| records.get(from..to).expect("within the records").to_vec();
    let ingest = async |batch: Batch| fixture.system().ingest(&batch).await.expect("it comes in");

    assert_eq!(ingest(batch(node, 0, 1, part(0, 10))).await.acked, 10);
    assert_eq!(
        ingest(batch(node, 20, 21, part(20, 30))).await,
        Ingested { acked: 10, new: 10 }
    );
    assert_eq!(
        ingest(batch(node, 10, 11, part(10, 20))).await,
        Ingested { acked: 20, new: 10 }
    );
    assert_eq!(
        ingest(batch(node, 20, 21, part(20, 30))).await,
        Ingested { acked: 30, new: 0 }
    );
    assert_eq!(ingest(batch(node, 30, 1_001, records_again(acme))).await.acked, 1_001);
    assert_eq!(ingest(batch(node, 10, 11, part(10, 20))).await.acked, 1_001);
    assert_eq!(
        ingest(batch(node, 1_001, 1_002, Vec::new())).await,
        Ingested { acked: 1_001, new: 0 }
    );
    assert_counted(&fixture, acme, 31).await;
}

async fn after_a_restart_the_database_knows_what_it_has(fixture: Fixture) {
    let (acme, node) = (OrganizationId::mint(), NodeId::mint());
    let records = records(acme, 20);
    fixture
        .system()
        .ingest(&batch(node, 0, 1, records.clone()))
        .await
        .expect("it comes in");

    let restarted = fixture.opened_again().await;

    assert_eq!(restarted.system().acked(node).await.expect("the number"), 20);
    assert_eq!(restarted.system().acked(NodeId::mint()).await.expect("the number"), 0);
    let again = restarted
        .system()
        .ingest(&batch(node, 0, 1, records))
        .await
        .expect("it comes in again");
    assert_eq!(again, Ingested { acked: 20, new: 0 });
    assert_counted(&restarted, acme, 20).await;
}

async fn the_same_batch_at_two_control_nodes_counts_once(fixture: Fixture) {
    let acme = OrganizationId::mint();
    let mut tasks = JoinSet::new();
    let batches: Vec<_> = (0..4).map(|_| batch(NodeId::mint(), 0, 1, records(acme, 50))).collect();
    for batch in batches.iter().chain(&batches) {
        let (db, batch) = (fixture.opened_again().await, batch.clone());
        tasks.spawn(async move { db.system().ingest(&batch).await.expect("it comes in").new });
    }

    let new: u64 = tasks.join_all().await.into_iter().sum();

    assert_eq!(new, 200);
    assert_counted(&fixture, acme, 200).await;
}

async fn a_failing_batch_leaves_nothing(fixture: Fixture) {
    let (acme, node) = (OrganizationId::mint(), NodeId::mint());
    let batch = batch(node, 0, 1, records(acme, 10));
    fixture.run("ALTER TABLE usage_rollup RENAME TO away").await;

    assert!(fixture.system().ingest(&batch).await.is_err());
    fixture.run("ALTER TABLE away RENAME TO usage_rollup").await;

    assert_eq!(fixture.number("SELECT COUNT(*) FROM usage").await, 0);
    assert_eq!(fixture.system().acked(node).await.expect("the number"), 0);
    assert_eq!(fixture.system().ingest(&batch).await.expect("it comes in").new, 10);
    assert_counted(&fixture, acme, 10).await;
}

async fn a_record_is_read_back_as_it_came(fixture: Fixture) {
    let acme = OrganizationId::mint();
    let record = record(acme);
    let refused = UsageRecord {
        id: RequestId::mint(),
        model: Some(format!("nul\0 and {}", "long".repeat(200))),
        model_id: None,
        upstream: None,
        outcome: Outcome::Refused,
        status: 404,
        code: Some("model_not_found".to_owned()),
        lines: Vec::new(),
        served: None,
        charge: None,
        cost: None,
        first_token_us: None,
        ..record.clone()
    };
    let twice = vec![record.clone(), refused.clone(), record.clone()];

    let ingested = fixture
        .system()
        .ingest(&batch(NodeId::mint(), 0, 1, twice))
        .await
        .expect("it comes in");

    assert_eq!(ingested, Ingested { acked: 3, new: 2 });
    let rows = fixture
        .organization(acme)
        .usage(&UsageQuery::default())
        .await
        .expect("the list")
        .items;
    let [second, first] = rows.as_slice() else {
        panic!("two rows: {rows:?}")
    };
    assert_eq!(
        (first.id, first.started_at, first.key),
        (record.id, record.started_at, Some(record.key))
    );
    assert_eq!(first.lines, record.lines);
    let money = |money: Option<Money>| money.map(|money| money.amount.get());
    assert_eq!(first.service_tier, Some(ServedTier::Flex));
    assert_eq!(
        [first.cost, first.provider_cost, first.cost_difference].map(money),
        [Some(3_300), Some(3_000), Some(-300)]
    );
    assert_eq!(first.provider.as_ref().map(|name| name.as_str()), Some("openai"));
    assert_eq!(
        (first.duration_ms, first.first_token_ms, first.overhead_us),
        (1_200, Some(150), 90)
    );
    assert_eq!(
        (second.outcome, second.status, second.code.as_deref()),
        (Outcome::Refused, 404, Some("model_not_found"))
    );
    let model = second.model.as_deref().expect("a model");
    assert!(
        model.starts_with("nul\u{fffd} and long") && model.chars().count() == 256,
        "{model}"
    );
    assert_eq!(second.cost, None);
    assert_eq!(
        (second.service_tier, second.provider_cost, second.cost_difference),
        (None, None, None)
    );
}

async fn the_list_of_requests_is_filtered_and_paged(fixture: Fixture) {
    let acme = OrganizationId::mint();
    let mut records = records(acme, 25);
    let mine = KeyId::mint();
    for record in records.iter_mut().take(5) {
        record.key = mine;
        record.outcome = Outcome::Cut;
    }
    fixture
        .system()
        .ingest(&batch(NodeId::mint(), 0, 1, records.clone()))
        .await
        .expect("it comes in");
    let scope = fixture.organization(acme);
    let count = async |query: UsageQuery| scope.usage(&query).await.expect("the list").items.len();
    let base = UsageQuery {
        limit: Some(200),
        ..UsageQuery::default()
    };
    let (first, last) = (records.first().expect("the first"), records.last().expect("the last"));

    assert_eq!(
        count(UsageQuery {
            key: Some(mine),
            ..base.clone()
        })
        .await,
        5
    );
    assert_eq!(
        count(UsageQuery {
            outcome: Some(Outcome::Complete),
            ..base.clone()
        })
        .await,
        20
    );
    assert_eq!(
        count(UsageQuery {
            model: "fast".parse().ok(),
            ..base.clone()
        })
        .await,
        25
    );
    assert_eq!(
        count(UsageQuery {
            model: "slow".parse().ok(),
            ..base.clone()
        })
        .await,
        0
    );
    assert_eq!(
        count(UsageQuery {
            from: Some(last.started_at),
            ..base.clone()
        })
        .await,
        1
    );
    assert_eq!(
        count(UsageQuery {
            to: Some(last.started_at),
            ..base.clone()
        })
        .await,
        24
    );
    assert_eq!(
        count(UsageQuery {
            to: Some(first.started_at),
            ..base.clone()
        })
        .await,
        0
    );

    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = scope
            .usage(&UsageQuery {
                limit: Some(10),
                cursor,
                ..UsageQuery::default()
            })
            .await;
        let page = page.expect("a page");
        seen.extend(page.items.into_iter().map(|row| row.id));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let newest_first: Vec<_> = records.iter().rev().map(|record| record.id).collect();
    assert_eq!(seen, newest_first);
}

/// Rows, sums of each grain and the series agree.
async fn assert_counted(db: &Db, organization: OrganizationId, count: u64) {
    let scope = db.organization(organization);
    let (mut rows, mut cursor) = (0, None);
    loop {
        let page = scope
            .usage(&UsageQuery {
                limit: Some(200),
                cursor,
                ..UsageQuery::default()
            })
            .await;
        let page = page.expect("a page");
        rows += page.items.len();
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(u64::try_from(rows).ok(), Some(count));
    let now = Utc::now();
    for span in [
        Duration::from_secs(3_600),
        Duration::from_secs(7 * 86_400),
        Duration::from_secs(300 * 86_400),
    ] {
        let query = UsageSeriesQuery::new(now - span, now + Duration::from_secs(60), Default::default());
        let series = scope.usage_series(&query).await.expect("the series");
        assert_eq!(series.totals.requests, count, "over {span:?}");
        assert_eq!(
            series.buckets.iter().map(|bucket| bucket.totals.requests).sum::<u64>(),
            count,
            "over {span:?}"
        );
        assert_eq!(series.totals.input_tokens, 15 * count);
    }
}

fn batch(node: NodeId, follows: u64, first: u64, records: Vec<UsageRecord>) -> Batch {
    Batch {
        node,
        follows,
        first,
        records,
    }
}

fn records_again(organization: OrganizationId) -> Vec<UsageRecord> {
    records(organization, 1)
}

/// Records that start a millisecond after each other.
pub(super) fn records(organization: OrganizationId, count: u32) -> Vec<UsageRecord> {
    let template = record(organization);
    let start = template.started_at;
    let record = |number| UsageRecord {
        id: RequestId::mint(),
        started_at: start + Duration::from_millis(number),
        ..template.clone()
    };
    (0..u64::from(count)).map(record).collect()
}

/// A priced streaming answer of 10 fresh, 5 cached and 7 written tokens.
pub(super) fn record(organization: OrganizationId) -> UsageRecord {
    let line = |unit, quantity| LineItem {
        unit,
        quantity,
        price: Some(UnitPrice::from_picos(150_000)),
        price_version: Some("catalogue@2026-08-01".to_owned()),
    };
    UsageRecord {
        id: RequestId::mint(),
        organization,
        key: KeyId::mint(),
        team: None,
        started_at: whole_minute(),
        dialect: Dialect::OpenaiChat,
        model: Some("fast".to_owned()),
        model_id: Some(ModelId::mint()),
        upstream: Some(Upstream {
            provider: ProviderId::mint(),
            name: "openai".parse().expect("a slug"),
            model: Some("gpt-4o".parse().expect("a model")),
            credential: None,
        }),
        stream: true,
        outcome: Outcome::Complete,
        status: 200,
        code: None,
        attempts: 1,
        cache: CacheStatus::Off,
        saved: None,
        lines: vec![
            line(UsageUnit::InputUncached, 10),
            line(UsageUnit::InputCacheRead, 5),
            line(UsageUnit::OutputText, 7),
        ],
        estimated: false,
        served: Some(ServedTier::Flex),
        charge: Some(Nanos::new(3_000)),
        cost: Some(Nanos::new(3_300)),
        duration_us: 1_200_000,
        first_token_us: Some(150_000),
        overhead_us: 90,
        trace: None,
        canaries: Vec::new(),
        owner: None,
        end_user: None,
        tags: std::collections::BTreeMap::new(),
        budgets: Vec::new(),
        downgraded_to: None,
        over: None,
    }
}

/// The minute that has begun: what starts within its first seconds falls into one bucket.
pub(super) fn whole_minute() -> DateTime<Utc> {
    let now = Utc::now().timestamp();
    DateTime::from_timestamp(now - now.rem_euclid(60), 0).expect("a time")
}

on_both_databases!(
    a_repeated_batch_counts_once,
    overlapping_batches_count_each_record_once,
    a_gap_is_stored_but_not_acknowledged,
    after_a_restart_the_database_knows_what_it_has,
    the_same_batch_at_two_control_nodes_counts_once,
    a_failing_batch_leaves_nothing,
    a_record_is_read_back_as_it_came,
    the_list_of_requests_is_filtered_and_paged,
);
