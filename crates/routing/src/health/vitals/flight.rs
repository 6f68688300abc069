//! A call to a deployment while it is under way, and what its end says of the deployment.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use gatewright_types::api::BreakerSettings;

use super::{Transition, Vitals};
use crate::health::Moment;

/// A call under way. It is over when this is dropped.
#[derive(Debug)]
pub struct Flight {
    pub(super) vitals: Arc<Vitals>,
    pub(super) probe: bool,
}

/// How a call ended, as far as it says something of the deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Succeeded {
        first_token: Duration,
    },
    /// Its provider answered something that is no request's answer.
    Reached,
    Failed,
    /// The caller was at fault, or went away.
    Untold,
}

impl Flight {
    pub const fn is_probe(&self) -> bool {
        self.probe
    }

    pub const fn vitals(&self) -> &Arc<Vitals> {
        &self.vitals
    }

    /// To be called once: when there is an answer, when a stream has begun to say something, or when it failed.
    pub fn ended(&mut self, outcome: Outcome, settings: &BreakerSettings, now: Moment) -> Option<Transition> {
        let vitals = &self.vitals;
        let probe = std::mem::take(&mut self.probe);
        match outcome {
            Outcome::Untold => {
                if probe {
                    vitals.breaker.release_probe();
                }
                None
            }
            Outcome::Succeeded { first_token } => {
                vitals.first_token.note(first_token, now.into());
                vitals.answered.store(now.0, Ordering::Relaxed);
                if probe {
                    return vitals.close(now).then_some(Transition::Closed);
                }
                vitals.note(0, 1, settings, now);
                None
            }
            Outcome::Reached => {
                if probe {
                    vitals.breaker.release_probe();
                }
                vitals.note(0, 1, settings, now);
                None
            }
            Outcome::Failed => {
                vitals.note(1, 1, settings, now);
                if probe {
                    return vitals.open(settings, now);
                }
                vitals.open_if_failing(settings, now)
            }
        }
    }

    /// The first token is there.
    pub fn first_token(&self, took: Duration, now: impl Into<Moment>) {
        self.vitals.first_token.note(took, now.into().into());
    }

    /// An answer that was counted as one has broken off.
    pub fn broke_off(&self, settings: &BreakerSettings, now: Moment) -> Option<Transition> {
        self.vitals.note(1, 0, settings, now);
        self.vitals.open_if_failing(settings, now)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.vitals.in_flight.fetch_sub(1, Ordering::Relaxed);
        if self.probe {
            self.vitals.breaker.release_probe();
        }
    }
}
