//! Puts refused attempts into the audit log, and keeps strangers from filling it: beyond a rate, refusals of callers
//! without a name are only counted.

use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_store::{Actor, ActorKind, Change};
use gatewright_types::OrganizationId;
use serde_json::json;

use crate::access::Facts;
use crate::control::Control;
use crate::error::{ApiError, chain};
use crate::routes::{Access, Route};

const WINDOW: TimeDelta = TimeDelta::seconds(10);
const PER_WINDOW: u32 = 50;

/// How much strangers may do that is written down, in each window of time.
#[derive(Debug, Default)]
pub(crate) struct StrangerBudget(Mutex<Window>);

#[derive(Debug, Default)]
struct Window {
    began: Option<DateTime<Utc>>,
    used: u32,
}

/// Who tried what, as far as it became known before the refusal.
#[derive(Debug, Default)]
pub(crate) struct Attempt {
    pub(crate) actor: Option<Actor>,
    pub(crate) organization: Option<OrganizationId>,
    /// A cookie or token was sent, whether or not it was good.
    pub(crate) showed_credential: bool,
}

impl StrangerBudget {
    pub(crate) fn window() -> Duration {
        WINDOW.to_std().unwrap_or_default()
    }

    pub(crate) fn take(&self, now: DateTime<Utc>) -> bool {
        // A poisoned lock holds a counter like any other.
        let mut window = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if window.began.is_none_or(|began| now - began >= WINDOW) {
            *window = Window {
                began: Some(now),
                used: 0,
            };
        }
        window.used += 1;
        window.used <= PER_WINDOW
    }
}

/// Records a refusal when it is one of access. What a handler refuses for other reasons is no such thing.
pub(crate) async fn record(
    control: &Control,
    route: &Route,
    path: &str,
    facts: &Facts,
    attempt: Attempt,
    error: &ApiError,
) {
    let reason = match error {
        ApiError::Unauthenticated if attempt.showed_credential => "unauthenticated",
        ApiError::CsrfRejected => "csrf_rejected",
        ApiError::Forbidden(_) => "forbidden",
        _ => return,
    };
    if attempt.actor.is_none() && !control.refusals.take(Utc::now()) {
        tracing::debug!(request.id = %facts.request, "a refusal was not audited: too many at once");
        return;
    }
    let permission = match route.access() {
        Access::Needs(permission) | Access::Installation(permission) => Some(permission),
        Access::Public | Access::Known | Access::SignedIn => None,
    };
    let change = Change {
        organization: attempt.organization,
        action: "access.refuse",
        target: None,
        detail: json!({
            "method": route.method.as_str(),
            "path": path.chars().take(200).collect::<String>(),
            "reason": reason,
            "permission": permission,
        }),
    };
    let actor = attempt.actor.unwrap_or_else(|| stranger(facts));
    if let Err(error) = control.db.system().audit_refused(&actor, &change).await {
        tracing::error!(request.id = %facts.request, error = %chain(&error), "a refusal could not be audited");
    }
}

/// Somebody without a name.
pub(crate) fn stranger(facts: &Facts) -> Actor {
    Actor {
        kind: ActorKind::System,
        label: "anonymous".to_owned(),
        address: facts.address.clone(),
        request_id: facts.request.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_fill_the_log_only_so_fast() {
        let budget = StrangerBudget::default();
        let now: DateTime<Utc> = "2026-08-01T00:00:00Z".parse().expect("a time");

        let taken = (0..60).filter(|_| budget.take(now)).count();

        assert_eq!(taken, 50);
        assert!(budget.take(now + WINDOW));
    }
}
