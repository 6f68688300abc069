//! One installation, and callers who talk to it.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::cookie::Cookie;
use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::test::{self, TestRequest};
use actix_web::web::Data;
use actix_web::{App, http::StatusCode};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use gatewright_contract::{AddressPolicy, Keyring};
use gatewright_control::{
    CatalogFetcher, CatalogKeys, Control, ControlSettings, Parts, SelfTester, configure, setup_link,
};
use gatewright_coord::{Counters, HealthBoard, LocalCounters, LocalHealthBoard};
use gatewright_store::{DatabaseUrl, Db};
use gatewright_types::api::{SelfTest, SelfTestOutcome};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const OWNER: &str = "ada@example.com";

type Serve = Rc<dyn Fn(TestRequest) -> LocalBoxFuture<'static, ServiceResponse<BoxBody>>>;

pub(crate) struct World {
    pub(crate) control: Data<Control>,
    pub(crate) db: Db,
    serve: Serve,
    _dir: TempDir,
}

/// Who calls.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller {
    pub(crate) cookie: Option<String>,
    pub(crate) csrf: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) origin: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl World {
    /// Nobody has an account.
    pub(crate) async fn empty() -> Self {
        Self::with_sessions(Duration::from_secs(3_600), Duration::from_secs(86_400)).await
    }

    /// Nobody has an account; sessions end after these times.
    pub(crate) async fn with_sessions(session_idle: Duration, session_absolute: Duration) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&DatabaseUrl::Sqlite(dir.path().join("gatewright.db")))
            .await
            .unwrap();
        db.migrate().await.unwrap();
        let settings = ControlSettings {
            public_url: "https://gw.example.com".parse().unwrap(),
            egress: AddressPolicy::PublicOnly.into(),
            catalog_keys: CatalogKeys::parse(&crate::catalog::public_key()).unwrap(),
            session_idle,
            session_absolute,
        };
        let self_tester = SelfTester::new(|call| {
            let (credential, message) = match call.credential {
                Some((id, opened)) => {
                    let told: Vec<_> = opened.secrets().map(|secret| secret.expose()).collect();
                    (Some(id), format!("hello {}", told.join(" ")))
                }
                None => (None, String::new()),
            };
            let (outcome, status) = (SelfTestOutcome::Works, Some(200));
            async move {
                SelfTest {
                    credential,
                    outcome,
                    status,
                    message,
                    duration_ms: 7,
                }
            }
            .boxed()
        });
        let keyring = Keyring::parse(Keyring::mint().expose()).unwrap();
        let parts = Parts {
            db: db.clone(),
            keyring,
            settings,
            self_tester,
            catalog_fetcher: CatalogFetcher::new(|_| async { Err("is not there".to_owned()) }.boxed()),
            health: HealthBoard::Local(LocalHealthBoard::new()),
            counters: Counters::Local(LocalCounters::new()),
        };
        let control = Data::new(Control::new(parts));
        let app = test::init_service(App::new().configure(configure(control.clone()))).await;
        let app = Rc::new(app);
        let serve: Serve = Rc::new(move |request: TestRequest| {
            let app = app.clone();
            async move {
                test::call_service(&*app, request.to_request())
                    .await
                    .map_into_boxed_body()
            }
            .boxed_local()
        });
        Self {
            control,
            db,
            serve,
            _dir: dir,
        }
    }

    /// With an owner and the organization `acme`.
    pub(crate) async fn with_owner() -> (Self, Caller) {
        let world = Self::empty().await;
        let answer = world.install(&world.setup_token().await).await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
        let owner = Caller::signed_in(&answer);
        (world, owner)
    }

    pub(crate) async fn setup_token(&self) -> String {
        let link = setup_link(&self.control).await.unwrap().unwrap();
        link.strip_prefix("https://gw.example.com/setup#token=")
            .unwrap()
            .to_owned()
    }

    pub(crate) async fn install(&self, token: &str) -> Answer {
        let body = json!({
            "token": token, "organization": "acme", "organization_name": "Acme", "email": OWNER, "name": "Ada",
            "password": PASSWORD,
        });
        Caller::default().post(self, "/setup", body).await
    }

    /// Somebody new, invited as `role` to the organization.
    pub(crate) async fn member(&self, owner: &Caller, organization: &str, email: &str, role: &str) -> Caller {
        let path = format!("/organizations/{organization}/invitations");
        let invited = owner.post(self, &path, json!({"email": email, "role": role})).await;
        assert_eq!(invited.status, StatusCode::CREATED, "{:?}", invited.body);
        let body = json!({"token": invited.invitation_token(), "name": "Somebody", "password": PASSWORD});
        let accepted = Caller::default().post(self, "/invitations/accept", body).await;
        assert_eq!(accepted.status, StatusCode::OK, "{:?}", accepted.body);
        Caller::signed_in(&accepted)
    }

    /// The newest entries of the audit log, without what differs each time.
    pub(crate) async fn audit(&self, owner: &Caller, count: usize) -> Vec<Value> {
        let answer = owner
            .get(self, &format!("/organizations/acme/audit?limit={count}"))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
        let items = answer.body["items"].as_array().unwrap().iter();
        items
            .map(|entry| {
                json!({
                    "actor": entry["actor"], "action": entry["action"], "outcome": entry["outcome"],
                    "target": entry["target"],
                })
            })
            .collect()
    }
}

