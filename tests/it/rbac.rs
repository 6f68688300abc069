//! Who may do what: every route, by every kind of caller, on their own organization and on another, against a table that
//! a person has read.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use gatewright_types::Role;
use harness::api::{Api, Caller};
use harness::environment::{update_golden, workspace};
use harness::http::Answer;
use harness::installation::Installation;
use harness::organization::Organization;
use serde_json::json;

use crate::people::{PASSWORD, Person, join, spare_session};
use crate::walk::{Route, Things, body, routes};

const TABLE: &str = "tests/it/rbac.txt";
const HEAD: &str = "\
# What each caller gets from each route of the control API, as checked by tests/it/rbac.rs.
# own: on something of the caller's own organization, or on the caller's own account. foreign: on another's.
# ok: the route does its work, or says what is wrong with the body. token: a control-plane token with the role admin.
# Written anew with UPDATE_GOLDEN=1. Read the difference before you keep it.
";

/// The callers of the table, in its columns' order.
struct Cast {
    people: Vec<Person>,
    token: Api,
}

impl Cast {
    async fn of(organization: &Organization) -> Self {
        let mut people = Vec::new();
        for role in Role::ALL {
            people.push(join(organization, role.as_str(), role.as_str()).await);
        }
        Self {
            people,
            token: organization.token("admin").await,
        }
    }

    fn columns() -> Vec<&'static str> {
        let mut columns = vec!["anonymous"];
        columns.extend(Role::ALL.map(Role::as_str));
        columns.push("token");
        columns
    }
}

fn class(answer: &Answer) -> &'static str {
    match answer.status {
        200 | 201 | 204 | 409 | 422 => "ok",
        401 => "401",
        403 => "403",
        404 => "404",
        other => panic!("{other}: {}", answer.text()),
    }
}

async fn call(api: &Api, route: &Route, path: &str) -> &'static str {
    class(&api.send(&route.method, path, body(route).as_ref()).await)
}

/// The caller in this column. A route that ends the caller's session gets one of its own.
async fn caller(cast: &Cast, column: usize, route: &Route) -> Api {
    let address = cast.token.address;
    let Some(index) = column.checked_sub(1) else {
        return Api::new(address, Caller::Anonymous);
    };
    match cast.people.get(index) {
        Some(person) if route.method == "DELETE" && route.path == "/session" => {
            Api::sign_in(address, &person.email, PASSWORD).await
        }
        Some(person) => person.api.clone(),
        None => cast.token.clone(),
    }
}

/// What the route gives to the caller in this column on their own things.
async fn own(cast: &Cast, column: usize, route: &Route, things: &mut Things<'_>) -> &'static str {
    let api = caller(cast, column, route).await;
    let mut values = things.fresh(route).await;
    if values.contains_key("session")
        && let Some(person) = column.checked_sub(1).and_then(|index| cast.people.get(index))
    {
        values.insert("session", spare_session(person).await);
    }
    if route.method == "DELETE" && route.path == "/organizations/{organization}" && column == 4 {
        // The owner really may, so it is done to one that nobody needs.
        let slug = format!("{}-doomed", values.get("organization").expect("it is in the path"));
        api.post("/organizations", &json!({"slug": slug, "name": "Doomed"}))
            .await
            .expect(201);
        values.insert("organization", slug);
    }
    call(&api, route, &route.at(&values)).await
}

async fn foreign(cast: &Cast, column: usize, route: &Route, values: &BTreeMap<&str, String>) -> &'static str {
    let api = caller(cast, column, route).await;
    call(&api, route, &route.at(values)).await
}

#[tokio::test]
async fn every_route_gives_every_caller_what_the_table_says() {
    let installation = Installation::shared().await;
    let (mine, other) = (
        Organization::make(installation).await,
        Organization::make(installation).await,
    );
    let cast = Cast::of(&mine).await;
    let (mut things, mut others_things) = (Things::of(&mine).await, Things::of(&other).await);
    let columns = Cast::columns();
    let mut table = format!("{HEAD}\n{:<7} {:<84} {:<8}", "", "", "");
    for column in &columns {
        write!(table, " {column:<9}").expect("a string takes all that is written to it");
    }
    trim(&mut table);

    for route in routes(installation).await {
        let scopes: &[&str] = if route.places().is_empty() {
            &["own"]
        } else {
            &["own", "foreign"]
        };
        for scope in scopes {
            write!(table, "{:<7} {:<84} {scope:<8}", route.method, route.path).expect("a string takes it");
            let values = others_things.fresh(&route).await;
            for column in 0..columns.len() {
                let result = match *scope {
                    "own" => own(&cast, column, &route, &mut things).await,
                    _ => foreign(&cast, column, &route, &values).await,
                };
                write!(table, " {result:<9}").expect("a string takes all that is written to it");
            }
            trim(&mut table);
        }
    }

    let path = workspace().join(TABLE);
    if update_golden() {
        std::fs::write(&path, &table).expect("the table can be written");
    }
    let expected = std::fs::read_to_string(&path).expect("the table is checked in");
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (expected, found) = (lines(&expected), lines(&table));
    let missing: Vec<_> = found.iter().filter(|line| !expected.contains(line)).collect();
    let gone: Vec<_> = expected.iter().filter(|line| !found.contains(line)).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "{TABLE} differs; found:\n{missing:#?}\nexpected:\n{gone:#?}"
    );
}

fn trim(table: &mut String) {
    table.truncate(table.trim_end().len());
    table.push('\n');
}
