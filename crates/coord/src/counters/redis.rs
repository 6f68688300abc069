//! The counters in Redis. Everything of an organization lies under its identifier, which is also the hash tag.

use std::str::FromStr as _;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use gatewright_contract::Counting;
use gatewright_types::{NodeId, OrganizationId};
use redis::{Script, ScriptInvocation};

use super::tally::{GRACE_MS, HOLDER_FORGOTTEN_AFTER_MS, Keeps, LIVELY_MS, RECALL_MS, SHARES, millis, time};
use super::{CounterAnswer, CounterDemand, CounterStanding, Report, Right, Seed, Take, Taken};
use crate::health::RedisTidings;
use crate::{CoordError, Redis};

/// Organizations that control nodes are to seed.
const AWAITING: &str = "gw:{counters}:1:awaiting_seed";
/// Seeds are written in pieces, so that nobody waits long for one script.
const SEEDS_AT_ONCE: usize = 1000;

#[derive(Debug, Clone)]
pub struct RedisCounters {
    redis: Redis,
    recalls: Arc<str>,
    seeds_asked_for: Arc<str>,
    scripts: Arc<Scripts>,
}

#[derive(Debug)]
struct Scripts {
    take: Script,
    ask_seed: Script,
    seed: Script,
    correct: Script,
    standing: Script,
}

impl RedisCounters {
    pub fn new(redis: Redis) -> Self {
        Self {
            // Unlike the names of values, channels are shared by all databases of a Redis.
            recalls: format!("gw:{{counters}}:1:recalls:{}", redis.database()).into(),
            seeds_asked_for: format!("gw:{{counters}}:1:seeds:{}", redis.database()).into(),
            redis,
            scripts: Arc::new(Scripts {
                take: Script::new(include_str!("take.lua")),
                ask_seed: Script::new(include_str!("ask_seed.lua")),
                seed: Script::new(include_str!("seed.lua")),
                correct: Script::new(include_str!("correct.lua")),
                standing: Script::new(include_str!("standing.lua")),
            }),
        }
    }

    pub(super) async fn now(&self) -> Result<DateTime<Utc>, CoordError> {
        let (seconds, micros): (i64, i64) = self.redis.call(&redis::cmd("TIME")).await?;
        Ok(time(seconds * 1000 + micros / 1000))
    }

    pub(super) fn recalls(&self) -> RedisTidings {
        RedisTidings::of(self.redis.clone(), self.recalls.clone())
    }

    pub(super) fn seeds_asked_for(&self) -> RedisTidings {
        RedisTidings::of(self.redis.clone(), self.seeds_asked_for.clone())
    }

    pub(super) async fn awaiting_seed(&self) -> Result<Vec<OrganizationId>, CoordError> {
        let found: Vec<String> = self.redis.call(redis::cmd("SMEMBERS").arg(AWAITING)).await?;
        Ok(found
            .iter()
            .filter_map(|id| OrganizationId::from_str(id).ok())
            .collect())
    }

    pub(super) async fn take(&self, take: &Take) -> Result<Taken, CoordError> {
        let mut call = self.scripts.take.prepare_invoke();
        call.key(marker(take.organization))
            .arg(take.holder.to_string())
            .arg(take.number)
            .arg(&*self.recalls)
            .arg(take.organization.to_string())
            .arg(LIVELY_MS)
            .arg(HOLDER_FORGOTTEN_AFTER_MS)
            .arg(SHARES)
            .arg(RECALL_MS)
            .arg(GRACE_MS)
            .arg(u8::from(take.needs_seed()));
        for demand in &take.demands {
            add(&mut call, take.organization, demand);
        }
        let answer: Vec<Vec<i64>> = self.redis.run(&call).await?;
        let mut answer = answer.into_iter();
        let Some(head) = answer.next() else {
            let mut ask = self.scripts.ask_seed.prepare_invoke();
            ask.key(AWAITING)
                .arg(&*self.seeds_asked_for)
                .arg(take.organization.to_string());
            self.redis.run::<i64>(&ask).await?;
            return Ok(Taken::Unseeded);
        };
        let [now_ms, granted] = *head else {
            return Err(unreadable());
        };
        Ok(Taken::Answered {
            now: time(now_ms),
            granted: granted == 1,
            answers: answer.map(|numbers| read(&numbers)).collect::<Result<_, _>>()?,
        })
    }

    pub(super) async fn seed(&self, organization: OrganizationId, seeds: &[Seed]) -> Result<bool, CoordError> {
        let mut pieces: Vec<&[Seed]> = seeds.chunks(SEEDS_AT_ONCE).collect();
        if pieces.is_empty() {
            pieces.push(&[]);
        }
        let last = pieces.len() - 1;
        let mut seeded = true;
        for (place, piece) in pieces.into_iter().enumerate() {
            let mut call = self.scripts.seed.prepare_invoke();
            call.key(marker(organization))
                .arg(u8::from(place == last))
                .arg(GRACE_MS);
            for seed in piece {
                call.key(counter(organization, &seed.key))
                    .arg(seed.part)
                    .arg(seed.spent);
                keeps(&mut call, seed.counting);
            }
            seeded = self.redis.run::<i64>(&call).await? == 1;
            if !seeded {
                break;
            }
        }
        let mut done = redis::cmd("SREM");
        done.arg(AWAITING).arg(organization.to_string());
        self.redis.call::<i64>(&done).await?;
        Ok(seeded)
    }

