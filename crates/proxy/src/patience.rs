//! How long each phase of a call may take, and who said so: the model, else its provider, else the server itself.

use std::fmt;
use std::time::Duration;

use gatewright_llm::{Failure, FailureKind};
use gatewright_types::HumanDuration;
use gatewright_types::api::Timeouts;
use tokio::time::Instant;

use crate::call::failure_of;
use crate::gateway::PhaseTimeouts;

/// The time limits of one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) connect: Limit,
    /// Until the first token; of an answer in one piece, until it is there.
    pub(crate) first_token: Limit,
    /// The longest silence within a stream.
    pub(crate) between_tokens: Limit,
    /// Until an answer in one piece is there, or a stream has its first token, over all calls of a request: what flows
    /// is not cut.
    pub(crate) total: Limit,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) length: Duration,
    phase: Phase,
    set_by: SetBy,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Connect,
    FirstToken,
    BetweenTokens,
    Total,
}

#[derive(Debug, Clone, Copy)]
enum SetBy {
    Caller,
    Model,
    Provider,
    Server,
}

impl Patience {
    /// Of a call for a model.
    pub(crate) fn with(model: &Timeouts, provider: &Timeouts, usual: PhaseTimeouts) -> Self {
        let pick = |phase, own: Option<HumanDuration>, provider: Option<HumanDuration>, usual| {
            let (length, set_by) = match (own, provider) {
                (Some(own), _) => (own.get(), SetBy::Model),
                (None, Some(provider)) => (provider.get(), SetBy::Provider),
                (None, None) => (usual, SetBy::Server),
            };
            Limit { length, phase, set_by }
        };
        Self {
            connect: pick(Phase::Connect, model.connect, provider.connect, usual.connect),
            first_token: pick(
                Phase::FirstToken,
                model.first_token,
                provider.first_token,
                usual.first_token,
            ),
            between_tokens: pick(
                Phase::BetweenTokens,
                model.between_tokens,
                provider.between_tokens,
                usual.between_tokens,
            ),
            total: pick(Phase::Total, model.total, provider.total, usual.total),
        }
    }

    /// Of a call at the provider's own address, which goes by no model.
    pub(crate) fn natively(provider: &Timeouts, usual: PhaseTimeouts) -> Self {
        Self::with(&Timeouts::default(), provider, usual)
    }

    /// Whatever the caller wants, if that is less.
    pub(crate) fn capped(mut self, total: Option<HumanDuration>) -> Self {
        if let Some(total) = total.map(HumanDuration::get).filter(|total| *total < self.total.length) {
            self.total = Limit {
                length: total,
                phase: Phase::Total,
                set_by: SetBy::Caller,
            };
        }
        self
    }

    /// Whether it is the caller who does not wait any longer for the first token.
    pub(crate) fn is_callers(self) -> bool {
        matches!(self.beginning().set_by, SetBy::Caller)
    }

    /// When a call has to have begun to answer that was begun at one moment for a request that came at another.
    pub(crate) fn deadline(self, started: Instant, began: Instant) -> (Instant, Limit) {
        let first_token = (began + self.first_token.length, self.first_token);
        let total = (started + self.total.length, self.total);
        if total.0 < first_token.0 { total } else { first_token }
    }

    /// What bounds the time until the first token.
    pub(crate) fn beginning(self) -> Limit {
        self.first_token.or_shorter(self.total)
    }
}

impl Limit {
    /// The one that is reached first, of two that run from the same moment.
    fn or_shorter(self, other: Self) -> Self {
        if other.length < self.length { other } else { self }
    }

    /// What a call has failed with that reached it. The message is for callers too.
    pub(crate) fn exceeded(self) -> Failure {
        failure_of(FailureKind::Timeout, self.to_string())
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = u64::try_from(self.length.as_millis()).unwrap_or(u64::MAX);
        let length = HumanDuration::from_millis(millis);
        let (missed, name) = match self.phase {
            Phase::Connect => ("no connection", "connect"),
            Phase::FirstToken => ("no first token", "first_token"),
            Phase::BetweenTokens => ("nothing more", "between_tokens"),
            Phase::Total => ("no whole answer", "total"),
        };
        write!(f, "{missed} within {length}, the limit ")?;
        match self.set_by {
            SetBy::Caller => write!(f, "that the request's `x-gw-timeout` sets"),
            SetBy::Model => write!(f, "timeouts.{name} of the model"),
            SetBy::Provider => write!(f, "timeouts.{name} of the provider"),
            SetBy::Server => write!(
                f,
                "this server has where neither the model nor the provider sets timeouts.{name}"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_the_models_else_the_providers_else_the_servers() {
        let millis = |millis| Some(HumanDuration::from_millis(millis));
        let model = Timeouts {
            first_token: millis(1_500),
            ..Timeouts::default()
        };
        let provider = Timeouts {
            first_token: millis(9_000),
            total: millis(120_000),
            ..Timeouts::default()
        };

        let patience = Patience::with(&model, &provider, PhaseTimeouts::default());

        let told = [patience.first_token, patience.total, patience.connect].map(|limit| limit.exceeded().message);
        assert_eq!(
            told,
            [
                "no first token within 1500ms, the limit timeouts.first_token of the model",
                "no whole answer within 2m, the limit timeouts.total of the provider",
                "no connection within 5s, the limit this server has where neither the model nor the provider sets \
                 timeouts.connect",
            ]
        );
    }

    #[test]
    fn a_caller_can_only_shorten_what_all_of_it_may_take() {
        let model = Timeouts {
            total: Some(HumanDuration::from_millis(900)),
            ..Timeouts::default()
        };
        let patience = Patience::with(&model, &Timeouts::default(), PhaseTimeouts::default());
        let capped = |millis| patience.capped(Some(HumanDuration::from_millis(millis)));

        assert_eq!(capped(1_000).total.length, Duration::from_millis(900));
        assert!(!capped(1_000).is_callers());
        assert!(capped(200).is_callers());
        assert_eq!(
            capped(200).total.exceeded().message,
            "no whole answer within 200ms, the limit that the request's `x-gw-timeout` sets"
        );
    }

    #[test]
    fn each_call_has_its_own_time_within_that_of_the_request() {
        let model = Timeouts {
            first_token: Some(HumanDuration::from_millis(500)),
            total: Some(HumanDuration::from_millis(900)),
            ..Timeouts::default()
        };
        let patience = Patience::with(&model, &Timeouts::default(), PhaseTimeouts::default());
        let started = Instant::now();
        let until = |began: u64| {
            let (deadline, _) = patience.deadline(started, started + Duration::from_millis(began));
            deadline.duration_since(started).as_millis()
        };

        assert_eq!((until(0), until(300), until(600)), (500, 800, 900));
    }

    #[test]
    fn the_first_token_is_awaited_no_longer_than_all_of_it_may_take() {
        let of = |first_token: Option<u64>, total: Option<u64>| {
            let model = Timeouts {
                first_token: first_token.map(HumanDuration::from_millis),
                total: total.map(HumanDuration::from_millis),
                ..Timeouts::default()
            };
            let patience = Patience::with(&model, &Timeouts::default(), PhaseTimeouts::default());
            patience.beginning().length
        };

        assert_eq!(of(Some(200), Some(900)), Duration::from_millis(200));
        assert_eq!(of(None, Some(900)), Duration::from_millis(900));
    }
}
