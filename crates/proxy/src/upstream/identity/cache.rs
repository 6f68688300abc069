//! Keeps what was given out until shortly before it expires. Calls that need the same thing at the same time wait for one
//! request; while the old value is still good, only one of them waits at all, and a failure to renew it does no harm.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use gatewright_contract::Digest;

use super::{Granted, IdentityError};

/// Unused entries are forgotten all together when there are more than this many.
const MOST_KEPT: usize = 10_000;
/// Renewed this long before the end, or after three quarters of a short life.
const MARGIN: chrono::Duration = chrono::Duration::minutes(5);

type Asked<V> = BoxFuture<'static, Result<Granted<V>, IdentityError>>;
type Flight<V> = Shared<Asked<V>>;

/// Everything that decides what is given out, as a digest: a changed secret asks anew, and no secret is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key(Digest);

#[derive(Debug)]
pub(super) struct Cache<V> {
    entries: Arc<Mutex<HashMap<Key, Entry<V>>>>,
}

#[derive(Debug)]
struct Entry<V> {
    granted: Option<Granted<V>>,
    flight: Option<Flight<V>>,
}

impl Key {
    pub(super) fn of(parts: &[&str]) -> Self {
        let mut whole = String::new();
        for part in parts {
            whole.push_str(&part.len().to_string());
            whole.push(':');
            whole.push_str(part);
        }
        Self(Digest::of(whole.as_bytes()))
    }
}

impl<V: Clone + Send + Sync + 'static> Cache<V> {
    /// What is kept under the key, else what `ask` gives.
    pub(super) async fn get(&self, key: Key, ask: impl FnOnce() -> Asked<V>) -> Result<V, IdentityError> {
        let mut ask = Some(ask);
        loop {
            let flight = {
                let mut entries = self.lock();
                make_room(&mut entries);
                let entry = entries.entry(key).or_default();
                let now = Utc::now();
                if let Some(granted) = &entry.granted
                    && (now < granted.renew_at() || (now < granted.expires_at && entry.flight.is_some()))
                {
                    return Ok(granted.value.clone());
                }
                match (&entry.flight, ask.take()) {
                    (Some(flight), unused) => {
                        ask = unused;
                        flight.clone()
                    }
                    (None, Some(ask)) => entry.flight.insert(ask().shared()).clone(),
                    (None, None) => return Err(IdentityError::Malformed),
                }
            };
            let result = flight.clone().await;
            let now = Utc::now();
            let mut entries = self.lock();
            let entry = entries.entry(key).or_default();
            if entry.flight.as_ref().is_some_and(|current| current.ptr_eq(&flight)) {
                entry.flight = None;
                if let Ok(granted) = &result {
                    entry.granted = Some(granted.clone());
                }
            }
            match result {
                Ok(granted) if now < granted.expires_at => return Ok(granted.value),
                // Everybody who waited for it had left before it came, and that was long ago: ask again.
                Ok(_) if ask.is_some() => {}
                Ok(_) => return Err(IdentityError::Malformed),
                Err(error) => {
                    let old = entry.granted.as_ref().filter(|granted| now < granted.expires_at);
                    return old.map(|granted| granted.value.clone()).ok_or(error);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Entry<V>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make_room<V: Clone>(entries: &mut HashMap<Key, Entry<V>>) {
    if entries.len() >= MOST_KEPT {
        entries.retain(|_, entry| entry.flight.is_some());
    }
}

impl<V> Granted<V> {
    fn renew_at(&self) -> DateTime<Utc> {
        let life = self.expires_at - self.at;
        self.expires_at - MARGIN.min(life / 4)
    }
}

impl<V> Clone for Cache<V> {
    fn clone(&self) -> Self {
        Self {
            entries: self.entries.clone(),
        }
    }
}

impl<V> Default for Cache<V> {
    fn default() -> Self {
        Self {
            entries: Arc::default(),
        }
    }
}

impl<V: Clone> Default for Entry<V> {
    fn default() -> Self {
        Self {
            granted: None,
            flight: None,
        }
    }
}
