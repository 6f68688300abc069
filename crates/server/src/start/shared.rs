//! What this node shares with others: by Redis in a cluster, within the process otherwise.

use std::time::Duration;

use gatewright_coord::{
    CoordError, Feed, Fleet, LocalFeed, LocalFleet, LocalUsageStream, Redis, RedisFeed, RedisFleet, RedisUsageStream,
    UsageStream,
};

use crate::roll_call::SILENCE;
use crate::topology::Topology;

/// A batch that an ingesting node took and did not finish in this time is given to another one.
const CLAIM_AFTER: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) feed: Feed,
    pub(super) usage_stream: UsageStream,
    pub(super) fleet: Fleet,
    /// Absent on a single node.
    pub(super) redis: Option<Redis>,
}

impl Shared {
    /// Connects nothing yet: a Redis that is away is waited for by those who use it.
    pub(super) fn open(topology: &Topology) -> Result<Self, CoordError> {
        match topology {
            Topology::Solo { .. } => Ok(Self {
                feed: Feed::Local(LocalFeed::new()),
                usage_stream: UsageStream::Local(LocalUsageStream::new(CLAIM_AFTER)),
                fleet: Fleet::Local(LocalFleet::new(SILENCE)),
                redis: None,
            }),
            Topology::Cluster { redis, .. } => {
                let redis = Redis::open(redis.as_str())?;
                Ok(Self {
                    feed: Feed::Redis(RedisFeed::new(redis.clone())),
                    usage_stream: UsageStream::Redis(RedisUsageStream::new(redis.clone(), CLAIM_AFTER)?),
                    fleet: Fleet::Redis(RedisFleet::new(redis.clone(), SILENCE)),
                    redis: Some(redis),
                })
            }
        }
    }
}
