//! Stage 1: from the presented secret to the caller. One hash, one look-up; an unknown key is asked for once.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use gatewright_contract::{Caller, Digest, Published};

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

/// Who presents this secret.
pub(crate) async fn authenticate(
    published: &Published,
    lookup: &KeyLookup,
    presented: Option<&[u8]>,
    now: DateTime<Utc>,
) -> Result<Caller, Refusal> {
    let secret = presented
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
    match caller.key.expires_at {
        Some(end) if end <= now => Err(Refusal::KeyExpired),
        _ => Ok(caller),
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
