//! More of a budget for a while: adding it, asking for it, approving what somebody asked for.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use gatewright_types::Nanos;
use gatewright_types::api::{Budget, BudgetDecision, BudgetRequest, NewBudgetRequest, NewIncrease};
use leptos::prelude::*;

use crate::components::dialog::Dialog;
use crate::components::field::{Input, TextField};
use crate::components::form::FormFrame;
use crate::components::moment::now;
use crate::components::toast::use_toasts;
use crate::form::{Form, tell};
use crate::format;
use crate::session::use_workspace;

/// What is done, and of what.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum More {
    Add(Box<Budget>),
    Ask(Box<Budget>),
    Approve(BudgetRequest),
}

impl More {
    /// Title, button, what it is about.
    fn words(&self) -> (&'static str, &'static str, String) {
        match self {
            Self::Add(budget) => (
                "Add for a while",
                "Add",
                format!("To the budget of {}.", budget.scope_name),
            ),
            Self::Ask(budget) => {
                let of = &budget.scope_name;
                let about = format!("For the budget of {of}. An admin decides how much it is and for how long.");
                ("Ask for more", "Ask", about)
            }
            Self::Approve(request) => {
                let about = format!("{} asks: {}", request.created_by, request.reason);
                ("Approve", "Approve", about)
            }
        }
    }
}

#[component]
pub(super) fn MoreDialog(more: More, on_saved: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let workspace = use_workspace();
    let toasts = use_toasts();
    let form = Form::new("more");
    let asked = match &more {
        More::Approve(request) => request.amount,
        More::Add(_) | More::Ask(_) => None,
    };
    let amount = RwSignal::new(asked.map(|amount| amount.to_string()).unwrap_or_default());
    let reason = RwSignal::new(String::new());
    let until = RwSignal::new((now() + TimeDelta::days(7)).format("%Y-%m-%d").to_string());
    let (amount_name, until_name) = match more {
        More::Approve(_) => ("approve.amount", "approve.expires_at"),
        More::Add(_) | More::Ask(_) => ("amount", "expires_at"),
    };
    let (title, submit, about) = more.words();
    let (with_reason, with_end) = (!matches!(more, More::Approve(_)), !matches!(more, More::Ask(_)));
    let save = Callback::new(move |()| {
        form.clear();
        let amount = form.parse::<Nanos>(amount_name, amount);
        let reason = if with_reason {
            form.text("reason", reason)
        } else {
            Some(String::new())
        };
        let expires_at = if with_end {
            read_day(form, until_name, until)
        } else {
            Some(now())
        };
        let (Some(amount), Some(reason), Some(expires_at)) = (amount, reason, expires_at) else {
            return;
        };
        let more = more.clone();
        let added = format!("{} is added.", format::money(amount));
        let (call, done) = match more {
            More::Add(budget) => {
                let increase = NewIncrease {
                    amount,
                    reason,
                    expires_at,
                };
                (workspace.add_increase(budget.id, &increase), added)
            }
            More::Ask(budget) => {
                let request = NewBudgetRequest { amount, reason };
                let asked = "Those who may raise it are asked.".to_owned();
                (workspace.ask_for_budget(budget.id, &request), asked)
            }
            More::Approve(request) => {
                let decision = BudgetDecision::Approve { amount, expires_at };
                (workspace.decide_budget_request(request.id, &decision), added)
            }
        };
        form.send(call, move |()| {
            toasts.done(done);
            tell(on_saved);
            tell(on_close);
        });
    });
    let reason = with_reason.then(|| view! { <TextField form=form name="reason" label="What for" value=reason/> });
    let until = with_end.then(
        || view! { <TextField form=form name=until_name label="Until the end of (UTC)" value=until input=Input::Date/> },
    );
    view! {
        <Dialog title=title on_close=on_close>
            <FormFrame form=form submit=submit on_submit=save on_cancel=on_close>
                <p class="prose">{about}</p>
                <TextField form=form name=amount_name label="How much more (USD)" value=amount input=Input::Code placeholder="50.00"/>
                {reason}
                {until}
            </FormFrame>
        </Dialog>
    }
    .into_any()
}

/// The end of a day.
fn read_day(form: Form, name: &'static str, day: RwSignal<String>) -> Option<DateTime<Utc>> {
    let day: NaiveDate = form.parse(name, day)?;
    let end = day.succ_opt().and_then(|next| next.and_hms_opt(0, 0, 0));
    end.map(|end| end.and_utc())
}