    pub(super) async fn correct(
        &self,
        organization: OrganizationId,
        seed: &Seed,
        right: Right,
    ) -> Result<Option<i64>, CoordError> {
        let mut call = self.scripts.correct.prepare_invoke();
        call.key(marker(organization))
            .key(counter(organization, &seed.key))
            .arg(GRACE_MS)
            .arg(seed.part)
            .arg(seed.spent);
        keeps(&mut call, seed.counting);
        call.arg(u8::from(right == Right::AtLeast));
        self.redis.run(&call).await
    }

    pub(super) async fn standing(
        &self,
        organization: OrganizationId,
        keys: &[Arc<str>],
    ) -> Result<Vec<CounterStanding>, CoordError> {
        let mut call = self.scripts.standing.prepare_invoke();
        for key in keys {
            call.key(counter(organization, key));
        }
        let answer: Vec<Vec<String>> = self.redis.run(&call).await?;
        let mut answer = answer.into_iter();
        let now_ms = answer.next().and_then(|head| head.first()?.parse().ok());
        let now_ms: i64 = now_ms.ok_or_else(unreadable)?;
        Ok(answer.map(|fields| standing(&fields, now_ms)).collect())
    }

    pub(super) async fn forget(&self, organization: OrganizationId, keys: &[Arc<str>]) -> Result<(), CoordError> {
        let mut remove = redis::cmd("DEL");
        for key in keys {
            remove.arg(counter(organization, key));
        }
        self.redis.call::<i64>(&remove).await?;
        Ok(())
    }
}

fn add(call: &mut ScriptInvocation<'_>, organization: OrganizationId, demand: &CounterDemand) {
    let previous = demand.carry.as_ref().map_or(&demand.key, |carry| &carry.previous);
    let (part_ms, parts) = match demand.counting {
        Counting::Period(_) | Counting::Total => (0, 0),
        Counting::Rolling { part, parts } => (part.num_milliseconds(), parts),
    };
    call.key(counter(organization, &demand.key))
        .key(counter(organization, previous))
        .arg(&*demand.key)
        .arg(demand.cap)
        .arg(part_ms)
        .arg(parts);
    keeps(call, demand.counting);
    call.arg(demand.carry.as_ref().map_or(-1, |carry| carry.amount))
        .arg(millis(demand.lasts))
        .arg(demand.held)
        .arg(demand.outstanding)
        .arg(demand.required)
        .arg(demand.wished);
    let (number, parts) = match &demand.report {
        Some(Report { number, parts }) => (*number, parts.as_slice()),
        None => (0, [].as_slice()),
    };
    call.arg(number).arg(parts.len());
    for (part, spent) in parts {
        call.arg(*part).arg(*spent);
    }
}

fn keeps(call: &mut ScriptInvocation<'_>, counting: Counting) {
    let (until_ms, for_ms) = match Keeps::of(counting) {
        Keeps::Until(until_ms) => (until_ms, 0),
        Keeps::For(for_ms) => (0, for_ms),
        Keeps::Ever => (0, 0),
    };
    call.arg(until_ms).arg(for_ms);
}

fn read(numbers: &[i64]) -> Result<CounterAnswer, CoordError> {
    let [lease, spent, leased_to_others, cap, nodes, oldest_part, lacks, recalled] = *numbers else {
        return Err(unreadable());
    };
    Ok(CounterAnswer {
        lease,
        spent,
        leased_to_others,
        cap,
        nodes,
        oldest_part: Some(oldest_part).filter(|part| *part >= 0),
        lacks: lacks == 1,
        recalled: recalled == 1,
    })
}

fn standing(fields: &[String], now_ms: i64) -> CounterStanding {
    let mut standing = CounterStanding::default();
    for (field, value) in fields
        .chunks_exact(2)
        .filter_map(|pair| Some((pair.first()?, pair.get(1)?)))
    {
        if field == "cap" {
            standing.cap = value.parse().ok();
        } else if let Some(part) = field.strip_prefix('s') {
            if let (Ok(part), Ok(spent)) = (part.parse(), value.parse()) {
                standing.parts.insert(part, spent);
            }
        } else if let Some((node, amount)) = field.strip_prefix('h').and_then(|holder| lease(holder, value, now_ms)) {
            *standing.leased.entry(node).or_default() += amount;
        }
    }
    standing
}

/// What a holder has leased at that moment, if anything.
fn lease(holder: &str, value: &str, now_ms: i64) -> Option<(NodeId, i64)> {
    let (node, _) = holder.split_once('.')?;
    let mut words = value.split(' ').map(str::parse::<i64>);
    let (amount, until_ms) = (words.next()?.ok()?, words.next()?.ok()?);
    (amount > 0 && until_ms > now_ms).then_some((NodeId::from_str(node).ok()?, amount))
}

fn marker(organization: OrganizationId) -> String {
    format!("gw:{{counters:{organization}}}:1:seeded")
}

fn counter(organization: OrganizationId, key: &str) -> String {
    format!("gw:{{counters:{organization}}}:1:counter:{key}")
}

fn unreadable() -> CoordError {
    CoordError::Unavailable(
        (
            redis::ErrorKind::UnexpectedReturnType,
            "the counters' script answered something else",
        )
            .into(),
    )
}
