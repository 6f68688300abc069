//! The feed in Redis: per epoch one hash an organization (unit → JSON), an index by revision and a hash from key digest
//! to organization. All names share one hash slot; each access is one script, so a reader sees whole writes only.

use std::sync::Arc;
use std::time::Duration;

use gatewright_contract::{Digest, Revision, Unit, UnitId};
use redis::Script;
use tokio::time::Instant;

use super::{FeedState, Read, UnitPage, Wake};
use crate::subscription::{Event, Subscription};
use crate::{CoordError, Redis};

const STATE: &str = "gw:{feed}:1:state";
const EPOCHS: &str = "gw:{feed}:1:epoch:";

/// Units of one script call: Redis does nothing else meanwhile.
const WRITTEN_AT_ONCE: usize = 500;

#[derive(Debug, Clone)]
pub struct RedisFeed {
    redis: Redis,
    channel: Arc<str>,
    scripts: Arc<Scripts>,
}

#[derive(Debug)]
struct Scripts {
    state: Script,
    write: Script,
    read: Script,
    key: Script,
    reset: Script,
}

#[derive(Debug)]
pub struct RedisNotices {
    subscription: Subscription,
}

impl RedisFeed {
    pub fn new(redis: Redis) -> Self {
        let scripts = Scripts {
            state: Script::new(include_str!("state.lua")),
            write: Script::new(include_str!("write.lua")),
            read: Script::new(include_str!("read.lua")),
            key: Script::new(include_str!("key.lua")),
            reset: Script::new(include_str!("reset.lua")),
        };
        // Unlike the names of values, channels are shared by all databases of a Redis.
        let channel = format!("gw:{{feed}}:1:notices:{}", redis.database()).into();
        Self {
            redis,
            channel,
            scripts: Arc::new(scripts),
        }
    }

    pub(super) async fn state(&self) -> Result<Option<FeedState>, CoordError> {
        let found: Option<(String, String, u64, u64)> =
            self.redis.run(self.scripts.state.prepare_invoke().key(STATE)).await?;
        Ok(found.map(|(source, epoch, revision, complete_at)| FeedState {
            source,
            epoch,
            revision: Revision(revision),
            complete_at: Revision(complete_at),
        }))
    }

    pub(super) async fn write(&self, epoch: &str, units: &[Unit], up_to: Revision) -> Result<(), CoordError> {
        let (last, before) = match units.chunks(WRITTEN_AT_ONCE).collect::<Vec<_>>().split_last() {
            Some((last, before)) => (*last, before.to_vec()),
            None => (&[][..], Vec::new()),
        };
        for chunk in before {
            self.write_chunk(epoch, chunk, "").await?;
        }
        self.write_chunk(epoch, last, &up_to.to_string()).await
    }

    async fn write_chunk(&self, epoch: &str, units: &[Unit], up_to: &str) -> Result<(), CoordError> {
        let mut call = self.scripts.write.prepare_invoke();
        call.key(STATE).key(index(epoch)).key(format!("{EPOCHS}{epoch}:keys"));
        call.arg(epoch).arg(&*self.channel).arg(up_to);
        for unit in units {
            let json = serde_json::to_string(unit).map_err(|source| CoordError::Malformed {
                what: "a unit to be published",
                source,
            })?;
            let digest = match unit.id {
                UnitId::Key(digest) => digest.to_string(),
                UnitId::Organization
                | UnitId::Team(_)
                | UnitId::Provider(_)
                | UnitId::Model(_)
                | UnitId::Price(_)
                | UnitId::Overlay(_)
                | UnitId::CachePurges
                | UnitId::Budget(_)
                | UnitId::Limit(_)
                | UnitId::Catalog(_) => String::new(),
            };
            let organization = unit.organization.to_string();
            call.key(format!("{}{organization}", organizations(epoch)));
            call.arg(organization)
                .arg(unit.id.to_string())
                .arg(unit.revision.0)
                .arg(json);
            call.arg(digest).arg(u8::from(unit.body.is_some()));
        }
        match self.redis.run::<u8>(&call).await? {
            0 => Err(CoordError::OtherEpoch),
            _ => Ok(()),
        }
    }

