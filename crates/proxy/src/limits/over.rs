//! Why a budget or a limit does not let a request through.

use std::time::Duration;

use chrono::{DateTime, Utc};
use gatewright_contract::{Budget, Caller, Measure, RateLimit};
use gatewright_types::api::{BudgetAction, BudgetWindow, LimitScope};
use gatewright_types::{BudgetId, Currency, LimitId, Nanos};

use super::entering::Limited;
use super::path::{Met, in_words};
use crate::accounts::Standing;

/// What is in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Over {
    Budget {
        id: BudgetId,
        message: Box<str>,
    },
    Limit {
        id: LimitId,
        message: Box<str>,
        retry_after: Duration,
    },
    Blocked {
        id: LimitId,
        message: Box<str>,
    },
    /// Nobody can say what is left of it, and it is not to be gone beyond meanwhile.
    NotKnown {
        message: Box<str>,
    },
    /// A budget takes only what has a price.
    Unpriced {
        message: Box<str>,
    },
}

/// While nobody can say what is left, nodes ask again so often.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(1);

impl Over {
    /// With how it stands and what was to be reserved of it, where that was asked.
    pub(super) fn budget(met: &Met<Budget>, found: Option<(Standing, Nanos)>, caller: &Caller) -> Self {
        let budget = &met.it;
        let of = in_words(&budget.scope, met.name.as_ref(), caller);
        let currency = currency(budget.spec.currency);
        let lacks = match found {
            Some((standing, wanted)) if wanted.get() > standing.remaining => {
                let left = Nanos::new(standing.remaining);
                format!(" The request may come to {wanted} {currency}, and {left} {currency} is left.")
            }
            Some(_) | None => String::new(),
        };
        let resets_at = found.and_then(|(standing, _)| standing.resets_at);
        let again = match (resets_at, budget.spec.window) {
            (Some(at), BudgetWindow::Rolling(_)) => {
                format!(" Something of it is left again from {}.", in_zone(budget, at))
            }
            (Some(at), _) => format!(" It begins anew at {}.", in_zone(budget, at)),
            (None, _) => " An administrator can raise it.".to_owned(),
        };
        // Nothing that begins anew makes room for more than there is in all.
        let never_fits = match found {
            Some((standing, wanted)) if wanted.get() > standing.cap => {
                " All of it is less than that: ask for a shorter answer (`max_tokens`), or have it raised."
            }
            Some(_) | None => "",
        };
        let asked = match budget.spec.action {
            BudgetAction::Ask => " A raise was asked for.",
            BudgetAction::Block | BudgetAction::Warn | BudgetAction::Downgrade(_) => "",
        };
        let message = format!(
            "The budget of {of} does not allow this request: {} {currency} {}.{lacks}{again}{never_fits}{asked}",
            budget.spec.amount,
            window(budget.spec.window)
        );
        Self::Budget {
            id: budget.id,
            message: message.into(),
        }
    }

    pub(super) fn limit(limit: &Limited, standing: Standing, (caller, now): (&Caller, DateTime<Utc>)) -> Self {
        let Limited { met, measure, most } = limit;
        let of = in_words(&met.it.scope, met.name.as_ref(), caller);
        let wait = standing.resets_at.and_then(|at| (at - now).to_std().ok());
        let retry_after = wait.unwrap_or_default().max(Duration::from_secs(1));
        let again = match measure {
            Measure::AtOnce => "Try again when one of them is over.".to_owned(),
            _ => format!("Try again in {} s.", retry_after.as_secs_f64().ceil()),
        };
        let message = format!(
            "The rate limit of {of} is reached: {most} {}. {again}",
            measure.in_words()
        );
        Self::Limit {
            id: met.it.id,
            message: message.into(),
            retry_after,
        }
    }

