//! What the nodes of an installation share: the configuration feed, the usage stream and the fleet's roll call.
//! Each is an enum of two: within one process, or by Redis. Nothing here is the truth; all of it can be made again
//! from the database and the nodes' journals.

mod connection;
mod error;
mod feed;
mod fleet;
mod usage_stream;

pub use connection::Redis;
pub use error::CoordError;
pub use feed::{Feed, FeedState, LocalFeed, Notices, Read, RedisFeed, UnitPage, Wake};
pub use fleet::{Fleet, LocalFleet, NodeReport, RedisFleet};
pub use usage_stream::{LocalUsageStream, Received, RedisUsageStream, Token, UsageStream};
