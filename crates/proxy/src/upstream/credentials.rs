//! Which of a provider's credentials a call uses, and its secret, opened once and kept ready as a header.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use chrono::Utc;
use gatewright_contract::{BreakerSubject, Credential, Keyring, Mark, OpenedCredential, Provider, Sealed};
use gatewright_llm::{Failure, Family};
use gatewright_routing::{Health, Moment, Transition};
use gatewright_types::CredentialId;
use gatewright_types::api::ProviderKind;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};

use crate::news::News;

/// Opened secrets are forgotten all together when there are more than this many.
const MOST_KEPT: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Credentials {
    keyring: Keyring,
    turn: AtomicU64,
    health: Health,
    news: News,
    opened: RwLock<HashMap<CredentialId, (Sealed, Proof)>>,
}

/// Which credential a call would have.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Preference<'a> {
    /// The one that was used before, as long as it is there.
    pub(crate) before: Option<CredentialId>,
    /// Those that were tried for the request already.
    pub(crate) tried: &'a [CredentialId],
    /// Calls with the same number get the same one, as long as it does well.
    pub(crate) affinity: Option<u64>,
}

/// The credential a call uses.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    pub(crate) id: CredentialId,
    pub(super) proof: Proof,
}

/// How a call shows that it is ours.
#[derive(Debug, Clone)]
pub(super) enum Proof {
    /// The secret itself.
    Header(HeaderName, HeaderValue),
    /// What the cloud's identity service makes of it.
    Cloud(Arc<OpenedCredential>),
}

/// Why a credential cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialError {
    #[error("a credential cannot be opened")]
    Sealed(#[from] gatewright_contract::CredentialError),
    #[error("a credential holds characters that no header can carry")]
    Characters,
}

impl Credentials {
    pub(super) fn new(keyring: Keyring, health: Health, news: News) -> Self {
        Self {
            keyring,
            turn: AtomicU64::new(0),
            health,
            news,
            opened: RwLock::default(),
        }
    }

    /// The preferred one, else whichever has its turn. `None` for a provider that has none.
    pub(crate) fn choose(
        &self,
        provider: &Provider,
        preference: Preference<'_>,
    ) -> Result<Option<Chosen>, CredentialError> {
        let mut credentials = provider.credentials.iter();
        let again = preference
            .before
            .and_then(|id| credentials.find(|credential| credential.id == id));
        match again.or_else(|| self.pick(&provider.credentials, preference)) {
            Some(credential) => self.open(provider.kind, credential).map(Some),
            None => Ok(None),
        }
    }

    /// Whether there is one that does not rest and was not tried.
    pub(crate) fn has_another(&self, provider: &Provider, tried: &[CredentialId]) -> bool {
        let now = Utc::now().into();
        let mut credentials = provider.credentials.iter();
        credentials.any(|credential| credential.weight > 0 && self.is_awake(credential, tried, now))
    }

    /// Lets the credential rest when the failure is about it. The only one of a provider is used all the same.
    pub(crate) fn failed(&self, provider: &Provider, id: CredentialId, failure: &Failure) {
        let mut credentials = provider.credentials.iter();
        if let Some(credential) = credentials.find(|credential| credential.id == id) {
            let opened = self.health.resting().failed(credential, failure, Utc::now().into());
            if let Some(opened) = opened {
                let subject = BreakerSubject::Credential {
                    credential: id,
                    mark: Some(Mark::of(credential)),
                };
                self.news.tell(Transition::Opened(opened).told(subject));
            }
        }
    }

    fn pick<'a>(&self, credentials: &'a [Credential], preference: Preference<'_>) -> Option<&'a Credential> {
        let Preference { tried, affinity, .. } = preference;
        if let [only] = credentials {
            return Some(only);
        }
        if tried.is_empty() && self.health.resting().nobody_rests() {
            return self.one_of(credentials.iter(), affinity);
        }
        let now = Utc::now().into();
        let awake = |credential: &&Credential| self.is_awake(credential, tried, now);
        self.one_of(credentials.iter().filter(awake), affinity)
            .or_else(|| self.one_of(credentials.iter(), affinity))
    }

