//! Sums over time: what is in which bucket, split by what, and what is forgotten.

use std::time::Duration;

use chrono::Utc;
use gatewright_contract::{Batch, UsageRecord};
use gatewright_types::api::{Outcome, UsageGroup, UsageSeries, UsageSeriesQuery};
use gatewright_types::{KeyId, Nanos, NodeId, OrganizationId, RequestId, TeamId};

use super::fixture::Fixture;
use super::ingesting::{record, whole_minute};
use super::on_both_databases;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

async fn requests_are_summed_in_their_bucket(fixture: Fixture) {
    let acme = OrganizationId::mint();
    let base = record(acme);
    let earlier = base.started_at - 2 * MINUTE;
    let unpriced = UsageRecord {
        cost: None,
        started_at: earlier,
        ..base.clone()
    };
    let failed = UsageRecord {
        outcome: Outcome::Failed,
        duration_us: 9_000_000,
        ..base.clone()
    };
    let refused = UsageRecord {
        outcome: Outcome::Refused,
        upstream: None,
        cost: None,
        ..base.clone()
    };
    ingest(&fixture, [base, unpriced, failed, refused]).await;

    let series = series(&fixture, acme, UsageGroup::None).await;

    assert_eq!(series.bucket_seconds, 60);
    let busy: Vec<_> = series
        .buckets
        .iter()
        .filter(|bucket| bucket.totals.requests > 0)
        .collect();
    let counts: Vec<_> = busy
        .iter()
        .map(|bucket| (bucket.start, bucket.totals.requests))
        .collect();
    assert_eq!(counts, [(earlier, 1), (whole_minute_of(&series), 3)]);
    let totals = &series.totals;
    assert_eq!((totals.requests, totals.errors, totals.unpriced), (4, 2, 1));
    assert_eq!((totals.input_tokens, totals.output_tokens), (60, 28));
    assert_eq!(totals.cost, Nanos::new(6_600));
    assert_eq!(
        (totals.duration_ms_p50, totals.duration_ms_p95),
        (Some(1_500), Some(1_500))
    );
    assert_eq!(totals.first_token_ms_p50, Some(175));
    let gaps: Vec<_> = series
        .buckets
        .windows(2)
        .filter_map(|pair| Some(pair.last()?.start - pair.first()?.start))
        .collect();
    assert!(
        gaps.iter().all(|gap| gap.num_seconds() == 60),
        "every bucket is there: {gaps:?}"
    );
}

async fn sums_are_split_by_what_is_asked(fixture: Fixture) {
    let acme = OrganizationId::mint();
    let (team, one, two) = (TeamId::mint(), KeyId::mint(), KeyId::mint());
    let base = UsageRecord {
        key: one,
        ..record(acme)
    };
    let in_team = UsageRecord {
        key: two,
        team: Some(team),
        ..base.clone()
    };
    let invented = UsageRecord {
        model: Some("x".to_owned()),
        model_id: None,
        upstream: None,
        ..base.clone()
    };
    ingest(&fixture, [base, in_team, invented]).await;
    let split = async |by| {
        let series = series(&fixture, acme, by).await;
        assert_eq!(series.totals.requests, 3);
        let groups = series
            .buckets
            .into_iter()
            .map(|bucket| (bucket.group, bucket.totals.requests));
        groups.collect::<std::collections::BTreeSet<_>>()
    };
    let named = |name: &str| Some(name.to_owned());

    assert_eq!(split(UsageGroup::Model).await, [(None, 1), (named("fast"), 2)].into());
    assert_eq!(
        split(UsageGroup::Provider).await,
        [(None, 1), (named("openai"), 2)].into()
    );
    assert_eq!(
        split(UsageGroup::Team).await,
        [(None, 2), (named(&team.to_string()), 1)].into()
    );
    assert_eq!(
        split(UsageGroup::Key).await,
        [(named(&one.to_string()), 2), (named(&two.to_string()), 1)].into()
    );
}

