//! Every route of the control API, from its own description, and things to put into the places in their paths.

use std::collections::BTreeMap;

use gatewright_types::api::{
    Budget, BudgetRequest, ChargebackLock, Increase, InvitationLink, Key, Member, MintedKey, MintedToken, Model,
    Overlay, Price, Provider, RateLimit, Reprice, ServiceAccount, Team,
};
use harness::chat::{question, request_id};
use harness::http::Request;
use harness::installation::Installation;
use harness::organization::Organization;
use harness::wait::{SOON, eventually};
use serde_json::{Value, json};

use crate::people::{Person, admit, join, spare_session};

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Route {
    /// Below `/api/v1`.
    pub(crate) path: String,
    pub(crate) method: String,
}

impl Route {
    /// Names of the places in the path.
    pub(crate) fn places(&self) -> Vec<&str> {
        self.path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect()
    }

    /// Whether its path names something that one organization has and another has not: a month is everybody's.
    pub(crate) fn names_a_thing(&self) -> bool {
        let mut places = self.places().into_iter();
        places.any(|place| !["organization", "month"].contains(&place))
    }

    pub(crate) fn is_of_an_organization(&self) -> bool {
        self.path.starts_with("/organizations/{organization}")
    }

    /// The path with its places filled.
    pub(crate) fn at(&self, values: &BTreeMap<&str, String>) -> String {
        values.iter().fold(self.path.clone(), |path, (name, value)| {
            path.replace(&format!("{{{name}}}"), value)
        })
    }
}

pub(crate) async fn routes(installation: &Installation) -> Vec<Route> {
    let request = Request::new("GET", "/api/openapi.json");
    let document = request
        .send(installation.control())
        .await
        .expect("an answer")
        .expect(200)
        .json();
    let paths = document
        .get("paths")
        .and_then(Value::as_object)
        .expect("the document has paths");
    let mut routes: Vec<_> = paths
        .iter()
        .flat_map(|(path, operations)| {
            let path = path
                .strip_prefix("/api/v1")
                .expect("all routes are below /api/v1")
                .to_owned();
            let methods = operations.as_object().expect("a path has operations").keys();
            methods.map(move |method| Route {
                path: path.clone(),
                method: method.to_uppercase(),
            })
        })
        .collect();
    routes.sort();
    assert!(routes.len() > 50, "{} routes", routes.len());
    routes
}

async fn create<T: serde::de::DeserializeOwned>(organization: &Organization, tail: &str, body: &Value) -> T {
    organization
        .owner
        .post(&organization.path(tail), body)
        .await
        .expect(201)
        .read()
}

/// Makes fresh things of an organization for the places in paths.
#[derive(Debug)]
pub(crate) struct Things<'a> {
    organization: &'a Organization,
    count: u32,
    /// Somebody who may be removed.
    spare: Person,
    /// A request whose trace was kept.
    request: Option<String>,
}

impl<'a> Things<'a> {
    pub(crate) async fn of(organization: &'a Organization) -> Self {
        organization.provider("base", "sandbox", None).await;
        Self {
            organization,
            count: 0,
            spare: join(organization, "spare", "viewer").await,
            request: None,
        }
    }

