//! The requests themselves, in the order of their time: more by day than by night, most of them complete, some from the
//! cache, some refused, failed, cut or left.

use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_contract::{Budget, Upstream, UsageRecord};
use gatewright_types::api::{CacheStatus, Dialect, LimitScope, LineItem, Outcome};
use gatewright_types::{
    CredentialId, DisplayName, ModelId, Nanos, ProviderId, RequestId, TagName, UnitPrice, UsageUnit,
};
use uuid::Uuid;

use super::population::{Caller, MODELS, Organization, PROVIDERS, Population, RARE_MODEL, RARELY};
use super::random::Random;

const DAY_SECONDS: f64 = 86_400.0;
/// By how much of the mean the busiest hours and the idlest differ from it.
const SWING: f64 = 0.6;
/// One request in so many is a small organization's.
const SMALL: u64 = 20;
const END_USERS: u64 = 2_000;
const VALUES_OF_A_TAG: u64 = 40;
const PRICE_VERSION: &str = "catalogue@2026-08-01";

/// All requests of a time, one after another.
#[derive(Debug)]
pub(crate) struct Requests<'a> {
    population: &'a Population,
    random: Random,
    from: DateTime<Utc>,
    days: u32,
    rows: u64,
    next: u64,
    models: Vec<ModelId>,
    providers: Vec<(ProviderId, CredentialId)>,
    tags: [TagName; 2],
}

/// How a request went.
struct Course {
    outcome: Outcome,
    status: u16,
    code: Option<&'static str>,
    cache: CacheStatus,
}

impl<'a> Requests<'a> {
    pub(crate) fn new(population: &'a Population, from: DateTime<Utc>, days: u32, rows: u64) -> Self {
        Self {
            population,
            random: Random::seeded(rows),
            from,
            days,
            rows,
            next: 0,
            models: MODELS.iter().map(|_| ModelId::mint()).collect(),
            providers: PROVIDERS
                .iter()
                .map(|_| (ProviderId::mint(), CredentialId::mint()))
                .collect(),
            tags: ["feature", "environment"].map(|name| name.parse().expect("a tag's name")),
        }
    }

    /// When the request of a number is made.
    fn time(&self, number: u64) -> DateTime<Utc> {
        let days = number as f64 / self.rows as f64 * f64::from(self.days);
        let (day, part) = (days.floor(), days.fract());
        let seconds = (day + part + SWING / TAU * (part * TAU).sin()) * DAY_SECONDS;
        let since = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        self.from + TimeDelta::from_std(since).unwrap_or_default()
    }

    fn record(&mut self, started_at: DateTime<Utc>) -> Option<UsageRecord> {
        let organization = match self.random.one_in(SMALL) {
            true => self
                .population
                .small
                .get(self.random.index(self.population.small.len() as u64))?,
            false => &self.population.big,
        };
        let caller = organization.any_caller(&mut self.random)?;
        let course = self.course();
        let model_number = match self.random.one_in(RARELY) {
            true => RARE_MODEL,
            false => *caller.models.get(self.random.index(caller.models.len() as u64))?,
        };
        let model = MODELS.get(model_number)?;
        let end_user = (caller.names_users).then(|| self.end_user());
        let asked = !matches!(course.outcome, Outcome::Refused) && course.cache != CacheStatus::Hit;
        let lines = if asked && course.outcome != Outcome::Failed {
            self.lines(model.input, model.output)
        } else {
            Vec::new()
        };
        let spent = cost(&lines);
        let cost = match course.cache {
            CacheStatus::Hit => Some(Nanos::ZERO),
            CacheStatus::Miss | CacheStatus::Off => (!lines.is_empty()).then_some(spent),
        };
        let stream = self.random.below(10) < 6 && model.output > 0;
        let duration_us = match asked {
            true => self.random.around(1_500_000),
            false => self.random.around(900),
        };
        let stands_in = usize::from(self.random.one_in(50));
        let provider = *model.providers.get(stands_in)?;
        let (provider_id, credential) = *self.providers.get(provider)?;
        let unknown = course.code == Some("model_not_found");
        let saved = self.lines(model.input, model.output);
        Some(UsageRecord {
            id: self.request_id(started_at),
            organization: organization.id,
            key: caller.key,
            team: caller.team,
            started_at,
            dialect: if stands_in > 0 {
                Dialect::AnthropicMessages
            } else {
                Dialect::OpenaiChat
            },
            model: Some(if unknown {
                "gpt-9".to_owned()
            } else {
                model.name.to_owned()
            }),
            model_id: self.models.get(model_number).copied().filter(|_| !unknown),
            upstream: asked.then(|| Upstream {
                provider: provider_id,
                name: PROVIDERS[provider].parse().expect("a slug"),
                model: model.upstream.parse().ok(),
                credential: Some(credential),
            }),
            stream,
            outcome: course.outcome,
            status: course.status,
            code: course.code.map(str::to_owned),
            attempts: u32::from(asked) + u32::try_from(stands_in).unwrap_or(0),
            cache: course.cache,
            saved: (course.cache == CacheStatus::Hit).then(|| self::cost(&saved)),
            lines,
            estimated: matches!(course.outcome, Outcome::Cut | Outcome::ClientGone),
            served: None,
            charge: None,
            cost,
            duration_us,
            first_token_us: (stream && asked && course.outcome != Outcome::Failed).then_some(duration_us / 4),
            overhead_us: self.random.around(250),
            trace: None,
            canaries: Vec::new(),
            owner: caller.owner,
            budgets: match course.outcome {
                Outcome::Refused => Vec::new(),
                Outcome::Complete | Outcome::Failed | Outcome::Cut | Outcome::ClientGone => {
                    shares(organization, caller, end_user.as_ref(), started_at)
                }
            },
            end_user,
            tags: if caller.has_tags { self.tags() } else { BTreeMap::new() },
            downgraded_to: None,
            over: None,
        })
    }

