//! Answers in Redis, sealed before they leave the process. Everything of an organization lies under its identifier, which
//! is also the hash tag, and within a bound of its own; what has the least time left makes room.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gatewright_contract::{Digest, Keyring, Sealed, Secret};
use gatewright_types::OrganizationId;
use redis::Script;

use crate::{CoordError, Redis};

/// What an entry takes besides itself.
const OVERHEAD_BYTES: u64 = 256;

#[derive(Debug, Clone)]
pub struct RedisAnswers {
    redis: Redis,
    keyring: Keyring,
    /// For each organization.
    room_bytes: u64,
    keep: Arc<Script>,
}

impl RedisAnswers {
    pub fn new(redis: Redis, keyring: Keyring, room_bytes: u64) -> Self {
        Self {
            redis,
            keyring,
            room_bytes,
            keep: Arc::new(Script::new(include_str!("keep.lua"))),
        }
    }

    pub(super) async fn find(
        &self,
        organization: OrganizationId,
        keys: &[Digest],
    ) -> Result<Vec<Option<Bytes>>, CoordError> {
        let mut read = redis::cmd("MGET");
        for key in keys {
            read.arg(entry_key(organization, &key.to_string()));
        }
        let found: Vec<Option<String>> = self.redis.call(&read).await?;
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
        let mut call = self.keep.prepare_invoke();
        call.key(format!("{}index", prefix(organization)))
            .key(format!("{}total", prefix(organization)))
            .arg(entry_key(organization, ""))
            .arg(u64::try_from(time_to_live.as_millis()).unwrap_or(u64::MAX))
            .arg(self.room_bytes)
            .arg(OVERHEAD_BYTES);
        for (key, text) in entries {
            let Ok(text) = std::str::from_utf8(text) else { continue };
            let sealed = self
                .keyring
                .seal(&Secret::new(text.to_owned()), &owner(organization, key));
            call.key(entry_key(organization, &key.to_string()))
                .arg(key.to_string())
                .arg(sealed.as_str());
        }
        match self.redis.run::<u64>(&call).await? {
            0 => Ok(()),
            _ => Err(CoordError::TooLarge),
        }
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

fn prefix(organization: OrganizationId) -> String {
    format!("gw:{{cache:{organization}}}:1:")
}

fn entry_key(organization: OrganizationId, key: &str) -> String {
    format!("{}entry:{key}", prefix(organization))
}
