//! Calls of the control API, by each kind of caller.

use std::net::SocketAddr;

use gatewright_types::api::Me;
use gatewright_types::{Envelope, Problem, ProblemCode};
use serde_json::{Value, json};

use crate::http::{Answer, Request};

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    Anonymous,
    /// Somebody with a session.
    Person {
        cookie: String,
        csrf: String,
    },
    /// A control-plane token.
    Token(String),
    /// A data-plane key, which opens nothing here.
    ApiKey(String),
}

/// The control API as one caller sees it.
#[derive(Debug, Clone)]
pub struct Api {
    pub address: SocketAddr,
    pub caller: Caller,
}

impl Caller {
    /// Puts the caller's credential onto a request.
    pub fn sign(&self, request: Request) -> Request {
        match self {
            Self::Anonymous => request,
            Self::Person { cookie, csrf } => {
                let request = request.header("cookie", &format!("gw_session={cookie}"));
                if request.method == "GET" {
                    request
                } else {
                    request.header("x-gw-csrf", csrf)
                }
            }
            Self::Token(secret) | Self::ApiKey(secret) => request.header("authorization", &format!("Bearer {secret}")),
        }
    }
}

impl Api {
    pub fn new(address: SocketAddr, caller: Caller) -> Self {
        Self { address, caller }
    }

    pub fn anonymous(address: SocketAddr) -> Self {
        Self::new(address, Caller::Anonymous)
    }

    /// Sends a call; the path is below `/api/v1`.
    pub async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let request = Request::new(method, &format!("/api/v1{path}"));
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let request = self.caller.sign(request);
        request
            .send(self.address)
            .await
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send("PATCH", path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None).await
    }

    /// Signs in with a password and gives the person's own view of the API.
    pub async fn sign_in(address: SocketAddr, email: &str, password: &str) -> Self {
        let body = json!({"email": email, "password": password});
        let answer = Self::anonymous(address).post("/session", &body).await.expect(200);
        Self::of_session(address, &answer)
    }

    /// The person whom an answer has given a session.
    pub fn of_session(address: SocketAddr, answer: &Answer) -> Self {
        let cookie = session_cookie(answer);
        let me: Me = answer.read();
        Self::new(
            address,
            Caller::Person {
                cookie,
                csrf: me.csrf_token,
            },
        )
    }
}

/// The session secret that an answer sets.
pub fn session_cookie(answer: &Answer) -> String {
    let cookie = answer.headers.need("set-cookie");
    let value = cookie
        .strip_prefix("gw_session=")
        .and_then(|rest| rest.split(';').next());
    value.unwrap_or_else(|| panic!("no session in {cookie}")).to_owned()
}

/// The problem of an answer that is one, which has to say the same as its headers.
#[track_caller]
pub fn problem(answer: &Answer) -> Problem {
    let envelope: Envelope = answer.read();
    assert_eq!(
        answer.headers.get("x-gw-request-id"),
        Some(envelope.error.request_id.as_str())
    );
    assert!(!envelope.error.message.is_empty(), "a problem has a message");
    envelope.error
}

/// Asserts that a call was refused with this status and code.
#[track_caller]
pub fn refused(answer: &Answer, status: u16, code: ProblemCode) -> Problem {
    assert_eq!(answer.status, status, "{}", answer.text());
    let problem = problem(answer);
    assert_eq!(problem.code, code, "{}", problem.message);
    problem
}