impl Caller {
    pub(crate) fn signed_in(answer: &Answer) -> Self {
        let cookie = answer.session_cookie().unwrap();
        let csrf = answer.body["csrf_token"].as_str().map(ToOwned::to_owned);
        Self {
            cookie: Some(cookie),
            csrf,
            ..Self::default()
        }
    }

    pub(crate) fn token(token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..Self::default()
        }
    }

    pub(crate) async fn get(&self, world: &World, path: &str) -> Answer {
        self.call(world, Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, world: &World, path: &str, body: Value) -> Answer {
        self.call(world, Method::POST, path, Some(body.to_string())).await
    }

    pub(crate) async fn patch(&self, world: &World, path: &str, body: Value) -> Answer {
        self.call(world, Method::PATCH, path, Some(body.to_string())).await
    }

    pub(crate) async fn delete(&self, world: &World, path: &str) -> Answer {
        self.call(world, Method::DELETE, path, None).await
    }

    pub(crate) async fn call(&self, world: &World, method: Method, path: &str, body: Option<String>) -> Answer {
        let mut request = TestRequest::default().method(method).uri(&format!("/api/v1{path}"));
        request = request
            .peer_addr(SocketAddr::from(([192, 0, 2, 7], 4711)))
            .insert_header(("user-agent", "a test"));
        if let Some(cookie) = &self.cookie {
            request = request.cookie(Cookie::new("gw_session", cookie.clone()));
        }
        if let Some(csrf) = &self.csrf {
            request = request.insert_header(("x-gw-csrf", csrf.clone()));
        }
        if let Some(token) = &self.token {
            request = request.insert_header(("authorization", format!("Bearer {token}")));
        }
        if let Some(origin) = &self.origin {
            request = request.insert_header(("origin", origin.clone()));
        }
        if let Some(body) = body {
            request = request
                .insert_header(("content-type", "application/json"))
                .set_payload(body);
        }
        let response = (world.serve)(request).await;
        let status = response.status();
        let text = |value: &actix_web::http::header::HeaderValue| value.to_str().unwrap().to_owned();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect();
        let bytes = test::read_body(response).await;
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).unwrap()
        };
        Answer { status, headers, body }
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn session_cookie(&self) -> Option<String> {
        let cookie = self.header("set-cookie")?.strip_prefix("gw_session=")?;
        cookie.split(';').next().map(ToOwned::to_owned)
    }

    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn text(&self, field: &str) -> String {
        self.body[field].as_str().unwrap().to_owned()
    }

    /// Of the link that an invitation is answered with.
    pub(crate) fn invitation_token(&self) -> String {
        let link = self.text("link");
        let token = link.strip_prefix("https://gw.example.com/invitation#token=");
        token.unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.code()), (status, code), "{}", self.body);
        let id = self.body["error"]["request_id"].as_str();
        assert_eq!(id, self.header("x-gw-request-id"));
    }

    #[track_caller]
    pub(crate) fn fields(&self, expected: &Value) {
        assert_eq!(&self.body["error"]["fields"], expected, "{}", self.body);
    }
}
