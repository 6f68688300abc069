//! The catalogue: what it tells, an organization's own facts, and refreshes from their signature to their approval.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatewright_contract::{Revision, UnitBody, UnitId};
use gatewright_store::Place;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::world::{Answer, Caller, World};

fn signer() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
}

/// What the installations of these tests believe.
pub(crate) fn public_key() -> String {
    STANDARD.encode(signer().public_key())
}

fn document(input: &str) -> String {
    json!({
        "schema": 1, "unit": "USD per token", "as_of": "2026-11-20", "source": "a test",
        "models": [
            {"id": "echo", "provider": "sandbox", "mode": "chat", "context": 5000, "aliases": ["parrot"],
             "price": {"in": input.parse::<f64>().unwrap(), "out": 4e-7}},
            {"id": "sandbox-large", "provider": "sandbox", "mode": "chat", "sunsets": "2026-11-01"},
        ],
    })
    .to_string()
}

fn signed(text: &str) -> Value {
    let signature = STANDARD.encode(signer().sign(text.as_bytes()));
    json!({"document": {"text": text, "signature": signature}})
}

async fn bring_in(world: &World, caller: &Caller, text: &str) -> Answer {
    caller.post(world, "/catalog/refreshes", signed(text)).await
}

async fn decide(world: &World, caller: &Caller, made: &Answer, decision: &str) -> Answer {
    let id = made.body["refresh"]["id"].as_str().unwrap();
    caller
        .post(world, &format!("/catalog/refreshes/{id}/{decision}"), json!({}))
        .await
}

