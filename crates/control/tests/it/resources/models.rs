//! Models, what they cost, and what was used of them.

use serde_json::json;

use super::{HERE, audited, sandbox};
use crate::world::World;

#[actix_web::test]
async fn models_lead_to_providers_that_are_there_and_tell_their_price() {
    let (world, owner) = World::with_owner().await;
    sandbox(&world, &owner).await;
    let models = format!("{HERE}/models");

    let nowhere = json!({"name": "fast", "route": {"target": "nobody/x"}});
    let nowhere = owner.post(&world, &models, nowhere).await;
    nowhere.refused(422, "invalid");
    nowhere.fields(&json!({"route.target": "there is no provider named nobody"}));
    let body = json!({"name": "fast", "route": {"target": "sandbox/made-up"}, "timeouts": {"total": "10m"},
        "cache": {"ttl": "1h"}});
    let made = owner.post(&world, &models, body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.body["price"], json!({"state": "unpriced"}));
    let cache = json!({"ttl": "1h", "scope": "team", "coalesce": true});
    assert_eq!(made.body["cache"], cache);
    audited(&world, &owner, "model.create", &made.body["id"]).await;

    let price = json!({"provider": "sandbox", "model": "made-up", "rates": {"input": "0.15", "output": "0"}});
    let price = owner.post(&world, &format!("{HERE}/prices"), price).await;
    assert_eq!(price.status, 201, "{}", price.body);
    let path = format!("{models}/{}", made.text("id"));
    let priced = owner.get(&world, &path).await;
    let rates = json!({"input": "0.15", "output": "0.00"});
    let expected = json!({"state": "priced", "rates": rates, "version": price.body["id"]});
    assert_eq!(priced.body["price"], expected);

    let moved = owner
        .patch(&world, &path, json!({"route": {"target": "sandbox/other"}}))
        .await;
    assert_eq!(
        (&moved.body["route"], &moved.body["timeouts"], moved.body.get("cache")),
        (&json!({"target": "sandbox/other"}), &json!({}), None)
    );
    let provider = owner.get(&world, &format!("{HERE}/providers")).await.body["items"][0]["id"].clone();
    let blocked = owner
        .delete(&world, &format!("{HERE}/providers/{}", provider.as_str().unwrap()))
        .await;
    blocked.refused(409, "conflict");
    blocked.fields(&json!({"provider": "the model fast goes there"}));
    assert_eq!(owner.delete(&world, &path).await.status, 204);
    audited(&world, &owner, "model.delete", &made.body["id"]).await;
}

#[actix_web::test]
async fn an_own_price_goes_before_the_catalogues() {
    let (world, owner) = World::with_owner().await;
    let body = json!({"name": "main", "kind": "openai"});
    owner.post(&world, &format!("{HERE}/providers"), body).await;
    let lookup = async || {
        owner
            .get(&world, &format!("{HERE}/prices/lookup?provider=main&model=gpt-4o-mini"))
            .await
            .body
    };
    let listed = lookup().await;
    assert_eq!(listed["source"], "catalogue", "{listed}");
    assert!(listed["version"].as_str().unwrap().starts_with("catalogue@"));

    let rates = json!({"input": "1", "output": "2.5"});
    let price = json!({"provider": "main", "model": "gpt-4o-mini", "rates": rates});
    let price = owner.post(&world, &format!("{HERE}/prices"), price).await;
    audited(&world, &owner, "price.create", &price.body["id"]).await;
    let own = lookup().await;
    assert_eq!(
        (&own["source"], &own["version"]),
        (&json!("organization"), &price.body["id"])
    );
    let path = format!("{HERE}/prices/{}", price.text("id"));
    assert_eq!(owner.delete(&world, &path).await.status, 204);
    audited(&world, &owner, "price.delete", &price.body["id"]).await;

    assert_eq!(lookup().await, listed);
    let unknown = owner
        .get(&world, &format!("{HERE}/prices/lookup?provider=main&model=nothing"))
        .await;
    assert_eq!(unknown.body, json!({"rates": null, "source": "none", "version": null}));
}

#[actix_web::test]
async fn usage_of_nothing_is_an_empty_list_and_empty_sums() {
    let (world, owner) = World::with_owner().await;

    let list = owner.get(&world, &format!("{HERE}/usage?outcome=complete")).await;
    let path = format!("{HERE}/usage/series?from=2026-08-01T00:00:00Z&to=2026-08-02T00:00:00Z&by=model");
    let series = owner.get(&world, &path).await;
    let path = format!("{HERE}/usage/series?from=2026-08-02T00:00:00Z&to=2026-08-01T00:00:00Z");
    let backwards = owner.get(&world, &path).await;

    assert_eq!(list.body, json!({"items": [], "next_cursor": null}));
    assert_eq!(
        (&series.body["buckets"], &series.body["totals"]["requests"]),
        (&json!([]), &json!(0))
    );
    backwards.fields(&json!({"to": "must be after from"}));
}
