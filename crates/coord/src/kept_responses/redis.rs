//! Kept responses in Redis. Everything of an organization lies under its identifier, which is also the hash tag, so that
//! one call reads a whole conversation and no organization can name another's key.

use std::sync::Arc;
use std::time::Duration;

use gatewright_types::OrganizationId;
use redis::Script;

use super::{ResponseId, Shelf};
use crate::{CoordError, Redis};

/// What an entry takes besides itself.
const OVERHEAD_BYTES: u64 = 256;

#[derive(Debug, Clone)]
pub struct RedisResponses {
    redis: Redis,
    shelf: Shelf,
    keep: Arc<Script>,
    forget: Arc<Script>,
}

impl RedisResponses {
    pub fn new(redis: Redis, shelf: Shelf) -> Self {
        Self {
            redis,
            shelf,
            keep: Arc::new(Script::new(include_str!("keep.lua"))),
            forget: Arc::new(Script::new(include_str!("forget.lua"))),
        }
    }

    pub(super) async fn keep(
        &self,
        organization: OrganizationId,
        id: &ResponseId,
        entry: &str,
    ) -> Result<(), CoordError> {
        let mut call = self.keep.prepare_invoke();
        call.key(entry_key(organization, id.as_str()))
            .key(index_key(organization))
            .key(total_key(organization))
            .arg(entry)
            .arg(id.as_str())
            .arg(entry_key(organization, ""))
            .arg(millis(self.shelf.time_to_live))
            .arg(self.shelf.room_bytes)
            .arg(OVERHEAD_BYTES);
        match self.redis.run::<u8>(&call).await? {
            0 => Err(CoordError::TooLarge),
            _ => Ok(()),
        }
    }

    pub(super) async fn find(
        &self,
        organization: OrganizationId,
        ids: &[ResponseId],
    ) -> Result<Vec<Option<String>>, CoordError> {
        let mut read = redis::cmd("MGET");
        for id in ids {
            read.arg(entry_key(organization, id.as_str()));
        }
        self.redis.call(&read).await
    }

    pub(super) async fn forget(&self, organization: OrganizationId, id: &ResponseId) -> Result<(), CoordError> {
        let mut call = self.forget.prepare_invoke();
        call.key(entry_key(organization, id.as_str()))
            .key(index_key(organization))
            .key(total_key(organization))
            .arg(id.as_str())
            .arg(OVERHEAD_BYTES);
        self.redis.run(&call).await
    }
}

fn entry_key(organization: OrganizationId, id: &str) -> String {
    format!("gw:{{responses:{organization}}}:1:entry:{id}")
}

fn index_key(organization: OrganizationId) -> String {
    format!("gw:{{responses:{organization}}}:1:index")
}

fn total_key(organization: OrganizationId) -> String {
    format!("gw:{{responses:{organization}}}:1:total")
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
