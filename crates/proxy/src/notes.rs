//! What is noted of a request's decisions while it is under way, and whether it is kept once it has ended. Where nothing
//! can be kept nothing is noted.

use std::borrow::Cow;
use std::time::Duration;

use gatewright_contract::UsageRecord;
use gatewright_llm::Request;
use gatewright_types::api::{
    Attempt, AttemptEnd, AttemptReason, Decision, DecisionError, LookedAt, Outcome, RouteDecision, Stage, StageTime,
    TraceSettings, TracedRequests,
};
use gatewright_types::{CredentialId, RequestId, Target};
use tokio::time::Instant;

use crate::refusal::Refusal;

/// Nothing where nobody will read it.
#[derive(Debug)]
pub(crate) struct Notes(Option<Box<Taken>>);

#[derive(Debug)]
struct Taken {
    settings: TraceSettings,
    /// The caller asked for it.
    wished: bool,
    started: Instant,
    decision: Decision,
    /// When the call that is under way began.
    calling: Option<Instant>,
}

impl Notes {
    pub(crate) fn begin(settings: TraceSettings, wished: bool, started: Instant) -> Self {
        let may_be_kept = wished || settings.requests != TracedRequests::Off;
        Self(may_be_kept.then(|| {
            Box::new(Taken {
                settings,
                wished,
                started,
                decision: Decision {
                    stages: Vec::with_capacity(Stage::ALL.len()),
                    ..Decision::default()
                },
                calling: None,
            })
        }))
    }

    pub(crate) fn stage(&mut self, stage: Stage, took: Duration) {
        if let Some(taken) = &mut self.0 {
            let took_us = micros(took);
            taken.decision.stages.push(StageTime { stage, took_us });
        }
    }

    /// Where to write down what the route decides.
    pub(crate) fn route(&mut self) -> Option<&mut RouteDecision> {
        self.0.as_mut().map(|taken| &mut taken.decision.route)
    }

    /// What the route could look at.
    pub(crate) fn looked_at(&mut self, look: impl FnOnce() -> Option<LookedAt>) {
        if let Some(taken) = &mut self.0 {
            taken.decision.looked_at = look();
        }
    }

    /// A call begins; one that is still under way has ended by that.
    pub(crate) fn call_begins(&mut self, target: Target, credential: Option<CredentialId>) {
        self.call_ends(AttemptEnd::Abandoned);
        let Some(taken) = &mut self.0 else { return };
        let now = Instant::now();
        let reason = match taken.decision.attempts.last() {
            None => AttemptReason::First,
            Some(before) if before.target == target => AttemptReason::Retry,
            Some(_) => AttemptReason::Failover,
        };
        // What ended the call before is told with that call: the request goes on.
        taken.decision.error = None;
        taken.calling = Some(now);
        // Nearly always it is the only one.
        taken.decision.attempts.reserve_exact(1);
        taken.decision.attempts.push(Attempt {
            target,
            credential,
            reason,
            began_us: micros(now.saturating_duration_since(taken.started)),
            took_us: 0,
            ended: AttemptEnd::Abandoned,
        });
    }

    /// Nothing happens where no call is under way.
    pub(crate) fn call_ends(&mut self, ended: AttemptEnd) {
        let Some(taken) = &mut self.0 else { return };
        let (Some(began), Some(attempt)) = (taken.calling.take(), taken.decision.attempts.last_mut()) else {
            return;
        };
        attempt.took_us = micros(began.elapsed());
        attempt.ended = ended;
    }

    /// A target of the plan was not asked.
    pub(crate) fn passed_over(&mut self, target: &Target, why: Cow<'static, str>) {
        if let Some(taken) = &mut self.0 {
            taken.decision.route.pass_over(target, why);
        }
    }

    pub(crate) fn refused(&mut self, refusal: &Refusal) {
        if let Refusal::Upstream(upstream) = refusal {
            self.call_ends(AttemptEnd::Failed {
                status: upstream.failure.status,
                failure: upstream.failure.class(),
                message: upstream.failure.message.clone().into(),
            });
        }
        if let Some(taken) = &mut self.0 {
            taken.decision.error = Some(DecisionError {
                code: refusal.code().into(),
                message: refusal.message(),
            });
        }
    }

    /// The request has ended like this. Gives what is to be kept.
    pub(crate) fn end(mut self, usage: &UsageRecord, request: Option<&Request>) -> Option<String> {
        self.call_ends(match usage.outcome {
            Outcome::Complete | Outcome::Cut => AttemptEnd::Answered { status: usage.status },
            Outcome::Refused | Outcome::Failed | Outcome::ClientGone => AttemptEnd::Abandoned,
        });
        let taken = self.0.filter(|taken| taken.are_kept(usage))?;
        let decision = Decision {
            model: usage.model.clone(),
            needs: request.map(|request| request.needs().told()),
            cache: usage.cache,
            ..taken.decision
        };
        Some(decision.into_json())
    }
}

impl Taken {
    fn are_kept(&self, usage: &UsageRecord) -> bool {
        let went_well = usage.outcome == Outcome::Complete && usage.attempts <= 1;
        let by_settings = match self.settings.requests {
            TracedRequests::Off => false,
            TracedRequests::Failures => !went_well,
            TracedRequests::All => !went_well || is_in_sample(usage.id, self.settings.sample),
        };
        self.wished || by_settings
    }
}

/// The last bits of an identifier are random, so that they pick the same requests wherever it is asked.
fn is_in_sample(id: RequestId, percent: u8) -> bool {
    let random = id.uuid().as_u128() & u128::from(u32::MAX);
    random % 100 < u128::from(percent)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_about_as_large_as_it_is_said() {
        let ids: Vec<_> = (0..10_000).map(|_| RequestId::mint()).collect();
        let sampled = |percent| ids.iter().filter(|id| is_in_sample(**id, percent)).count();

        assert_eq!(sampled(100), 10_000);
        assert!((800..1_200).contains(&sampled(10)), "{}", sampled(10));
    }
}