    fn one_of<'a>(
        &self,
        credentials: impl Iterator<Item = &'a Credential> + Clone,
        affinity: Option<u64>,
    ) -> Option<&'a Credential> {
        match affinity {
            Some(affinity) => nearest(credentials, affinity),
            None => self.turn_of(credentials),
        }
    }

    fn is_awake(&self, credential: &Credential, tried: &[CredentialId], now: Moment) -> bool {
        !tried.contains(&credential.id) && !self.health.resting().rests(credential, now)
    }

    fn turn_of<'a>(&self, credentials: impl Iterator<Item = &'a Credential> + Clone) -> Option<&'a Credential> {
        let total: u64 = credentials.clone().map(|credential| u64::from(credential.weight)).sum();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed).checked_rem(total)?;
        let mut end = 0;
        let mut credentials = credentials;
        credentials.find(|credential| {
            end += u64::from(credential.weight);
            turn < end
        })
    }

    fn open(&self, kind: ProviderKind, credential: &Credential) -> Result<Chosen, CredentialError> {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((sealed, proof)) = opened.get(&credential.id)
            && *sealed == credential.sealed
        {
            return Ok(Chosen {
                id: credential.id,
                proof: proof.clone(),
            });
        }
        drop(opened);
        let proof = match OpenedCredential::open(&self.keyring, credential)? {
            OpenedCredential::ApiKey(secret) => {
                let (name, value) = shown(kind, secret.expose())?;
                Proof::Header(name, value)
            }
            cloud => Proof::Cloud(Arc::new(cloud)),
        };
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        if opened.len() >= MOST_KEPT {
            opened.clear();
        }
        opened.insert(credential.id, (credential.sealed.clone(), proof.clone()));
        Ok(Chosen {
            id: credential.id,
            proof,
        })
    }
}

/// Rendezvous hashing: each credential is the nearest of as many affinities as its weight is a part of all, and when one
/// rests only those that were nearest to it move.
fn nearest<'a>(credentials: impl Iterator<Item = &'a Credential>, affinity: u64) -> Option<&'a Credential> {
    /// Of 53 bits, the most that a float holds, each number stands for the middle of its interval: never 0 or 1.
    const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
    let distance = |credential: &Credential| {
        let mut hash = DefaultHasher::new();
        (affinity, credential.id).hash(&mut hash);
        let uniform = ((hash.finish() >> 11) as f64 + 0.5) * STEP;
        -uniform.ln() / f64::from(credential.weight)
    };
    credentials
        .filter(|credential| credential.weight > 0)
        .min_by(|one, other| distance(one).total_cmp(&distance(other)))
}

/// The header in which a kind of provider wants to see a secret, marked so that nothing prints it.
pub(super) fn shown(kind: ProviderKind, secret: &str) -> Result<(HeaderName, HeaderValue), CredentialError> {
    let bearer = || (AUTHORIZATION, format!("Bearer {secret}"));
    let named = |name| (HeaderName::from_static(name), secret.to_owned());
    let (name, text) = match Family::of(kind) {
        Family::Anthropic => named("x-api-key"),
        Family::Gemini | Family::Vertex => named("x-goog-api-key"),
        Family::Openai if kind == ProviderKind::Azure => named("api-key"),
        Family::Openai | Family::Cohere | Family::Bedrock => bearer(),
    };
    Ok((name, secretly(&text)?))
}

/// `Bearer …`, for tokens.
pub(super) fn bearer(token: &str) -> Result<HeaderValue, CredentialError> {
    secretly(&format!("Bearer {token}"))
}

