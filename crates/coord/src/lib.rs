//! What the nodes of an installation share: the configuration feed, the usage stream, what was spent of budgets and
//! limits, the fleet's roll call, how providers do, answers that are kept, and the responses that callers may refer to.
//! Each is an enum of two: within one process, or by Redis. Nothing here is the truth of an installation: but for the
//! responses, all of it can be made again.

mod answers;
mod connection;
mod counters;
mod entries;
mod error;
mod eviction;
mod feed;
mod fleet;
mod health;
mod kept_responses;
mod subscription;
mod usage_stream;

pub use answers::{Answers, LocalAnswers, RedisAnswers};
pub use connection::Redis;
pub use counters::{
    Carry, CounterAnswer, CounterDemand, CounterStanding, Counters, Holder, LocalCounters, Recall, RedisCounters,
    Report, Right, Seed, Take, Taken,
};
pub use error::CoordError;
pub use eviction::Eviction;
pub use feed::{Feed, FeedState, LocalFeed, Notices, Read, RedisFeed, UnitPage, Wake};
pub use fleet::{Fleet, LocalFleet, NodeReport, RedisFleet};
pub use health::{Claim, HealthBoard, Heard, LocalHealthBoard, RedisHealthBoard, Tiding, Tidings};
pub use kept_responses::{KeptResponses, LocalResponses, NotAResponseId, RedisResponses, ResponseId, Shelf};
pub use usage_stream::{LocalUsageStream, Received, RedisUsageStream, Token, UsageStream};
