//! What nodes tell each other of how providers do: that something opened or closed, at once, and what each node sees, now
//! and then. Opaque here. Nothing waits for it: a node that hears nothing finds out by its own calls.

mod local;
mod redis;

use std::time::Duration;

use gatewright_types::NodeId;

use crate::CoordError;

pub use local::LocalHealthBoard;
pub(crate) use local::LocalTidings;
pub use redis::RedisHealthBoard;
pub(crate) use redis::RedisTidings;

/// A report of a node that was not made again for so long does not count any more.
const REPORT_LASTS: Duration = Duration::from_secs(20);

/// The board, within one process or by Redis. Clones are the same board.
#[derive(Debug, Clone)]
pub enum HealthBoard {
    Local(LocalHealthBoard),
    Redis(RedisHealthBoard),
}

/// What is told of one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tiding {
    pub subject: String,
    pub text: String,
    /// Nodes that begin to listen later hear of it, too, until the subject is told of again.
    pub stands: bool,
}

/// A node's ear on the board.
#[derive(Debug)]
pub enum Tidings {
    Local(LocalTidings),
    Redis(RedisTidings),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Tiding(String),
    /// Something may have been missed: look at what stands.
    Missed,
    Nothing,
}

/// Whether something that one node does for all is this one's to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    Made,
    /// Another node has it, for so long yet.
    Taken {
        free_in: Duration,
    },
}

impl HealthBoard {
    /// Claims a subject for a while. It is not given back before.
    pub async fn claim(&self, subject: &str, lasts: Duration) -> Result<Claim, CoordError> {
        match self {
            Self::Local(board) => Ok(board.claim(subject, lasts)),
            Self::Redis(board) => board.claim(subject, lasts).await,
        }
    }

    pub async fn tell(&self, tiding: &Tiding) -> Result<(), CoordError> {
        match self {
            Self::Local(board) => {
                board.tell(tiding);
                Ok(())
            }
            Self::Redis(board) => board.tell(tiding).await,
        }
    }

    /// What was told last of every subject, where that stands.
    pub async fn standing(&self) -> Result<Vec<String>, CoordError> {
        match self {
            Self::Local(board) => Ok(board.standing()),
            Self::Redis(board) => board.standing().await,
        }
    }

    pub fn tidings(&self) -> Tidings {
        match self {
            Self::Local(board) => Tidings::Local(board.tidings()),
            Self::Redis(board) => Tidings::Redis(board.tidings()),
        }
    }

    /// What a node sees, in place of what it reported before.
    pub async fn report(&self, node: NodeId, report: String) -> Result<(), CoordError> {
        match self {
            Self::Local(board) => {
                board.report(node, report);
                Ok(())
            }
            Self::Redis(board) => board.report(node, &report).await,
        }
    }

    /// What the nodes see that reported lately.
    pub async fn reports(&self) -> Result<Vec<String>, CoordError> {
        match self {
            Self::Local(board) => Ok(board.reports()),
            Self::Redis(board) => board.reports().await,
        }
    }
}

impl Tidings {
    /// Waits for the next one, at most for `timeout`.
    pub async fn next(&mut self, timeout: Duration) -> Heard {
        match self {
            Self::Local(tidings) => tidings.next(timeout).await,
            Self::Redis(tidings) => tidings.next(timeout).await,
        }
    }
}
