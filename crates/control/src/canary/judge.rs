//! The comparison of a canary's two sides over the same time, and when the candidate's part grows.

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_store::{CanaryMove, CanaryRow, CanarySums};
use gatewright_types::Nanos;
use gatewright_types::api::{Canary, CanaryState, Rollback};

/// Where a canary goes now; nothing as long as it stays where it is.
pub(crate) fn judge(written: &Canary, seen: &CanaryRow, now: DateTime<Utc>) -> Option<CanaryMove> {
    if seen.state == CanaryState::RolledBack {
        return None;
    }
    if let Some(rollback) = &written.rollback
        && let Some(reason) = verdict(rollback, &seen.stable, &seen.candidate)
    {
        return Some(CanaryMove::RollBack { reason });
    }
    let ramp = written.ramp.as_ref()?;
    let due = next_step_at(written, seen)?;
    let least = written.rollback.as_ref().map_or(0, |rollback| rollback.min_requests);
    if now < due || seen.candidate.requests < u64::from(least) {
        return None;
    }
    let percent = seen.percent.saturating_add(ramp.step).min(ramp.until);
    Some(CanaryMove::Turn {
        percent,
        state: written.state_at(percent),
    })
}

/// When the candidate's part grows at the earliest.
pub(crate) fn next_step_at(written: &Canary, seen: &CanaryRow) -> Option<DateTime<Utc>> {
    let ramp = written.ramp.as_ref().filter(|_| seen.state == CanaryState::Ramping)?;
    seen.since
        .checked_add_signed(TimeDelta::from_std(ramp.every.get()).ok()?)
}

pub(crate) fn mean_latency_us(sums: &CanarySums) -> Option<u64> {
    sums.latency_us.checked_div(answered(sums))
}

pub(crate) fn mean_cost(sums: &CanarySums) -> Option<Nanos> {
    let mean = sums.cost_nanos.checked_div(sums.priced)?;
    i64::try_from(mean).ok().map(Nanos::new)
}

/// Why the candidate is worse than it may be, in words.
fn verdict(rollback: &Rollback, stable: &CanarySums, candidate: &CanarySums) -> Option<String> {
    let least = u64::from(rollback.min_requests);
    if stable.requests < least || candidate.requests < least {
        return None;
    }
    failing(rollback, stable, candidate)
        .or_else(|| slow(rollback, stable, candidate))
        .or_else(|| dear(rollback, stable, candidate))
}

fn failing(rollback: &Rollback, stable: &CanarySums, candidate: &CanarySums) -> Option<String> {
    let points = i128::from(rollback.error_rate?);
    let [of_candidate, of_stable] = [candidate, stable].map(|sums| i128::from(sums.requests));
    // Both rates in percent, over the same denominator.
    let more = i128::from(candidate.failed) * of_stable - i128::from(stable.failed) * of_candidate;
    (more * 100 > points * of_candidate * of_stable).then(|| {
        format!(
            "{} of the candidate's requests failed, {} of the others'",
            percentage(candidate),
            percentage(stable)
        )
    })
}

fn slow(rollback: &Rollback, stable: &CanarySums, candidate: &CanarySums) -> Option<String> {
    let of = |sums: &CanarySums| Mean {
        sum: sums.latency_us,
        count: answered(sums),
    };
    of(candidate).exceeds(rollback.latency?, of(stable)).then(|| {
        let millis = |sums| mean_latency_us(sums).unwrap_or_default() / 1_000;
        format!(
            "the candidate's requests took {} ms to their first token, the others' {} ms",
            millis(candidate),
            millis(stable)
        )
    })
}

fn dear(rollback: &Rollback, stable: &CanarySums, candidate: &CanarySums) -> Option<String> {
    let of = |sums: &CanarySums| Mean {
        sum: sums.cost_nanos,
        count: sums.priced,
    };
    of(candidate).exceeds(rollback.cost?, of(stable)).then(|| {
        let cost = |sums| mean_cost(sums).unwrap_or_default();
        format!(
            "the candidate's requests cost ${} each, the others' ${}",
            cost(candidate),
            cost(stable)
        )
    })
}

#[derive(Debug, Clone, Copy)]
struct Mean {
    sum: u64,
    count: u64,
}

impl Mean {
    /// Whether it is more than so many percent of another one. Of nothing there is no mean, and so no excess.
    fn exceeds(self, percent: u32, other: Self) -> bool {
        let known = self.count > 0 && other.count > 0;
        let own = u128::from(self.sum) * u128::from(other.count);
        let others = u128::from(other.sum) * u128::from(self.count);
        known && own.saturating_mul(100) > others.saturating_mul(u128::from(percent))
    }
}

const fn answered(sums: &CanarySums) -> u64 {
    sums.requests.saturating_sub(sums.failed)
}

/// To a tenth of a percent.
fn percentage(sums: &CanarySums) -> String {
    let thousandths = sums.failed.saturating_mul(1_000).checked_div(sums.requests);
    let thousandths = thousandths.unwrap_or_default();
    format!("{}.{} %", thousandths / 10, thousandths % 10)
}

#[cfg(test)]
mod tests {
    use gatewright_contract::Revision;
    use gatewright_types::{ModelId, OrganizationId};
    use serde_json::{Value, json};

    use super::*;

