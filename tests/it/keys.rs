//! Keys from their making to their end: whose they are, rotation, expiry, disabling, leaks, and all of it in a file.

use gatewright_types::ProblemCode;
use gatewright_types::api::{DisabledReason, Document, Key as KeyDto, KeyOwner, KeyState, RotatedKey, ServiceAccount};
use harness::api::{Api, refused as api_refused};
use harness::chat::{refused, request_id};
use harness::http::{Answer, Request};
use harness::installation::Installation;
use harness::organization::{EFFECT, Key, Organization};
use harness::wait::{SOON, eventually};
use serde_json::{Value, json};

use crate::people::join;

async fn read(organization: &Organization, key: &Key) -> KeyDto {
    let path = organization.path(&format!("/keys/{}", key.id));
    organization.owner.get(&path).await.expect(200).read()
}

/// With a header, for there is none in the usual calls.
async fn rotate(organization: &Organization, key: &Key, grace: &str, idempotency_key: Option<&str>) -> Answer {
    let path = organization.path(&format!("/keys/{}/rotation", key.id));
    let mut request = Request::new("POST", &format!("/api/v1{path}")).json(&json!({ "grace": grace }));
    if let Some(idempotency_key) = idempotency_key {
        request = request.header("idempotency-key", idempotency_key);
    }
    let request = organization.owner.caller.sign(request);
    request.send(organization.owner.address).await.expect("an answer")
}

/// The same key with its new secret.
fn rotated(key: &Key, answer: Answer) -> (RotatedKey, Key) {
    let rotated: RotatedKey = answer.expect(201).read();
    let secret = rotated.secret.clone().expect("it is shown");
    let key = Key {
        id: key.id.clone(),
        secret,
    };
    (rotated, key)
}

async fn patch(organization: &Organization, key: &Key, more: Value) -> Answer {
    let path = organization.path(&format!("/keys/{}", key.id));
    let mut body = json!({"name": read(organization, key).await.name, "team": null, "models": null});
    for (field, value) in more.as_object().expect("fields") {
        body[field] = value.clone();
    }
    organization.owner.patch(&path, &body).await
}

/// Waits until every node refuses the secret like this, and gives the message.
async fn shut(organization: &Organization, key: &Key) -> String {
    let mut message = String::new();
    for node in 0..organization.nodes.len() {
        let chat = organization.chat_at(node, key);
        let answer = eventually("a node refuses the key", EFFECT, async || {
            let answer = chat.ask("echo").await;
            (answer.status != 200).then_some(answer)
        })
        .await;
        let error = refused(&answer, 401, "invalid_api_key");
        message = error
            .get("message")
            .and_then(Value::as_str)
            .expect("a message")
            .to_owned();
    }
    message
}

/// Waits until every node lets the key in.
async fn open(organization: &Organization, key: &Key) {
    for node in 0..organization.nodes.len() {
        let chat = organization.chat_at(node, key);
        eventually("a node lets the key in", EFFECT, async || {
            (chat.ask("echo").await.status == 200).then_some(())
        })
        .await;
    }
}

async fn state(organization: &Organization, key: &Key, wanted: KeyState) -> KeyDto {
    eventually("the key is in that state", SOON, async || {
        let key = read(organization, key).await;
        (key.state == wanted).then_some(key)
    })
    .await
}

#[tokio::test]
async fn a_rotated_key_has_two_secrets_for_a_while_and_stays_one_key() {
    let (organization, old) = Organization::with_sandbox(Installation::shared().await).await;

    let (told, new) = rotated(&old, rotate(&organization, &old, "1h", None).await);

    assert_eq!(told.key.id.to_string(), old.id);
    assert!(new.secret.ends_with(&told.key.hint) && !told.repeated);
    let former = told.key.former_secrets.first().expect("the old one works");
    assert!(old.secret.ends_with(&former.hint));
    let mut requests = Vec::new();
    for secret in [&old, &new] {
        open(&organization, secret).await;
        requests.push(request_id(&organization.chat(secret).ask("echo").await.expect(200)));
    }
    for request in requests {
        assert_eq!(
            organization.usage(&request).await.key.map(|key| key.to_string()),
            Some(old.id.clone())
        );
    }

    let path = organization.path(&format!("/keys/{}/rotation", old.id));
    let ended: KeyDto = organization.owner.delete(&path).await.expect(200).read();
    assert_eq!(ended.former_secrets, []);
    shut(&organization, &old).await;
    open(&organization, &new).await;
}

