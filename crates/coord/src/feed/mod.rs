//! The configuration feed: what the control plane publishes and every proxy node follows. Units come in the order of
//! their revisions; a notice says only "look", and correctness never depends on one.
//!
//! An epoch is one filling of the feed from the beginning; its name is never used again.

mod local;
mod redis;

use std::time::Duration;

use gatewright_contract::{Digest, Revision, Unit};

use crate::CoordError;

pub use local::LocalFeed;
pub use redis::RedisFeed;

/// The feed, within one process or by Redis. Clones are the same feed.
#[derive(Debug, Clone)]
pub enum Feed {
    Local(LocalFeed),
    Redis(RedisFeed),
}

/// How far the feed is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedState {
    /// The database it is filled from, by the name the publisher gave.
    pub source: String,
    pub epoch: String,
    /// Everything up to here is in the feed.
    pub revision: Revision,
    /// What the database was at when the epoch began: before the feed has reached it, it is a fragment.
    pub complete_at: Revision,
}

/// What there was to read.
#[derive(Debug, Clone, PartialEq)]
pub enum Read {
    Page(UnitPage),
    /// The epoch asked for is over: look at the state and begin anew.
    OtherEpoch,
}

/// Units after the revision asked for, by revision. Units that share a revision are never torn apart.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitPage {
    pub units: Vec<Unit>,
    /// Read on after this one.
    pub up_to: Revision,
    pub more: bool,
}

/// A follower's ear on the feed.
#[derive(Debug)]
pub enum Notices {
    Local(local::LocalNotices),
    Redis(redis::RedisNotices),
}

/// Why a follower should look at the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Something was written.
    Notice,
    /// Notices may have been missed before, and are heard from here on.
    Subscribed,
    /// Notices are not heard any more until `Subscribed`.
    Lost,
    Timer,
}

impl FeedState {
    pub fn is_complete(&self) -> bool {
        self.revision >= self.complete_at
    }
}

impl Feed {
    /// `None`: nobody has filled the feed, or it was flushed.
    pub async fn state(&self) -> Result<Option<FeedState>, CoordError> {
        match self {
            Self::Local(feed) => Ok(feed.state()),
            Self::Redis(feed) => feed.state().await,
        }
    }

    /// Adds units, after which everything up to `up_to` is in the feed. A unit older than what the feed has is passed
    /// over, so publishers may overlap.
    pub async fn write(&self, epoch: &str, units: &[Unit], up_to: Revision) -> Result<(), CoordError> {
        match self {
            Self::Local(feed) => feed.write(epoch, units, up_to).await,
            Self::Redis(feed) => feed.write(epoch, units, up_to).await,
        }
    }

    /// Empties the feed and begins an epoch, complete once it has reached `complete_at`.
    pub async fn reset(&self, source: &str, complete_at: Revision) -> Result<FeedState, CoordError> {
        match self {
            Self::Local(feed) => Ok(feed.reset(source, complete_at)),
            Self::Redis(feed) => feed.reset(source, complete_at).await,
        }
    }

    /// At least `limit` units after a revision, where there are as many.
    pub async fn read_since(&self, epoch: &str, after: Revision, limit: usize) -> Result<Read, CoordError> {
        match self {
            Self::Local(feed) => Ok(feed.read_since(epoch, after, limit)),
            Self::Redis(feed) => feed.read_since(epoch, after, limit).await,
        }
    }

    /// The unit of one key, for a node that does not know it yet. Fails when the feed cannot tell.
    pub async fn key(&self, digest: &Digest) -> Result<Option<Unit>, CoordError> {
        match self {
            Self::Local(feed) => feed.key(digest),
            Self::Redis(feed) => feed.key(digest).await,
        }
    }

    pub fn notices(&self) -> Notices {
        match self {
            Self::Local(feed) => Notices::Local(feed.notices()),
            Self::Redis(feed) => Notices::Redis(feed.notices()),
        }
    }
}

impl Notices {
    /// Waits until there may be something to read, at most for `timeout`. Many notices may come as one.
    pub async fn next(&mut self, timeout: Duration) -> Wake {
        match self {
            Self::Local(notices) => notices.next(timeout).await,
            Self::Redis(notices) => notices.next(timeout).await,
        }
    }
}
