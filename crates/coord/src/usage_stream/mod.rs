//! The usage stream: batches of usage records on their way from the nodes' journals to the database. Delivery is at
//! least once. A batch lives until a consumer says it is done; what is lost all the same (a Redis that comes back
//! empty) is sent again by its node, which keeps every record until its number was acknowledged.

mod local;
mod redis;

use std::sync::Arc;
use std::time::Duration;

use gatewright_contract::Batch;
use gatewright_types::NodeId;

use crate::CoordError;

pub use local::LocalUsageStream;
pub use redis::RedisUsageStream;

/// The stream, within one process or by Redis. Clones are the same stream.
#[derive(Debug, Clone)]
pub enum UsageStream {
    Local(LocalUsageStream),
    Redis(RedisUsageStream),
}

/// A batch, and the token with which to say that it is done.
#[derive(Debug)]
pub struct Received {
    pub batch: Arc<Batch>,
    pub token: Token,
}

/// Stands for one delivery of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token(String);

impl UsageStream {
    /// Fails with `Full` when consumers are far behind: the records stay in the journal until there is room. Gives what
    /// `acked` would give.
    pub async fn send(&self, batch: Batch) -> Result<Option<u64>, CoordError> {
        match self {
            Self::Local(stream) => stream.send(batch).await,
            Self::Redis(stream) => stream.send(&batch).await,
        }
    }

    /// The number up to which a node's records are in the database, as far as the stream remembers.
    pub async fn acked(&self, node: NodeId) -> Result<Option<u64>, CoordError> {
        match self {
            Self::Local(stream) => Ok(stream.acked(node)),
            Self::Redis(stream) => stream.acked(node).await,
        }
    }

    /// The next batch, or one that a consumer took long ago and never finished. `None` when nothing came in time.
    pub async fn next(&self, consumer: &str, timeout: Duration) -> Result<Option<Received>, CoordError> {
        match self {
            Self::Local(stream) => Ok(stream.next(timeout).await),
            Self::Redis(stream) => stream.next(consumer, timeout).await,
        }
    }

    /// The batch is in the database, where the node's records are complete up to `acked` (`None`: not even the first).
    pub async fn done(&self, token: &Token, node: NodeId, acked: Option<u64>) -> Result<(), CoordError> {
        match self {
            Self::Local(stream) => {
                stream.done(token, node, acked);
                Ok(())
            }
            Self::Redis(stream) => stream.done(token, node, acked).await,
        }
    }
}
