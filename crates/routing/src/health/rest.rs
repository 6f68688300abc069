//! Credentials that rest: one that a provider limits or refuses is left out for a while, as long as the provider has
//! another. It is the same breaker as a deployment's, opened by what the provider says instead of by a rate. A credential
//! is known by its sealed secret, so that a replaced one is used at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use gatewright_contract::{Credential, Mark};
use gatewright_llm::{Failure, FailureKind};
use gatewright_types::CredentialId;
use gatewright_types::api::FailureClass;

use super::breaker::{Breaker, LONGEST_OPEN, Opened, Standing};
use super::{Moment, Transition};

/// Where the provider does not say how long it limits a credential.
const LIMITED: Duration = Duration::from_secs(10);
/// An administrator has to replace it; until then it is tried now and then, less and less often.
const REFUSED: Duration = Duration::from_secs(60);

/// Those that ever had to rest. Empty while all is well.
#[derive(Debug, Default)]
pub struct Resting {
    credentials: ArcSwap<HashMap<CredentialId, Rest>>,
}

#[derive(Debug, Clone)]
struct Rest {
    mark: Mark,
    breaker: Arc<Breaker>,
}

impl Resting {
    pub fn nobody_rests(&self) -> bool {
        self.credentials.load().is_empty()
    }

    pub fn rests(&self, credential: &Credential, now: Moment) -> bool {
        self.until(credential, now).is_some()
    }

    pub fn until(&self, credential: &Credential, now: Moment) -> Option<Moment> {
        let credentials = self.credentials.load();
        let rest = credentials.get(&credential.id)?;
        match rest.breaker.standing(now) {
            Standing::Open { until } if rest.mark == Mark::of(credential) => Some(until),
            Standing::Open { .. } | Standing::HalfOpen | Standing::Closed => None,
        }
    }

    /// Takes note of a failure that is about the credential and not the request. Until when it rests, if that is new.
    pub fn failed(&self, credential: &Credential, failure: &Failure, now: Moment) -> Option<Opened> {
        if failure.kind == FailureKind::Credential {
            return self.breaker(credential.id, Mark::of(credential)).open(now, REFUSED);
        }
        if failure.class() != Some(FailureClass::RateLimit) {
            return None;
        }
        let rest = failure.retry_after.unwrap_or(LIMITED).min(LONGEST_OPEN);
        self.breaker(credential.id, Mark::of(credential)).open_until(Opened {
            until: now.after(rest),
            times: 0,
        })
    }

    /// It works again.
    pub fn succeeded(&self, credential: CredentialId) {
        let credentials = self.credentials.load();
        if let Some(rest) = credentials.get(&credential) {
            rest.breaker.close();
        }
    }

    /// What another node found out.
    pub fn take_on(&self, credential: CredentialId, mark: Option<Mark>, transition: Transition) {
        match (transition, mark) {
            (Transition::Opened(opened), Some(mark)) => {
                self.breaker(credential, mark).open_until(opened);
            }
            // Of which secret that was said is not known.
            (Transition::Opened(_), None) => {}
            (Transition::Closed, _) => self.succeeded(credential),
        }
    }

    /// Those that rest, and until when.
    pub fn all(&self, now: Moment) -> Vec<(CredentialId, Moment)> {
        let credentials = self.credentials.load();
        let resting = credentials
            .iter()
            .filter_map(|(id, rest)| match rest.breaker.standing(now) {
                Standing::Open { until } => Some((*id, until)),
                Standing::HalfOpen | Standing::Closed => None,
            });
        resting.collect()
    }

    /// The breaker of the credential's secret, which begins here if there is none yet.
    fn breaker(&self, credential: CredentialId, mark: Mark) -> Arc<Breaker> {
        let known = |credentials: &HashMap<CredentialId, Rest>| {
            let rest = credentials.get(&credential)?;
            (rest.mark == mark).then(|| rest.breaker.clone())
        };
        if let Some(breaker) = known(&self.credentials.load()) {
            return breaker;
        }
        let new = Rest {
            mark,
            breaker: Arc::default(),
        };
        self.credentials.rcu(|credentials| {
            let mut credentials = HashMap::clone(credentials);
            if known(&credentials).is_none() {
                credentials.insert(credential, new.clone());
            }
            credentials
        });
        known(&self.credentials.load()).unwrap_or(new.breaker)
    }
}