async fn only_what_is_asked_for_is_summed(fixture: Fixture) {
    let acme = OrganizationId::mint();
    let (team, key) = (TeamId::mint(), KeyId::mint());
    let base = record(acme);
    let of_key = UsageRecord { key, ..base.clone() };
    let of_team = UsageRecord {
        key,
        team: Some(team),
        ..base.clone()
    };
    let elsewhere = UsageRecord {
        upstream: None,
        model: Some("slow".to_owned()),
        ..base.clone()
    };
    ingest(&fixture, [base, of_key, of_team, elsewhere]).await;
    let now = Utc::now();
    let all = UsageSeriesQuery::new(now - HOUR, now + MINUTE, UsageGroup::Key);
    let requests = async |query: UsageSeriesQuery| {
        let series = fixture
            .organization(acme)
            .usage_series(&query)
            .await
            .expect("the series");
        let in_buckets: u64 = series.buckets.iter().map(|bucket| bucket.totals.requests).sum();
        assert_eq!(in_buckets, series.totals.requests);
        in_buckets
    };

    let of = || all.clone();
    assert_eq!(requests(of()).await, 4);
    assert_eq!(requests(UsageSeriesQuery { key: Some(key), ..of() }).await, 2);
    let team = Some(team);
    assert_eq!(requests(UsageSeriesQuery { team, ..of() }).await, 1);
    let model = "slow".parse().ok();
    assert_eq!(requests(UsageSeriesQuery { model, ..of() }).await, 1);
    let (provider, key) = ("openai".parse().ok(), Some(key));
    assert_eq!(requests(UsageSeriesQuery { provider, key, ..of() }).await, 2);
}

async fn old_sums_stay_in_coarser_buckets(fixture: Fixture) {
    let acme = OrganizationId::mint();
    let old = record(acme).started_at - 20 * 24 * HOUR;
    ingest(
        &fixture,
        [
            UsageRecord {
                started_at: old,
                ..record(acme)
            },
            record(acme),
        ],
    )
    .await;

    let removed = fixture
        .system()
        .prune_rollups(Utc::now())
        .await
        .expect("old minutes go");

    assert_eq!(removed, 1);
    let around = UsageSeriesQuery::new(old - HOUR, old + HOUR, UsageGroup::None);
    let series = fixture
        .organization(acme)
        .usage_series(&around)
        .await
        .expect("the series");
    assert_eq!((series.bucket_seconds, series.totals.requests), (3_600, 1));
}

async fn an_empty_span_has_no_buckets(fixture: Fixture) {
    let acme = OrganizationId::mint();
    let now = Utc::now();
    for (from, to) in [(now, now), (now, now - HOUR)] {
        let query = UsageSeriesQuery::new(from, to, UsageGroup::None);

        let series = fixture
            .organization(acme)
            .usage_series(&query)
            .await
            .expect("the series");

        assert_eq!((series.buckets.len(), series.totals.requests), (0, 0));
        assert_eq!(series.totals.duration_ms_p50, None);
    }
}

/// The last hour.
async fn series(fixture: &Fixture, organization: OrganizationId, by: UsageGroup) -> UsageSeries {
    let now = Utc::now();
    let query = UsageSeriesQuery::new(now - HOUR, now + MINUTE, by);
    fixture
        .organization(organization)
        .usage_series(&query)
        .await
        .expect("the series")
}

fn whole_minute_of(series: &UsageSeries) -> chrono::DateTime<Utc> {
    series
        .buckets
        .iter()
        .rev()
        .find(|bucket| bucket.totals.requests > 0)
        .map_or_else(whole_minute, |last| last.start)
}

/// Under identifiers of their own.
async fn ingest<const N: usize>(fixture: &Fixture, records: [UsageRecord; N]) {
    let records = records
        .map(|record| UsageRecord {
            id: RequestId::mint(),
            ..record
        })
        .to_vec();
    let batch = Batch {
        node: NodeId::mint(),
        follows: 0,
        first: 1,
        records,
    };
    fixture.system().ingest(&batch).await.expect("the batch comes in");
}

on_both_databases!(
    requests_are_summed_in_their_bucket,
    sums_are_split_by_what_is_asked,
    only_what_is_asked_for_is_summed,
    old_sums_stay_in_coarser_buckets,
    an_empty_span_has_no_buckets,
);
