//! How a provider is reached: through a proxy, with a private authority, with a client certificate, and only where the
//! installation lets it.

use std::time::Duration;

use gatewright_types::Page;
use gatewright_types::ProblemCode;
use gatewright_types::api::{Provider, SelfTest, SelfTestOutcome};
use harness::api::refused;
use harness::chat;
use harness::http::Answer;
use harness::installation::{Installation, Options};
use harness::organization::{Key, Organization};
use harness::proxy::ForwardProxy;
use harness::tls::{Authority, Front};
use harness::upstream::{Script, Upstream};
use harness::wait::{SOON, eventually};
use serde_json::{Value, json};

const PASSWORD: &str = "proxy-password-0001";

/// A provider `up` with the model `m` at an address, reached as it says.
async fn reached(
    installation: &Installation,
    base_url: &str,
    network: Option<&Value>,
) -> (Organization, Key, Provider) {
    let organization = Organization::make(installation).await;
    let mut body = json!({
        "name": "up", "kind": "openai-compatible", "base_url": base_url,
        "credentials": [{"name": "a", "api_key": "sk-upstream-secret-0001"}],
    });
    if let Some(network) = network {
        body["network"] = network.clone();
    }
    let path = organization.path("/providers");
    let provider: Provider = organization.owner.post(&path, &body).await.expect(201).read();
    organization.model("m", "up/m", &json!({})).await;
    let key = organization.key("main").await;
    organization.settled(&key, &["m"]).await;
    (organization, key, provider)
}

async fn change(organization: &Organization, provider: &Provider, body: &Value) -> Answer {
    let path = organization.path(&format!("/providers/{}", provider.id));
    organization.owner.patch(&path, body).await
}

/// Waits until every node gets this status.
async fn becomes(organization: &Organization, key: &Key, status: u16) {
    for node in 0..organization.nodes.len() {
        eventually("a change of the network takes effect", SOON, async || {
            let answer = organization.chat_at(node, key).ask("m").await;
            (answer.status == status).then_some(())
        })
        .await;
    }
}

async fn self_test(organization: &Organization, provider: &Provider) -> SelfTest {
    let path = organization.path(&format!("/providers/{}/test", provider.id));
    let page: Page<SelfTest> = organization.owner.post(&path, &json!({})).await.expect(200).read();
    page.items.into_iter().next().expect("one for its credential")
}

#[tokio::test]
async fn a_server_of_a_private_authority_is_trusted_by_the_provider_that_names_it() {
    let upstream = Upstream::start().await;
    let authority = Authority::new("private");
    let front = Front::before(upstream.address(), &authority.server(), None).await;
    let base_url = format!("{}/v1", front.origin());
    let (organization, key, provider) = reached(Installation::shared().await, &base_url, None).await;

    chat::refused(&organization.chat(&key).ask("m").await, 502, "upstream_error");
    assert_eq!(
        self_test(&organization, &provider).await.outcome,
        SelfTestOutcome::Unreachable
    );
    let network = json!({"ca": authority.pem()});
    let changed = change(
        &organization,
        &provider,
        &json!({"base_url": base_url, "network": network}),
    )
    .await;
    assert_eq!(changed.expect(200).json().get("network"), Some(&network));

    becomes(&organization, &key, 200).await;
    assert_eq!(
        self_test(&organization, &provider).await.outcome,
        SelfTestOutcome::Works
    );
    let another = json!({"ca": Authority::new("another").pem()});
    let changed = change(
        &organization,
        &provider,
        &json!({"base_url": base_url, "network": another}),
    )
    .await;
    changed.expect(200);
    becomes(&organization, &key, 502).await;
}

#[tokio::test]
async fn a_server_that_asks_who_calls_sees_the_providers_certificate() {
    let upstream = Upstream::start().await;
    let authority = Authority::new("private");
    let front = Front::before(upstream.address(), &authority.server(), Some(&authority)).await;
    let base_url = format!("{}/v1", front.origin());
    let own = authority.client("gateway-of-acme");
    let certificate = json!({"certificate": own.certificate, "private_key": own.private_key});
    let network = json!({"ca": authority.pem(), "client_certificate": certificate});
    let (organization, key, provider) = reached(Installation::shared().await, &base_url, Some(&network)).await;

    organization.chat(&key).ask("m").await.expect(200);

    let callers = front.callers();
    let name = b"gateway-of-acme";
    assert!(
        callers
            .iter()
            .all(|shown| shown.windows(name.len()).any(|part| part == name)),
        "{} callers",
        callers.len()
    );
    assert!(!callers.is_empty());
    let path = organization.path(&format!("/providers/{}", provider.id));
    let told = organization.owner.get(&path).await.expect(200);
    assert!(!told.text().contains("PRIVATE KEY"), "{}", told.text());
    // What is told can be sent back: the key stays with its certificate.
    let network = told.json().get("network").cloned().expect("a network");
    let same = change(
        &organization,
        &provider,
        &json!({"base_url": base_url, "network": network}),
    )
    .await;
    same.expect(200);
    organization.chat(&key).ask("m").await.expect(200);

    let nobody = json!({"ca": authority.pem()});
    let changed = change(
        &organization,
        &provider,
        &json!({"base_url": base_url, "network": nobody}),
    )
    .await;
    changed.expect(200);
    becomes(&organization, &key, 502).await;
}

