//! The board in Redis: a channel, a hash of what stands, and what each node reported.

use std::sync::Arc;
use std::time::Duration;

use gatewright_types::NodeId;
use redis::Script;
use tokio::time::Instant;

use super::{Claim, Heard, REPORT_LASTS, Tiding};
use crate::subscription::{Event, Subscription};
use crate::{CoordError, Redis};

const STANDING: &str = "gw:{health}:1:standing";
const REPORTS: &str = "gw:{health}:1:reports";
const REPORTED: &str = "gw:{health}:1:reported";
const CLAIM: &str = "gw:{health}:1:claim:";
/// What nobody told of for so long does not stand any more: nothing stays open for longer than five minutes.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);

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

#[derive(Debug)]
pub struct RedisTidings {
    subscription: Subscription,
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
            subscription: Subscription::new(redis, channel),
        }
    }

    pub(super) async fn next(&mut self, timeout: Duration) -> Heard {
        let deadline = Instant::now() + timeout;
        loop {
            match self.subscription.next(deadline).await {
                Event::Subscribed => return Heard::Missed,
                Event::Lost => {}
                Event::Silence => return Heard::Nothing,
                Event::Message(message) => match message.get_payload::<String>() {
                    Ok(text) => return Heard::Tiding(text),
                    Err(error) => tracing::debug!(%error, "what another node told cannot be read"),
                },
            }
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