/// A header's value that nothing prints.
fn secretly(text: &str) -> Result<HeaderValue, CredentialError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| CredentialError::Characters)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use gatewright_contract::Secret;
    use gatewright_llm::FailureKind;

    use super::*;

    fn credential(keyring: &Keyring, secret: &str, weight: u32) -> Credential {
        let id = CredentialId::mint();
        let sealed = keyring.seal(&Secret::new(secret.to_owned()), &id.to_string());
        let kind = gatewright_types::api::CredentialKind::ApiKey;
        Credential {
            id,
            weight,
            kind,
            sealed,
        }
    }

    #[test]
    fn turns_follow_the_weights_exactly() {
        let keyring = Keyring::parse(Keyring::mint().expose()).expect("a minted key parses");
        let credentials = Credentials::new(keyring.clone(), Health::default(), News::new());
        let list = [
            credential(&keyring, "a", 3),
            credential(&keyring, "b", 1),
            credential(&keyring, "c", 0),
        ];

        let mut counts = HashMap::<CredentialId, u32>::new();
        for _ in 0..400 {
            let picked = credentials.pick(&list, Preference::default()).expect("one is picked");
            *counts.entry(picked.id).or_default() += 1;
        }

        let count = |index: usize| {
            list.get(index)
                .and_then(|credential| counts.get(&credential.id))
                .copied()
        };
        assert_eq!((count(0), count(1), count(2)), (Some(300), Some(100), None));
    }

    #[test]
    fn a_credential_that_is_asked_for_is_used_again_while_it_is_there() {
        let keyring = Keyring::parse(Keyring::mint().expose()).expect("a minted key parses");
        let credentials = Credentials::new(keyring.clone(), Health::default(), News::new());
        let [first, second] = [credential(&keyring, "a", 1), credential(&keyring, "b", 1)];
        let provider = |list: &[&Credential]| Provider {
            id: gatewright_types::ProviderId::mint(),
            name: "p".parse().expect("a name"),
            kind: ProviderKind::Openai,
            base_url: None,
            settings: serde_json::from_str("{}").expect("settings"),
            network: None,
            credentials: list.iter().map(|credential| (*credential).clone()).collect(),
        };
        let chosen = |provider: &Provider| {
            let preference = Preference {
                before: Some(second.id),
                ..Preference::default()
            };
            let chosen = credentials.choose(provider, preference).expect("it opens");
            chosen.expect("there is one").id
        };

        let both = provider(&[&first, &second]);
        assert_eq!([chosen(&both), chosen(&both), chosen(&both)], [second.id; 3]);
        assert_eq!(chosen(&provider(&[&first])), first.id);
    }

    #[test]
    fn a_credential_that_is_limited_or_refused_rests_while_there_is_another() {
        let keyring = Keyring::parse(Keyring::mint().expose()).expect("a minted key parses");
        let credentials = Credentials::new(keyring.clone(), Health::default(), News::new());
        let mut list = [credential(&keyring, "a", 3), credential(&keyring, "b", 1)];
        let failure = |kind, retry_after| Failure {
            retry_after,
            ..Failure::new(kind, "")
        };
        let note = |credential: &Credential, kind, seconds| {
            let failure = failure(kind, Some(Duration::from_secs(seconds)));
            credentials
                .health
                .resting()
                .failed(credential, &failure, Utc::now().into());
        };
        let picked = |list: &[Credential]| {
            let picks = (0..8).map(|_| credentials.pick(list, Preference::default()).expect("one is picked").id);
            picks.collect::<HashSet<_>>()
        };
        let ids = list.each_ref().map(|credential| credential.id);
        let [a, b] = ids;

        note(&list[0], FailureKind::Server, 60);
        assert_eq!(
            picked(&list),
            HashSet::from([a, b]),
            "a failing server is not the credential's fault"
        );
        note(&list[0], FailureKind::RateLimited, 60);
        assert_eq!(picked(&list), HashSet::from([b]));
        note(&list[1], FailureKind::Credential, 0);
        assert_eq!(picked(&list), HashSet::from([a, b]), "all rest, so none does");
        credentials.health.resting().succeeded(b);
        assert_eq!(picked(&list), HashSet::from([b]), "it works again");
        list[0].sealed = keyring.seal(&Secret::new("new".to_owned()), &a.to_string());
        assert_eq!(picked(&list), HashSet::from([a, b]), "another secret has its own luck");
    }

    #[test]
    fn what_sticks_together_keeps_its_credential_until_that_rests_and_only_then() {
        let keyring = Keyring::parse(Keyring::mint().expose()).expect("a minted key parses");
        let credentials = Credentials::new(keyring.clone(), Health::default(), News::new());
        let list = [
            credential(&keyring, "a", 3),
            credential(&keyring, "b", 1),
            credential(&keyring, "c", 0),
        ];
        let picked = |affinity| {
            let preference = Preference {
                affinity: Some(affinity),
                ..Preference::default()
            };
            credentials.pick(&list, preference).expect("one is picked").id
        };
        let [a, b, c] = list.each_ref().map(|credential| credential.id);
        let before: Vec<_> = (0..4_000).map(picked).collect();

        assert_eq!((0..4_000).map(picked).collect::<Vec<_>>(), before, "each keeps its own");
        let of_a = before.iter().filter(|id| **id == a).count();
        assert!((2_880..=3_120).contains(&of_a), "three of four, within 3 %: {of_a}");
        assert!(!before.contains(&c), "a weight of 0 is for nobody");

        let limited = Failure {
            retry_after: Some(Duration::from_secs(60)),
            ..Failure::new(FailureKind::RateLimited, "")
        };
        let [first, ..] = &list;
        credentials.health.resting().failed(first, &limited, Utc::now().into());
        assert!((0..4_000).all(|affinity| picked(affinity) == b), "it rests");
        credentials.health.resting().succeeded(a);
        assert_eq!((0..4_000).map(picked).collect::<Vec<_>>(), before, "and is back");
    }

    #[test]
    fn a_replaced_secret_is_used_at_once_and_never_printed() {
        let keyring = Keyring::parse(Keyring::mint().expose()).expect("a minted key parses");
        let credentials = Credentials::new(keyring.clone(), Health::default(), News::new());
        let before = credential(&keyring, "old", 1);
        let after = Credential {
            sealed: keyring.seal(&Secret::new("new".to_owned()), &before.id.to_string()),
            ..before.clone()
        };

        credentials.open(ProviderKind::Openai, &before).expect("it opens");
        let chosen = credentials.open(ProviderKind::Openai, &after).expect("it opens");

        assert!(matches!(&chosen.proof, Proof::Header(_, value) if value == "Bearer new"));
        assert!(!format!("{chosen:?} {credentials:?}").contains("new\""));
    }
}
