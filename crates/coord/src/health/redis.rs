//! The board in Redis: a channel, a hash of what stands, and what each node reported.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use gatewright_types::NodeId;
use redis::Script;
use redis::aio::{PubSubSink, PubSubStream};

use super::{Claim, Heard, REPORT_LASTS, Tiding};
use crate::connection::within;
use crate::{CoordError, Redis};

const STANDING: &str = "gw:{health}:1:standing";
const REPORTS: &str = "gw:{health}:1:reports";
const REPORTED: &str = "gw:{health}:1:reported";
const CLAIM: &str = "gw:{health}:1:claim:";
/// What nobody told of for so long does not stand any more: nothing stays open for longer than five minutes.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);

const SUBSCRIBE_TIMEOUT: Duration = Duration::from_secs(2);
const PAUSE_BETWEEN_SUBSCRIPTIONS: Duration = Duration::from_millis(500);

#[derive(Debug, Clone)]
pub struct RedisHealthBoard {
    redis: Redis,
    channel: Arc<str>,
    tell: Arc<Script>,
    claim: Arc<Script>,
    /// Those of the roll call, which is the same for other texts.
    report: Arc<Script>,
    reports: Arc<Script>,
}

/// Subscribes, again whenever the connection was lost.
pub struct RedisTidings {
    redis: Redis,
    channel: Arc<str>,
    connected: Option<(PubSubSink, PubSubStream)>,
}

impl RedisHealthBoard {
    pub fn new(redis: Redis) -> Self {
        Self {
            // Unlike the names of values, channels are shared by all databases of a Redis.
            channel: format!("gw:{{health}}:1:tidings:{}", redis.database()).into(),
            redis,
            tell: Arc::new(Script::new(include_str!("tell.lua"))),
            claim: Arc::new(Script::new(include_str!("claim.lua"))),
            report: Arc::new(Script::new(include_str!("../fleet_report.lua"))),
            reports: Arc::new(Script::new(include_str!("../fleet_nodes.lua"))),
        }
    }

    pub(super) async fn tell(&self, tiding: &Tiding) -> Result<(), CoordError> {
        let mut call = self.tell.prepare_invoke();
        call.key(STANDING)
            .arg(&*self.channel)
            .arg(&tiding.subject)
            .arg(&tiding.text)
            .arg(u8::from(tiding.stands))
            .arg(millis(FORGOTTEN_AFTER));
        self.redis.run::<i64>(&call).await?;
        Ok(())
    }

    pub(super) async fn claim(&self, subject: &str, lasts: Duration) -> Result<Claim, CoordError> {
        let mut call = self.claim.prepare_invoke();
        call.key(format!("{CLAIM}{subject}")).arg(millis(lasts).max(1));
        Ok(match self.redis.run(&call).await? {
            0 => Claim::Made,
            free_in => Claim::Taken {
                free_in: Duration::from_millis(free_in),
            },
        })
    }

    pub(super) async fn standing(&self) -> Result<Vec<String>, CoordError> {
        self.redis.call(redis::cmd("HVALS").arg(STANDING)).await
    }

    pub(super) fn tidings(&self) -> RedisTidings {
        RedisTidings::of(self.redis.clone(), self.channel.clone())
    }

    pub(super) async fn report(&self, node: NodeId, report: &str) -> Result<(), CoordError> {
        let mut call = self.report.prepare_invoke();
        call.key(REPORTS)
            .key(REPORTED)
            .arg(millis(REPORT_LASTS))
            .arg(node.to_string())
            .arg(report);
        self.redis.run(&call).await
    }

    pub(super) async fn reports(&self) -> Result<Vec<String>, CoordError> {
        let mut call = self.reports.prepare_invoke();
        call.key(REPORTS).key(REPORTED).arg(millis(REPORT_LASTS));
        self.redis.run(&call).await
    }
}

impl RedisTidings {
    pub(crate) const fn of(redis: Redis, channel: Arc<str>) -> Self {
        Self {
            redis,
            channel,
            connected: None,
        }
    }

    pub(super) async fn next(&mut self, timeout: Duration) -> Heard {
        match tokio::time::timeout(timeout, self.wait()).await {
            Ok(heard) => heard,
            Err(_) => {
                self.check().await;
                Heard::Nothing
            }
        }
    }

    async fn wait(&mut self) -> Heard {
        loop {
            let Some((_, messages)) = self.connected.as_mut() else {
                match self.subscribe().await {
                    Ok(()) => return Heard::Missed,
                    Err(error) => {
                        tracing::debug!(%error, "other nodes cannot be heard for now");
                        tokio::time::sleep(PAUSE_BETWEEN_SUBSCRIPTIONS).await;
                        continue;
                    }
                }
            };
            match messages.next().await {
                None => self.connected = None,
                Some(message) => match message.get_payload::<String>() {
                    Ok(text) => return Heard::Tiding(text),
                    Err(error) => tracing::debug!(%error, "what another node told cannot be read"),
                },
            }
        }
    }

    async fn subscribe(&mut self) -> Result<(), CoordError> {
        let mut connection = within(SUBSCRIBE_TIMEOUT, self.redis.client().get_async_pubsub()).await?;
        within(SUBSCRIBE_TIMEOUT, connection.subscribe(&*self.channel)).await?;
        self.connected = Some(connection.split());
        Ok(())
    }

    /// A connection that died in silence would never tell anything again.
    async fn check(&mut self) {
        let Some((sink, _)) = self.connected.as_mut() else {
            return;
        };
        if within(SUBSCRIBE_TIMEOUT, sink.ping::<redis::Value>()).await.is_err() {
            self.connected = None;
        }
    }
}

impl fmt::Debug for RedisTidings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisTidings")
            .field("connected", &self.connected.is_some())
            .finish_non_exhaustive()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
