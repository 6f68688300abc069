//! An organization of a test's own, made through the API, with a provider, models and keys as the test wants them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use gatewright_types::Page;
use gatewright_types::api::{AuditEntry, Credential, MintedKey, MintedToken, Model, Price, Provider, UsageRow};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::api::{Api, Caller};
use crate::chat::Chat;
use crate::installation::Installation;
use crate::upstream::Upstream;
use crate::wait::{SOON, eventually};

/// Within this time a change takes effect on all nodes.
pub const EFFECT: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct Organization {
    pub slug: String,
    /// Its owner's view of the control API.
    pub owner: Api,
    /// The nodes that serve the data plane.
    pub nodes: Vec<SocketAddr>,
}

/// A data-plane key that a test made.
#[derive(Debug, Clone)]
pub struct Key {
    pub id: String,
    pub secret: String,
}

impl Organization {
    pub async fn make(installation: &Installation) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let slug = format!("acme-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let owner = installation.root().await;
        owner
            .post("/organizations", &json!({"slug": slug, "name": "Acme"}))
            .await
            .expect(201);
        Self {
            slug,
            owner,
            nodes: installation.data_planes(),
        }
    }

    /// One with a provider `up` at the upstream, models of the given names that lead to models of the same names there,
    /// and a key that every node knows.
    pub async fn with_upstream(installation: &Installation, upstream: &Upstream, models: &[&str]) -> (Self, Key) {
        let organization = Self::make(installation).await;
        organization
            .provider("up", "openai-compatible", Some(&upstream.base_url()))
            .await;
        for model in models {
            organization.model(model, &format!("up/{model}"), &json!({})).await;
        }
        let key = organization.key("main").await;
        organization.settled(&key, models).await;
        (organization, key)
    }

    /// One with this provider, which is named `up`, a model `m` that is this one there, and a key that every node knows.
    pub async fn with_model(installation: &Installation, provider: &Value, upstream_model: &str) -> (Self, Key) {
        let organization = Self::make(installation).await;
        organization.add("/providers", provider).await;
        organization
            .model("m", &format!("up/{upstream_model}"), &json!({}))
            .await;
        let key = organization.key("main").await;
        organization.settled(&key, &["m"]).await;
        (organization, key)
    }

    /// One with the sandbox behind the model `echo`.
    pub async fn with_sandbox(installation: &Installation) -> (Self, Key) {
        let organization = Self::make(installation).await;
        organization.provider("sandbox", "sandbox", None).await;
        organization.model("echo", "sandbox/echo", &json!({})).await;
        let key = organization.key("main").await;
        organization.settled(&key, &["echo"]).await;
        (organization, key)
    }

    pub fn path(&self, tail: &str) -> String {
        format!("/organizations/{}{tail}", self.slug)
    }

    /// Makes one more of what is listed at the path.
    pub async fn add(&self, tail: &str, body: &Value) {
        self.owner.post(&self.path(tail), body).await.expect(201);
    }

    /// Two upstreams, and the providers `first` and `second` at them.
    pub async fn two_providers(&self, breaker: &Value) -> (Upstream, Upstream) {
        let (first, second) = (Upstream::start().await, Upstream::start().await);
        for (name, upstream) in [("first", &first), ("second", &second)] {
            let body = json!({"name": name, "kind": "openai-compatible", "base_url": upstream.base_url(),
                "credentials": [{"name": "a", "api_key": "sk-upstream-secret-0001", "weight": 1}], "breaker": breaker});
            self.add("/providers", &body).await;
        }
        (first, second)
    }

    pub async fn provider(&self, name: &str, kind: &str, base_url: Option<&str>) -> Provider {
        self.provider_with(name, kind, base_url, &[]).await
    }

    /// One with settings besides its address.
    pub async fn provider_with(
        &self,
        name: &str,
        kind: &str,
        base_url: Option<&str>,
        settings: &[(&str, &str)],
    ) -> Provider {
        let credentials = match base_url {
            Some(_) => json!([{"name": "a", "api_key": "sk-upstream-secret-0001", "weight": 1}]),
            None => json!([]),
        };
        let mut body = json!({"name": name, "kind": kind, "base_url": base_url, "credentials": credentials});
        for (setting, value) in settings {
            body[*setting] = json!(value);
        }
        self.created("/providers", &body).await
    }

    pub async fn credential(&self, provider: &Provider, secret: &str) -> Credential {
        let body = json!({"name": "another", "api_key": secret});
        self.created(&format!("/providers/{}/credentials", provider.id), &body)
            .await
    }

