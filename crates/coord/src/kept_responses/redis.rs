//! Kept responses in Redis.

use gatewright_types::OrganizationId;

use super::{ResponseId, Shelf};
use crate::entries::Entries;
use crate::{CoordError, Redis};

#[derive(Debug, Clone)]
pub struct RedisResponses {
    entries: Entries,
    shelf: Shelf,
}

impl RedisResponses {
    pub fn new(redis: Redis, shelf: Shelf) -> Self {
        Self {
            entries: Entries::new(redis, "responses", shelf.room_bytes),
            shelf,
        }
    }

    pub(super) async fn keep(
        &self,
        organization: OrganizationId,
        id: &ResponseId,
        entry: &str,
    ) -> Result<(), CoordError> {
        let entry = [(id.as_str(), entry)];
        self.entries.keep(organization, entry, self.shelf.time_to_live).await
    }

    pub(super) async fn find(
        &self,
        organization: OrganizationId,
        ids: &[ResponseId],
    ) -> Result<Vec<Option<String>>, CoordError> {
        self.entries
            .find(organization, ids.iter().map(ResponseId::as_str))
            .await
    }

    pub(super) async fn forget(&self, organization: OrganizationId, id: &ResponseId) -> Result<(), CoordError> {
        self.entries.forget(organization, id.as_str()).await
    }
}
