//! How budgets and limits are counted.

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_types::api::BudgetAction;
use gatewright_types::{DisplayName, Nanos};

use crate::{Budget, BudgetShare, Counting, Period, RateLimit};

/// A limit's time moves on by parts, of which so many make its length: it is less than a hundredth longer than it says.
const PARTS: i32 = 120;

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    RequestsPerMinute,
    RequestsPerHour,
    RequestsPerDay,
    TokensPerMinute,
    TokensPerHour,
    TokensPerDay,
    /// Requests under way.
    AtOnce,
}

impl Budget {
    pub fn counting(&self, now: DateTime<Utc>) -> Counting {
        self.met
            .counting(now, || Counting::at(self.spec.window, self.zone, now))
    }

    /// The period whose rest is added to this one. None where nothing is carried over, and where the budget was made since.
    pub fn carried_from(&self, counting: Counting) -> Option<Period> {
        let Counting::Period(period) = counting else {
            return None;
        };
        let was_there = self.since.is_none_or(|since| since < period.from);
        let before = || period.before(self.spec.window, self.zone);
        (self.spec.carry_over && was_there).then(|| self.met.before(period, before))
    }

    /// Whether nothing goes beyond its amount.
    pub const fn blocks(&self) -> bool {
        match &self.spec.action {
            BudgetAction::Block | BudgetAction::Ask => true,
            BudgetAction::Downgrade(_) => self.spec.soft.is_some(),
            BudgetAction::Warn => false,
        }
    }

    /// Its amount with what was added to it for a while.
    pub fn cap(&self, now: DateTime<Utc>) -> Nanos {
        if self.increases.is_empty() {
            return self.spec.amount;
        }
        let now = now.timestamp_millis();
        let added = self.increases.iter().filter(|(_, until)| now < *until);
        added.fold(self.spec.amount, |cap, (more, _)| cap.saturating_add(Nanos::new(*more)))
    }

    /// Where what is let through now counts.
    pub fn share(&self, counting: Counting, now: DateTime<Utc>, name: Option<DisplayName>) -> BudgetShare {
        let from_ms = match counting {
            Counting::Period(period) => period.from.timestamp_millis(),
            Counting::Rolling { part, .. } => {
                let part = part.num_milliseconds().max(1);
                now.timestamp_millis().div_euclid(part) * part
            }
            Counting::Total => 0,
        };
        BudgetShare {
            budget: self.id,
            from_ms,
            name,
        }
    }
}

impl RateLimit {
    /// What it limits, and to how much.
    pub fn measures(&self) -> impl Iterator<Item = (Measure, u64)> + use<> {
        let spec = &self.spec;
        let all = [
            (Measure::RequestsPerMinute, spec.rpm),
            (Measure::RequestsPerHour, spec.rph),
            (Measure::RequestsPerDay, spec.rpd),
            (Measure::TokensPerMinute, spec.tpm),
            (Measure::TokensPerHour, spec.tph),
            (Measure::TokensPerDay, spec.tpd),
            (Measure::AtOnce, spec.concurrency),
        ];
        all.into_iter().filter_map(|(measure, most)| Some((measure, most?)))
    }
}

impl Measure {
    pub(crate) fn named(name: &str) -> Option<Self> {
        let all = [
            Self::RequestsPerMinute,
            Self::RequestsPerHour,
            Self::RequestsPerDay,
            Self::TokensPerMinute,
            Self::TokensPerHour,
            Self::TokensPerDay,
            Self::AtOnce,
        ];
        all.into_iter().find(|measure| measure.as_str() == name)
    }

