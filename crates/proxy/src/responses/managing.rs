//! What can be done with a response after it was made. A provider that keeps it is asked by the credential that made it;
//! what is kept here is told from memory. Asking is not metered; what was made in the background is, once it is over.

use std::time::Duration;

use bytes::Bytes;
use chrono::Utc;
use gatewright_contract::{Caller, Provider, Tenant};
use gatewright_coord::ResponseId;
use gatewright_llm::{BadRequest, Endpoint, FailureKind, Naming, Segments, classify};
use gatewright_types::api::{Dialect, ShownModel};
use http::Method;
use serde_json::json;
use tokio::time::timeout;

use super::entry::{AtProvider, Entry, Transcript};
use super::listing::{Query, page};
use super::replaying::Replaying;
use super::settling::settle;
use crate::call::failure_of;
use crate::gateway::Gateway;
use crate::patience::Patience;
use crate::refusal::{Refusal, UpstreamRefusal};
use crate::upstream::{Call, Manner, Outgoing, Preference, address, read_body};

/// How long a provider may take to tell what it has.
const PATIENCE: Duration = Duration::from_secs(60);
/// What providers understand in the address.
const PASSED_ON: [&str; 5] = ["include", "limit", "order", "after", "before"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Retrieve,
    ListInput,
    Delete,
    Cancel,
}

/// The body of the answer.
#[derive(Debug)]
pub(crate) enum Told {
    Whole(Bytes),
    /// Events, all of them at once.
    Events(Bytes),
}

pub(crate) async fn manage(
    gateway: &Gateway,
    caller: &Caller,
    id: &str,
    action: Action,
    query: &str,
) -> Result<Told, Refusal> {
    let replaying = Replaying::of(action, query)?;
    let body = told(gateway, caller, id, action, query).await?;
    match replaying {
        Some(replaying) => replaying.replay(&body).map(Told::Events),
        None => Ok(Told::Whole(body)),
    }
}

async fn told(gateway: &Gateway, caller: &Caller, id: &str, action: Action, query: &str) -> Result<Bytes, Refusal> {
    let unknown = || Refusal::ResponseNotFound { id: id.to_owned() };
    let id: ResponseId = id.parse().map_err(|_| unknown())?;
    let found = gateway.parts.responses.find_one(caller.tenant.id, &id).await?;
    let query = Query::parse(query, &PASSED_ON);
    match found.ok_or_else(unknown)? {
        Entry::Here(transcript) => here(gateway, caller, (&id, transcript), action, &query).await,
        Entry::AtProvider(made) => {
            let naming = naming(&caller.tenant, &made);
            let asked = Asked {
                gateway,
                tenant: &caller.tenant,
                id: &id,
                made,
            };
            let body = asked.at_provider(action, query).await?;
            Ok(match (naming, action) {
                (Some(naming), Action::Retrieve | Action::Cancel) => naming.whole(body),
                (Some(_), Action::ListInput | Action::Delete) | (None, _) => body,
            })
        }
    }
}

/// The name that the response is to have, where that is not the provider's.
fn naming(tenant: &Tenant, made: &AtProvider) -> Option<Naming> {
    let mut models = tenant.models.values();
    let model = models.find(|model| model.id == made.model)?;
    let shows = model.settings.shown_model == ShownModel::Requested;
    shows.then(|| Naming::new(Dialect::OpenaiResponses, model.name.as_str()))
}

async fn here(
    gateway: &Gateway,
    caller: &Caller,
    (id, transcript): (&ResponseId, Transcript),
    action: Action,
    query: &Query,
) -> Result<Bytes, Refusal> {
    let memory = &gateway.parts.responses;
    match action {
        Action::Retrieve => Ok(transcript.response.text().to_owned().into()),
        Action::ListInput => {
            // Everything the model was shown: what of it was deleted since is not there any longer.
            let earlier = memory.find(caller.tenant.id, &transcript.earlier).await?;
            let earlier = earlier.into_iter().filter_map(|entry| match entry? {
                Entry::Here(transcript) => Some(transcript.items()),
                Entry::AtProvider(_) => None,
            });
            let items = earlier.flatten().chain(transcript.input);
            page(items.collect(), query).map(Bytes::from)
        }
        Action::Delete => {
            memory.forget(caller.tenant.id, id).await?;
            let deleted = json!({"id": id.as_str(), "object": "response", "deleted": true});
            Ok(deleted.to_string().into())
        }
        Action::Cancel => Err(Refusal::BadRequest(BadRequest::new(
            "Cannot cancel a synchronous response: only one that was made with 'background' can be.",
        ))),
    }
}

