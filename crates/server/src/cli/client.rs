//! Calls the control API of a running installation.

use std::io::Write;
use std::time::Duration;

use gatewright_types::api::{ApplyReport, Document, Organization};
use gatewright_types::{Envelope, Page, Problem, Slug};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::tls;

/// Applying a large file takes a while; the server has limits of its own.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);

/// A control plane, and as whom it is called.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    token: String,
}

/// Why a call gave nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    #[error("{0:?} is no address of a control plane")]
    NoAddress(String),
    #[error("a control-plane token is needed: --token, or better GATEWRIGHT_TOKEN")]
    NoToken,
    #[error("the control plane cannot be reached")]
    Unreachable(#[from] reqwest::Error),
    #[error("{}", told(.0))]
    Refused(Box<Problem>),
    #[error("the answer cannot be written")]
    Unwritten(#[from] std::io::Error),
    #[error("the control plane answered {0} with something else than its API would")]
    Foreign(StatusCode),
    #[error("the token belongs to {0} organizations; name one with --organization")]
    NotOneOrganization(usize),
}

impl Client {
    pub(super) fn new(url: &str, token: Option<&str>) -> Result<Self, ClientError> {
        let no_address = || ClientError::NoAddress(url.to_owned());
        let base = Url::parse(url)
            .ok()
            .filter(|base| base.has_host())
            .ok_or_else(no_address)?;
        let token = token.ok_or(ClientError::NoToken)?.to_owned();
        tls::choose_provider();
        let http = reqwest::Client::builder()
            .timeout(ANSWER_WITHIN)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { http, base, token })
    }

    pub(super) async fn plan(&self, document: &Document) -> Result<ApplyReport, ClientError> {
        let path = format!("organizations/{}/configuration/plan", document.organization);
        self.post(&path, document).await
    }

    pub(super) async fn apply(&self, document: &Document) -> Result<ApplyReport, ClientError> {
        let path = format!("organizations/{}/configuration/apply", document.organization);
        self.post(&path, document).await
    }

    pub(super) async fn export(&self, organization: &Slug) -> Result<Document, ClientError> {
        self.get(&format!("organizations/{organization}/configuration")).await
    }

    /// The one organization the token is good for.
    pub(super) async fn only_organization(&self) -> Result<Slug, ClientError> {
        let page: Page<Organization> = self.get("organizations").await?;
        let count = page.items.len();
        let mut items = page.items.into_iter();
        match (items.next(), items.next()) {
            (Some(organization), None) => Ok(organization.slug),
            (Some(_), Some(_)) | (None, _) => Err(ClientError::NotOneOrganization(count)),
        }
    }

    /// Asks for what is below `/api/v1`.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.call(Method::GET, path, None).await
    }

    pub(super) async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ClientError> {
        let json = serde_json::to_vec(body).expect("a body of the API has text keys and no failing parts");
        self.call(Method::POST, path, Some(json)).await
    }

    /// Writes an answer that is no JSON as it comes.
    pub(super) async fn copy(&self, path: &str, to: &mut impl Write) -> Result<(), ClientError> {
        let mut response = self.request(Method::GET, path).send().await?;
        let status = response.status();
        if !status.is_success() {
            return Err(refusal(status, &response.bytes().await?));
        }
        while let Some(piece) = response.chunk().await? {
            to.write_all(&piece)?;
        }
        Ok(to.flush()?)
    }

    /// Of a page of the dashboard, or of what the API has.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base.as_str().trim_end_matches('/'))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = self.url(&format!("api/v1/{path}"));
        let request = self.http.request(method, url);
        request.header(AUTHORIZATION, format!("Bearer {}", self.token))
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        json: Option<Vec<u8>>,
    ) -> Result<T, ClientError> {
        let mut request = self.request(method, path);
        if let Some(json) = json {
            request = request.header(CONTENT_TYPE, "application/json").body(json);
        }
        let response = request.send().await?;
        let status = response.status();
        let bytes = response.bytes().await?;
        if status.is_success() {
            return serde_json::from_slice(&bytes).map_err(|_| ClientError::Foreign(status));
        }
        Err(refusal(status, &bytes))
    }
}

fn refusal(status: StatusCode, body: &[u8]) -> ClientError {
    match serde_json::from_slice::<Envelope>(body) {
        Ok(envelope) => ClientError::Refused(Box::new(envelope.error)),
        Err(_) => ClientError::Foreign(status),
    }
}

fn told(problem: &Problem) -> String {
    let fields = problem
        .fields
        .iter()
        .map(|(path, message)| format!("\n  {path}: {message}"));
    format!(
        "{}{} (request {})",
        problem.message,
        fields.collect::<String>(),
        problem.request_id
    )
}