    pub(super) fn blocked(met: &Met<RateLimit>, caller: &Caller) -> Self {
        let of = in_words(&met.it.scope, met.name.as_ref(), caller);
        Self::Blocked {
            id: met.it.id,
            message: format!("Requests of {of} are blocked. An administrator can let them through again.").into(),
        }
    }

    /// Said of a budget that only warns.
    pub(super) fn warning(met: &Met<Budget>, caller: &Caller) -> String {
        let spec = &met.it.spec;
        let of = in_words(&met.it.scope, met.name.as_ref(), caller);
        format!(
            "the budget of {of} is spent: {} {} {}",
            spec.amount,
            currency(spec.currency),
            window(spec.window)
        )
    }

    pub(super) fn not_known(what: &str, scope: Option<&LimitScope>, caller: &Caller) -> Self {
        let of = in_words(scope.unwrap_or(&LimitScope::Organization), None, caller);
        Self::NotKnown {
            message: format!(
                "What is left of the {what} of {of} cannot be found out at the moment. Try again shortly."
            )
            .into(),
        }
    }

    pub(super) fn unpriced(met: &Met<Budget>, target: &str, caller: &Caller) -> Self {
        let of = in_words(&met.it.scope, met.name.as_ref(), caller);
        Self::Unpriced {
            message: format!(
                "The budget of {of} lets through only what has a price, and {target} has none. An administrator can set one."
            )
            .into(),
        }
    }

    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Budget { .. } => "budget_exceeded",
            Self::Limit { .. } => "rate_limit_exceeded",
            Self::Blocked { .. } => "blocked",
            Self::NotKnown { .. } => "not_ready",
            Self::Unpriced { .. } => "unpriced",
        }
    }

    pub(crate) const fn status(&self) -> u16 {
        match self {
            Self::Budget { .. } => 402,
            Self::Limit { .. } => 429,
            Self::Blocked { .. } => 403,
            Self::NotKnown { .. } => 503,
            Self::Unpriced { .. } => 400,
        }
    }

    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Budget { message, .. }
            | Self::Limit { message, .. }
            | Self::Blocked { message, .. }
            | Self::NotKnown { message }
            | Self::Unpriced { message } => message,
        }
    }

    pub(crate) const fn is_budget(&self) -> bool {
        matches!(self, Self::Budget { .. })
    }

    pub(crate) const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Limit { retry_after, .. } => Some(*retry_after),
            Self::NotKnown { .. } => Some(ASKED_AGAIN_AFTER),
            Self::Budget { .. } | Self::Blocked { .. } | Self::Unpriced { .. } => None,
        }
    }

    /// The budget or limit, as its row says.
    pub(crate) fn id(&self) -> Option<String> {
        match self {
            Self::Budget { id, .. } => Some(id.to_string()),
            Self::Limit { id, .. } | Self::Blocked { id, .. } => Some(id.to_string()),
            Self::NotKnown { .. } | Self::Unpriced { .. } => None,
        }
    }
}

/// As clocks show it where the budget's days begin.
fn in_zone(budget: &Budget, at: DateTime<Utc>) -> String {
    let zone = &budget.spec.time_zone;
    match budget.zone.at(at) {
        Ok(local) => format!("{} ({zone})", local.format("%Y-%m-%d %H:%M")),
        Err(_) => format!("{} (UTC)", at.format("%Y-%m-%d %H:%M")),
    }
}

const fn currency(currency: Currency) -> &'static str {
    match currency {
        Currency::Usd => "USD",
    }
}

fn window(window: BudgetWindow) -> String {
    match window {
        BudgetWindow::Hour => "an hour".to_owned(),
        BudgetWindow::Day => "a day".to_owned(),
        BudgetWindow::Week => "a week".to_owned(),
        BudgetWindow::Month | BudgetWindow::FiscalMonth { .. } => "a month".to_owned(),
        BudgetWindow::Rolling(length) => format!("in {length}"),
        BudgetWindow::Total => "in all".to_owned(),
    }
}
