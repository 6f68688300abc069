//! Stage 1: from the presented secret to the caller. One hash, one look-up; an unknown key is asked for once.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use gatewright_contract::{Caller, Digest, KeyRules, Published};
use gatewright_types::api::KeyEndpoint;

use crate::gateway::GatewayParts;
use crate::refusal::Refusal;

/// What could be found out about a key this node did not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKnowledge {
    /// It exists, and the published snapshot has it by now.
    Published,
    /// There is no such key.
    Unknown,
    /// The source of truth is out of reach.
    CannotKnow,
}

/// Asks the feed for a key by its digest.
#[derive(Clone)]
pub struct KeyLookup(Arc<dyn Fn(Digest) -> BoxFuture<'static, KeyKnowledge> + Send + Sync>);

impl KeyLookup {
    pub fn new(ask: impl Fn(Digest) -> BoxFuture<'static, KeyKnowledge> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }
}

impl fmt::Debug for KeyLookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyLookup")
    }
}

/// What a call shows of itself before anything of it is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Presented<'a> {
    pub(crate) secret: Option<&'a [u8]>,
    /// Where it comes from; absent when that cannot be told.
    pub(crate) address: Option<IpAddr>,
    /// What it wants to call; absent for what every key may ask.
    pub(crate) endpoint: Option<KeyEndpoint>,
}

/// Who presents this, if they may call what they call from where they are.
pub(crate) async fn authenticate(
    parts: &GatewayParts,
    presented: Presented<'_>,
    now: DateTime<Utc>,
) -> Result<Caller, Refusal> {
    let (published, lookup) = (&parts.published, &parts.key_lookup);
    let secret = presented
        .secret
        .filter(|secret| !secret.is_empty())
        .ok_or(Refusal::MissingCredential)?;
    let digest = Digest::of(secret);
    let caller = match known(published, &digest)? {
        Some(caller) => caller,
        None => match (lookup.0)(digest).await {
            KeyKnowledge::Published => known(published, &digest)?.ok_or(Refusal::InvalidApiKey)?,
            KeyKnowledge::Unknown => return Err(Refusal::InvalidApiKey),
            KeyKnowledge::CannotKnow => return Err(Refusal::NotReady),
        },
    };
    if let Some(rules) = &caller.key.rules {
        check_secret(rules, now)?;
    }
    if caller.key.expires_at.is_some_and(|end| end <= now) {
        return Err(Refusal::KeyExpired);
    }
    if !caller.may_come_from(presented.address) {
        return Err(Refusal::AddressNotAllowed {
            address: presented.address,
        });
    }
    match presented
        .endpoint
        .filter(|endpoint| !caller.key.allows_endpoint(*endpoint))
    {
        None => Ok(caller),
        Some(endpoint) => Err(Refusal::EndpointNotAllowed { endpoint }),
    }
}

fn check_secret(rules: &KeyRules, now: DateTime<Utc>) -> Result<(), Refusal> {
    if rules.former_until.is_some_and(|end| end <= now) {
        return Err(Refusal::KeyRotated);
    }
    match rules.disabled {
        Some(reason) => Err(Refusal::KeyDisabled { reason }),
        None => Ok(()),
    }
}

fn known(published: &Published, digest: &Digest) -> Result<Option<Caller>, Refusal> {
    let snapshot = published.peek();
    let snapshot = snapshot.as_ref().ok_or(Refusal::NotReady)?;
    snapshot
        .caller(digest)
        .transpose()
        .map_err(|_organization| Refusal::NotReady)
}