    /// One of which a call is made once: what happens when it is made again is for tests of that.
    pub async fn model(&self, name: &str, target: &str, timeouts: &Value) -> Model {
        self.created(
            "/models",
            &json!({"name": name, "route": {"target": target}, "timeouts": timeouts, "retries": {"attempts": 0}}),
        )
        .await
    }

    pub async fn price(&self, provider: &str, model: &str, rates: &Value) -> Price {
        self.created(
            "/prices",
            &json!({"provider": provider, "model": model, "rates": rates}),
        )
        .await
    }

    pub async fn key(&self, name: &str) -> Key {
        self.key_as(&json!({"name": name})).await
    }

    pub async fn key_as(&self, body: &Value) -> Key {
        let minted: MintedKey = self.created("/keys", body).await;
        let imported = body.get("secret").and_then(Value::as_str).map(str::to_owned);
        let secret = minted.secret.or(imported).expect("a secret is minted or given");
        Key {
            id: minted.key.id.to_string(),
            secret,
        }
    }

    /// A token with this role.
    pub async fn token(&self, role: &str) -> Api {
        let minted: MintedToken = self.created("/tokens", &json!({"name": role, "role": role})).await;
        Api::new(self.owner.address, Caller::Token(minted.secret.expect("it was minted")))
    }

    /// The first node's data plane.
    pub fn chat(&self, key: &Key) -> Chat {
        self.chat_at(0, key)
    }

    pub fn chat_at(&self, node: usize, key: &Key) -> Chat {
        Chat {
            address: *self.nodes.get(node).expect("so many nodes there are"),
            secret: key.secret.clone(),
        }
    }

    /// Waits until every node lists the models to the key.
    pub async fn settled(&self, key: &Key, models: &[&str]) {
        for node in 0..self.nodes.len() {
            let chat = self.chat_at(node, key);
            eventually("a node knows the organization", SOON, async || {
                let listed = names(&chat.models().await.json());
                models
                    .iter()
                    .all(|model| listed.iter().any(|name| name == model))
                    .then_some(())
            })
            .await;
        }
    }

    /// The usage of one request, once it has been counted.
    pub async fn usage(&self, request: &str) -> UsageRow {
        eventually("a request is counted", SOON, async || {
            self.rows().await.into_iter().find(|row| row.id.to_string() == request)
        })
        .await
    }

    /// The usage of the only request, once it has been counted.
    pub async fn only_usage(&self) -> UsageRow {
        let rows = eventually("a request is counted", SOON, async || {
            let rows = self.rows().await;
            (!rows.is_empty()).then_some(rows)
        })
        .await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.into_iter().next().expect("there is one")
    }

    /// Waits until nothing more is counted for a while: longer than a busy machine takes from an answer to its row.
    pub async fn usage_settles(&self) {
        const QUIET: u32 = 4;
        let (mut count, mut quiet) = (0, 0);
        eventually("usage settles", SOON, async || {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let before = std::mem::replace(&mut count, self.rows().await.len());
            quiet = if before == count && count > 0 { quiet + 1 } else { 0 };
            (quiet == QUIET).then_some(())
        })
        .await;
    }

    /// All usage counted so far.
    pub async fn rows(&self) -> Vec<UsageRow> {
        self.all("/usage").await
    }

    pub async fn audit(&self) -> Vec<AuditEntry> {
        self.all("/audit").await
    }

    /// What was done, as the audit log calls it.
    pub async fn actions(&self) -> Vec<String> {
        self.audit().await.into_iter().map(|entry| entry.action).collect()
    }

    /// Every item of a list, over all its pages.
    pub async fn all<T: DeserializeOwned>(&self, tail: &str) -> Vec<T> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("{}?limit=200{cursor}", self.path(tail));
            let page: Page<T> = self.owner.get(&path).await.expect(200).read();
            items.extend(page.items);
            match page.next_cursor {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    async fn created<T: DeserializeOwned>(&self, tail: &str, body: &Value) -> T {
        self.owner.post(&self.path(tail), body).await.expect(201).read()
    }
}

/// A provider `up` of this kind, as it is made.
pub fn provider(kind: &str, base_url: &str) -> Value {
    json!({"name": "up", "kind": kind, "base_url": base_url,
        "credentials": [{"name": "a", "api_key": "sk-upstream-secret-0001"}]})
}

/// The same on Bedrock.
pub fn bedrock(base_url: &str) -> Value {
    let mut bedrock = provider("bedrock", base_url);
    bedrock["region"] = json!("eu-central-1");
    bedrock
}

/// The names in a list of models.
pub fn names(listed: &Value) -> Vec<String> {
    let data = listed.get("data").and_then(Value::as_array);
    let name = |model: &Value| model.get("id").and_then(Value::as_str).map(str::to_owned);
    data.into_iter().flatten().filter_map(name).collect()
}