    pub(super) async fn reset(&self, source: &str, complete_at: Revision) -> Result<FeedState, CoordError> {
        let mut call = self.scripts.reset.prepare_invoke();
        call.key(STATE).arg(source).arg(complete_at.0).arg(&*self.channel);
        let (before, epoch): (String, String) = self.redis.run(&call).await?;
        if !before.is_empty()
            && let Err(error) = self.remove(&before).await
        {
            tracing::warn!(%error, epoch = before, "the units of an epoch that is over stay behind in redis");
        }
        Ok(FeedState {
            source: source.to_owned(),
            epoch,
            revision: Revision::default(),
            complete_at,
        })
    }

    /// Removes what an epoch left behind.
    async fn remove(&self, epoch: &str) -> Result<(), CoordError> {
        let pattern = format!("{EPOCHS}{epoch}:*");
        let mut cursor = "0".to_owned();
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(&cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(1_000);
            let (next, names): (String, Vec<String>) = self.redis.call(&scan).await?;
            if !names.is_empty() {
                let () = self.redis.call(redis::cmd("UNLINK").arg(&names)).await?;
            }
            if next == "0" {
                return Ok(());
            }
            cursor = next;
        }
    }

    pub(super) async fn read_since(&self, epoch: &str, after: Revision, limit: usize) -> Result<Read, CoordError> {
        let mut call = self.scripts.read.prepare_invoke();
        call.key(STATE).key(index(epoch));
        call.arg(epoch).arg(after.0).arg(limit.max(1)).arg(organizations(epoch));
        let Some(answer) = self.redis.run::<Option<Vec<String>>>(&call).await? else {
            return Ok(Read::OtherEpoch);
        };
        let mut answer = answer.into_iter();
        let up_to = answer.next().and_then(|text| text.parse().ok()).map_or(after, Revision);
        let more = answer.next().is_some_and(|text| text == "1");
        Ok(Read::Page(UnitPage {
            units: answer.filter_map(|json| known_unit(&json)).collect(),
            up_to,
            more,
        }))
    }

    pub(super) async fn key(&self, digest: &Digest) -> Result<Option<Unit>, CoordError> {
        let mut call = self.scripts.key.prepare_invoke();
        call.key(STATE)
            .arg(EPOCHS)
            .arg(digest.to_string())
            .arg(UnitId::Key(*digest).to_string());
        match self.redis.run::<Option<String>>(&call).await? {
            None => Err(CoordError::NotFilled),
            Some(json) if json.is_empty() => Ok(None),
            Some(json) => serde_json::from_str::<Unit>(&json)
                .map(|unit| Some(unit).filter(|unit| unit.body.is_some()))
                .map_err(|source| CoordError::Malformed {
                    what: "a published key",
                    source,
                }),
        }
    }

    pub(super) fn notices(&self) -> RedisNotices {
        RedisNotices {
            subscription: Subscription::new(self.redis.clone(), self.channel.clone()),
        }
    }
}

fn index(epoch: &str) -> String {
    format!("{EPOCHS}{epoch}:index")
}

fn organizations(epoch: &str) -> String {
    format!("{EPOCHS}{epoch}:organization:")
}

/// Reads a unit. One of a kind that only a later release knows is passed over.
fn known_unit(json: &str) -> Option<Unit> {
    match serde_json::from_str(json) {
        Ok(unit) => Some(unit),
        Err(error) => {
            tracing::warn!(%error, "a published unit cannot be read by this release and is passed over");
            None
        }
    }
}

impl RedisNotices {
    pub(super) async fn next(&mut self, timeout: Duration) -> Wake {
        match self.subscription.next(Instant::now() + timeout).await {
            Event::Subscribed => Wake::Subscribed,
            Event::Lost => Wake::Lost,
            Event::Silence => Wake::Timer,
            Event::Message(_) => {
                self.subscription.skip();
                Wake::Notice
            }
        }
    }
}
