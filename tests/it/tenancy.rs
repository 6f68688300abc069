//! Organizations do not see each other: every identifier of one, used by the owner of another, names nothing.

use gatewright_types::{Page, ProblemCode};
use harness::api::refused;
use harness::chat::{self, request_id};
use harness::installation::Installation;
use harness::organization::Organization;
use harness::upstream::{Script, Upstream};
use serde_json::{Value, json};

use crate::people;
use crate::walk::{self, Things, body, routes};

#[tokio::test]
async fn foreign_identifiers_name_nothing_on_any_route() {
    let installation = Installation::shared().await;
    let (mine, other) = (
        Organization::make(installation).await,
        Organization::make(installation).await,
    );
    let somebody = people::join(&mine, "owner", "owner").await;
    let token = mine.token("owner").await;
    let mut others_things = Things::of(&other).await;
    mine.provider("base", "sandbox", None).await;
    let routes: Vec<_> = routes(installation)
        .await
        .into_iter()
        .filter(|route| route.is_of_an_organization())
        .collect();
    let mut targets = Vec::new();
    for route in &routes {
        targets.push(others_things.fresh(route).await);
    }
    let before = walk::picture(&other).await;

    for (route, values) in routes.iter().zip(&targets) {
        for api in [&somebody.api, &token] {
            let wholly_foreign = api.send(&route.method, &route.at(values), body(route).as_ref()).await;
            refused(&wholly_foreign, 404, ProblemCode::NotFound);
            if route.names_a_thing() {
                let mut values = values.clone();
                values.insert("organization", mine.slug.clone());
                let through_mine = api.send(&route.method, &route.at(&values), body(route).as_ref()).await;
                assert_eq!(
                    through_mine.status,
                    404,
                    "{} {}: {}",
                    route.method,
                    route.path,
                    through_mine.text()
                );
                refused(&through_mine, 404, ProblemCode::NotFound);
            }
        }
    }

    assert_eq!(
        walk::picture(&other).await,
        before,
        "something of the other organization changed"
    );
}

#[tokio::test]
async fn foreign_identifiers_in_bodies_and_queries_are_refused_too() {
    let installation = Installation::shared().await;
    let upstream = Upstream::start().await;
    let (mine, _) = Organization::with_upstream(installation, &upstream, &["m"]).await;
    let (other, others_key) = Organization::with_upstream(installation, &upstream, &["m"]).await;
    let team = other
        .owner
        .post(&other.path("/teams"), &json!({"name": "Theirs"}))
        .await
        .expect(201)
        .json();
    other.provider("only-theirs", "sandbox", None).await;
    let own_key = mine.key("own").await;
    other.chat(&others_key).ask("m").await.expect(200);
    other.only_usage().await;

    for (path, body) in [
        ("/keys", json!({"name": "k", "team": team.get("id")})),
        (
            "/models",
            json!({"name": "theirs", "route": {"target": "only-theirs/echo"}}),
        ),
    ] {
        let answer = mine.owner.post(&mine.path(path), &body).await;
        assert!(
            matches!(answer.status, 404 | 422),
            "{path}: {} {}",
            answer.status,
            answer.text()
        );
    }
    let change = json!({"name": "own", "team": team.get("id"), "models": null});
    let answer = mine
        .owner
        .patch(&mine.path(&format!("/keys/{}", own_key.id)), &change)
        .await;
    assert!(
        matches!(answer.status, 404 | 422),
        "{} {}",
        answer.status,
        answer.text()
    );

    let theirs: Page<Value> = mine
        .owner
        .get(&mine.path(&format!("/usage?key={}", others_key.id)))
        .await
        .expect(200)
        .read();
    assert!(theirs.items.is_empty(), "{theirs:?}");
    let page: Page<Value> = other.owner.get(&other.path("/keys?limit=1")).await.expect(200).read();
    if let Some(cursor) = page.next_cursor {
        let items: Page<Value> = mine
            .owner
            .get(&mine.path(&format!("/keys?cursor={cursor}")))
            .await
            .expect(200)
            .read();
        let slug = serde_json::to_string(&items.items).expect("JSON");
        assert!(!slug.contains(&others_key.id), "{slug}");
    }
    assert!(mine.rows().await.is_empty());
}

#[tokio::test]
async fn models_and_providers_of_the_same_name_stay_apart() {
    let installation = Installation::shared().await;
    let (one, two) = (Upstream::start().await, Upstream::start().await);
    let (first, first_key) = Organization::with_upstream(installation, &one, &["m", "first-only"]).await;
    let (second, second_key) = Organization::with_upstream(installation, &two, &["m"]).await;
    one.on("m", Script::answer("from one", 1, 1));
    two.on("m", Script::answer("from two", 1, 1));

    let from_one = first.chat(&first_key).ask("m").await.expect(200);
    let from_two = second.chat(&second_key).ask("m").await.expect(200);
    chat::refused(
        &second.chat(&second_key).ask("first-only").await,
        404,
        "model_not_found",
    );

    assert!(from_one.text().contains("from one") && from_two.text().contains("from two"));
    first.usage(&request_id(&from_one)).await;
    let rows = second.rows().await;
    assert!(
        rows.iter().all(|row| row.id.to_string() != request_id(&from_one)),
        "{rows:?}"
    );
}

#[tokio::test]
async fn the_same_secret_cannot_be_a_key_of_two_organizations() {
    let installation = Installation::shared().await;
    let (one, two) = (
        Organization::make(installation).await,
        Organization::make(installation).await,
    );
    let body = json!({"name": "shared", "secret": format!("a-secret-used-twice-{}", one.slug)});

    one.owner.post(&one.path("/keys"), &body).await.expect(201);

    let again = two.owner.post(&two.path("/keys"), &body).await;
    assert!(matches!(again.status, 409 | 422), "{} {}", again.status, again.text());
    assert!(
        !again.text().contains(&one.slug),
        "whose it is, is nobody's business: {}",
        again.text()
    );
    assert!(walk::keys(&two).await.is_empty());
}
