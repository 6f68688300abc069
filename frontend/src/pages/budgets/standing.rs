//! How a budget stands: in words, and as a bar of what is spent, reserved and left.

use gatewright_types::Nanos;
use gatewright_types::api::{Budget, BudgetAction, BudgetSpec, BudgetState, BudgetWindow};
use leptos::prelude::*;

use crate::components::badge::{Badge, Tone};
use crate::components::moment::{local, now};
use crate::format;

/// What matters of a budget at first sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Fine,
    /// An alert below the whole amount is reached, or the soft mark.
    Near,
    Over,
}

impl Standing {
    pub(super) const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::Over, "over", "Spent"),
        (Self::Near, "near", "Past a mark"),
        (Self::Fine, "fine", "Fine"),
    ];

    /// Nothing where it is not known, or where everybody has an amount for themselves.
    pub(super) fn of(budget: &Budget) -> Option<Self> {
        let state = budget.state.as_ref()?;
        let cap = state.cap?;
        let soft = budget.spec.soft.is_some_and(|soft| state.spent >= soft);
        Some(if state.spent >= cap {
            Self::Over
        } else if soft || !state.reached.is_empty() {
            Self::Near
        } else {
            Self::Fine
        })
    }

    pub(super) fn badge(self) -> AnyView {
        let (tone, text) = match self {
            Self::Fine => (Tone::Good, "fine"),
            Self::Near => (Tone::Warning, "past a mark"),
            Self::Over => (Tone::Bad, "spent"),
        };
        view! { <Badge tone=tone text=text/> }.into_any()
    }
}

/// The scope's words as the beginning of a line: `Team Search`.
pub(super) fn title(budget: &Budget) -> String {
    format::heading(&budget.scope_name)
}

/// `$100.00 a month, Europe/Berlin`
pub(super) fn amount(spec: &BudgetSpec) -> String {
    let amount = format::money(spec.amount);
    let zone = &spec.time_zone;
    match spec.window {
        BudgetWindow::Hour => format!("{amount} an hour"),
        BudgetWindow::Day => format!("{amount} a day, {zone}"),
        BudgetWindow::Week => format!("{amount} a week from Monday, {zone}"),
        BudgetWindow::Month => format!("{amount} a month, {zone}"),
        BudgetWindow::FiscalMonth { starts_on } => format!("{amount} a month from day {starts_on}, {zone}"),
        BudgetWindow::Rolling(length) => format!("{amount} in any {length}"),
        BudgetWindow::Total => format!("{amount} in all"),
    }
}

/// What happens once it is spent.
pub(super) fn action(spec: &BudgetSpec) -> String {
    match (&spec.action, spec.soft) {
        (BudgetAction::Block, _) => "then refuses".to_owned(),
        (BudgetAction::Warn, _) => "then only tells".to_owned(),
        (BudgetAction::Ask, _) => "then refuses and asks for more".to_owned(),
        (BudgetAction::Downgrade(model), None) => format!("then goes to {model}"),
        (BudgetAction::Downgrade(model), Some(soft)) => {
            format!("goes to {model} from {} on, then refuses", format::money(soft))
        }
    }
}

/// When it begins anew: `in 3 days`, and exactly.
pub(super) fn reset(budget: &Budget) -> (String, Option<String>) {
    let to = budget.state.as_ref().and_then(|state| state.to);
    match (budget.spec.window, to) {
        (BudgetWindow::Total, _) => ("never".to_owned(), None),
        (BudgetWindow::Rolling(_), _) => ("bit by bit".to_owned(), None),
        (_, None) => ("–".to_owned(), None),
        (_, Some(to)) => (format::distance(to, now()), Some(format::exact(local(to)))),
    }
}

/// `$12.50 of $100.00`
pub(super) fn spent(state: &BudgetState) -> String {
    let spent = format::money(state.spent);
    match state.cap {
        Some(cap) => format!("{spent} of {}", format::money(cap)),
        None => format!("{spent} by all together"),
    }
}

