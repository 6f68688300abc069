//! The cache itself, as far as a request waits for it: one that is slow or away finds nothing and keeps nothing.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gatewright_contract::Digest;
use gatewright_coord::Answers;
use gatewright_types::OrganizationId;

use super::entry::Entry;
use super::flights::Flights;
use crate::remote::{Remote, Terms};

const TERMS: Terms = Terms {
    patience: Duration::from_millis(100),
    rest: Duration::from_secs(2),
    lost: "the cache of answers cannot be reached; until it can, every request is answered by a provider",
    back: "the cache of answers can be reached again",
};

/// Larger answers are not kept.
pub(super) const LARGEST_BYTES: usize = 4 << 20;

/// What was answered, and what is being asked on this node. Clones are the same memory.
#[derive(Debug, Clone)]
pub struct AnswerMemory {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    answers: Answers,
    remote: Remote,
    flights: Flights,
}

impl AnswerMemory {
    pub fn new(answers: Answers) -> Self {
        Self {
            shared: Arc::new(Shared {
                answers,
                remote: Remote::new(TERMS),
                flights: Flights::default(),
            }),
        }
    }

    pub(super) fn flights(&self) -> &Flights {
        &self.shared.flights
    }

    /// In the order of the keys.
    pub(super) async fn find(&self, organization: OrganizationId, keys: &[Digest]) -> Vec<Option<Entry>> {
        let shared = &self.shared;
        let found = shared.remote.asked(shared.answers.find(organization, keys)).await;
        let read = |text: Option<Bytes>| text.as_ref().and_then(Entry::read);
        match found {
            Some(found) => found.into_iter().map(read).collect(),
            None => keys.iter().map(|_| None).collect(),
        }
    }

    pub(super) async fn keep(
        &self,
        organization: OrganizationId,
        entries: impl IntoIterator<Item = (Digest, &Entry)>,
        time_to_live: Duration,
    ) {
        let entries: Vec<_> = entries
            .into_iter()
            .filter_map(|(key, entry)| Some((key, entry.write()?)))
            .collect();
        let shared = &self.shared;
        let keeping = shared.answers.keep(organization, entries, time_to_live);
        shared.remote.asked(keeping).await;
    }
}