#[tokio::test]
async fn calls_go_through_the_providers_proxy_over_connections_that_are_used_again() {
    let upstream = Upstream::start().await;
    let authority = Authority::new("private");
    let front = Front::before(upstream.address(), &authority.server(), None).await;
    let proxy = ForwardProxy::for_user("acme", PASSWORD).await;
    let base_url = format!("{}/v1", front.origin());
    let through = |password: &str| json!({"url": proxy.url(), "username": "acme", "password": password});
    let network = json!({"ca": authority.pem(), "proxy": through(PASSWORD)});
    let (organization, key, provider) = reached(Installation::shared().await, &base_url, Some(&network)).await;

    for _ in 0..10 {
        organization.chat(&key).ask("m").await.expect(200);
    }

    let asked = proxy.asked();
    let tunnel = (front.address.to_string(), "CONNECT".to_owned(), true);
    let tunnels = asked
        .iter()
        .filter(|asked| (asked.target.clone(), asked.method.clone(), asked.allowed) == tunnel);
    assert_eq!(tunnels.count(), asked.len(), "{asked:?}");
    assert!(
        (1..=2).contains(&asked.len()),
        "{} tunnels for ten calls in a row",
        asked.len()
    );
    assert_eq!(
        self_test(&organization, &provider).await.outcome,
        SelfTestOutcome::Works
    );

    let wrong = json!({"ca": authority.pem(), "proxy": through("not-the-password")});
    let changed = change(
        &organization,
        &provider,
        &json!({"base_url": base_url, "network": wrong}),
    )
    .await;
    assert!(!changed.text().contains("not-the-password"), "{}", changed.text());
    changed.expect(200);
    becomes(&organization, &key, 502).await;
    let answer = organization.chat(&key).ask("m").await;
    chat::refused(&answer, 502, "upstream_error");
    let test = self_test(&organization, &provider).await;
    assert_eq!(test.outcome, SelfTestOutcome::Unreachable, "{test:?}");
}

#[tokio::test]
async fn a_proxy_passes_plain_calls_on_and_its_password_stays_with_the_user_name() {
    let upstream = Upstream::start().await;
    upstream.on("m", Script::answer("through a proxy", 3, 2));
    let proxy = ForwardProxy::for_user("acme", PASSWORD).await;
    let network = json!({"proxy": {"url": proxy.url(), "username": "acme", "password": PASSWORD}});
    let installation = Installation::shared().await;
    let (organization, key, provider) = reached(installation, &upstream.base_url(), Some(&network)).await;

    let answer = organization.chat(&key).ask("m").await.expect(200);
    assert!(answer.text().contains("through a proxy"));
    let told = json!({"proxy": {"url": proxy.url(), "username": "acme"}});
    let body = json!({"base_url": upstream.base_url(), "network": told, "headers": {"x-team": "search"}});
    let changed = change(&organization, &provider, &body).await.expect(200);
    assert_eq!(changed.json().get("network"), Some(&told));

    eventually("a header that was added is sent", SOON, async || {
        organization.chat(&key).ask("m").await.expect(200);
        let seen = upstream.seen();
        (seen.last()?.headers.get("x-team") == Some("search")).then_some(())
    })
    .await;
    let asked = proxy.asked();
    let target = format!("{}/chat/completions", upstream.base_url());
    assert!(
        asked
            .iter()
            .all(|asked| asked.allowed && asked.method == "POST" && asked.target == target),
        "{asked:?}"
    );

    // Without the user name the proxy lets nobody through; that is nothing the caller is to mend.
    let nameless = json!({"base_url": upstream.base_url(), "network": {"proxy": {"url": proxy.url()}}});
    change(&organization, &provider, &nameless).await.expect(200);
    becomes(&organization, &key, 502).await;
}

#[tokio::test]
async fn what_a_proxy_is_asked_to_reach_is_checked_as_if_there_were_none() {
    let proxy = ForwardProxy::for_user("acme", PASSWORD).await;
    let network = json!({"proxy": {"url": proxy.url(), "username": "acme", "password": PASSWORD}});
    let base_url = "https://a-name-that-is-nowhere.invalid/v1";
    let installation = Installation::shared().await;
    let (organization, key, provider) = reached(installation, base_url, Some(&network)).await;

    let answer = organization.chat(&key).ask("m").await;

    chat::refused(&answer, 502, "upstream_error");
    assert_eq!(proxy.asked(), [], "nobody can tell where that name leads");
    let metadata = json!({"base_url": "https://169.254.169.254/latest", "network": network});
    let problem = refused(
        &change(&organization, &provider, &metadata).await,
        422,
        ProblemCode::Invalid,
    );
    assert!(problem.fields.contains_key("base_url"), "{problem:?}");
}

