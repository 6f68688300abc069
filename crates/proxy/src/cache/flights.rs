//! Equal requests that run at the same time on this node: the first one asks, the others wait for what comes of it. When
//! nothing does, because it failed or its caller hung up, the next one asks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use gatewright_contract::Digest;
use tokio::sync::watch;

use super::entry::Entry;

/// What is being asked, by its key. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Flights {
    flying: Arc<Mutex<HashMap<Digest, Landing>>>,
}

type Landing = watch::Receiver<Option<Arc<Entry>>>;

/// The part of one of several equal requests.
#[derive(Debug)]
pub(super) enum Part {
    /// It asks, for all.
    Lead(Leading),
    Follow(Following),
}

/// As long as it is there, others wait.
#[derive(Debug)]
pub(super) struct Leading {
    flights: Flights,
    key: Digest,
    landed: watch::Sender<Option<Arc<Entry>>>,
}

#[derive(Debug)]
pub(super) struct Following {
    landing: Landing,
}

impl Flights {
    pub(super) fn join(&self, key: Digest) -> Part {
        let mut flying = self.flying.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(landing) = flying.get(&key) {
            return Part::Follow(Following {
                landing: landing.clone(),
            });
        }
        let (landed, landing) = watch::channel(None);
        flying.insert(key, landing);
        Part::Lead(Leading {
            flights: self.clone(),
            key,
            landed,
        })
    }
}

impl Leading {
    /// What came of it, for all who wait.
    pub(super) fn land(self, entry: Entry) {
        self.landed.send_replace(Some(Arc::new(entry)));
    }
}

impl Drop for Leading {
    fn drop(&mut self) {
        // Before those who wait learn of it: the first of them is to lead.
        let mut flying = self.flights.flying.lock().unwrap_or_else(PoisonError::into_inner);
        flying.remove(&self.key);
    }
}

impl Following {
    /// `None` when nothing came of it.
    pub(super) async fn landed(mut self) -> Option<Arc<Entry>> {
        let landed = self.landing.wait_for(Option::is_some).await.ok()?;
        landed.clone()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use chrono::Utc;
    use gatewright_llm::Form;
    use gatewright_types::{KeyId, ModelId};

    use super::*;
    use crate::cache::entry::{About, Source};

    fn entry() -> Entry {
        Entry {
            about: About {
                form: Form::Whole,
                stored_at: Utc::now(),
                source: Source {
                    model: ModelId::mint(),
                    key: KeyId::mint(),
                    team: None,
                    namespace: None,
                    tags: std::collections::BTreeMap::new(),
                    newest_purge: None,
                },
                maker: None,
                usage: None,
                cost: None,
                dropped: None,
            },
            body: Bytes::from_static(b"{}"),
        }
    }

    fn lead(part: Part) -> Leading {
        match part {
            Part::Lead(leading) => leading,
            Part::Follow(_) => panic!("somebody else leads"),
        }
    }

    fn follow(part: Part) -> Following {
        match part {
            Part::Follow(following) => following,
            Part::Lead(_) => panic!("nobody leads"),
        }
    }

    #[tokio::test]
    async fn all_who_wait_get_what_the_first_one_got() {
        let (flights, key) = (Flights::default(), Digest::of(b"a"));
        let leading = lead(flights.join(key));
        let waiting = [follow(flights.join(key)), follow(flights.join(key))];
        lead(flights.join(Digest::of(b"b")));

        leading.land(entry());

        for following in waiting {
            assert!(following.landed().await.is_some());
        }
        lead(flights.join(key));
    }

    #[tokio::test]
    async fn when_nothing_comes_of_it_the_next_one_leads() {
        let (flights, key) = (Flights::default(), Digest::of(b"a"));
        let leading = lead(flights.join(key));
        let following = follow(flights.join(key));

        drop(leading);

        assert_eq!(following.landed().await, None);
        lead(flights.join(key));
    }
}
