//! What is kept of responses so that later requests can refer to them, on whichever node they arrive. Entries are opaque
//! here, belong to one organization, and go when their time is over or when newer ones need the organization's room.

mod local;
mod redis;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use gatewright_types::OrganizationId;
use serde::{Deserialize, Serialize};

use crate::CoordError;

pub use local::LocalResponses;
pub use redis::RedisResponses;

/// Bytes of the longest identifier; providers' own have about 60.
const LONGEST_ID: usize = 128;

/// The entries, on the disk of one process or in Redis. Clones are the same entries.
#[derive(Debug, Clone)]
pub enum KeptResponses {
    Local(LocalResponses),
    Redis(RedisResponses),
}

/// How much is kept, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Shelf {
    pub time_to_live: Duration,
    /// For each organization.
    pub room_bytes: u64,
}

/// A response's identifier, ours or a provider's. It is a file's name and part of a key, hence only ASCII letters, digits,
/// `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResponseId(Box<str>);

/// Why a text is no response's identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a response's identifier has up to 128 ASCII letters, digits, '_' and '-'")]
pub struct NotAResponseId;

impl KeptResponses {
    /// An entry of the same identifier is replaced.
    pub async fn keep(&self, organization: OrganizationId, id: &ResponseId, entry: String) -> Result<(), CoordError> {
        match self {
            Self::Local(responses) => responses.keep(organization, id, entry).await,
            Self::Redis(responses) => responses.keep(organization, id, &entry).await,
        }
    }

    /// The organization's entries, in the order of the identifiers; `None` for each that is not there or no longer.
    pub async fn find(
        &self,
        organization: OrganizationId,
        ids: &[ResponseId],
    ) -> Result<Vec<Option<String>>, CoordError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        match self {
            Self::Local(responses) => responses.find(organization, ids).await,
            Self::Redis(responses) => responses.find(organization, ids).await,
        }
    }

    pub async fn forget(&self, organization: OrganizationId, id: &ResponseId) -> Result<(), CoordError> {
        match self {
            Self::Local(responses) => responses.forget(organization, id).await,
            Self::Redis(responses) => responses.forget(organization, id).await,
        }
    }
}

impl ResponseId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ResponseId {
    type Err = NotAResponseId;

    fn from_str(text: &str) -> Result<Self, NotAResponseId> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        match (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(fits) {
            true => Ok(Self(text.into())),
            false => Err(NotAResponseId),
        }
    }
}

impl TryFrom<String> for ResponseId {
    type Error = NotAResponseId;

    fn try_from(text: String) -> Result<Self, NotAResponseId> {
        text.parse()
    }
}

impl From<ResponseId> for String {
    fn from(id: ResponseId) -> Self {
        id.0.into_string()
    }
}

impl fmt::Display for ResponseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_nothing_but_a_name() {
        for text in ["resp_0198c2", "a", "R-1", &"x".repeat(128)] {
            assert!(text.parse::<ResponseId>().is_ok(), "{text}");
        }
        for text in ["", "..", "a/b", "a:b", "a b", "é", "{a}", &"x".repeat(129)] {
            assert_eq!(text.parse::<ResponseId>(), Err(NotAResponseId), "{text}");
        }
    }
}
