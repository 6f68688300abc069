//! Each resource: what is made is what is read, and every change stands in the audit log.

mod keys;
mod models;
mod people;
mod providers;

use serde_json::{Value, json};

use crate::world::{Answer, Caller, OWNER, World};

const HERE: &str = "/organizations/acme";

async fn audited(world: &World, owner: &Caller, action: &str, target: &Value) {
    let expected = json!({"actor": OWNER, "action": action, "outcome": "done", "target": target});
    assert_eq!(world.audit(owner, 1).await, [expected]);
}

fn only_item(answer: &Answer) -> Value {
    let items = answer.body["items"].as_array().unwrap();
    assert_eq!(
        (items.len(), &answer.body["next_cursor"]),
        (1, &Value::Null),
        "{}",
        answer.body
    );
    items[0].clone()
}

async fn sandbox(world: &World, owner: &Caller) -> Value {
    let made = owner
        .post(
            world,
            &format!("{HERE}/providers"),
            json!({"name": "sandbox", "kind": "sandbox"}),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    made.body
}

#[actix_web::test]
async fn organizations_are_made_renamed_and_deleted() {
    let (world, owner) = World::with_owner().await;

    let made = owner
        .post(&world, "/organizations", json!({"slug": "next", "name": "Next"}))
        .await;
    assert_eq!((made.status.as_u16(), made.text("slug")), (201, "next".to_owned()));
    let taken = owner
        .post(&world, "/organizations", json!({"slug": "next", "name": "Other"}))
        .await;
    taken.refused(409, "conflict");
    assert!(taken.body["error"]["fields"]["slug"].is_string(), "{}", taken.body);
    let renamed = owner
        .patch(&world, "/organizations/next", json!({"name": "Later"}))
        .await;
    assert_eq!(
        (renamed.status.as_u16(), renamed.text("name")),
        (200, "Later".to_owned())
    );
    assert_eq!(owner.get(&world, "/organizations/next").await.body, renamed.body);

    let first = owner.get(&world, "/organizations?limit=1").await;
    assert_eq!(
        (&first.body["items"][0]["slug"], &first.body["next_cursor"]),
        (&json!("acme"), &json!("acme"))
    );
    let second = owner.get(&world, "/organizations?limit=1&cursor=acme").await;
    assert_eq!(
        (&second.body["items"][0]["slug"], &second.body["next_cursor"]),
        (&json!("next"), &Value::Null)
    );

    assert_eq!(owner.delete(&world, "/organizations/next").await.status, 204);
    owner.get(&world, "/organizations/next").await.refused(404, "not_found");
}

#[actix_web::test]
async fn teams_live_as_long_as_no_key_needs_them() {
    let (world, owner) = World::with_owner().await;
    let teams = format!("{HERE}/teams");

    let made = owner.post(&world, &teams, json!({"name": "search"})).await;
    assert_eq!((made.status.as_u16(), &made.body["key_count"]), (201, &json!(0)));
    let id = made.text("id");
    audited(&world, &owner, "team.create", &made.body["id"]).await;
    owner
        .post(&world, &teams, json!({"name": "search"}))
        .await
        .refused(409, "conflict");
    let renamed = owner
        .patch(&world, &format!("{teams}/{id}"), json!({"name": "find"}))
        .await;
    assert_eq!(renamed.text("name"), "find");
    audited(&world, &owner, "team.update", &made.body["id"]).await;
    assert_eq!(only_item(&owner.get(&world, &teams).await), renamed.body);

    let key = owner
        .post(&world, &format!("{HERE}/keys"), json!({"name": "k", "team": id}))
        .await;
    owner
        .delete(&world, &format!("{teams}/{id}"))
        .await
        .refused(409, "conflict");
    let key = key.body["key"]["id"].as_str().unwrap();
    owner.delete(&world, &format!("{HERE}/keys/{key}")).await;
    assert_eq!(owner.delete(&world, &format!("{teams}/{id}")).await.status, 204);
    audited(&world, &owner, "team.delete", &made.body["id"]).await;
    owner
        .get(&world, &format!("{teams}/{id}"))
        .await
        .refused(404, "not_found");
}
