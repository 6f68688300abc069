//! Where the answers to a request are kept. The key is a digest over everything that may tell two answers apart, tenant
//! first; each part has its length in front, so that no two lists of parts are written alike.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use gatewright_contract::{Caller, Digest, ModelCache};
use gatewright_llm::Request;
use gatewright_llm::embed::Batch;
use gatewright_types::OrganizationId;
use gatewright_types::api::{CacheScope, Dialect, ShownModel};

use super::control::Control;
use super::entry::{Maker, Source};
use super::memory::AnswerMemory;
use crate::gateway::Gateway;
use crate::told::Told;

/// To find out that two longer requests are equal takes more time than is left for a hit.
const LARGEST_REQUEST_BYTES: usize = 4 << 20;

/// Headers of one request only.
const CHANGING: [&str; 8] = [
    "content-length",
    "date",
    "traceparent",
    "tracestate",
    "x-forwarded-for",
    "x-request-id",
    "x-stainless-retry-count",
    "x-gw-request-id",
];

/// A place for the answers to one request.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) memory: AnswerMemory,
    pub(super) organization: OrganizationId,
    pub(super) key: Digest,
    /// Of all but the question.
    within: Digest,
    pub(super) source: Source,
    /// Answers that are older do not count.
    pub(super) oldest: Duration,
    pub(super) time_to_live: Duration,
    /// Equal requests at the same time share one call.
    pub(super) shared: bool,
    /// Which model answers name.
    pub(super) shown: ShownModel,
}

/// Whose answers they are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Scope {
    Key(String),
    /// Within the key's team, or for the key alone when it has none: two applications may name their users alike.
    User(Owner, Box<str>),
    Team(String),
    Organization,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Owner {
    Key(String),
    Team(String),
}

/// All that makes a key.
struct Parts<'a> {
    organization: OrganizationId,
    scope: &'a Scope,
    namespace: Option<&'a str>,
    model: &'a str,
    policy: &'a Digest,
    dialect: Dialect,
    /// What the caller's headers say of the answer.
    headers: &'a [u8],
    question: &'a [u8],
}

impl Place {
    /// `None` when nothing is kept for the request.
    pub(super) fn of(
        gateway: &Gateway,
        caller: &Caller,
        request: &Arc<Request>,
        told: &Told,
        control: &Control,
    ) -> Option<Self> {
        let model = caller.tenant.models.get(request.model())?;
        let ModelCache {
            settings,
            policy,
            by_rules,
        } = model.cache.as_ref()?;
        if !caller.key.allows(request.model()) || request.body_len() > LARGEST_REQUEST_BYTES {
            return None;
        }
        let question = request.question();
        if question.has_state {
            return None;
        }
        let mut headers = told.shaping();
        if *by_rules {
            headers.extend_from_slice(&seen_by_rules(caller, request, told));
        }
        headers.extend_from_slice(&reachable(caller));
        let mut parts = Parts {
            organization: caller.tenant.id,
            scope: &Scope::of(settings.scope, caller, question.end_user),
            namespace: control.namespace.as_ref().map(|namespace| namespace.as_str()),
            model: &model.id.to_string(),
            policy,
            dialect: request.dialect(),
            headers: &headers,
            question: b"",
        };
        let within = Digest::of(&parts.written());
        parts.question = &question.form;
        let ttl = settings.ttl.get();
        Some(Self {
            memory: gateway.parts.answers.clone(),
            organization: caller.tenant.id,
            key: Digest::of(&parts.written()),
            within,
            source: Source {
                model: model.id,
                key: caller.key.id,
                team: caller.key.team,
                namespace: control.namespace.clone(),
                tags: BTreeMap::new(),
                newest_purge: caller.tenant.purges.newest(),
            },
            oldest: control.max_age.map_or(ttl, |max_age| max_age.min(ttl)),
            time_to_live: control.ttl.map_or(ttl, |wanted| wanted.min(ttl)),
            shared: settings.coalesce && question.repeatable,
            shown: model.settings.shown_model,
        })
    }
}