    /// Values for the places of a route, each naming something that is there at this moment.
    pub(crate) async fn fresh<'r>(&mut self, route: &'r Route) -> BTreeMap<&'r str, String> {
        let mut values = BTreeMap::new();
        if route.is_of_an_organization() {
            values.insert("organization", self.organization.slug.clone());
        }
        let places = route.places();
        if places.contains(&"provider") {
            let provider = self.provider().await;
            let credential = provider.credentials.first().expect("it was made with one").id;
            values.insert("provider", provider.id.to_string());
            values.insert("credential", credential.to_string());
        }
        if places.contains(&"budget") {
            let budget = self.budget().await;
            if places.contains(&"increase") {
                values.insert("increase", self.increase(&budget).await);
            }
            values.insert("budget", budget);
        }
        for place in places {
            let id = match place {
                "organization" | "provider" | "credential" | "budget" | "increase" => continue,
                "ask" => self.ask().await,
                "limit" => self.limit().await,
                "run" => self.reprice().await,
                "person" => self.person().await,
                "invitation" => self.invitation().await,
                "team" => self.team().await,
                "key" => self.key().await,
                "service_account" => self.service_account().await,
                "token" => self.token().await,
                "model" => self.model().await,
                "price" => self.price().await,
                "overlay" => self.overlay().await,
                "request" => self.request().await,
                "month" => self.month().await,
                // Nobody here runs the installation.
                "refresh" => "refresh_0198c0de00007000800000000000002a".to_owned(),
                "session" => spare_session(&self.spare).await,
                other => panic!("nothing is known of {{{other}}} in {}", route.path),
            };
            values.insert(place, id);
        }
        values
    }

    fn name(&mut self) -> String {
        self.count += 1;
        format!("thing-{}", self.count)
    }

    async fn provider(&mut self) -> Provider {
        let name = self.name();
        let credentials = json!([{"name": "a", "api_key": "sk-0123456789"}]);
        let body = json!({"name": name, "kind": "openai-compatible", "base_url": "http://127.0.0.1:9/v1", "credentials": credentials});
        create(self.organization, "/providers", &body).await
    }

    async fn person(&mut self) -> String {
        let members: Vec<Member> = self.organization.all("/members").await;
        if !members.iter().any(|member| member.id.to_string() == self.spare.id) {
            admit(self.organization, &self.spare.email, "viewer", None).await;
        }
        self.spare.id.clone()
    }

    async fn invitation(&mut self) -> String {
        let email = format!("{}@{}.test", self.name(), self.organization.slug);
        let invited: InvitationLink = create(
            self.organization,
            "/invitations",
            &json!({"email": email, "role": "viewer"}),
        )
        .await;
        invited.invitation.id.to_string()
    }

    async fn team(&mut self) -> String {
        let name = self.name();
        create::<Team>(self.organization, "/teams", &json!({ "name": name }))
            .await
            .id
            .to_string()
    }

    async fn key(&mut self) -> String {
        let name = self.name();
        create::<MintedKey>(self.organization, "/keys", &json!({ "name": name }))
            .await
            .key
            .id
            .to_string()
    }

    async fn service_account(&mut self) -> String {
        let name = self.name();
        create::<ServiceAccount>(self.organization, "/service-accounts", &json!({ "name": name }))
            .await
            .id
            .to_string()
    }

    async fn token(&mut self) -> String {
        let body = json!({"name": self.name(), "role": "viewer"});
        create::<MintedToken>(self.organization, "/tokens", &body)
            .await
            .token
            .id
            .to_string()
    }

    async fn model(&mut self) -> String {
        let body = json!({"name": self.name(), "route": {"target": "base/echo"}});
        create::<Model>(self.organization, "/models", &body)
            .await
            .id
            .to_string()
    }

    /// For an end user of its own: a scope has one of a window.
    async fn budget(&mut self) -> String {
        let body = json!({"scope": {"end_user": self.name()}, "amount": "5", "window": "day"});
        create::<Budget>(self.organization, "/budgets", &body)
            .await
            .id
            .to_string()
    }

    async fn increase(&mut self, budget: &str) -> String {
        let body = json!({"amount": "1", "reason": "a launch", "expires_at": "2099-01-01T00:00:00Z"});
        let tail = format!("/budgets/{budget}/increases");
        create::<Increase>(self.organization, &tail, &body).await.id.to_string()
    }

    async fn ask(&mut self) -> String {
        let tail = format!("/budgets/{}/requests", self.budget().await);
        let body = json!({"amount": "1", "reason": "a launch"});
        create::<BudgetRequest>(self.organization, &tail, &body)
            .await
            .id
            .to_string()
    }

    async fn limit(&mut self) -> String {
        let body = json!({"scope": {"end_user": self.name()}, "rpm": 5});
        create::<RateLimit>(self.organization, "/limits", &body)
            .await
            .id
            .to_string()
    }

    /// One at a time runs, for as long as it takes.
    async fn reprice(&mut self) -> String {
        let path = self.organization.path("/reprice");
        let body = json!({"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z", "reason": "a test"});
        eventually("no run is under way", SOON, async || {
            let answer = self.organization.owner.post(&path, &body).await;
            let run = (answer.status == 200).then(|| answer.read::<Reprice>());
            run.map(|run| run.id.to_string())
        })
        .await
    }

    async fn overlay(&mut self) -> String {
        let body = json!({"kind": "sandbox", "model": self.name(), "facts": {"context": 1}});
        create::<Overlay>(self.organization, "/catalog/overlays", &body)
            .await
            .id
            .to_string()
    }

    async fn request(&mut self) -> String {
        if self.request.is_none() {
            let key = self.organization.key("traced").await;
            let request = self.organization.chat(&key).request(&question("none"));
            let answer = request.header("x-gw-trace", "1").send(self.organization.nodes[0]).await;
            let id = request_id(&answer.expect("the data plane answers"));
            self.organization.usage(&id).await;
            self.request = Some(id);
        }
        self.request.clone().expect("it was made")
    }

    /// One that is locked.
    async fn month(&mut self) -> String {
        self.count += 1;
        let month = format!("{}-{:02}", 1980 + self.count / 12, self.count % 12 + 1);
        let tail = format!("/chargeback/{month}/lock");
        create::<ChargebackLock>(self.organization, &tail, &json!({})).await;
        month
    }

    async fn price(&mut self) -> String {
        let body = json!({"provider": "base", "model": self.name(), "rates": {"input": "1"}});
        create::<Price>(self.organization, "/prices", &body)
            .await
            .id
            .to_string()
    }
}