/// The bar. Nothing for a budget for each: nobody has the whole of it.
pub(super) fn meter(budget: &Budget) -> Option<AnyView> {
    let state = budget.state.as_ref()?;
    let cap = state.cap?;
    let part = |amount: Nanos| share(amount, cap);
    let spent = part(state.spent);
    let reserved = state.reserved.map_or(0.0, part).min(100.0 - spent);
    let steps = budget.spec.alerts.iter().filter(|step| **step < 100);
    let marks = steps.map(|step| (part(percent_of(cap, *step)), "meter-step"));
    let soft = budget.spec.soft.map(|soft| (part(soft), "meter-soft"));
    let marks = marks
        .chain(soft)
        .map(|(left, class)| view! { <span class=class style:left=format!("{left:.2}%")></span> })
        .collect_view();
    let mut said = format!("{} spent", self::spent(state));
    if let Some(reserved) = state.reserved {
        said += &format!(", {} reserved", format::money(reserved));
    }
    let tone = match Standing::of(budget) {
        Some(Standing::Over) => "meter is-over",
        Some(Standing::Near) => "meter is-near",
        Some(Standing::Fine) | None => "meter",
    };
    Some(
        view! {
            <div class=tone role="img" aria-label=said.clone() title=said>
                <span class="meter-spent" style:width=format!("{spent:.2}%")></span>
                <span class="meter-reserved" style:width=format!("{reserved:.2}%")></span>
                {marks}
            </div>
        }
        .into_any(),
    )
}

/// The steps that were reached, highest first.
pub(super) fn reached(state: &BudgetState) -> Option<AnyView> {
    let highest = state.reached.iter().max()?;
    let tone = if *highest >= 100 { Tone::Bad } else { Tone::Warning };
    Some(view! { <Badge tone=tone text=format!("{highest}% reached")/> }.into_any())
}

/// In percent, from 0 to 100.
fn share(part: Nanos, whole: Nanos) -> f64 {
    if whole <= Nanos::ZERO {
        return 100.0;
    }
    (part.get() as f64 / whole.get() as f64 * 100.0).clamp(0.0, 100.0)
}

fn percent_of(amount: Nanos, percent: u16) -> Nanos {
    Nanos::from_picos(i128::from(amount.get()) * i128::from(percent) * 10)
}

#[cfg(test)]
mod tests {
    use gatewright_types::api::LimitScope;

    use super::*;

    fn budget(spent: i64, soft: Option<i64>, reached: &[u16]) -> Budget {
        let state = serde_json::json!({
            "from": null, "to": null, "cap": "10", "carried_over": "0", "spent": spent.to_string(), "reserved": "0",
            "reached": reached,
        });
        let budget = serde_json::json!({
            "id": "bud_01976f0e7d1a70008000000000000001", "scope": LimitScope::<String>::Organization,
            "scope_name": "the organization", "amount": "10", "window": "total",
            "soft": soft.map(|soft| soft.to_string()), "increases": [], "state": state,
            "created_at": "2026-11-30T00:00:00Z", "created_by": "ada@acme.test",
        });
        serde_json::from_value(budget).expect("a budget")
    }

    #[test]
    fn a_budget_is_near_its_end_from_its_first_step_on() {
        for (spent, soft, reached, standing) in [
            (1, None, &[][..], Standing::Fine),
            (5, None, &[50][..], Standing::Near),
            (4, Some(4), &[][..], Standing::Near),
            (10, None, &[50, 80, 100][..], Standing::Over),
        ] {
            assert_eq!(Standing::of(&budget(spent, soft, reached)), Some(standing), "{spent}");
        }
    }

    #[test]
    fn what_is_for_each_stands_in_no_one_way() {
        let mut budget = budget(10, None, &[]);
        budget.state.as_mut().expect("a state").cap = None;
        budget.scope = serde_json::from_value(serde_json::json!({"end_user": {"each": true}})).expect("a scope");

        assert_eq!(Standing::of(&budget), None);
        assert!(amount(&budget.spec).ends_with("in all"));
    }

    #[test]
    fn shares_stay_within_the_bar() {
        let nanos = Nanos::new;
        assert_eq!(share(nanos(5), nanos(10)), 50.0);
        assert_eq!(share(nanos(50), nanos(10)), 100.0);
        assert_eq!(share(nanos(0), nanos(0)), 100.0);
        assert_eq!(percent_of(nanos(1_000), 80), nanos(800));
    }
}