#[tokio::test]
async fn after_the_grace_the_old_secret_is_refused_by_itself_and_says_why() {
    let (organization, mut key) = Organization::with_sandbox(Installation::shared().await).await;
    let mut refused_by_itself = false;
    for _ in 0..5 {
        let (_, new) = rotated(&key, rotate(&organization, &key, "1s", None).await);

        let refusal = eventually("the grace is over", SOON, async || {
            let answer = organization.chat(&key).ask("echo").await;
            (answer.status == 401).then_some(answer)
        })
        .await;
        open(&organization, &new).await;
        let error = refused(&refusal, 401, "invalid_api_key");
        let message = error.get("message").and_then(Value::as_str).expect("a message");
        refused_by_itself = message.contains("was rotated");
        // Who clears up may have been there at that very moment.
        assert!(refused_by_itself || message.contains("unknown"), "{message}");
        key = new;
        if refused_by_itself {
            break;
        }
    }
    assert!(refused_by_itself, "a node looks at the time itself");
    // It is cleared away, too.
    eventually("the end is audited", SOON, async || {
        let log = organization.audit().await;
        log.iter().any(|entry| entry.action == "key.rotation_end").then_some(())
    })
    .await;
    eventually("nothing is left of it", SOON, async || {
        let former = read(&organization, &key).await.former_secrets;
        former.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_repeated_rotation_changes_nothing_and_shows_no_secret() {
    let (organization, key) = Organization::with_sandbox(Installation::shared().await).await;

    let (first, new) = rotated(&key, rotate(&organization, &key, "1h", Some("deploy-7")).await);
    let again: RotatedKey = rotate(&organization, &key, "1h", Some("deploy-7"))
        .await
        .expect(201)
        .read();

    assert_eq!((again.secret, again.repeated), (None, true));
    assert_eq!(again.key.hint, first.key.hint);
    open(&organization, &new).await;
    let (_, other) = rotated(&key, rotate(&organization, &key, "1h", Some("deploy-8")).await);
    for secret in [&key, &new, &other] {
        open(&organization, secret).await;
    }
    for (grace, header) in [("91d", None), ("1h", Some(" "))] {
        let wrong = rotate(&organization, &key, grace, header).await;
        api_refused(&wrong, 422, ProblemCode::Invalid);
    }
}

#[tokio::test]
async fn a_key_that_nobody_uses_is_disabled_and_says_how_to_enable_it() {
    let (organization, _) = Organization::with_sandbox(Installation::shared().await).await;
    let idle = organization
        .key_as(&json!({"name": "idle", "upkeep": {"disable_after_idle": "1s"}}))
        .await;

    let disabled = state(&organization, &idle, KeyState::Disabled).await;
    assert_eq!(
        disabled.disabled.map(|disabled| disabled.reason),
        Some(DisabledReason::Idle)
    );
    let message = shut(&organization, &idle).await;
    assert!(
        message.contains("nobody used it") && message.contains("/disabling"),
        "{message}"
    );
    let log = organization.audit().await;
    let entry = log
        .iter()
        .find(|entry| entry.action == "key.disable")
        .expect("it is audited");
    assert_eq!(entry.target.as_deref(), Some(idle.id.as_str()));

    patch(&organization, &idle, json!({"upkeep": {}})).await.expect(200);
    let path = organization.path(&format!("/keys/{}/disabling", idle.id));
    let enabled: KeyDto = organization.owner.delete(&path).await.expect(200).read();
    assert_eq!((enabled.state, enabled.disables_at), (KeyState::Active, None));
    open(&organization, &idle).await;
    eventually("its use is noted", SOON, async || {
        read(&organization, &idle).await.last_used_at
    })
    .await;
}

#[tokio::test]
async fn a_key_that_nobody_rotates_in_time_works_again_when_it_is_rotated() {
    let (organization, _) = Organization::with_sandbox(Installation::shared().await).await;
    let upkeep = json!({"rotate_every": "1s", "disable_overdue_after": "0s"});
    let strict = organization.key_as(&json!({"name": "strict", "upkeep": upkeep})).await;

    state(&organization, &strict, KeyState::Disabled).await;
    let message = shut(&organization, &strict).await;
    assert!(message.contains("not rotated in time"), "{message}");
    let path = organization.path(&format!("/keys/{}/disabling", strict.id));
    api_refused(&organization.owner.delete(&path).await, 409, ProblemCode::Conflict);
    patch(&organization, &strict, json!({"upkeep": {"rotate_every": "30d"}}))
        .await
        .expect(200);

    let (told, new) = rotated(&strict, rotate(&organization, &strict, "0s", None).await);

    assert_eq!(told.key.state, KeyState::Active);
    assert!(told.key.rotation_due_at > Some(chrono::Utc::now()));
    open(&organization, &new).await;
}

#[tokio::test]
async fn a_key_is_disabled_by_hand_and_its_expiry_is_changed() {
    let (organization, key) = Organization::with_sandbox(Installation::shared().await).await;
    let path = organization.path(&format!("/keys/{}/disabling", key.id));

    organization.owner.post(&path, &json!({})).await.expect(200);
    let message = shut(&organization, &key).await;
    assert!(message.contains("is disabled"), "{message}");
    organization.owner.delete(&path).await.expect(200);
    open(&organization, &key).await;

    let past = patch(&organization, &key, json!({"expires_at": "2020-01-01T00:00:00Z"})).await;
    assert!(
        api_refused(&past, 422, ProblemCode::Invalid)
            .fields
            .contains_key("expires_at")
    );
    let soon = chrono::Utc::now() + chrono::TimeDelta::milliseconds(700);
    patch(&organization, &key, json!({ "expires_at": soon }))
        .await
        .expect(200);
    let chat = organization.chat(&key);
    let expired = eventually("the key expires", SOON, async || {
        let answer = chat.ask("echo").await;
        (answer.status == 401).then_some(answer)
    })
    .await;
    assert!(expired.text().contains("has expired"), "{}", expired.text());
    assert_eq!(read(&organization, &key).await.state, KeyState::Expired);
    patch(&organization, &key, json!({"tags": {"project": "apollo"}}))
        .await
        .expect(200);
    assert_eq!(
        read(&organization, &key).await.state,
        KeyState::Expired,
        "what is left out stays"
    );
    patch(&organization, &key, json!({"expires_at": null}))
        .await
        .expect(200);
    open(&organization, &key).await;
}

#[tokio::test]
async fn a_key_belongs_to_who_makes_it_or_to_a_service_account() {
    let organization = Organization::make(Installation::shared().await).await;
    let member = join(&organization, "maker", "member").await;
    let account: ServiceAccount = organization
        .owner
        .post(&organization.path("/service-accounts"), &json!({"name": "builds"}))
        .await
        .expect(201)
        .read();
    let token = organization.token("admin").await;
    let owner = async |api: &Api, body: Value| -> Option<KeyOwner> {
        let minted: gatewright_types::api::MintedKey =
            api.post(&organization.path("/keys"), &body).await.expect(201).read();
        minted.key.owner
    };

    let own = owner(&member.api, json!({"name": "own"})).await;
    assert_eq!(own.map(|owner| owner.to_string()), Some(member.id.clone()));
    assert_eq!(owner(&token, json!({"name": "nobody's"})).await, None);
    assert_eq!(
        owner(&member.api, json!({"name": "the organization's", "owner": null})).await,
        None
    );
    let of_account = owner(&member.api, json!({"name": "build", "owner": account.id})).await;
    assert_eq!(of_account, Some(KeyOwner::ServiceAccount(account.id)));
    let stranger = json!({"name": "x", "owner": "per_0198c0de00007000800000000000002a"});
    let refused = member.api.post(&organization.path("/keys"), &stranger).await;
    assert!(
        api_refused(&refused, 422, ProblemCode::Invalid)
            .fields
            .contains_key("owner")
    );

    let path = organization.path(&format!("/service-accounts/{}", account.id));
    api_refused(&organization.owner.delete(&path).await, 409, ProblemCode::Conflict);
    let renamed = organization.owner.patch(&path, &json!({"name": "deploys"})).await;
    let renamed: ServiceAccount = renamed.expect(200).read();
    assert_eq!((renamed.name.as_str(), renamed.key_count), ("deploys", 1));
}

#[tokio::test]
async fn who_leaves_takes_nothing_along_unless_it_is_said_what_becomes_of_their_keys() {
    let (organization, _) = Organization::with_sandbox(Installation::shared().await).await;
    let leaver = join(&organization, "leaver", "member").await;
    let make = async |name: &str| {
        let answer = leaver
            .api
            .post(&organization.path("/keys"), &json!({ "name": name }))
            .await;
        let minted: gatewright_types::api::MintedKey = answer.expect(201).read();
        Key {
            id: minted.key.id.to_string(),
            secret: minted.secret.expect("it is minted"),
        }
    };
    let key = make("laptop").await;
    open(&organization, &key).await;
    let path = organization.path(&format!("/members/{}", leaver.id));

    let refused = api_refused(&organization.owner.delete(&path).await, 409, ProblemCode::Conflict);
    assert!(refused.message.contains("laptop"), "{}", refused.message);
    for wrong in [
        "?keys=hand_over",
        "?to=per_0198c0de00007000800000000000002a",
        "?keys=keep",
    ] {
        let answer = organization.owner.delete(&format!("{path}{wrong}")).await;
        api_refused(&answer, 422, ProblemCode::Invalid);
    }
    let account = organization
        .owner
        .post(&organization.path("/service-accounts"), &json!({"name": "programs"}))
        .await;
    let account: ServiceAccount = account.expect(201).read();
    let handed = format!("{path}?keys=hand_over&to={}", account.id);
    organization.owner.delete(&handed).await.expect(204);

    open(&organization, &key).await;
    assert_eq!(
        read(&organization, &key).await.owner,
        Some(KeyOwner::ServiceAccount(account.id))
    );

    let other = join(&organization, "other", "member").await;
    let answer = other
        .api
        .post(&organization.path("/keys"), &json!({"name": "gone"}))
        .await;
    let minted: gatewright_types::api::MintedKey = answer.expect(201).read();
    let gone = Key {
        id: minted.key.id.to_string(),
        secret: minted.secret.expect("it is minted"),
    };
    let path = organization.path(&format!("/members/{}?keys=revoke", other.id));
    organization.owner.delete(&path).await.expect(204);
    shut(&organization, &gone).await;
}

#[tokio::test]
async fn whoever_finds_a_secret_in_public_may_shut_it_and_learns_nothing() {
    let (organization, key) = Organization::with_sandbox(Installation::shared().await).await;
    let (_, new) = rotated(&key, rotate(&organization, &key, "1h", None).await);
    open(&organization, &new).await;
    let anonymous = Api::anonymous(organization.owner.address);
    let report = async |secret: &str| anonymous.post("/leaks", &json!({ "secret": secret })).await;
    let mut mistyped = new.secret.clone();
    mistyped.pop();
    let unknown = {
        let other = Organization::make(Installation::shared().await).await;
        let key = other.key("gone").await;
        other
            .owner
            .delete(&other.path(&format!("/keys/{}", key.id)))
            .await
            .expect(200);
        key.secret
    };

    for wrong in [mistyped.as_str(), "sk-0123456789abcdefghij", ""] {
        api_refused(&report(wrong).await, 422, ProblemCode::Invalid);
    }
    assert_eq!(report(&unknown).await.expect(204).text(), "");
    // Of a rotated key the old secret goes, and the new one stays.
    assert_eq!(report(&key.secret).await.expect(204).text(), "");
    shut(&organization, &key).await;
    open(&organization, &new).await;
    report(&new.secret).await.expect(204);
    shut(&organization, &new).await;

    assert_eq!(read(&organization, &new).await.state, KeyState::Revoked);
    let log = organization.audit().await;
    let leaks = log.iter().filter(|entry| entry.action == "key.leak").count();
    assert_eq!(leaks, 2);
}

#[tokio::test]
async fn a_file_says_everything_of_keys_and_a_key_stays_itself_when_its_secret_changes() {
    let organization = Organization::make(Installation::shared().await).await;
    let member = join(&organization, "ada", "member").await;
    let secret = |number: u32| format!("sk-own-secret-{}-{number:04}", organization.slug);
    let document = |number: u32| {
        json!({
            "version": 1, "organization": organization.slug,
            "providers": [{"name": "sandbox", "kind": "sandbox"}],
            "models": [{"name": "echo", "route": {"target": "sandbox/echo"}}],
            "teams": [{"name": "Search", "ip_ranges": ["127.0.0.0/8"]}],
            "service_accounts": [{"name": "builds", "team": "Search"}, {"name": "deploys"}],
            "keys": [
                {"name": "ada", "owner": member.email, "tags": {"project": "apollo"},
                 "scopes": {"endpoints": ["chat"], "tools": [], "highest_price": {"input": "3.00"}}},
                {"name": "build", "service_account": "builds", "secret": {"value": secret(number)},
                 "upkeep": {"rotate_every": "90d", "disable_after_idle": "30d"},
                 "scopes": {"providers": ["sandbox"], "ip_ranges": ["127.0.0.1", "::1"]}},
            ],
        })
    };
    let path = organization.path("/configuration/apply");
    let apply = async |document: &Value| organization.owner.post(&path, document).await;
    let named = async |name: &str| -> KeyDto {
        let keys: Vec<KeyDto> = organization.all("/keys").await;
        let found = keys.into_iter().find(|key| key.name.as_str() == name);
        found.expect("it is there")
    };

    apply(&document(1)).await.expect(200);
    let again = apply(&document(1)).await.expect(200).json();
    assert_eq!(again.pointer("/changes"), Some(&json!([])), "{again}");
    let (ada, build) = (named("ada").await, named("build").await);
    assert_eq!(ada.owner.map(|owner| owner.to_string()), Some(member.id.clone()));
    assert!(build.team.is_some() && build.owner.is_some());
    let exported = organization
        .owner
        .get(&organization.path("/configuration"))
        .await
        .expect(200);
    let exported: Document = exported.read();
    let exported = serde_json::to_value(&exported).expect("a document");
    let wanted = document(1);
    for pointer in ["/teams", "/service_accounts", "/keys/0"] {
        assert_eq!(exported.pointer(pointer), wanted.pointer(pointer), "{pointer}");
    }
    assert_eq!(exported.pointer("/keys/1/scopes"), wanted.pointer("/keys/1/scopes"));
    assert_eq!(exported.pointer("/keys/1/upkeep"), wanted.pointer("/keys/1/upkeep"));

    let changed = apply(&document(2)).await.expect(200).json();
    assert_eq!(
        changed.pointer("/changes/0/fields"),
        Some(&json!(["secret"])),
        "{changed}"
    );
    assert_eq!(named("build").await.id, build.id);
    let key = Key {
        id: build.id.to_string(),
        secret: secret(2),
    };
    open(&organization, &key).await;
    let mut wrong = document(2);
    wrong["keys"][0]["owner"] = json!("nobody@example.test");
    wrong["keys"][1]["scopes"] = json!({"providers": ["nowhere"], "regions": ["mars"]});
    let problem = api_refused(&apply(&wrong).await, 422, ProblemCode::Invalid);
    for field in [
        "keys[0].owner",
        "keys[1].scopes.providers[0]",
        "keys[1].scopes.regions[0]",
    ] {
        assert!(problem.fields.contains_key(field), "{field}: {:?}", problem.fields);
    }
    let mut leaving = document(2);
    leaving["members"] = json!([{"email": harness::installation::ROOT_EMAIL, "role": "owner"}]);
    let problem = api_refused(&apply(&leaving).await, 422, ProblemCode::Invalid);
    assert!(problem.fields.contains_key("keys[0].owner"), "{:?}", problem.fields);
}