#[tokio::test]
async fn everything_wrong_with_a_network_is_told_by_field() {
    let organization = Organization::make(Installation::shared().await).await;
    let authority = Authority::new("private");
    let (own, other) = (authority.client("own"), authority.client("other"));
    let certificate =
        |key: Option<&str>| json!({"client_certificate": {"certificate": own.certificate, "private_key": key}});
    let proxy = |url: &str| json!({"proxy": {"url": url}});
    let cases = [
        (json!({}), "network", "proxy, a ca or"),
        (proxy("socks5://127.0.0.1:1080"), "network.proxy.url", "http or https"),
        (proxy("http://u:p@127.0.0.1:3128"), "network.proxy.url", "user name"),
        (proxy("http://127.0.0.1:3128/path"), "network.proxy.url", "port"),
        (proxy("http://169.254.169.254:80"), "network.proxy.url", "may not have"),
        (
            json!({"proxy": {"url": "http://127.0.0.1:1", "username": "u"}}),
            "network.proxy.password",
            "required",
        ),
        (
            json!({"proxy": {"url": "http://127.0.0.1:1", "password": "p"}}),
            "network.proxy.username",
            "required",
        ),
        (json!({"ca": "no certificate"}), "network.ca", "PEM"),
        (certificate(None), "network.client_certificate.private_key", "required"),
        (
            certificate(Some("no key")),
            "network.client_certificate.private_key",
            "in PEM",
        ),
        (
            certificate(Some(&other.private_key)),
            "network.client_certificate.private_key",
            "not the key of the certificate",
        ),
        (json!({"prxy": {"url": "http://127.0.0.1:1"}}), "network.prxy", "proxy"),
    ];
    for (network, field, message) in cases {
        let body = json!({"name": "up", "kind": "openai", "network": network});
        let answer = organization.owner.post(&organization.path("/providers"), &body).await;
        let fields = refused(&answer, 422, ProblemCode::Invalid).fields;
        let told = fields.get(field);
        assert!(told.is_some_and(|told| told.contains(message)), "{network}: {fields:?}");

        let document = json!({"version": 1, "organization": organization.slug, "providers": [body]});
        let path = organization.path("/configuration/plan");
        let answer = organization.owner.post(&path, &document).await;
        assert_eq!(answer.status, 422, "{network}: {}", answer.text());
    }
}

#[tokio::test]
async fn only_listed_hosts_are_called_when_there_is_a_list() {
    const LIST: &str = "GATEWRIGHT_EGRESS_HOSTS";
    let upstream = Upstream::start().await;
    let options = Options {
        environment: vec![(LIST, "127.0.0.1, *.models.example".to_owned())],
        ..Options::default()
    };
    let mut installation = Installation::start(options).await;
    let (organization, key, _) = reached(&installation, &upstream.base_url(), None).await;
    organization.chat(&key).ask("m").await.expect(200);

    let listed = json!({"name": "listed", "kind": "openai-compatible", "base_url": "https://eu.models.example/v1"});
    let path = organization.path("/providers");
    organization.owner.post(&path, &listed).await.expect(201);
    let at_localhost = upstream.base_url().replace("127.0.0.1", "localhost");
    let proxy = json!({"url": "http://localhost:3128"});
    let cases = [
        (
            json!({"kind": "openai-compatible", "base_url": at_localhost}),
            "base_url",
            "localhost",
        ),
        (json!({"kind": "openai"}), "base_url", "api.openai.com"),
        (
            json!({"kind": "bedrock", "region": "eu-central-1"}),
            "base_url",
            "bedrock-runtime.eu-central-1",
        ),
        (
            json!({"kind": "openai-compatible", "base_url": upstream.base_url(), "network": {"proxy": proxy}}),
            "network.proxy.url",
            "localhost",
        ),
    ];
    for (mut body, field, host) in cases {
        body["name"] = json!("another");
        let fields = refused(&organization.owner.post(&path, &body).await, 422, ProblemCode::Invalid).fields;
        let told = fields.get(field).unwrap_or_else(|| panic!("{body}: {fields:?}"));
        assert!(told.contains(host) && told.contains(LIST), "{told}");
    }

    // A provider that was saved before the list became shorter is not called any more.
    let count = upstream.seen().len();
    for node in &mut installation.nodes {
        node.set(LIST, "api.openai.com");
        node.restart().await;
    }
    let organization = Organization {
        nodes: installation.data_planes(),
        ..organization
    };
    let answer = eventually("the key is known again", Duration::from_secs(20), async || {
        let answer = organization.chat(&key).ask("m").await;
        (answer.status != 503 && answer.status != 401).then_some(answer)
    })
    .await;
    chat::refused(&answer, 502, "upstream_error");
    assert_eq!(upstream.seen().len(), count);
    assert!(installation.logs().contains(LIST), "the log says what to do");
}