    fn course(&mut self) -> Course {
        let course = |outcome, status, code| Course {
            outcome,
            status,
            code,
            cache: CacheStatus::Off,
        };
        match self.random.below(1_000) {
            0..10 => course(Outcome::Failed, 502, Some("upstream_error")),
            10..19 => course(Outcome::Refused, 429, Some("rate_limit_exceeded")),
            19..22 => course(Outcome::Refused, 404, Some("model_not_found")),
            22..25 => course(Outcome::Cut, 200, Some("upstream_broke_off")),
            25..31 => course(Outcome::ClientGone, 200, None),
            kept => Course {
                cache: match kept {
                    31..90 => CacheStatus::Hit,
                    90..230 => CacheStatus::Miss,
                    _ => CacheStatus::Off,
                },
                ..course(Outcome::Complete, 200, None)
            },
        }
    }

    fn lines(&mut self, input: i64, output: i64) -> Vec<LineItem> {
        let line = |unit, quantity, picos| LineItem {
            unit,
            quantity,
            price: Some(UnitPrice::from_picos(picos)),
            price_version: Some(PRICE_VERSION.to_owned()),
        };
        let mut lines = vec![line(UsageUnit::InputUncached, self.random.around(900), input)];
        if self.random.one_in(4) {
            lines.push(line(UsageUnit::InputCacheRead, self.random.around(3_000), input / 10));
        }
        if output > 0 {
            lines.push(line(UsageUnit::OutputText, self.random.around(250), output));
        }
        lines
    }

    /// A version 7 UUID of that time.
    fn request_id(&mut self, time: DateTime<Utc>) -> RequestId {
        let milliseconds = u128::try_from(time.timestamp_millis()).unwrap_or(0);
        let chance = u128::from(self.random.next()) << 64 | u128::from(self.random.next());
        let id = milliseconds << 80 | chance & ((1 << 80) - 1);
        let id = id & !(0xf << 76) | 7 << 76;
        let id = id & !(0b11 << 62) | 0b10 << 62;
        RequestId::from_uuid(Uuid::from_u128(id))
    }

    fn end_user(&mut self) -> DisplayName {
        let most = self.random.below(END_USERS);
        let number = self.random.below(most + 1);
        format!("user-{number:05}").parse().expect("a name")
    }

    fn tags(&mut self) -> BTreeMap<TagName, DisplayName> {
        let [feature, environment] = self.tags.clone();
        let value = format!("feature {}", self.random.below(VALUES_OF_A_TAG));
        let place = if self.random.one_in(5) { "staging" } else { "production" };
        let name = |text: &str| text.parse().expect("a name");
        BTreeMap::from([(feature, name(&value)), (environment, name(place))])
    }
}

impl Iterator for Requests<'_> {
    type Item = UsageRecord;

    fn next(&mut self) -> Option<UsageRecord> {
        if self.next == self.rows {
            return None;
        }
        let time = self.time(self.next);
        self.next += 1;
        self.record(time)
    }
}

/// Where the request's cost counts, as the node that lets it through would say.
fn shares(
    organization: &Organization,
    caller: &Caller,
    end_user: Option<&DisplayName>,
    time: DateTime<Utc>,
) -> Vec<gatewright_contract::BudgetShare> {
    let share = |budget: &Budget, name: Option<&DisplayName>| budget.share(budget.counting(time), time, name.cloned());
    let own = caller
        .budgets
        .iter()
        .filter_map(|place| organization.budgets.get(*place));
    let of_users = organization
        .budgets
        .iter()
        .filter(|budget| matches!(budget.scope, LimitScope::EndUser(_)))
        .filter_map(|budget| end_user.map(|name| share(budget, Some(name))));
    own.map(|budget| share(budget, None)).chain(of_users).collect()
}

fn cost(lines: &[LineItem]) -> Nanos {
    let of_line = |line: &LineItem| line.price.map_or(0, |price| price.times(line.quantity));
    Nanos::from_picos(lines.iter().map(of_line).sum())
}