impl Place {
    /// The name of the model in an answer that says none, or that is put together anew.
    pub(super) fn named<'a>(&self, request: &'a Request, maker: Option<&'a Maker>) -> &'a str {
        let model = maker.and_then(|maker| maker.model.as_ref());
        match (self.shown, model) {
            (ShownModel::Upstream, Some(model)) => model.as_str(),
            (ShownModel::Requested, _) | (ShownModel::Upstream, None) => request.model(),
        }
    }

    /// A place for each item of a batch, whatever else is in it.
    pub(super) fn keys_of(&self, batch: &Batch) -> Vec<Digest> {
        let key = |form: &Vec<u8>| Digest::of(&framed(&[self.within.as_bytes(), b"item", &batch.shared, form]));
        batch.forms.iter().map(key).collect()
    }
}

impl Scope {
    fn of(scope: CacheScope, caller: &Caller, end_user: Option<Box<str>>) -> Self {
        let key = || caller.key.id.to_string();
        let team = caller.key.team.map(|team| team.to_string());
        match (scope, end_user, team) {
            (CacheScope::Organization, ..) => Self::Organization,
            (CacheScope::Team, _, Some(team)) => Self::Team(team),
            (CacheScope::User, Some(user), Some(team)) => Self::User(Owner::Team(team), user),
            (CacheScope::User, Some(user), None) => Self::User(Owner::Key(key()), user),
            (CacheScope::Key, ..) | (CacheScope::User, None, _) | (CacheScope::Team, _, None) => Self::Key(key()),
        }
    }

    /// A kind, what it is within, and a name.
    fn parts(&self) -> [&[u8]; 3] {
        match self {
            Self::Key(key) => [b"key", b"", key.as_bytes()],
            Self::User(Owner::Key(key), user) => [b"user of key", key.as_bytes(), user.as_bytes()],
            Self::User(Owner::Team(team), user) => [b"user of team", team.as_bytes(), user.as_bytes()],
            Self::Team(team) => [b"team", b"", team.as_bytes()],
            Self::Organization => [b"organization", b"", b""],
        }
    }
}

impl Parts<'_> {
    fn written(&self) -> Vec<u8> {
        let organization = self.organization.to_string();
        let [kind, within, name] = self.scope.parts();
        let parts: [&[u8]; 10] = [
            organization.as_bytes(),
            kind,
            within,
            name,
            // No namespace is empty.
            self.namespace.unwrap_or_default().as_bytes(),
            self.model.as_bytes(),
            self.policy.as_bytes(),
            self.dialect.as_str().as_bytes(),
            self.headers,
            self.question,
        ];
        framed(&parts)
    }
}

/// All that rules can see: whose key it is, the request to the byte, and what was sent with it. Apart from those headers
/// that are never twice the same.
fn seen_by_rules(caller: &Caller, request: &Request, told: &Told) -> Vec<u8> {
    let key = caller.key.id.to_string();
    let mut parts: Vec<&[u8]> = vec![key.as_bytes(), request.body()];
    for (name, value) in told.headers.iter() {
        if !CHANGING.contains(&name) && !name.starts_with("x-gw-cache-") {
            parts.extend([name.as_bytes(), value.as_bytes()]);
        }
    }
    Digest::of(&framed(&parts)).as_bytes().to_vec()
}

/// Which providers may have made the answer, where the key may not reach all.
fn reachable(caller: &Caller) -> Vec<u8> {
    match caller.key.scopes().filter(|_| caller.key.limits_targets()) {
        Some(scopes) => {
            let limits = (&scopes.providers, &scopes.regions, &scopes.highest_price);
            let text = serde_json::to_vec(&limits).expect("names and prices are texts");
            Digest::of(&text).as_bytes().to_vec()
        }
        None => Vec::new(),
    }
}

/// Each part behind its length.
fn framed(parts: &[&[u8]]) -> Vec<u8> {
    let lengths = parts.len() * size_of::<u64>();
    let mut text = Vec::with_capacity(lengths + parts.iter().map(|part| part.len()).sum::<usize>());
    for part in parts {
        text.extend_from_slice(&(part.len() as u64).to_be_bytes());
        text.extend_from_slice(part);
    }
    text
}

#[cfg(test)]
mod tests;