    /// As in what is written of limits.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RequestsPerMinute => "rpm",
            Self::RequestsPerHour => "rph",
            Self::RequestsPerDay => "rpd",
            Self::TokensPerMinute => "tpm",
            Self::TokensPerHour => "tph",
            Self::TokensPerDay => "tpd",
            Self::AtOnce => "concurrency",
        }
    }

    /// In words, behind a number.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::RequestsPerMinute => "requests per minute",
            Self::RequestsPerHour => "requests per hour",
            Self::RequestsPerDay => "requests per day",
            Self::TokensPerMinute => "tokens per minute",
            Self::TokensPerHour => "tokens per hour",
            Self::TokensPerDay => "tokens per day",
            Self::AtOnce => "requests at the same time",
        }
    }

    pub const fn is_of_tokens(self) -> bool {
        matches!(self, Self::TokensPerMinute | Self::TokensPerHour | Self::TokensPerDay)
    }

    pub fn counting(self) -> Counting {
        let length = match self {
            Self::RequestsPerMinute | Self::TokensPerMinute => TimeDelta::minutes(1),
            Self::RequestsPerHour | Self::TokensPerHour => TimeDelta::hours(1),
            Self::RequestsPerDay | Self::TokensPerDay => TimeDelta::days(1),
            Self::AtOnce => return Counting::Total,
        };
        Counting::Rolling {
            part: length / PARTS,
            parts: i64::from(PARTS) + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use gatewright_cel::Zone;
    use gatewright_types::BudgetId;
    use gatewright_types::api::{BudgetSpec, BudgetWindow, LimitScope};

    use super::*;
    use crate::{CounterKey, MetPeriods};

    fn budget(window: BudgetWindow) -> Budget {
        let spec = serde_json::json!({ "amount": "1.00", "window": window });
        Budget {
            id: BudgetId::mint(),
            scope: LimitScope::Organization,
            spec: serde_json::from_value::<BudgetSpec>(spec).expect("a budget"),
            zone: Zone::named("UTC").expect("UTC"),
            since: None,
            increases: vec![(500_000_000, 1_000), (250_000_000, 2_000)],
            met: MetPeriods::default(),
        }
    }

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().expect(text)
    }

    #[test]
    fn nothing_is_carried_over_from_before_a_budget_was_made() {
        let mut day = budget(BudgetWindow::Day);
        day.spec.carry_over = true;
        let from = |day: &Budget, at: &str| day.carried_from(day.counting(time(at))).map(|period| period.from);

        assert_eq!(from(&day, "2026-11-30T12:00:00Z"), Some(time("2026-11-29T00:00:00Z")));
        day.since = Some(time("2026-11-30T09:00:00Z"));
        assert_eq!(from(&day, "2026-11-30T12:00:00Z"), None);
        assert_eq!(from(&day, "2026-12-01T12:00:00Z"), Some(time("2026-11-30T00:00:00Z")));
    }

    #[test]
    fn each_period_has_a_counter_and_a_share_of_its_own() {
        let day = budget(BudgetWindow::Day);
        let of = |at: &str| {
            let (now, counting) = (time(at), day.counting(time(at)));
            let share = day.share(counting, now, None);
            (CounterKey::of_budget(day.id, counting, None), share.from_ms)
        };

        let (one, from) = of("2026-11-30T23:59:59.999Z");
        let (next, later) = of("2026-12-01T00:00:00Z");
        assert_eq!(&*one.text(), format!("budget/{}/{from}/", day.id));
        assert_ne!(one, next);
        assert_eq!(later - from, 86_400_000);
    }

    #[test]
    fn what_rolls_has_one_counter_and_shares_by_its_parts() {
        let rolling = budget(BudgetWindow::Rolling("1h".parse().expect("an hour")));
        let of = |at: &str| {
            let (now, counting) = (time(at), rolling.counting(time(at)));
            (
                CounterKey::of_budget(rolling.id, counting, None),
                rolling.share(counting, now, None).from_ms,
            )
        };

        let (one, from) = of("2026-11-30T10:00:59Z");
        let (next, later) = of("2026-11-30T10:01:00Z");
        assert_eq!(one, next);
        assert_eq!(later - from, 60_000);
    }

    #[test]
    fn an_increase_counts_until_its_time_is_over() {
        let budget = budget(BudgetWindow::Total);
        let cap = |ms| budget.cap(DateTime::from_timestamp_millis(ms).expect("a time")).get();

        assert_eq!(
            [cap(999), cap(1_000), cap(2_000)],
            [1_750_000_000, 1_250_000_000, 1_000_000_000]
        );
    }
}