    fn written(ramp: &Value, rollback: &Value) -> Canary {
        let canary = json!({
            "stable": {"target": "a/x"}, "candidate": {"target": "b/x"},
            "percent": 10, "ramp": ramp, "rollback": rollback,
        });
        serde_json::from_value(canary).expect("a canary")
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).expect("a time")
    }

    fn sums(requests: u64, failed: u64, latency_ms: u64, cost_nanos: u64) -> CanarySums {
        let answered = requests - failed;
        CanarySums {
            requests,
            failed,
            latency_us: latency_ms * 1_000 * answered,
            priced: answered,
            cost_nanos: cost_nanos * answered,
        }
    }

    fn seen(percent: u8, state: CanaryState, stable: CanarySums, candidate: CanarySums) -> CanaryRow {
        CanaryRow {
            organization: OrganizationId::mint(),
            model: ModelId::mint(),
            place: "route.canary".to_owned(),
            percent,
            state,
            round: Revision(7),
            since: at(1_000),
            reason: None,
            stable,
            candidate,
        }
    }

    #[test]
    fn a_candidate_that_is_worse_than_it_may_be_is_rolled_back_with_a_reason() {
        let written = written(
            &Value::Null,
            &json!({"min_requests": 100, "error_rate": 5, "latency": 150, "cost": 200}),
        );
        let check = |stable, candidate, reason: Option<&str>| {
            let row = seen(10, CanaryState::Holding, stable, candidate);
            let expected = reason.map(|reason| CanaryMove::RollBack {
                reason: reason.to_owned(),
            });
            assert_eq!(judge(&written, &row, at(1_001)), expected);
        };
        let usual = sums(1_000, 10, 100, 1_000_000);

        check(usual, sums(100, 1, 100, 1_000_000), None);
        check(
            usual,
            sums(100, 12, 100, 1_000_000),
            Some("12.0 % of the candidate's requests failed, 1.0 % of the others'"),
        );
        // Five points more is what may be.
        check(usual, sums(100, 6, 100, 1_000_000), None);
        check(
            usual,
            sums(1_000, 61, 100, 1_000_000),
            Some("6.1 % of the candidate's requests failed, 1.0 % of the others'"),
        );
        // Too few to tell, on either side.
        check(usual, sums(99, 99, 100, 1_000_000), None);
        check(sums(99, 0, 100, 1_000_000), sums(500, 500, 100, 1_000_000), None);
        check(usual, sums(100, 0, 150, 1_000_000), None);
        check(
            usual,
            sums(100, 0, 151, 1_000_000),
            Some("the candidate's requests took 151 ms to their first token, the others' 100 ms"),
        );
        check(usual, sums(100, 0, 100, 2_000_000), None);
        check(
            usual,
            sums(100, 0, 100, 2_100_000),
            Some("the candidate's requests cost $0.0021 each, the others' $0.001"),
        );
        // Where both fail as often, the candidate is not to blame.
        check(sums(1_000, 900, 100, 1), sums(100, 90, 100, 1), None);
        // What has no price says nothing of costs.
        let unpriced = CanarySums {
            priced: 0,
            cost_nanos: 0,
            ..usual
        };
        check(unpriced, sums(100, 0, 100, 9_000_000), None);
    }

    #[test]
    fn what_is_not_said_is_not_judged() {
        let bad = sums(1_000, 900, 9_000, 9_000_000);
        for rollback in [Value::Null, json!({"min_requests": 1, "cost": 100})] {
            let row = seen(10, CanaryState::Holding, sums(1_000, 0, 1, 9_000_000), bad);
            assert_eq!(judge(&written(&Value::Null, &rollback), &row, at(9_000)), None);
        }
    }

    #[test]
    fn a_part_grows_by_its_step_in_its_time_up_to_its_end() {
        let ramp = json!({"step": 40, "every": "10s", "until": 90});
        let check = |rollback: &Value, percent, candidate, second, expected: Option<(u8, CanaryState)>| {
            let written = written(&ramp, rollback);
            let row = seen(percent, CanaryState::Ramping, CanarySums::default(), candidate);
            let expected = expected.map(|(percent, state)| CanaryMove::Turn { percent, state });
            assert_eq!(judge(&written, &row, at(second)), expected);
        };
        let (none, some) = (CanarySums::default(), sums(5, 0, 1, 1));

        check(&Value::Null, 10, none, 1_009, None);
        check(&Value::Null, 10, none, 1_010, Some((50, CanaryState::Ramping)));
        check(&Value::Null, 50, none, 2_000, Some((90, CanaryState::Done)));
        check(&Value::Null, 80, none, 2_000, Some((90, CanaryState::Done)));
        // Not before it could be judged.
        let rollback = json!({"min_requests": 5, "error_rate": 1});
        check(&rollback, 10, none, 2_000, None);
        check(&rollback, 10, some, 2_000, Some((50, CanaryState::Ramping)));
    }

    #[test]
    fn what_is_rolled_back_stays_so_and_what_is_done_is_watched() {
        let written = written(
            &json!({"step": 10, "every": "1s"}),
            &json!({"min_requests": 1, "error_rate": 0}),
        );
        let (good, bad) = (sums(10, 0, 1, 1), sums(10, 10, 1, 1));
        let judged = |percent, state, candidate| judge(&written, &seen(percent, state, good, candidate), at(9_000));

        assert_eq!(judged(0, CanaryState::RolledBack, bad), None);
        assert_eq!(judged(50, CanaryState::Done, good), None);
        assert!(matches!(
            judged(50, CanaryState::Done, bad),
            Some(CanaryMove::RollBack { .. })
        ));
    }
}
