//! What a counter is called within its organization: what data planes count and what the ledger corrects is the same one.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use gatewright_types::{BudgetId, DisplayName, LimitId};

use crate::{Counting, Measure};

/// Made for each request that meets a budget or limit: it is text only where counters are told of to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CounterKey {
    of: Counted,
    /// For whom, of what is counted for each.
    name: Option<DisplayName>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    Budget {
        budget: BudgetId,
        /// Each period has a counter of its own; what rolls and what counts for ever has one.
        from_ms: Option<i64>,
    },
    Limit {
        limit: LimitId,
        measure: Measure,
    },
}

const OF_BUDGETS: &str = "budget";
const OF_LIMITS: &str = "limit";

impl CounterKey {
    pub fn of_budget(budget: BudgetId, counting: Counting, name: Option<&DisplayName>) -> Self {
        let from_ms = match counting {
            Counting::Period(period) => Some(period.from.timestamp_millis()),
            Counting::Rolling { .. } | Counting::Total => None,
        };
        Self {
            of: Counted::Budget { budget, from_ms },
            name: name.cloned(),
        }
    }

    pub fn of_limit(limit: LimitId, measure: Measure, name: Option<&DisplayName>) -> Self {
        Self {
            of: Counted::Limit { limit, measure },
            name: name.cloned(),
        }
    }

    /// As counters know it.
    pub fn text(&self) -> Arc<str> {
        self.to_string().into()
    }

    /// A number by which keys can be spread: cheaper than a hash, and no defence against whoever chooses names.
    pub fn spread(&self) -> u64 {
        let uuid = match self.of {
            Counted::Budget { budget, .. } => budget.uuid(),
            Counted::Limit { limit, .. } => limit.uuid(),
        };
        // Its random part.
        let (_, bits) = uuid.as_u64_pair();
        let name = self.name.iter().flat_map(|name| name.as_str().bytes());
        name.fold(bits, |mixed, byte| mixed.rotate_left(5) ^ u64::from(byte))
    }
}

/// Whether the ledger knows what is counted under a key. Of limits it does not: nobody knows how many requests came within
/// the last minute but those who counted them.
pub fn is_in_ledger(key: &str) -> bool {
    key.split_once('/').is_none_or(|(of, _)| of != OF_LIMITS)
}

impl fmt::Display for CounterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.of {
            Counted::Budget { budget, from_ms } => {
                write!(f, "{OF_BUDGETS}/{budget}/")?;
                if let Some(from_ms) = from_ms {
                    write!(f, "{from_ms}")?;
                }
            }
            Counted::Limit { limit, measure } => write!(f, "{OF_LIMITS}/{limit}/{}", measure.as_str())?,
        }
        write!(f, "/{}", self.name.as_ref().map_or("", DisplayName::as_str))
    }
}

/// Another release may tell of counters that this one does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no counter of a budget or limit")]
pub struct UnknownCounter;

impl FromStr for CounterKey {
    type Err = UnknownCounter;

    fn from_str(text: &str) -> Result<Self, UnknownCounter> {
        let mut parts = text.splitn(4, '/');
        let mut part = || parts.next().ok_or(UnknownCounter);
        let (kind, id, which, name) = (part()?, part()?, part()?, part()?);
        let of = match kind {
            OF_BUDGETS => Counted::Budget {
                budget: id.parse().map_err(|_| UnknownCounter)?,
                from_ms: match which {
                    "" => None,
                    from => Some(from.parse().map_err(|_| UnknownCounter)?),
                },
            },
            OF_LIMITS => Counted::Limit {
                limit: id.parse().map_err(|_| UnknownCounter)?,
                measure: Measure::named(which).ok_or(UnknownCounter)?,
            },
            _ => return Err(UnknownCounter),
        };
        let name = match name {
            "" => None,
            name => Some(name.parse().map_err(|_| UnknownCounter)?),
        };
        Ok(Self { of, name })
    }
}

impl Hash for CounterKey {
    /// As few bytes as tell counters apart: it is looked for by each request that meets it.
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.of {
            Counted::Budget { budget, from_ms } => {
                state.write_u128(budget.uuid().as_u128());
                state.write_i64(from_ms.unwrap_or(i64::MIN));
            }
            Counted::Limit { limit, measure } => {
                state.write_u128(limit.uuid().as_u128());
                state.write_u8(measure as u8);
            }
        }
        if let Some(name) = &self.name {
            name.hash(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher as _, RandomState};

    use chrono::DateTime;

    use super::*;
    use crate::Period;

    fn day() -> Counting {
        let time = |ms| DateTime::from_timestamp_millis(ms).expect("a time");
        Counting::Period(Period {
            from: time(86_400_000),
            to: time(172_800_000),
        })
    }

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let (budget, limit) = (BudgetId::mint(), LimitId::mint());
        let ada: DisplayName = "ada/lovelace".parse().expect("a name");
        let keys = [
            CounterKey::of_budget(budget, day(), None),
            CounterKey::of_budget(budget, day(), Some(&ada)),
            CounterKey::of_budget(budget, Counting::Total, None),
            CounterKey::of_limit(limit, Measure::TokensPerDay, None),
            CounterKey::of_limit(limit, Measure::AtOnce, Some(&ada)),
        ];
        let texts = keys.each_ref().map(CounterKey::to_string);

        assert_eq!(
            texts,
            [
                format!("budget/{budget}/86400000/"),
                format!("budget/{budget}/86400000/ada/lovelace"),
                format!("budget/{budget}//"),
                format!("limit/{limit}/tpd/"),
                format!("limit/{limit}/concurrency/ada/lovelace"),
            ]
        );
        assert_eq!(texts.each_ref().map(|text| text.parse()), keys.clone().map(Ok));
        assert_eq!(texts.map(|text| is_in_ledger(&text)), [true, true, true, false, false]);
        for wrong in [
            "",
            "budget/x//",
            "limit/lim_01990f0d5a7e7d1e8a523b1f2c4d5e6f/rpw/",
            "other/a/b/c",
        ] {
            assert_eq!(CounterKey::from_str(wrong), Err(UnknownCounter), "{wrong}");
        }
    }

    #[test]
    fn what_tells_counters_apart_is_in_their_hashes() {
        let (budget, limit) = (BudgetId::mint(), LimitId::mint());
        let names = ["ada", "grace"].map(|name| name.parse::<DisplayName>().expect("a name"));
        let [ada, grace] = &names;
        let keys = [
            CounterKey::of_budget(budget, day(), None),
            CounterKey::of_budget(budget, Counting::Total, None),
            CounterKey::of_budget(budget, Counting::Total, Some(ada)),
            CounterKey::of_budget(budget, Counting::Total, Some(grace)),
            CounterKey::of_limit(limit, Measure::RequestsPerDay, None),
            CounterKey::of_limit(limit, Measure::TokensPerDay, None),
        ];
        let hasher = RandomState::new();
        let mut hashes: Vec<_> = keys.iter().map(|key| hasher.hash_one(key)).collect();
        hashes.sort_unstable();
        hashes.dedup();

        assert_eq!(hashes.len(), keys.len());
    }
}
