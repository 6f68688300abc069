//! Credentials that rest: one that a provider limits or refuses is left out for a while, on this node, as long as the
//! provider has another. It is known by its sealed secret, so that a replaced one is used at once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use gatewright_contract::{Credential, Sealed};
use gatewright_llm::{Failure, FailureKind};
use gatewright_types::CredentialId;
use tokio::time::Instant;

/// Where the provider does not say how long it limits a credential.
const LIMITED: Duration = Duration::from_secs(10);
/// An administrator has to replace it; until then it is tried now and then.
const REFUSED: Duration = Duration::from_secs(60);
/// However long a provider says.
const LONGEST: Duration = Duration::from_secs(300);

#[derive(Debug, Default)]
pub(super) struct Cooldowns {
    /// So that nobody takes the lock while all is well.
    any: AtomicBool,
    until: RwLock<HashMap<CredentialId, (Sealed, Instant)>>,
}

impl Cooldowns {
    /// Takes note of a failure that is about the credential and not the request.
    pub(super) fn note(&self, credential: &Credential, failure: &Failure, now: Instant) {
        let rest = match failure.kind {
            FailureKind::RateLimited => failure.retry_after.unwrap_or(LIMITED).min(LONGEST),
            FailureKind::Credential => REFUSED,
            FailureKind::BadRequest
            | FailureKind::NotFound
            | FailureKind::Overloaded
            | FailureKind::Server
            | FailureKind::Timeout
            | FailureKind::Connection
            | FailureKind::Malformed
            | FailureKind::ErrorEvent => return,
        };
        let mut until = self.until.write().unwrap_or_else(PoisonError::into_inner);
        until.retain(|_, (_, end)| *end > now);
        until.insert(credential.id, (credential.sealed.clone(), now + rest));
        self.any.store(true, Ordering::Release);
    }

    pub(super) fn nobody_rests(&self) -> bool {
        !self.any.load(Ordering::Acquire)
    }

    pub(super) fn rests(&self, credential: &Credential, now: Instant) -> bool {
        let until = self.until.read().unwrap_or_else(PoisonError::into_inner);
        let resting = until.get(&credential.id);
        resting.is_some_and(|(sealed, end)| *end > now && *sealed == credential.sealed)
    }
}