/// A response that its provider is asked about.
pub(super) struct Asked<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) tenant: &'a Tenant,
    pub(super) id: &'a ResponseId,
    pub(super) made: AtProvider,
}

impl Asked<'_> {
    pub(super) async fn at_provider(mut self, action: Action, query: Query) -> Result<Bytes, Refusal> {
        if action == Action::Delete && self.made.unbilled.is_some() {
            // Once it is deleted, nobody can tell what it used.
            let last = self.within_time(Action::Retrieve, Query::default()).await?;
            self.settle(&last).await;
        }
        let answer = self.within_time(action, query).await;
        match (&answer, action) {
            (Ok(response), Action::Retrieve | Action::Cancel) => self.settle(response).await,
            (Ok(_), Action::Delete) | (Err(Refusal::ResponseNotFound { .. }), _) => {
                let memory = &self.gateway.parts.responses;
                memory.forget(self.tenant.id, self.id).await?;
            }
            (Ok(_), Action::ListInput) | (Err(_), _) => {}
        }
        answer
    }

    /// Bills what was made in the background, once it says what it used.
    async fn settle(&mut self, response: &[u8]) {
        if settle(self.gateway, self.tenant, (self.id, &self.made), response) {
            self.made.unbilled = None;
            let entry = Entry::AtProvider(self.made.clone());
            let memory = &self.gateway.parts.responses;
            // Where this fails it is billed again, which counts once.
            memory.keep(self.tenant.id, self.id, &entry).await;
        }
    }

    async fn within_time(&self, action: Action, query: Query) -> Result<Bytes, Refusal> {
        let answer = timeout(PATIENCE, self.call(action, query)).await;
        let late = || failure_of(FailureKind::Timeout, "the provider did not answer in time".to_owned());
        answer.unwrap_or_else(|_| Err(Refusal::Upstream(late().into())))
    }

    async fn call(&self, action: Action, query: Query) -> Result<Bytes, Refusal> {
        let unknown = || Refusal::ResponseNotFound {
            id: self.id.to_string(),
        };
        let parts = &*self.gateway.parts;
        let mut providers = self.tenant.providers.values();
        let provider: &Provider = providers
            .find(|provider| provider.id == self.made.provider)
            .ok_or_else(unknown)?;
        let base_url = provider.base_url.as_ref().ok_or_else(unknown)?;
        let refused = |failure: gatewright_llm::Failure| {
            tracing::warn!(
                upstream.provider = provider.name.as_str(),
                reason = failure.message,
                "a provider could not be asked about a response"
            );
            Refusal::Upstream(failure.into())
        };
        let model = provider.deployment(self.made.upstream_model.as_str());
        let mut address = address(provider, base_url, Endpoint::Responses, model, false).map_err(refused)?;
        if let Ok(mut segments) = address.path_segments_mut() {
            segments.push(self.id.as_str()).extend(action.segment());
        }
        for (name, value) in query.pairs {
            address.query_pairs_mut().append_pair(&name, &value);
        }
        let preference = Preference {
            before: self.made.credential,
            ..Preference::default()
        };
        let credential = parts
            .upstream
            .credentials()
            .choose(provider, preference)
            .map_err(|error| refused(failure_of(FailureKind::Credential, error.to_string())))?;
        let now = Utc::now();
        let call = Call {
            method: action.method(),
            provider,
            base_url,
            address,
            credential: credential.as_ref(),
            manner: Manner::Ours(&[]),
            body: Outgoing::Whole(Segments::default()),
            traceparent: None,
            connect: Patience::natively(&provider.settings.timeouts, parts.settings.timeouts).connect,
            now,
        };
        let response = parts.upstream.call(call).await.map_err(refused)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = read_body(response, parts.settings.answer_limit_bytes)
            .await
            .map_err(refused)?;
        match status {
            200..300 => Ok(body),
            404 => Err(unknown()),
            _ => {
                let failure = classify(status, &headers, &body, now);
                let body = (failure.kind == FailureKind::BadRequest).then_some(body);
                Err(Refusal::Upstream(UpstreamRefusal { failure, body }))
            }
        }
    }
}

impl Action {
    const fn method(self) -> Method {
        match self {
            Self::Retrieve | Self::ListInput => Method::GET,
            Self::Delete => Method::DELETE,
            Self::Cancel => Method::POST,
        }
    }

    /// What follows the response's identifier in the address.
    const fn segment(self) -> Option<&'static str> {
        match self {
            Self::Retrieve | Self::Delete => None,
            Self::ListInput => Some("input_items"),
            Self::Cancel => Some("cancel"),
        }
    }
}
