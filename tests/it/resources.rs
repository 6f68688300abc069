//! The things an organization has, one kind after the other: made, listed page by page, changed, and removed without
//! leaving anything behind that would not work.

use std::collections::BTreeSet;

use gatewright_types::api::{
    Key, Model, PriceLookup, PriceSource, PriceState, Provider, SelfTest, SelfTestOutcome, Team,
};
use gatewright_types::{Page, ProblemCode};
use harness::api::{problem, refused};
use harness::chat;
use harness::http::Request;
use harness::installation::Installation;
use harness::organization::{EFFECT, Organization};
use harness::upstream::{Ending, Script, Upstream};
use harness::wait::eventually;
use serde_json::{Value, json};

#[tokio::test]
async fn lists_come_in_pages_that_miss_nothing_and_repeat_nothing() {
    let organization = Organization::make(Installation::shared().await).await;
    for number in 0..7 {
        organization.key(&format!("key {number}")).await;
    }

    let (mut seen, mut sizes, mut cursor) = (Vec::new(), Vec::new(), String::new());
    loop {
        let path = organization.path(&format!("/keys?limit=3{cursor}"));
        let page: Page<Key> = organization.owner.get(&path).await.expect(200).read();
        sizes.push(page.items.len());
        seen.extend(page.items.into_iter().map(|key| key.name.to_string()));
        // What is added meanwhile may appear or not, but must not move the rest about.
        organization.key(&format!("added after page {}", sizes.len())).await;
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }

    let distinct: BTreeSet<_> = seen.iter().filter(|name| name.starts_with("key ")).collect();
    assert_eq!(distinct.len(), 7, "{seen:?}");
    assert_eq!(seen.len(), seen.iter().collect::<BTreeSet<_>>().len(), "{seen:?}");
    assert!(sizes.iter().rev().skip(1).all(|size| *size == 3), "{sizes:?}");
}