/// A good body for a route that changes or makes something; other routes take none.
pub(crate) fn body(route: &Route) -> Option<Value> {
    let tail = route
        .path
        .strip_prefix("/organizations/{organization}")
        .unwrap_or(&route.path);
    Some(match (route.method.as_str(), tail) {
        ("PATCH", "") => json!({"name": "Renamed"}),
        ("PATCH", "/members/{person}") => json!({"role": "viewer"}),
        ("PATCH", "/teams/{team}") => json!({"name": "Renamed"}),
        ("PATCH", "/keys/{key}") => json!({"name": "Renamed", "team": null, "models": null}),
        ("PATCH", "/service-accounts/{service_account}") => json!({"name": "Renamed"}),
        ("POST", "/keys/{key}/rotation" | "/keys/{key}/disabling") => json!({}),
        ("PATCH", "/providers/{provider}") => json!({"base_url": "http://127.0.0.1:9/v2"}),
        ("PATCH", "/catalog/overlays/{overlay}") => json!({"facts": {"context": 2}}),
        ("PATCH", "/models/{model}") => json!({"route": {"target": "base/echo"}}),
        (
            "POST",
            "/models/{model}/canary/promote" | "/models/{model}/canary/rollback" | "/models/{model}/canary/restart",
        ) => json!({"place": "route.canary"}),
        ("PATCH", "/budgets/{budget}") => json!({"amount": "6", "window": "day"}),
        ("POST", "/budgets/{budget}/increases") => {
            json!({"amount": "1", "reason": "a launch", "expires_at": "2099-01-01T00:00:00Z"})
        }
        ("POST", "/budgets/{budget}/requests") => json!({"amount": "1", "reason": "a launch"}),
        ("POST", "/budget-requests/{ask}/decision") => json!({"deny": {}}),
        ("PATCH", "/limits/{limit}") => json!({"rpm": 6}),
        ("POST", "/providers/{provider}/credentials") => json!({"name": "b", "api_key": "sk-0123456789"}),
        (
            "POST",
            "/providers/{provider}/test"
            | "/catalog/refreshes/{refresh}/approve"
            | "/catalog/refreshes/{refresh}/reject"
            | "/chargeback/{month}/lock"
            | "/reprice/{run}/cancel",
        )
        | ("GET" | "DELETE", _) => return None,
        ("POST" | "PATCH", path) if path.contains('{') => panic!("no body is known for {} {path}", route.method),
        ("POST" | "PATCH", _) => json!({}),
        (method, path) => panic!("an unexpected method: {method} {path}"),
    })
}

/// Everything that can be seen of an organization, to tell whether anything changed.
pub(crate) async fn picture(organization: &Organization) -> Vec<Value> {
    let mut picture = Vec::new();
    for tail in [
        "/members",
        "/invitations",
        "/teams",
        "/service-accounts",
        "/keys",
        "/tokens",
        "/providers",
        "/models",
        "/prices",
        "/catalog/overlays",
        "/budgets",
        "/budget-requests",
        "/limits",
    ] {
        let items: Vec<Value> = organization.all(tail).await;
        picture.push(json!({ tail: items }));
    }
    picture.push(organization.owner.get(&organization.path("")).await.expect(200).json());
    picture
}

/// Keys of an organization, for those who only need one.
pub(crate) async fn keys(organization: &Organization) -> Vec<Key> {
    organization.all("/keys").await
}
