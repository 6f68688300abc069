//! What an answer's headers say of limits and budgets, in the caller's dialect: of several limits, the tightest.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use gatewright_contract::Measure;
use gatewright_types::ModelName;
use gatewright_types::api::Dialect;

use crate::accounts::Standing;
use crate::reply::Header;

const BUDGET_WARNING: &str = "x-gw-budget-warning";
const DOWNGRADED: &str = "x-gw-downgraded";

/// How limits stand once the request has its part.
#[derive(Debug, Clone, Default)]
pub(crate) struct LimitsTold {
    requests: Option<Tightest>,
    tokens: Option<Tightest>,
    /// A budget is spent that only warns.
    pub(super) warning: Option<Box<str>>,
    /// The model that a budget chose.
    pub(super) downgraded: Option<ModelName>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tightest {
    most: u64,
    remaining: u64,
    resets_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
}

/// The names of one dialect's headers for one kind of limit.
struct Names {
    limit: &'static str,
    remaining: &'static str,
    reset: &'static str,
}

const OPENAI: [Names; 2] = [
    Names {
        limit: "x-ratelimit-limit-requests",
        remaining: "x-ratelimit-remaining-requests",
        reset: "x-ratelimit-reset-requests",
    },
    Names {
        limit: "x-ratelimit-limit-tokens",
        remaining: "x-ratelimit-remaining-tokens",
        reset: "x-ratelimit-reset-tokens",
    },
];
const ANTHROPIC: [Names; 2] = [
    Names {
        limit: "anthropic-ratelimit-requests-limit",
        remaining: "anthropic-ratelimit-requests-remaining",
        reset: "anthropic-ratelimit-requests-reset",
    },
    Names {
        limit: "anthropic-ratelimit-tokens-limit",
        remaining: "anthropic-ratelimit-tokens-remaining",
        reset: "anthropic-ratelimit-tokens-reset",
    },
];

impl LimitsTold {
    /// Requests at once have no header of their own in any dialect.
    pub(super) fn note(&mut self, (measure, most): (Measure, u64), standing: Standing, now: DateTime<Utc>) {
        let place = match measure {
            Measure::AtOnce => return,
            measure if measure.is_of_tokens() => &mut self.tokens,
            _ => &mut self.requests,
        };
        let this = Tightest {
            most,
            remaining: u64::try_from(standing.remaining).unwrap_or_default(),
            resets_at: standing.resets_at,
            now,
        };
        if place.is_none_or(|tightest| this.is_tighter(&tightest)) {
            *place = Some(this);
        }
    }

    pub(crate) fn headers(&self, dialect: Dialect) -> Vec<Header> {
        let mut headers = Vec::new();
        let (names, anthropic) = match dialect {
            Dialect::AnthropicMessages => (&ANTHROPIC, true),
            Dialect::OpenaiChat
            | Dialect::OpenaiResponses
            | Dialect::OpenaiCompletions
            | Dialect::OpenaiEmbeddings
            | Dialect::GeminiGenerate
            | Dialect::GeminiEmbed
            | Dialect::GeminiBatchEmbed
            | Dialect::Native(_) => (&OPENAI, false),
        };
        for (names, tightest) in names.iter().zip([self.requests, self.tokens]) {
            let Some(tightest) = tightest else { continue };
            headers.push((names.limit, tightest.most.to_string().into()));
            headers.push((names.remaining, tightest.remaining.to_string().into()));
            let reset = match anthropic {
                true => tightest.reset_time(),
                false => duration(tightest.reset_in()),
            };
            headers.push((names.reset, reset.into()));
        }
        if let Some(warning) = &self.warning {
            headers.push((BUDGET_WARNING, Bytes::copy_from_slice(warning.as_bytes())));
        }
        if let Some(model) = &self.downgraded {
            headers.push((DOWNGRADED, Bytes::copy_from_slice(model.as_str().as_bytes())));
        }
        headers
    }
}

impl Tightest {
    /// Of which a smaller part is left.
    fn is_tighter(&self, other: &Self) -> bool {
        let part = |one: &Self, of: &Self| u128::from(one.remaining) * u128::from(of.most.max(1));
        part(self, other) < part(other, self)
    }

    fn reset_in(&self) -> Duration {
        let left = self.resets_at.and_then(|at| (at - self.now).to_std().ok());
        left.unwrap_or_default()
    }

    fn reset_time(&self) -> String {
        self.resets_at
            .unwrap_or(self.now)
            .to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}

/// As OpenAI writes it: `6m0s`, `1h0m30s`, `850ms`.
fn duration(left: Duration) -> String {
    if left < Duration::from_secs(1) {
        return format!("{}ms", left.as_millis());
    }
    let seconds = left.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds}s"),
        (hours, minutes, seconds) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(dialect: Dialect, limits: &[(Measure, u64, i64)]) -> Vec<String> {
        let now: DateTime<Utc> = "2026-11-30T10:00:00Z".parse().expect("a time");
        let mut told = LimitsTold::default();
        for (measure, most, remaining) in limits {
            let standing = Standing {
                cap: 0,
                spent_or_reserved: 0,
                remaining: *remaining,
                resets_at: Some(now + Duration::from_secs(360)),
            };
            told.note((*measure, *most), standing, now);
        }
        let headers = told.headers(dialect).into_iter();
        headers
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(&value)))
            .collect()
    }

    #[test]
    fn the_tightest_limit_is_told_in_the_callers_dialect() {
        let limits = [
            (Measure::RequestsPerMinute, 60, 30),
            (Measure::RequestsPerDay, 1_000, 100),
            (Measure::AtOnce, 5, 0),
            (Measure::TokensPerMinute, 10_000, 9_000),
        ];

        assert_eq!(
            told(Dialect::OpenaiChat, &limits),
            [
                "x-ratelimit-limit-requests: 1000",
                "x-ratelimit-remaining-requests: 100",
                "x-ratelimit-reset-requests: 6m0s",
                "x-ratelimit-limit-tokens: 10000",
                "x-ratelimit-remaining-tokens: 9000",
                "x-ratelimit-reset-tokens: 6m0s",
            ]
        );
        assert_eq!(
            told(Dialect::AnthropicMessages, &limits[..1]),
            [
                "anthropic-ratelimit-requests-limit: 60",
                "anthropic-ratelimit-requests-remaining: 30",
                "anthropic-ratelimit-requests-reset: 2026-11-30T10:06:00Z",
            ]
        );
        assert!(told(Dialect::OpenaiChat, &[]).is_empty());
    }

    #[test]
    fn durations_are_written_as_openai_writes_them() {
        let check = |millis, expected| assert_eq!(duration(Duration::from_millis(millis)), expected);

        check(0, "0ms");
        check(850, "850ms");
        check(1_999, "1s");
        check(360_000, "6m0s");
        check(3_630_000, "1h0m30s");
    }
}
