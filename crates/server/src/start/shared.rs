//! What this node shares with others: by Redis in a cluster, within the process otherwise.

use std::time::Duration;

use gatewright_contract::Keyring;
use gatewright_coord::{
    Answers, CoordError, Counters, Feed, Fleet, HealthBoard, KeptResponses, LocalAnswers, LocalCounters, LocalFeed,
    LocalFleet, LocalHealthBoard, LocalResponses, LocalUsageStream, Redis, RedisAnswers, RedisCounters, RedisFeed,
    RedisFleet, RedisHealthBoard, RedisResponses, RedisUsageStream, Shelf, UsageStream,
};

use crate::env::Settings;
use crate::roll_call::SILENCE;
use crate::topology::Topology;

/// A batch that an ingesting node took and did not finish in this time is given to another one.
const CLAIM_AFTER: Duration = Duration::from_secs(10);
/// What the stored responses of one organization may take; the oldest go first.
const RESPONSES_ROOM_BYTES: u64 = 256 << 20;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) feed: Feed,
    pub(super) usage_stream: UsageStream,
    pub(super) fleet: Fleet,
    pub(super) responses: KeptResponses,
    pub(super) answers: Answers,
    pub(super) health: HealthBoard,
    pub(super) counters: Counters,
    /// Absent on a single node.
    pub(super) redis: Option<Redis>,
}

impl Shared {
    /// Connects nothing yet: a Redis that is away is waited for by those who use it.
    pub(super) fn open(settings: &Settings, keyring: &Keyring) -> Result<Self, CoordError> {
        let shelf = Shelf {
            time_to_live: settings.response_time_to_live,
            room_bytes: RESPONSES_ROOM_BYTES,
        };
        match &settings.topology {
            Topology::Solo { .. } => Ok(Self {
                feed: Feed::Local(LocalFeed::new()),
                usage_stream: UsageStream::Local(LocalUsageStream::new(CLAIM_AFTER)),
                fleet: Fleet::Local(LocalFleet::new(SILENCE)),
                responses: KeptResponses::Local(LocalResponses::open(
                    settings.data_directory.join("responses"),
                    shelf,
                )?),
                answers: Answers::Local(LocalAnswers::new(settings.cache_bytes)),
                health: HealthBoard::Local(LocalHealthBoard::new()),
                counters: Counters::Local(LocalCounters::new()),
                redis: None,
            }),
            Topology::Cluster { redis, .. } => {
                let redis = Redis::open(redis.as_str())?;
                Ok(Self {
                    feed: Feed::Redis(RedisFeed::new(redis.clone())),
                    usage_stream: UsageStream::Redis(RedisUsageStream::new(redis.clone(), CLAIM_AFTER)?),
                    fleet: Fleet::Redis(RedisFleet::new(redis.clone(), SILENCE)),
                    responses: KeptResponses::Redis(RedisResponses::new(redis.clone(), shelf)),
                    answers: Answers::Redis(RedisAnswers::new(redis.clone(), keyring.clone(), settings.cache_bytes)),
                    health: HealthBoard::Redis(RedisHealthBoard::new(redis.clone())),
                    counters: Counters::Redis(RedisCounters::new(redis.clone())),
                    redis: Some(redis),
                })
            }
        }
    }
}
