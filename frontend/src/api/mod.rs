//! The control API as functions, one per endpoint, one file per resource. Errors are the server's own problems, or
//! the fact that there was no readable answer.

mod audit;
mod budgets;
mod canaries;
mod catalog;
mod chargeback;
mod explain;
mod invitations;
mod keys;
mod limits;
mod members;
mod models;
mod objects;
mod organizations;
mod prices;
mod providers;
mod reprices;
mod service_accounts;
mod sessions;
mod setup;
mod targets;
mod teams;
mod tokens;
mod usage;

pub(crate) use canaries::CanaryMove;
pub(crate) use objects::read as read_json;

use std::pin::Pin;

use gatewright_types::{Envelope, PageQuery, Problem, ProblemCode};
use gloo_net::http::{Method, RequestBuilder};
use leptos::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::session::Presence;

/// Why a call gave no result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Failure {
    Problem(Problem),
    /// The server could not be reached.
    Network,
    /// There was an answer, but not one of ours; its status.
    Unreadable(u16),
}

pub(crate) type Answer<T> = Result<T, Failure>;

/// A call under way. In a box: the states that it goes through are then not compiled once more for every caller, in a
/// dashboard that is downloaded.
pub(crate) type Pending<T> = Pin<Box<dyn Future<Output = Answer<T>>>>;

/// The way to the server. Sends the CSRF token of whoever is signed in, and notices when a session has ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Api {
    presence: RwSignal<Presence>,
}

impl Failure {
    /// A sentence for people.
    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::Problem(problem) => capitalized(&problem.message),
            Self::Network => "The server could not be reached. Check the connection and try again.".to_owned(),
            Self::Unreadable(status) => format!("The server gave an unexpected answer (status {status})."),
        }
    }

    /// What is wrong with each field, where a page has no fields to say it beside.
    pub(crate) fn reasons(&self) -> String {
        match self {
            Self::Problem(problem) if !problem.fields.is_empty() => {
                let reasons = problem
                    .fields
                    .iter()
                    .map(|(field, reason)| format!("The {field} {reason}."));
                reasons.collect::<Vec<_>>().join(" ")
            }
            Self::Problem(_) | Self::Network | Self::Unreadable(_) => self.sentence(),
        }
    }

    pub(crate) fn request_id(&self) -> Option<&str> {
        match self {
            Self::Problem(problem) => Some(problem.request_id.as_str()).filter(|id| !id.is_empty()),
            Self::Network | Self::Unreadable(_) => None,
        }
    }

    pub(crate) fn code(&self) -> Option<ProblemCode> {
        match self {
            Self::Problem(problem) => Some(problem.code),
            Self::Network | Self::Unreadable(_) => None,
        }
    }
}

impl Api {
    pub(crate) fn new(presence: RwSignal<Presence>) -> Self {
        Self { presence }
    }

    fn get<T: DeserializeOwned + 'static>(self, path: String) -> Pending<T> {
        decoded(self.exchange(Method::GET, path, None))
    }

    fn post<T: DeserializeOwned + 'static>(self, path: String, body: Body) -> Pending<T> {
        decoded(self.exchange(Method::POST, path, Some(body)))
    }

    fn patch<T: DeserializeOwned + 'static>(self, path: String, body: Body) -> Pending<T> {
        decoded(self.exchange(Method::PATCH, path, Some(body)))
    }

    fn delete(self, path: String) -> Pending<()> {
        self.order(Method::DELETE, path, None)
    }

    /// Whose answer, when it is done, tells nothing that is shown.
    fn order(self, method: Method, path: String, body: Option<Body>) -> Pending<()> {
        let exchange = self.exchange(method, path, body);
        Box::pin(async move { exchange.await.map(drop) })
    }

    fn exchange(self, method: Method, path: String, body: Option<Body>) -> Pending<Reply> {
        Box::pin(self.ask(method, path, body))
    }

    async fn ask(self, method: Method, path: String, body: Option<Body>) -> Answer<Reply> {
        let changing = method != Method::GET;
        let mut request = RequestBuilder::new(&format!("/api/v1/{path}"))
            .method(method)
            .header("accept", "application/json");
        if changing && let Some(token) = self.csrf_token() {
            request = request.header("x-gw-csrf", &token);
        }
        let request = match body {
            Some(Body(text)) => request.header("content-type", "application/json").body(text),
            None => request.build(),
        };
        let response = request
            .map_err(|_| Failure::Network)?
            .send()
            .await
            .map_err(|_| Failure::Network)?;
        let (status, good) = (response.status(), response.ok());
        let text = response.text().await.map_err(|_| Failure::Network)?;
        if good {
            return Ok(Reply { status, text });
        }
        let problem = objects::read::<Envelope>(&text)
            .map_err(|_| Failure::Unreadable(status))?
            .error;
        if problem.code == ProblemCode::Unauthenticated {
            self.notice_the_end_of_the_session();
        }
        Err(Failure::Problem(problem))
    }

    fn csrf_token(self) -> Option<String> {
        self.presence.with_untracked(|presence| match presence {
            Presence::SignedIn(me) => Some(me.csrf_token.clone()),
            Presence::Unknown | Presence::Unreachable(_) | Presence::SignedOut => None,
        })
    }

    fn notice_the_end_of_the_session(self) {
        if self
            .presence
            .with_untracked(|presence| matches!(presence, Presence::SignedIn(_)))
        {
            self.presence.set(Presence::SignedOut);
        }
    }
}

struct Reply {
    status: u16,
    text: String,
}

struct Body(String);

/// The body of a changing call.
fn body<B: Serialize>(shape: &B) -> Body {
    Body(serde_json::to_string(shape).expect("the API's shapes have no maps with odd keys and no failing serializers"))
}

fn decoded<T: DeserializeOwned + 'static>(exchange: Pending<Reply>) -> Pending<T> {
    Box::pin(async move { decode(&exchange.await?) })
}

fn decode<T: DeserializeOwned>(reply: &Reply) -> Answer<T> {
    objects::read(&reply.text).map_err(|_| Failure::Unreadable(reply.status))
}

fn with_query<Q: Serialize>(path: &str, query: &Q) -> String {
    let query = serde_urlencoded::to_string(query).expect("queries are flat");
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

/// The query of the page after a cursor.
fn page(cursor: Option<String>) -> PageQuery {
    PageQuery { limit: None, cursor }
}

/// The query that gives as much of a list as one page can hold, for choices in forms.
fn longest_page() -> PageQuery {
    PageQuery {
        limit: Some(PageQuery::LONGEST),
        cursor: None,
    }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let Some(first) = chars.next() else {
        return String::new();
    };
    let ending = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    first.to_uppercase().chain(chars).collect::<String>() + ending
}
