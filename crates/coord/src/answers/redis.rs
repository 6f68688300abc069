//! Answers in Redis, sealed before they leave the process.

use std::time::Duration;

use bytes::Bytes;
use gatewright_contract::{Digest, Keyring, Sealed, Secret};
use gatewright_types::OrganizationId;

use crate::entries::Entries;
use crate::{CoordError, Redis};

#[derive(Debug, Clone)]
pub struct RedisAnswers {
    entries: Entries,
    keyring: Keyring,
}

impl RedisAnswers {
    /// The room is each organization's.
    pub fn new(redis: Redis, keyring: Keyring, room_bytes: u64) -> Self {
        Self {
            entries: Entries::new(redis, "cache", room_bytes),
            keyring,
        }
    }

    pub(super) async fn find(
        &self,
        organization: OrganizationId,
        keys: &[Digest],
    ) -> Result<Vec<Option<Bytes>>, CoordError> {
        let ids = keys.iter().map(ToString::to_string);
        let found = self.entries.find(organization, ids).await?;
        let opened = keys
            .iter()
            .zip(found)
            .map(|(key, text)| self.open(organization, key, text?));
        Ok(opened.collect())
    }

    pub(super) async fn keep(
        &self,
        organization: OrganizationId,
        entries: &[(Digest, Bytes)],
        time_to_live: Duration,
    ) -> Result<(), CoordError> {
        let seal = |(key, text): &(Digest, Bytes)| {
            let secret = Secret::new(std::str::from_utf8(text).ok()?.to_owned());
            Some((key.to_string(), self.keyring.seal(&secret, &owner(organization, key))))
        };
        let sealed: Vec<_> = entries.iter().filter_map(seal).collect();
        let sealed = sealed.iter().map(|(id, sealed)| (id, sealed.as_str()));
        self.entries.keep(organization, sealed, time_to_live).await
    }

    fn open(&self, organization: OrganizationId, key: &Digest, text: String) -> Option<Bytes> {
        match self.keyring.open(&Sealed::from_stored(text), &owner(organization, key)) {
            Ok(secret) => Some(Bytes::copy_from_slice(secret.expose().as_bytes())),
            Err(error) => {
                tracing::warn!(%error, organization.id = %organization, "an answer in the cache cannot be opened");
                None
            }
        }
    }
}

/// What an entry is sealed for: moved to another place, it does not open.
fn owner(organization: OrganizationId, key: &Digest) -> String {
    format!("cache/{organization}/{key}")
}
