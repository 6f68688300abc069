//! The usage stream as a Redis stream with one consumer group. Group and stream are made when found missing, so that
//! an emptied Redis needs nobody's help.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gatewright_contract::Batch;
use gatewright_types::NodeId;
use redis::streams::{StreamAutoClaimReply, StreamId, StreamReadReply};
use redis::{Cmd, FromRedisValue, Script};
use tokio::time::Instant;

use super::{Received, Token};
use crate::{CoordError, Redis};

const STREAM: &str = "gw:{usage}:1:batches";
const ACKED: &str = "gw:{usage}:1:acked";
const GROUP: &str = "ingest";
const FIELD: &str = "batch";
/// How many batches may wait in Redis; further ones wait in the journals.
const ROOM: usize = 10_000;
/// Far below what any call to Redis may take.
const LONGEST_BLOCK: Duration = Duration::from_secs(2);
/// Abandoned batches are looked for so often within the time after which they are.
const CLAIMS: u32 = 4;

#[derive(Debug, Clone)]
pub struct RedisUsageStream {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    redis: Redis,
    /// For reads that wait: they hold up everything behind them on their connection.
    reader: Redis,
    claim_after: Duration,
    next_claim: Mutex<Instant>,
    send: Script,
    done: Script,
}

impl RedisUsageStream {
    /// A batch that was taken and is not done within `claim_after` is delivered again.
    pub fn new(redis: Redis, claim_after: Duration) -> Result<Self, CoordError> {
        let reader = redis.separate()?;
        let send = Script::new(include_str!("send.lua"));
        let done = Script::new(include_str!("done.lua"));
        Ok(Self {
            shared: Arc::new(Shared {
                redis,
                reader,
                claim_after,
                next_claim: Mutex::new(Instant::now()),
                send,
                done,
            }),
        })
    }

    pub(super) async fn send(&self, batch: &Batch) -> Result<Option<u64>, CoordError> {
        let json = serde_json::to_string(batch).map_err(|source| CoordError::Malformed {
            what: "a usage batch",
            source,
        })?;
        let mut call = self.shared.send.prepare_invoke();
        call.key(STREAM)
            .key(ACKED)
            .arg(ROOM)
            .arg(batch.node.to_string())
            .arg(json);
        match self.shared.redis.run::<(u8, Option<u64>)>(&call).await? {
            (0, _) => Err(CoordError::Full),
            (_, acked) => Ok(acked),
        }
    }

    pub(super) async fn acked(&self, node: NodeId) -> Result<Option<u64>, CoordError> {
        self.shared
            .redis
            .call(redis::cmd("HGET").arg(ACKED).arg(node.to_string()))
            .await
    }

    pub(super) async fn next(&self, consumer: &str, timeout: Duration) -> Result<Option<Received>, CoordError> {
        if let Some(entry) = self.abandoned(consumer).await? {
            return self.received(entry).await.map(Some);
        }
        let mut read = redis::cmd("XREADGROUP");
        read.arg("GROUP").arg(GROUP).arg(consumer).arg("COUNT").arg(1);
        // A block of nothing would wait for ever.
        read.arg("BLOCK")
            .arg(millis(timeout.min(LONGEST_BLOCK)).max(1))
            .arg("STREAMS")
            .arg(STREAM)
            .arg(">");
        let reply: Option<StreamReadReply> = self.of_group(&self.shared.reader, &read).await?;
        match reply
            .into_iter()
            .flat_map(|reply| reply.keys)
            .flat_map(|key| key.ids)
            .next()
        {
            Some(entry) => self.received(entry).await.map(Some),
            None => Ok(None),
        }
    }

    /// A batch that a consumer took long ago. It is not looked for each time that somebody wants one.
    async fn abandoned(&self, consumer: &str) -> Result<Option<StreamId>, CoordError> {
        let now = Instant::now();
        let next = |at| *self.shared.next_claim.lock().unwrap_or_else(PoisonError::into_inner) = at;
        if now < *self.shared.next_claim.lock().unwrap_or_else(PoisonError::into_inner) {
            return Ok(None);
        }
        let mut claim = redis::cmd("XAUTOCLAIM");
        claim
            .arg(STREAM)
            .arg(GROUP)
            .arg(consumer)
            .arg(millis(self.shared.claim_after))
            .arg("0-0")
            .arg("COUNT")
            .arg(1);
        let claimed: StreamAutoClaimReply = self.of_group(&self.shared.redis, &claim).await?;
        let found = claimed.claimed.into_iter().next();
        // Where there was one there may be others.
        if found.is_none() {
            next(now + self.shared.claim_after / CLAIMS);
        }
        Ok(found)
    }

    pub(super) async fn done(&self, token: &Token, node: NodeId, acked: Option<u64>) -> Result<(), CoordError> {
        let number = acked.map(|number| number.to_string()).unwrap_or_default();
        let mut call = self.shared.done.prepare_invoke();
        call.key(STREAM)
            .key(ACKED)
            .arg(GROUP)
            .arg(&token.0)
            .arg(node.to_string())
            .arg(number);
        self.shared.redis.run(&call).await
    }

    /// Runs a command that needs the consumer group, which is made when it is not there.
    async fn of_group<T: FromRedisValue>(&self, redis: &Redis, command: &Cmd) -> Result<T, CoordError> {
        match redis.call(command).await {
            // The latter is told to who waits for a stream while redis is emptied.
            Err(CoordError::Unavailable(error)) if matches!(error.code(), Some("NOGROUP" | "UNBLOCKED")) => {
                self.make_group().await?;
                redis.call(command).await
            }
            answer => answer,
        }
    }

    async fn make_group(&self) -> Result<(), CoordError> {
        let mut create = redis::cmd("XGROUP");
        create.arg("CREATE").arg(STREAM).arg(GROUP).arg("0").arg("MKSTREAM");
        match self.shared.redis.call(&create).await {
            // Another consumer was faster.
            Err(CoordError::Unavailable(error)) if error.code() == Some("BUSYGROUP") => Ok(()),
            answer => answer,
        }
    }

    /// Reads an entry. One that cannot be read is removed, or it would come back for ever; its node sends the records
    /// again, since nobody acknowledges them.
    async fn received(&self, entry: StreamId) -> Result<Received, CoordError> {
        let json = entry.get::<String>(FIELD).unwrap_or_default();
        match serde_json::from_str(&json) {
            Ok(batch) => Ok(Received {
                batch,
                token: Token(entry.id),
            }),
            Err(source) => {
                let mut call = self.shared.done.prepare_invoke();
                call.key(STREAM).key(ACKED).arg(GROUP).arg(&entry.id).arg("").arg("");
                let () = self.shared.redis.run(&call).await?;
                Err(CoordError::Malformed {
                    what: "a usage batch",
                    source,
                })
            }
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
