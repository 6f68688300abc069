//! The databases themselves say that the hot queries go by an index.

use gatewright_contract::{Digest, Revision, Unit, UnitId};
use gatewright_types::api::{AuditQuery, Outcome, UsageGroup, UsageQuery};
use gatewright_types::{KeyId, OrganizationId};
use sea_orm::{ConnectionTrait as _, DbBackend, QueryTrait, Statement};

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
    let plan = plan(&fixture, keys::by_digest(&Digest::of(b"secret"))).await;

    assert!(
        plan.contains("unique__key__secret") || plan.contains("key__digest"),
        "{plan}"
    );
}

async fn secrets_from_before_are_found_by_digest(fixture: Fixture) {
    let plan = plan(&fixture, keys::former_by_digest(&Digest::of(b"secret"))).await;

    assert!(plan.contains("former_secret__digest"), "{plan}");
}

async fn of_all_keys_only_those_that_are_looked_after_are_read(fixture: Fixture) {
    let plan = plan(&fixture, keys::to_look_at(chrono::Utc::now())).await;

    assert!(plan.contains("key__looked_after"), "{plan}");
    assert_sorted_by_index(&plan);
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

        let plan = plan(
            &fixture,
            usage::listed(OrganizationId::mint(), &query, part, backend_of(&fixture)),
        )
        .await;

        if fixture.is_postgres() {
            assert_each_part_by(&plan, "usage_pkey");
        } else {
            assert!(
                plan.contains("SEARCH usage USING PRIMARY KEY (organization=? AND id"),
                "{plan}"
            );
        }
        assert_sorted_by_index(&plan);
    }
}

async fn every_filter_of_the_requests_goes_by_an_index(fixture: Fixture) {
    let (first, later) = (
        page_of(10, None),
        page_of(10, Some("AZOZOZOZcZOZOZOZOZOZOQ".to_owned())),
    );
    let of_key = UsageQuery {
        key: Some(KeyId::mint()),
        ..UsageQuery::default()
    };
    let of_model = UsageQuery {
        model: "fast".parse().ok(),
        // Before both pages: where nothing can be, nothing is read, and by no index.
        from: chrono::DateTime::from_timestamp(1_700_000_000, 0),
        ..UsageQuery::default()
    };
    let of = |outcome| UsageQuery {
        outcome: Some(outcome),
        ..UsageQuery::default()
    };
    let whole = if fixture.is_postgres() {
        "usage_pkey"
    } else {
        "PRIMARY KEY"
    };
    let outcomes = Outcome::ALL.map(|outcome| match outcome {
        Outcome::Complete => (of(outcome), whole),
        Outcome::Refused | Outcome::Failed | Outcome::Cut | Outcome::ClientGone => (of(outcome), "usage__unusual"),
    });
    let failed = |of: &UsageQuery| UsageQuery {
        outcome: Some(Outcome::Failed),
        ..of.clone()
    };
    // PostgreSQL knows by its statistics which of two is the shorter way.
    let both = [(failed(&of_key), "usage__key"), (failed(&of_model), "usage__model")];
    let both = both.into_iter().filter(|_| !fixture.is_postgres());
    let filters = [(of_key, "usage__key"), (of_model, "usage__model")]
        .into_iter()
        .chain(outcomes)
        .chain(both);
    for (query, index) in filters {
        for page in [&first, &later] {
            let part = Part::asked(page).expect("a page");

            let plan = plan(
                &fixture,
                usage::listed(OrganizationId::mint(), &query, part, backend_of(&fixture)),
            )
            .await;

            if fixture.is_postgres() {
                assert_each_part_by(&plan, index);
            } else {
                assert!(plan.contains(index), "{query:?}: {plan}");
            }
            assert_sorted_by_index(&plan);
        }
    }
}

async fn sums_over_time_are_read_by_an_index(fixture: Fixture) {
    let backend = fixture.write.get_database_backend();
    for (by, sql) in crate::series::statements_of_a_day(backend) {
        let statement = crate::stored::statement(backend, &sql, [OrganizationId::mint().uuid().into()]);

        let plan = explained(&fixture, statement).await;

        if fixture.is_postgres() {
            // In the part of the grain alone. By which of its indexes is a matter of how many organizations there are.
            assert!(plan.contains("Scan using usage_rollup_"), "{by:?}: {plan}");
            assert!(!plan.contains("Seq Scan"), "{by:?}: {plan}");
        } else {
            let key = "SEARCH usage_rollup USING PRIMARY KEY (organization=? AND granularity_seconds=? AND start>?";
            assert!(plan.contains(key), "{by:?}: {plan}");
            assert!(!plan.contains("SCAN usage_rollup"), "{by:?}: {plan}");
            let is_added_up_in_order = matches!(by, UsageGroup::Model | UsageGroup::Provider);
            if is_added_up_in_order {
                let (rows, _) = plan.split_once("SCAN piece").expect("rows are added up first");
                assert!(!rows.contains("TEMP B-TREE"), "{by:?}: {plan}");
            }
        }
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

fn backend_of(fixture: &Fixture) -> DbBackend {
    fixture.write.get_database_backend()
}

/// What the database would do. PostgreSQL reads small tables from end to end, so that is made to look expensive.
async fn plan(fixture: &Fixture, query: impl QueryTrait) -> String {
    explained(fixture, query.build(fixture.write.get_database_backend())).await
}

async fn explained(fixture: &Fixture, Statement { sql, values, .. }: Statement) -> String {
    let backend = fixture.write.get_database_backend();
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

/// PostgreSQL has requests in parts, and calls the index of a part by its columns where it made it itself.
fn assert_each_part_by(plan: &str, index: &str) {
    let names: [&str; 2] = match index {
        "usage_pkey" => ["usage_before_pkey", "usage_other_pkey"],
        "usage__key" => ["usage_before__key", "usage_other_organization_key_id_idx"],
        "usage__model" => [
            "usage_before_organization_model_id_idx",
            "usage_other_organization_model_id_idx",
        ],
        "usage__unusual" => ["usage_before__unusual", "usage_other_organization_outcome_id_idx"],
        other => panic!("{other} is no index of requests"),
    };
    let mut scans = plan.lines().filter(|line| line.contains("Scan"));
    assert!(scans.clone().count() > 0, "{plan}");
    assert!(
        scans.all(|scan| names.iter().any(|name| scan.contains(&format!(" {name} ")))),
        "{plan}"
    );
}

/// Nothing is sorted: the index gives the order, so that a page costs what a page holds. Parts that are sorted may be merged.
fn assert_sorted_by_index(plan: &str) {
    assert!(!plan.contains("Sort  (") && !plan.contains("TEMP B-TREE"), "{plan}");
}

on_both_databases!(
    units_of_the_feed_are_read_by_an_index,
    key_units_are_found_by_digest,
    secrets_from_before_are_found_by_digest,
    of_all_keys_only_those_that_are_looked_after_are_read,
    sessions_are_found_by_digest,
    requests_of_an_organization_are_listed_by_their_key,
    every_filter_of_the_requests_goes_by_an_index,
    sums_over_time_are_read_by_an_index,
    the_audit_log_is_listed_by_an_index,
    keys_of_an_organization_are_listed_by_an_index,
);