async fn echo(world: &World, caller: &Caller) -> Value {
    let answer = caller.get(world, "/catalog/entry?kind=sandbox&model=echo").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

#[actix_web::test]
async fn the_catalogue_is_listed_by_what_is_asked_for_page_by_page() {
    let (world, owner) = World::with_owner().await;
    let list = async |query: &str| {
        let answer = owner.get(&world, &format!("/catalog?{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    };

    let first = list("kind=anthropic&limit=2").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = list(&format!("kind=anthropic&limit=2&cursor={cursor}")).await;
    let names = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|entry| entry["model"].as_str().unwrap().to_owned()).collect()
    };
    let mut all = [names(&first), names(&second)].concat();
    assert_eq!(all.len(), 4);
    let sorted = all.clone();
    all.sort();
    all.dedup();
    assert_eq!(all, sorted);

    let embedders = list("kind=openai&capability=embeddings&text=LARGE").await;
    assert_eq!(names(&embedders), ["text-embedding-3-large"]);
    let retired = list("kind=openai&stage=deprecated&text=gpt-4-0314").await;
    assert_eq!(
        retired["items"][0]["lifecycle"],
        json!({"stage": "deprecated", "deprecated_on": "2026-03-26"})
    );
    let sonnet = owner
        .get(&world, "/catalog/entry?kind=anthropic&model=claude-sonnet-4-5")
        .await
        .body;
    assert_eq!(sonnet["price"]["tiers"][0]["above_input_tokens"], 200_000);
    assert_eq!(sonnet["source"]["version"], "catalogue@2026-08-01");
    let unknown = owner.get(&world, "/catalog/entry?kind=anthropic&model=nobody").await;
    unknown.refused(404, "not_found");
    owner.get(&world, "/catalog?cursor=x").await.refused(422, "invalid");
}

#[actix_web::test]
async fn own_facts_are_laid_over_the_catalogue_for_one_organization() {
    let (world, owner) = World::with_owner().await;
    let body = json!({"kind": "openai", "model": "gpt-4o", "facts": {"context": 8000, "capabilities": {"vision": false}, "aliases": ["ours"]}});
    let own = "/organizations/acme/catalog";

    let made = owner.post(&world, &format!("{own}/overlays"), body.clone()).await;

    assert_eq!(made.status, 201, "{}", made.body);
    let entry = owner
        .get(&world, &format!("{own}/entry?kind=openai&model=ours"))
        .await
        .body;
    assert_eq!((&entry["model"], &entry["context"]), (&json!("gpt-4o"), &json!(8000)));
    assert_eq!(entry["own"]["id"], made.body["id"]);
    assert!(!entry["capabilities"].as_array().unwrap().contains(&json!("vision")));
    let plain = owner.get(&world, "/catalog/entry?kind=openai&model=gpt-4o").await.body;
    assert_eq!((&plain["context"], &plain["own"]), (&json!(128_000), &Value::Null));
    let listed = owner.get(&world, &format!("{own}?kind=openai&text=ours")).await.body;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);

    let again = owner.post(&world, &format!("{own}/overlays"), body).await;
    again.refused(409, "conflict");
    let taken = json!({"kind": "openai", "model": "gpt-4o-mini", "facts": {"aliases": ["ours"]}});
    let taken = owner.post(&world, &format!("{own}/overlays"), taken).await;
    taken.refused(422, "invalid");
    assert!(
        taken.body["error"]["fields"]["facts.aliases"].is_string(),
        "{}",
        taken.body
    );
    let nothing = json!({"kind": "openai", "model": "gpt-4o-mini", "facts": {}});
    owner
        .post(&world, &format!("{own}/overlays"), nothing)
        .await
        .refused(422, "invalid");

    let path = format!("{own}/overlays/{}", made.text("id"));
    let changed = owner.patch(&world, &path, json!({"facts": {"max_output": 10}})).await;
    assert_eq!(changed.body["facts"], json!({"max_output": 10}));
    owner
        .get(&world, &format!("{own}/entry?kind=openai&model=ours"))
        .await
        .refused(404, "not_found");
    assert_eq!(owner.delete(&world, &path).await.status, 204);
    let audit: Vec<_> = world
        .audit(&owner, 3)
        .await
        .into_iter()
        .map(|entry| entry["action"].clone())
        .collect();
    assert_eq!(audit, ["overlay.delete", "overlay.update", "overlay.create"]);
}

#[actix_web::test]
async fn a_signed_catalogue_is_in_force_once_it_is_approved_and_not_before() {
    let (world, owner) = World::with_owner().await;
    let before = echo(&world, &owner).await;

    let made = bring_in(&world, &owner, &document("3e-7")).await;

    assert_eq!(made.status, 201, "{}", made.body);
    let refresh = &made.body["refresh"];
    assert_eq!(
        (&refresh["state"], &refresh["origin"]),
        (&json!("pending"), &json!("a test"))
    );
    assert!(
        refresh["version"]
            .as_str()
            .unwrap()
            .starts_with("catalogue@2026-11-20#")
    );
    assert_eq!(
        refresh["counts"],
        json!({"added": 0, "changed": 2, "removed": 1, "repriced": 2})
    );
    assert_eq!(
        made.body["diff"]["removed"],
        json!([{"kind": "sandbox", "model": "sandbox-small"}])
    );
    let changed = &made.body["diff"]["changed"][0];
    assert_eq!(changed["model"], "echo");
    assert!(
        changed["fields"]
            .as_array()
            .unwrap()
            .contains(&json!({"field": "price.input", "before": "0.10", "after": "0.30"}))
    );
    assert_eq!(echo(&world, &owner).await, before);

    let approved = decide(&world, &owner, &made, "approve").await;

    assert_eq!(
        (approved.status.as_u16(), &approved.body["refresh"]["state"]),
        (200, &json!("approved"))
    );
    let after = echo(&world, &owner).await;
    assert_eq!(
        (&after["context"], &after["price"]["rates"]["input"]),
        (&json!(5000), &json!("0.30"))
    );
    assert_eq!(after["source"]["version"], refresh["version"]);
    let alias = owner.get(&world, "/catalog/entry?kind=sandbox&model=parrot").await.body;
    assert_eq!(alias["model"], "echo");
    let revision = world.db.system().revision().await.unwrap();

    let again = decide(&world, &owner, &made, "approve").await;

    assert_eq!((again.status.as_u16(), &again.body), (200, &approved.body));
    assert_eq!(
        world.db.system().revision().await.unwrap(),
        revision,
        "nothing was written"
    );
    decide(&world, &owner, &made, "reject").await.refused(409, "conflict");
    let actions: Vec<_> = world
        .audit(&owner, 2)
        .await
        .into_iter()
        .map(|entry| entry["action"].clone())
        .collect();
    assert_eq!(actions, ["catalog.approve", "catalog.bring_in"]);
    let units = world
        .db
        .system()
        .units_since(Place::after_revision(Revision(0)), 100)
        .await
        .unwrap();
    let published: Vec<_> = units
        .iter()
        .filter(|unit| matches!(unit.id, UnitId::Catalog(_)))
        .map(|unit| matches!(&unit.body, Some(UnitBody::Catalog(_))))
        .collect();
    assert_eq!(published, [true]);
}

#[actix_web::test]
async fn a_model_tells_its_price_and_its_life_by_an_alias_of_the_refresh() {
    let (world, owner) = World::with_owner().await;
    let made = bring_in(&world, &owner, &document("3e-7")).await;
    decide(&world, &owner, &made, "approve").await;
    let provider = json!({"name": "box", "kind": "sandbox"});
    assert_eq!(
        owner
            .post(&world, "/organizations/acme/providers", provider)
            .await
            .status,
        201
    );
    let model = async |name: &str, target: &str| {
        let body = json!({"name": name, "route": {"target": target}});
        owner.post(&world, "/organizations/acme/models", body).await.body
    };

    let parrot = model("p", "box/parrot").await;
    let large = model("l", "box/sandbox-large").await;

    assert_eq!(parrot["price"]["rates"]["input"], "0.30");
    assert_eq!(parrot["lifecycle"]["stage"], "active");
    assert_eq!(large["price"]["state"], "unpriced");
    assert_eq!(
        large["lifecycle"],
        json!({"stage": "retired", "sunset_on": "2026-11-01"})
    );
}

#[actix_web::test]
async fn whatever_is_wrong_with_a_catalogue_the_one_in_force_stays_and_the_reason_is_told() {
    let (world, owner) = World::with_owner().await;
    let (before, good) = (echo(&world, &owner).await, document("3e-7"));
    let refused = async |body: Value, field: &str, reason: &str| {
        let answer = owner.post(&world, "/catalog/refreshes", body).await;
        answer.refused(422, "invalid");
        let told = answer.body["error"]["fields"][field].as_str().unwrap_or_default();
        assert!(told.contains(reason), "{field}: {}", answer.body);
    };

    let mut tampered = signed(&good);
    tampered["document"]["text"] = json!(document("1e-9"));
    refused(tampered, "document.signature", "was not made over this document").await;
    let unsigned = json!({"document": {"text": good, "signature": "none"}});
    refused(unsigned, "document.signature", "is no ed25519 signature").await;
    refused(signed("{"), "document.text", "is not a catalogue").await;
    refused(
        signed(&good.replace("echo", "../echo")),
        "document.text",
        "'..' segments",
    )
    .await;
    refused(json!({"url": "nowhere"}), "url", "absolute https").await;
    refused(
        json!({"url": "https://catalogue.example.com/c.json"}),
        "url",
        "cannot be fetched: it is not there",
    )
    .await;

    assert_eq!(echo(&world, &owner).await, before);
    let list = owner.get(&world, "/catalog/refreshes").await.body;
    assert_eq!(list["items"], json!([]));
}

#[actix_web::test]
async fn an_approval_is_for_what_was_shown_and_a_rejection_is_final() {
    let (world, owner) = World::with_owner().await;
    let one = bring_in(&world, &owner, &document("3e-7")).await;
    let other = bring_in(&world, &owner, &document("5e-7")).await;
    let third = bring_in(&world, &owner, &document("6e-7")).await;

    assert_eq!(decide(&world, &owner, &third, "reject").await.status, 200);
    decide(&world, &owner, &third, "approve").await.refused(409, "conflict");
    assert_eq!(decide(&world, &owner, &one, "approve").await.status, 200);
    decide(&world, &owner, &other, "approve").await.refused(409, "conflict");

    assert_eq!(echo(&world, &owner).await["price"]["rates"]["input"], "0.30");
    let again = bring_in(&world, &owner, &document("5e-7")).await;
    assert_eq!(
        again.body["refresh"]["counts"],
        json!({"added": 0, "changed": 1, "removed": 0, "repriced": 1})
    );
    assert_eq!(decide(&world, &owner, &again, "approve").await.status, 200);
    assert_eq!(echo(&world, &owner).await["price"]["rates"]["input"], "0.50");
}

#[actix_web::test]
async fn owners_of_other_organizations_do_not_decide_for_the_installation() {
    let (world, owner) = World::with_owner().await;
    let guest = world.member(&owner, "acme", "eve@example.com", "viewer").await;
    let body = json!({"slug": "other", "name": "Other"});
    assert_eq!(guest.post(&world, "/organizations", body).await.status, 201);
    let made = bring_in(&world, &owner, &document("3e-7")).await;

    decide(&world, &guest, &made, "approve").await.refused(403, "forbidden");
    bring_in(&world, &guest, &document("1e-7"))
        .await
        .refused(403, "forbidden");
    let token = json!({"name": "t", "role": "admin"});
    let token = owner.post(&world, "/organizations/other/tokens", token).await;
    assert_eq!(token.status, 404, "{}", token.body);
    let token = guest
        .post(
            &world,
            "/organizations/other/tokens",
            json!({"name": "t", "role": "owner"}),
        )
        .await;
    let token = Caller::token(token.body["secret"].as_str().unwrap());
    decide(&world, &token, &made, "approve").await.refused(403, "forbidden");

    assert_eq!(decide(&world, &owner, &made, "approve").await.status, 200);
}
