//! The databases themselves say that the hot queries go by an index.

use gatewright_contract::{Digest, Revision, Unit, UnitId};
use gatewright_types::OrganizationId;
use gatewright_types::api::{AuditQuery, UsageQuery};
use sea_orm::{ConnectionTrait as _, QueryTrait, Statement};

use super::fixture::{Fixture, page_of};
use super::on_both_databases;
use crate::page::Part;
use crate::{Place, audit, config_units, keys, sessions, usage};

async fn units_of_the_feed_are_read_by_an_index(fixture: Fixture) {
    let unit = Unit {
        organization: OrganizationId::mint(),
        id: UnitId::Organization,
        revision: Revision(5),
        body: None,
    };

    for place in [Place::after_revision(Revision(5)), Place::after_unit(&unit)] {
        let plan = plan(&fixture, config_units::since(place, 10)).await;
        assert!(plan.contains("config_unit__feed"), "{plan}");
        assert_sorted_by_index(&plan);
    }
}

async fn key_units_are_found_by_digest(fixture: Fixture) {
    let plan = plan(&fixture, config_units::by_digest(&Digest::of(b"secret"))).await;

    assert!(
        plan.contains("unique__key__secret") || plan.contains("key__digest"),
        "{plan}"
    );
}

async fn sessions_are_found_by_digest(fixture: Fixture) {
    let plan = plan(&fixture, sessions::by_digest(&Digest::of(b"secret"))).await;

    assert!(plan.contains("unique__session__digest"), "{plan}");
}

async fn requests_of_an_organization_are_listed_by_their_key(fixture: Fixture) {
    let (first, later) = (
        page_of(10, None),
        page_of(10, Some("AZOZOZOZcZOZOZOZOZOZOQ".to_owned())),
    );
    let span = UsageQuery {
        from: Some(chrono::Utc::now()),
        ..UsageQuery::default()
    };
    for (page, query) in [(first, span), (later, UsageQuery::default())] {
        let part = Part::asked(&page).expect("a page");

        let plan = plan(&fixture, usage::listed(OrganizationId::mint(), &query, part)).await;

        let index = if fixture.is_postgres() {
            "usage_pkey"
        } else {
            "SEARCH usage USING PRIMARY KEY (organization=? AND id"
        };
        assert!(plan.contains(index), "{plan}");
        assert_sorted_by_index(&plan);
    }
}

async fn the_audit_log_is_listed_by_an_index(fixture: Fixture) {
    let part = Part::asked(&page_of(10, None)).expect("a page");
    let of_action = AuditQuery {
        action: Some("key.create".to_owned()),
        ..AuditQuery::default()
    };

    for (query, index) in [(AuditQuery::default(), "audit__list"), (of_action, "audit__action")] {
        let plan = plan(&fixture, audit::listed(OrganizationId::mint(), &query, part)).await;
        assert!(plan.contains(index), "{plan}");
        assert_sorted_by_index(&plan);
    }
}

async fn keys_of_an_organization_are_listed_by_an_index(fixture: Fixture) {
    let part = Part::asked(&page_of(10, None)).expect("a page");
    let select = part.of(keys::ours(OrganizationId::mint()), crate::entity::key::Column::Id);

    let plan = plan(&fixture, select).await;

    assert!(plan.contains("key__list"), "{plan}");
    assert_sorted_by_index(&plan);
}

/// What the database would do. PostgreSQL reads small tables from end to end, so that is made to look expensive.
async fn plan(fixture: &Fixture, query: impl QueryTrait) -> String {
    let backend = fixture.write.get_database_backend();
    let Statement { sql, values, .. } = query.build(backend);
    let explain = if fixture.is_postgres() {
        "EXPLAIN"
    } else {
        "EXPLAIN QUERY PLAN"
    };
    let values = values.map(|values| values.0).unwrap_or_default();
    let statement = Statement::from_sql_and_values(backend, format!("{explain} {sql}"), values);
    let transaction = fixture.begin().await.expect("a transaction");
    if fixture.is_postgres() {
        for setting in ["enable_seqscan", "enable_bitmapscan", "enable_sort"] {
            transaction
                .execute_unprepared(&format!("SET LOCAL {setting} = off"))
                .await
                .expect("a setting");
        }
    }
    let rows = transaction.query_all_raw(statement).await.expect("a plan");
    let column = if fixture.is_postgres() { "QUERY PLAN" } else { "detail" };
    rows.iter()
        .map(|row| row.try_get::<String>("", column).expect("a line") + "\n")
        .collect()
}

/// Nothing is sorted: the index gives the order, so that a page costs what a page holds.
fn assert_sorted_by_index(plan: &str) {
    assert!(!plan.contains("Sort") && !plan.contains("TEMP B-TREE"), "{plan}");
}

on_both_databases!(
    units_of_the_feed_are_read_by_an_index,
    key_units_are_found_by_digest,
    sessions_are_found_by_digest,
    requests_of_an_organization_are_listed_by_their_key,
    the_audit_log_is_listed_by_an_index,
    keys_of_an_organization_are_listed_by_an_index,
);
