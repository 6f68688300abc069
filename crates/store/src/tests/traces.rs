//! Traces are kept with their requests, for their organization alone, and no longer than it says.

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_contract::{Batch, UsageRecord};
use gatewright_types::api::{Decision, TraceSettings, TracedRequests};
use gatewright_types::{NodeId, OrganizationId, RequestId};
use uuid::{NoContext, Timestamp, Uuid};

use super::fixture::Fixture;
use super::ingesting::record;
use super::on_both_databases;

async fn a_trace_is_read_by_its_own_organization_alone(fixture: Fixture) {
    let (acme, other) = (
        fixture.organization_named("acme").await,
        fixture.organization_named("other").await,
    );
    let decision = Decision {
        model: Some("nul\0".to_owned()),
        ..Decision::default()
    };
    let traced = UsageRecord {
        trace: Some(decision.clone().into_json()),
        ..record(acme)
    };
    let untraced = record(acme);

    ingest(&fixture, vec![traced.clone(), untraced.clone()]).await;
    ingest(&fixture, vec![traced.clone(), traced.clone()]).await;

    let read = async |organization: OrganizationId, id| {
        let scope = fixture.organization(organization);
        scope.request_trace(id).await.expect("the query runs")
    };
    assert_eq!(read(acme, traced.id).await, Some(decision));
    assert_eq!(read(acme, untraced.id).await, None);
    assert_eq!(read(other, traced.id).await, None);
}

async fn a_trace_is_removed_when_its_organizations_time_is_over(fixture: Fixture) {
    let (usual, brief, gone) = (
        fixture.organization_named("usual").await,
        fixture.organization_named("brief").await,
        OrganizationId::mint(),
    );
    let settings = TraceSettings {
        requests: TracedRequests::All,
        keep: "2h".parse().expect("a duration"),
        ..TraceSettings::default()
    };
    let changed = fixture.change(brief, async |tx| tx.change_traces(brief, settings).await);
    changed.await.expect("the change");
    let now = Utc::now();
    let hours_ago = |hours| now - TimeDelta::hours(hours);
    let mut records = Vec::new();
    for organization in [usual, brief, gone] {
        for hours in [1, 3, 24 * 8, 24 * 91] {
            records.push(traced(organization, hours_ago(hours)));
        }
    }
    // More than one portion.
    records.extend((0..450).map(|_| traced(brief, hours_ago(5))));
    for part in records.chunks(100) {
        ingest(&fixture, part.to_vec()).await;
    }

    let removed = fixture.system().remove_old_traces(now).await.expect("they go");

    let mut left = Vec::new();
    for organization in [usual, brief, gone] {
        let scope = fixture.organization(organization);
        for record in records.iter().filter(|record| record.organization == organization) {
            if scope.request_trace(record.id).await.expect("the query runs").is_some() {
                left.push((organization, (now - record.started_at).num_hours()));
            }
        }
    }
    let expected = [(usual, 1), (usual, 3), (brief, 1), (gone, 1), (gone, 3), (gone, 24 * 8)];
    assert_eq!(left, expected);
    assert_eq!(removed, 12 + 450 - 6);
    assert_eq!(fixture.number("SELECT COUNT(*) FROM usage").await, 462);
}

async fn traces_go_with_their_organization_and_usage_stays(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    ingest(&fixture, vec![traced(acme, Utc::now())]).await;

    let deleted = fixture.change(acme, async |tx| tx.delete_organization(acme).await);
    deleted.await.expect("the organization goes");

    assert_eq!(fixture.number("SELECT COUNT(*) FROM request_trace").await, 0);
    assert_eq!(fixture.number("SELECT COUNT(*) FROM usage").await, 1);
}

/// Of a request that was made at that time.
fn traced(organization: OrganizationId, at: DateTime<Utc>) -> UsageRecord {
    let seconds = u64::try_from(at.timestamp()).expect("after 1970");
    let id = Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, 0));
    UsageRecord {
        id: RequestId::from_uuid(id),
        started_at: at,
        trace: Some(Decision::default().into_json()),
        ..record(organization)
    }
}

async fn ingest(fixture: &Fixture, records: Vec<UsageRecord>) {
    let batch = Batch {
        node: NodeId::mint(),
        follows: 0,
        first: 1,
        records,
    };
    fixture.system().ingest(&batch).await.expect("it comes in");
}

on_both_databases! {
    a_trace_is_read_by_its_own_organization_alone,
    a_trace_is_removed_when_its_organizations_time_is_over,
    traces_go_with_their_organization_and_usage_stays,
}
