//! Organizations with budgets and limits, before a provider whose answers cost a cent each.

use serde_json::{Value, json};

use crate::chat::Chat;
use crate::http::{Answer, Request};
use crate::installation::Installation;
use crate::organization::{Key, Organization};
use crate::upstream::{Script, Upstream};

/// What each answer of the model `m` costs.
pub const CENT: &str = "0.01";

#[derive(Debug)]
pub struct Spending {
    pub organization: Organization,
    pub upstream: Upstream,
    pub key: Key,
}

/// A question that has about as many bytes as its answer says it had tokens, and bounds its answer.
pub fn costly(model: &str) -> Value {
    let text = "Say hello. ".repeat(1_000 / 11 + 1);
    json!({"model": model, "messages": [{"role": "user", "content": text}], "max_tokens": 100})
}

/// What an organization has besides its provider `up` with the models `m`, a cent each, `cheap`, a hundredth of that, and
/// `free`.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    pub tags: Value,
    pub budgets: Vec<Value>,
    pub limits: Vec<Value>,
    /// With the key's identifier in the place of `"KEY"`.
    pub of_key: Vec<(&'static str, Value)>,
}

impl Spending {
    pub async fn with_budget(installation: &Installation, budget: Value) -> Self {
        let plan = Plan {
            budgets: vec![budget],
            ..Plan::default()
        };
        Self::with(installation, plan).await
    }

    pub async fn with_limit(installation: &Installation, limit: Value) -> Self {
        let plan = Plan {
            limits: vec![limit],
            ..Plan::default()
        };
        Self::with(installation, plan).await
    }

    pub async fn with(installation: &Installation, plan: Plan) -> Self {
        let upstream = Upstream::start().await;
        for model in ["m", "cheap", "free", "unpriced"] {
            upstream.on(model, Script::answer("Hello.", 1_000, 100));
        }
        let organization = Organization::make(installation).await;
        organization
            .provider("up", "openai-compatible", Some(&upstream.base_url()))
            .await;
        for (model, input, output) in [("m", "5", "50"), ("cheap", "0.05", "0.5"), ("free", "0", "0")] {
            let rates = json!({"input": input, "output": output, "cache_read": "0"});
            organization.price("up", model, &rates).await;
        }
        if plan.tags.is_array() {
            let change = json!({"name": "Acme", "tags": plan.tags});
            organization
                .owner
                .patch(&organization.path(""), &change)
                .await
                .expect(200);
        }
        for model in ["cheap", "free", "unpriced"] {
            organization.model(model, &format!("up/{model}"), &json!({})).await;
        }
        // Before what names them.
        let key = organization.key("main").await;
        organization.model("m", "up/m", &json!({})).await;
        for (tail, body) in plan.of_key {
            organization.post(tail, &of_key(body, &key)).await;
        }
        for budget in plan.budgets {
            organization.post("/budgets", &budget).await;
        }
        for limit in plan.limits {
            organization.post("/limits", &limit).await;
        }
        // Made last, so that whoever knows it knows all of it.
        organization.model("last", "up/free", &json!({})).await;
        organization.settled(&key, &["m", "last"]).await;
        Self {
            organization,
            upstream,
            key,
        }
    }

    pub fn chat(&self) -> Chat {
        self.organization.chat(&self.key)
    }

    pub async fn ask(&self, model: &str) -> Answer {
        self.chat().send(&costly(model)).await
    }

    /// Asks `m` and expects an answer.
    pub async fn spend(&self) -> Answer {
        self.ask("m").await.expect(200)
    }

    /// Asks the data plane anything.
    pub async fn send(&self, request: Request) -> Answer {
        let signed = request.header("authorization", &format!("Bearer {}", self.key.secret));
        let address = self.organization.nodes.first().expect("there is a node");
        signed.send(*address).await.expect("the data plane answers")
    }
}

impl Organization {
    async fn post(&self, tail: &str, body: &Value) {
        self.owner.post(&self.path(tail), body).await.expect(201);
    }
}

fn of_key(mut body: Value, key: &Key) -> Value {
    body["scope"] = json!({"key": key.id});
    body
}
