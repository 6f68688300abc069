//! Entries in Redis, within a bound for each organization. Everything of an organization lies under its identifier, which
//! is also the hash tag, so that one call reads several entries and no organization can name another's key. What has
//! expired makes room first, then what has the least time left.

use std::sync::Arc;
use std::time::Duration;

use gatewright_types::OrganizationId;
use redis::Script;

use crate::{CoordError, Redis};

/// What an entry takes besides itself.
const OVERHEAD_BYTES: u64 = 256;

/// Clones are the same entries.
#[derive(Debug, Clone)]
pub(crate) struct Entries {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    redis: Redis,
    /// What is kept: part of every name.
    kind: &'static str,
    /// For each organization.
    room_bytes: u64,
    keep: Script,
    forget: Script,
}

impl Entries {
    pub(crate) fn new(redis: Redis, kind: &'static str, room_bytes: u64) -> Self {
        let shared = Shared {
            redis,
            kind,
            room_bytes,
            keep: Script::new(include_str!("entries_keep.lua")),
            forget: Script::new(include_str!("entries_forget.lua")),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// In the order of the identifiers; `None` for each that is not there or no longer.
    pub(crate) async fn find<I: AsRef<str>>(
        &self,
        organization: OrganizationId,
        ids: impl IntoIterator<Item = I>,
    ) -> Result<Vec<Option<String>>, CoordError> {
        let mut read = redis::cmd("MGET");
        for id in ids {
            read.arg(self.name(organization, "entry:") + id.as_ref());
        }
        self.shared.redis.call(&read).await
    }

    /// Entries of the same identifiers are replaced. One that is too large is not kept, nor is what it was to replace.
    pub(crate) async fn keep<I: AsRef<str>>(
        &self,
        organization: OrganizationId,
        entries: impl IntoIterator<Item = (I, &str)>,
        time_to_live: Duration,
    ) -> Result<(), CoordError> {
        let prefix = self.name(organization, "entry:");
        let mut call = self.shared.keep.prepare_invoke();
        call.key(self.name(organization, "index"))
            .key(self.name(organization, "total"))
            .arg(&prefix)
            .arg(u64::try_from(time_to_live.as_millis()).unwrap_or(u64::MAX))
            .arg(self.shared.room_bytes)
            .arg(OVERHEAD_BYTES);
        for (id, text) in entries {
            let id = id.as_ref();
            call.key(format!("{prefix}{id}")).arg(id).arg(text);
        }
        match self.shared.redis.run::<u64>(&call).await? {
            0 => Ok(()),
            _ => Err(CoordError::TooLarge),
        }
    }

    pub(crate) async fn forget(&self, organization: OrganizationId, id: &str) -> Result<(), CoordError> {
        let mut call = self.shared.forget.prepare_invoke();
        call.key(self.name(organization, "entry:") + id)
            .key(self.name(organization, "index"))
            .key(self.name(organization, "total"))
            .arg(id)
            .arg(OVERHEAD_BYTES);
        self.shared.redis.run(&call).await
    }

    fn name(&self, organization: OrganizationId, what: &str) -> String {
        format!("gw:{{{}:{organization}}}:1:{what}", self.shared.kind)
    }
}