#[tokio::test]
async fn a_name_that_is_taken_is_a_conflict_on_its_field() {
    let organization = Organization::make(Installation::shared().await).await;
    organization.provider("up", "sandbox", None).await;
    for (path, body, field) in [
        ("/teams", json!({"name": "Search"}), "name"),
        ("/providers", json!({"name": "second", "kind": "sandbox"}), "name"),
        ("/models", json!({"name": "m", "route": {"target": "up/echo"}}), "name"),
    ] {
        organization
            .owner
            .post(&organization.path(path), &body)
            .await
            .expect(201);
        let again = organization.owner.post(&organization.path(path), &body).await;
        assert!(
            refused(&again, 409, ProblemCode::Conflict).fields.contains_key(field),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_team_with_keys_stays_and_an_empty_one_goes() {
    let organization = Organization::make(Installation::shared().await).await;
    let team: Team = organization
        .owner
        .post(&organization.path("/teams"), &json!({"name": "Old"}))
        .await
        .expect(201)
        .read();
    let path = organization.path(&format!("/teams/{}", team.id));
    let key = organization.key_as(&json!({"name": "main", "team": team.id})).await;

    let renamed: Team = organization
        .owner
        .patch(&path, &json!({"name": "New"}))
        .await
        .expect(200)
        .read();
    assert_eq!((renamed.name.as_str(), renamed.key_count), ("New", 1));
    refused(&organization.owner.delete(&path).await, 409, ProblemCode::Conflict);
    organization
        .owner
        .delete(&organization.path(&format!("/keys/{}", key.id)))
        .await
        .expect(200);
    organization.owner.delete(&path).await.expect(204);
    refused(&organization.owner.get(&path).await, 404, ProblemCode::NotFound);
}

#[tokio::test]
async fn a_key_shows_its_secret_once_and_stays_listed_after_it_was_revoked() {
    let organization = Organization::make(Installation::shared().await).await;
    let key = organization.key("main").await;
    let path = organization.path(&format!("/keys/{}", key.id));

    assert!(
        key.secret.starts_with("gw-") && key.secret.len() > 40,
        "a minted secret has its prefix"
    );
    let read = organization.owner.get(&path).await.expect(200);
    assert!(!read.text().contains(&key.secret));
    let read: Key = read.read();
    assert!(key.secret.ends_with(&read.hint) && read.hint.len() == 4, "{read:?}");
    assert_eq!(read.created_by, harness::installation::ROOT_EMAIL);

    let revoked: Key = organization.owner.delete(&path).await.expect(200).read();
    assert!(revoked.revoked_at.is_some());
    let change = json!({"name": "again", "team": null, "models": null});
    refused(
        &organization.owner.patch(&path, &change).await,
        409,
        ProblemCode::Conflict,
    );
    let listed: Vec<Key> = organization.all("/keys").await;
    assert_eq!(
        listed.iter().map(|key| key.revoked_at.is_some()).collect::<Vec<_>>(),
        [true]
    );
}

#[tokio::test]
async fn a_changed_allow_list_counts_within_a_second_on_every_node() {
    let upstream = Upstream::start().await;
    let (organization, key) = Organization::with_upstream(Installation::shared().await, &upstream, &["a", "b"]).await;
    let path = organization.path(&format!("/keys/{}", key.id));

    organization
        .owner
        .patch(&path, &json!({"name": "narrow", "team": null, "models": ["a"]}))
        .await
        .expect(200);

    for node in 0..organization.nodes.len() {
        let chat = organization.chat_at(node, &key);
        eventually("the list counts", EFFECT, async || {
            (chat.ask("b").await.status == 403).then_some(())
        })
        .await;
        chat.ask("a").await.expect(200);
    }
}

#[tokio::test]
async fn secrets_that_could_not_serve_are_refused() {
    let organization = Organization::make(Installation::shared().await).await;
    let minted = organization.key("minted").await.secret;
    let mut mistyped = minted.clone();
    let last = mistyped.pop().expect("it is not empty");
    mistyped.push(if last == 'a' { 'b' } else { 'a' });
    for secret in [
        "",
        "too-short",
        "with a space in it, long enough",
        "with-a-line\nbreak-long-enough",
        &mistyped,
    ] {
        for list in ["/keys", "/tokens"] {
            let body = json!({"name": "k", "secret": secret, "role": "viewer"});
            let mut body = body;
            if list == "/keys" {
                body.as_object_mut().expect("an object").remove("role");
            }
            let answer = organization.owner.post(&organization.path(list), &body).await;
            let problem = refused(&answer, 422, ProblemCode::Invalid);
            assert!(problem.fields.contains_key("secret"), "{list} {secret:?}: {problem:?}");
        }
    }
    let past = json!({"name": "k", "expires_at": "2020-01-01T00:00:00Z"});
    let answer = organization.owner.post(&organization.path("/keys"), &past).await;
    assert!(
        refused(&answer, 422, ProblemCode::Invalid)
            .fields
            .contains_key("expires_at")
    );
}

#[tokio::test]
async fn a_provider_in_use_stays_and_its_credentials_never_come_out() {
    let upstream = Upstream::start().await;
    let (organization, key) = Organization::with_upstream(Installation::shared().await, &upstream, &["m"]).await;
    let providers: Vec<Provider> = organization.all("/providers").await;
    let provider = providers.first().expect("there is one");
    let path = organization.path(&format!("/providers/{}", provider.id));

    let in_use = organization.owner.delete(&path).await;
    assert!(matches!(in_use.status, 409 | 422), "{}", in_use.text());
    problem(&in_use);
    organization.chat(&key).ask("m").await.expect(200);

    let second = organization.credential(provider, "sk-second-secret-000002").await;
    assert_eq!(second.hint, "0002");
    let first = provider.credentials.first().expect("it was made with one").id;
    organization
        .owner
        .delete(&format!("{path}/credentials/{first}"))
        .await
        .expect(204);
    for node in 0..organization.nodes.len() {
        let chat = organization.chat_at(node, &key);
        eventually("the other credential is used", EFFECT, async || {
            chat.ask("m").await.expect(200);
            let last = upstream.seen().pop().expect("it arrived");
            (last.headers.need("authorization") == "Bearer sk-second-secret-000002").then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_provider_without_a_credential_is_called_without_one() {
    let upstream = Upstream::start().await;
    let organization = Organization::make(Installation::shared().await).await;
    let body = json!({"name": "local", "kind": "openai-compatible", "base_url": format!("{}/", upstream.base_url())});
    organization
        .owner
        .post(&organization.path("/providers"), &body)
        .await
        .expect(201);
    organization.model("m", "local/m", &json!({})).await;
    let key = organization.key("main").await;
    organization.settled(&key, &["m"]).await;

    organization.chat(&key).ask("m").await.expect(200);

    let seen = upstream.only();
    assert_eq!(
        (seen.headers.get("authorization"), seen.target.as_str()),
        (None, "/v1/chat/completions")
    );
}

#[tokio::test]
async fn a_self_test_tells_working_refused_odd_and_absent_providers_apart() {
    let upstream = Upstream::start().await;
    let organization = Organization::make(Installation::shared().await).await;
    let nobody = format!("http://127.0.0.1:{}/v1", harness::process::free_port());
    let refusing = upstream.base_url().replace("/v1", "/refusing/v1");
    let odd = upstream.base_url().replace("/v1", "/odd/v1");
    upstream.on(
        "/refusing/v1/models",
        Script::json(401, &json!({"error": {"message": "bad key sk-upstream-secret-0001"}})),
    );
    upstream.on("/odd/v1/models", Script::body(200, "text/html", "<html>hello</html>"));

    for (name, url, expected) in [
        ("works", upstream.base_url(), SelfTestOutcome::Works),
        ("refusing", refusing, SelfTestOutcome::Refused),
        ("odd", odd, SelfTestOutcome::Unexpected),
        ("absent", nobody, SelfTestOutcome::Unreachable),
    ] {
        let provider = organization.provider(name, "openai-compatible", Some(&url)).await;
        let path = organization.path(&format!("/providers/{}/test", provider.id));
        let answer = organization.owner.post(&path, &json!({})).await.expect(200);
        assert!(!answer.text().contains("sk-upstream-secret"), "{}", answer.text());
        let tests: Page<SelfTest> = answer.read();
        let outcomes: Vec<_> = tests.items.iter().map(|test| (test.outcome, test.credential)).collect();
        assert_eq!(
            outcomes,
            [(expected, provider.credentials.first().map(|credential| credential.id))],
            "{name}"
        );
    }
    let sandbox = organization.provider("sandbox", "sandbox", None).await;
    let path = organization.path(&format!("/providers/{}/test", sandbox.id));
    let tests: Page<SelfTest> = organization.owner.post(&path, &json!({})).await.expect(200).read();
    let outcomes: Vec<_> = tests.items.iter().map(|test| (test.outcome, test.credential)).collect();
    assert_eq!(outcomes, [(SelfTestOutcome::Works, None)]);
}

#[tokio::test]
async fn a_model_shows_the_price_that_applies_to_it() {
    let organization = Organization::make(Installation::shared().await).await;
    organization.provider("openai-main", "openai", None).await;
    organization.provider("box", "sandbox", None).await;
    let known = organization.model("known", "openai-main/gpt-4o-mini", &json!({})).await;
    let unknown = organization
        .model("unknown", "openai-main/nobody-knows-this", &json!({}))
        .await;
    assert!(matches!(known.price, PriceState::Priced { .. }), "{known:?}");
    assert_eq!(unknown.price, PriceState::Unpriced);
    let lookup = async |provider: &str, model: &str| -> PriceLookup {
        let path = organization.path(&format!("/prices/lookup?provider={provider}&model={model}"));
        organization.owner.get(&path).await.expect(200).read()
    };
    assert_eq!(
        lookup("openai-main", "gpt-4o-mini").await.source,
        PriceSource::Catalogue
    );
    assert_eq!(
        lookup("openai-main", "nobody-knows-this").await.source,
        PriceSource::None
    );

    let price = organization
        .price(
            "openai-main",
            "nobody-knows-this",
            &json!({"input": "3", "output": "9"}),
        )
        .await;

    let found = lookup("openai-main", "nobody-knows-this").await;
    assert_eq!(found.source, PriceSource::Organization);
    assert_eq!(
        found
            .rates
            .and_then(|rates| rates.output)
            .map(|price| price.to_string())
            .as_deref(),
        Some("9.00")
    );
    let path = organization.path(&format!("/models/{}", unknown.id));
    let read: Model = organization.owner.get(&path).await.expect(200).read();
    assert!(matches!(read.price, PriceState::Priced { .. }), "{read:?}");
    organization
        .owner
        .delete(&organization.path(&format!("/prices/{}", price.id)))
        .await
        .expect(204);
    let read: Model = organization.owner.get(&path).await.expect(200).read();
    assert_eq!(read.price, PriceState::Unpriced);
}

#[tokio::test]
async fn a_price_counts_from_its_own_time_on() {
    let upstream = Upstream::start().await;
    let organization = Organization::make(Installation::shared().await).await;
    organization
        .provider("up", "openai-compatible", Some(&upstream.base_url()))
        .await;
    organization.model("m", "up/m", &json!({})).await;
    let key = organization.key("main").await;
    let set = async |input: &str, from: &str| {
        let body =
            json!({"provider": "up", "model": "m", "rates": {"input": input, "output": "0"}, "effective_from": from});
        organization
            .owner
            .post(&organization.path("/prices"), &body)
            .await
            .expect(201);
    };
    set("1", "2020-01-01T00:00:00Z").await;
    set("2", "2021-01-01T00:00:00Z").await;
    set("5", "2999-01-01T00:00:00Z").await;
    organization.settled(&key, &["m"]).await;

    for node in 0..organization.nodes.len() {
        let chat = organization.chat_at(node, &key);
        eventually("the price in force applies", EFFECT, async || {
            let answer = chat.ask("m").await.expect(200);
            (answer.headers.need("x-gw-cost-usd") == "0.000018").then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_provider_that_closes_idle_connections_costs_no_request() {
    let upstream = Upstream::start().await;
    let (organization, key) = Organization::with_upstream(Installation::shared().await, &upstream, &["m"]).await;
    upstream.on("m", Script::answer("Hello", 1, 1).close());

    for _ in 0..20 {
        organization.chat(&key).ask("m").await.expect(200);
        assert_eq!(upstream.ending().await, Ending::Answered);
    }

    assert_eq!(upstream.seen().len(), 20, "and none is sent twice");
}

#[tokio::test]
async fn the_dashboard_is_served_with_headers_that_keep_it_to_itself() {
    let installation = Installation::shared().await;
    for path in ["/", "/sign-in", "/o/acme/keys"] {
        let answer = Request::new("GET", path)
            .header("accept", "text/html")
            .send(installation.control())
            .await;
        let answer = answer.expect("an answer").expect(200);
        assert!(answer.headers.need("content-type").starts_with("text/html"), "{path}");
        assert!(
            answer
                .headers
                .need("content-security-policy")
                .contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert_eq!(answer.headers.need("x-content-type-options"), "nosniff");
        assert_eq!(answer.headers.need("referrer-policy"), "no-referrer");
    }
    let missing = Request::new("GET", "/assets/no-such-file.js")
        .send(installation.control())
        .await
        .expect("an answer");
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn only_the_control_plane_has_the_api_and_only_data_planes_take_requests() {
    let installation = Installation::shared().await;
    for node in &installation.nodes {
        let api = Request::new("GET", "/api/v1/setup")
            .send(node.address)
            .await
            .expect("an answer")
            .status;
        let models = Request::new("GET", "/v1/models")
            .send(node.address)
            .await
            .expect("an answer");
        let (expected_api, expected_models) = match node.role {
            harness::installation::Role::All => (200, 401),
            harness::installation::Role::Control => (200, 404),
            harness::installation::Role::Proxy => (404, 401),
        };
        assert_eq!((api, models.status), (expected_api, expected_models), "{:?}", node.role);
        if expected_models == 401 {
            chat::refused(&models, 401, "invalid_api_key");
        }
    }
}

#[tokio::test]
async fn every_answer_of_the_api_carries_its_id_and_may_not_be_kept() {
    let organization = Organization::make(Installation::shared().await).await;
    for path in [
        organization.path(""),
        organization.path("/keys"),
        "/organizations/nobody".to_owned(),
    ] {
        let answer = organization.owner.get(&path).await;
        assert!(answer.headers.need("x-gw-request-id").starts_with("req_"), "{path}");
        assert_eq!(answer.headers.need("cache-control"), "no-store", "{path}");
        assert_eq!(answer.headers.need("content-type"), "application/json", "{path}");
    }
    let listed: Value = organization
        .owner
        .get(&organization.path("/keys"))
        .await
        .expect(200)
        .json();
    assert_eq!(listed, json!({"items": [], "next_cursor": null}));
}
