//! The memory itself: entries are sealed before they leave the process, bound to their organization and identifier, and
//! nobody waits for it for long.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gatewright_contract::{Keyring, Sealed, Secret};
use gatewright_coord::{KeptResponses, ResponseId};
use gatewright_types::OrganizationId;

use super::entry::Entry;
use super::pending::Pending;
use crate::refusal::Refusal;
use crate::remote::{Remote, Terms};

const TERMS: Terms = Terms {
    patience: Duration::from_secs(2),
    rest: Duration::from_secs(3),
    lost: "responses made from here on cannot be referred to by later requests",
    back: "the memory of responses can be reached again",
};
/// A longer entry is not kept: few nodes of Redis could stand many.
const LARGEST_ENTRY_BYTES: usize = 8 << 20;

/// The responses that can be referred to. Clones are the same memory.
#[derive(Debug, Clone)]
pub struct ResponseMemory {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    kept: KeptResponses,
    keyring: Keyring,
    /// What is to be billed when it is over.
    pending: Pending,
    remote: Remote,
}

impl ResponseMemory {
    /// `folder` is where it is noted what was made in the background.
    pub fn new(kept: KeptResponses, keyring: Keyring, folder: PathBuf) -> Self {
        Self {
            shared: Arc::new(Shared {
                kept,
                keyring,
                pending: Pending::new(folder),
                remote: Remote::new(TERMS),
            }),
        }
    }

    pub(super) fn pending(&self) -> &Pending {
        &self.shared.pending
    }

    /// Whether it is kept.
    pub(super) async fn keep(&self, organization: OrganizationId, id: &ResponseId, entry: &Entry) -> bool {
        let Ok(text) = serde_json::to_string(entry) else {
            return false;
        };
        if text.len() > LARGEST_ENTRY_BYTES {
            tracing::info!(
                organization.id = %organization, size_bytes = text.len(),
                "a response is too large to be kept for later requests"
            );
            return false;
        }
        let sealed = self.shared.keyring.seal(&Secret::new(text), &owner(organization, id));
        let keeping = self.shared.kept.keep(organization, id, sealed.as_str().to_owned());
        self.shared.remote.asked(keeping).await.is_some()
    }

    /// In the order of the identifiers; `None` for each that is not there, no longer, or not to be read.
    pub(super) async fn find(
        &self,
        organization: OrganizationId,
        ids: &[ResponseId],
    ) -> Result<Vec<Option<Entry>>, Refusal> {
        let found = self.shared.remote.asked(self.shared.kept.find(organization, ids)).await;
        let found = found.ok_or(Refusal::MemoryAway)?;
        let opened = ids
            .iter()
            .zip(found)
            .map(|(id, text)| self.open(organization, id, text?));
        Ok(opened.collect())
    }

    pub(super) async fn find_one(
        &self,
        organization: OrganizationId,
        id: &ResponseId,
    ) -> Result<Option<Entry>, Refusal> {
        let found = self.find(organization, std::slice::from_ref(id)).await?;
        Ok(found.into_iter().next().flatten())
    }

    pub(super) async fn forget(&self, organization: OrganizationId, id: &ResponseId) -> Result<(), Refusal> {
        let forgotten = self
            .shared
            .remote
            .asked(self.shared.kept.forget(organization, id))
            .await;
        forgotten.ok_or(Refusal::MemoryAway)
    }

    fn open(&self, organization: OrganizationId, id: &ResponseId, text: String) -> Option<Entry> {
        let opened = self
            .shared
            .keyring
            .open(&Sealed::from_stored(text), &owner(organization, id));
        let secret = match opened {
            Ok(secret) => secret,
            Err(error) => {
                tracing::warn!(%error, organization.id = %organization, "a kept response cannot be opened");
                return None;
            }
        };
        // Not the error itself: it may repeat what the entry holds.
        let entry = serde_json::from_str(secret.expose()).ok();
        if entry.is_none() {
            tracing::warn!(organization.id = %organization, "a kept response is in another release's form");
        }
        entry
    }
}

/// What an entry is sealed for: moved to another place, it does not open.
fn owner(organization: OrganizationId, id: &ResponseId) -> String {
    format!("{organization}/{id}")
}
