//! What models answered before, for requests that ask the same. Entries are opaque here and belong to one organization.
//! They go when their time is over or when others need the room, and nobody depends on one being there.

mod local;
mod redis;

use std::time::Duration;

use bytes::Bytes;
use gatewright_contract::Digest;
use gatewright_types::OrganizationId;

use crate::CoordError;

pub use local::LocalAnswers;
pub use redis::RedisAnswers;

/// The entries, in the memory of one process or in Redis. Clones are the same entries.
#[derive(Debug, Clone)]
pub enum Answers {
    Local(LocalAnswers),
    Redis(RedisAnswers),
}

impl Answers {
    /// The organization's entries, in the order of the keys; `None` for each that is not there or no longer.
    pub async fn find(&self, organization: OrganizationId, keys: &[Digest]) -> Result<Vec<Option<Bytes>>, CoordError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        match self {
            Self::Local(answers) => Ok(answers.find(organization, keys)),
            Self::Redis(answers) => answers.find(organization, keys).await,
        }
    }

    /// Entries of the same keys are replaced. Each is a text.
    pub async fn keep(
        &self,
        organization: OrganizationId,
        entries: Vec<(Digest, Bytes)>,
        time_to_live: Duration,
    ) -> Result<(), CoordError> {
        match self {
            Self::Local(answers) => answers.keep(organization, entries, time_to_live),
            Self::Redis(answers) => answers.keep(organization, &entries, time_to_live).await,
        }
    }
}
