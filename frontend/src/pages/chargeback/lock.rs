//! Keeping a month as it is, and opening it again.

use gatewright_types::Permission;
use gatewright_types::api::ChargebackMonth;
use leptos::prelude::*;

use super::month_title;
use crate::components::button::Button;
use crate::components::confirm::{Question, ask};
use crate::components::dialog::Dialog;
use crate::components::field::TextField;
use crate::components::form::FormFrame;
use crate::components::icon::Icon;
use crate::components::moment::{local, now};
use crate::components::toast::use_toasts;
use crate::form::{Form, tell};
use crate::format;
use crate::session::{Workspace, use_workspace};

/// The button for it, and the window it opens.
pub(super) fn lock(month: ChargebackMonth, workspace: Workspace, changed: Callback<()>) -> AnyView {
    let open = RwSignal::new(false);
    let press = Callback::new(move |()| open.set(true));
    let close = Callback::new(move |()| open.set(false));
    let is_locked = month.lock.is_some();
    let denial = match is_locked {
        true => workspace.denial(Permission::ChargebackUnlock),
        false => workspace.denial(Permission::ChargebackLock).or_else(|| {
            let from = month.lockable_from;
            let too_soon = (from > now()).then(|| format!("It can be locked from {} on.", format::exact(local(from))));
            let under_way = month.locking;
            let under_way =
                under_way.map(|at| format!("It is being locked: {} of {} portions are kept.", at.done, at.portions));
            too_soon.or(under_way)
        }),
    };
    let label = if is_locked { "Unlock month" } else { "Lock month" };
    let window = move || {
        open.get().then(|| match is_locked {
            true => view! { <Unlock month=month.clone() on_done=changed on_close=close/> }.into_any(),
            false => confirm(&month, workspace, changed, close),
        })
    };
    view! {
        <Button label=label glyph=Icon::Lock denial=denial on_press=press/>
        {window}
    }
    .into_any()
}

fn confirm(month: &ChargebackMonth, workspace: Workspace, changed: Callback<()>, close: Callback<()>) -> AnyView {
    let (which, title) = (month.month, month_title(month.month));
    let unpriced = match month.unpriced {
        0 => String::new(),
        unpriced => format!(
            " {} of its requests have no price yet, and stay without one in it.",
            format::count(unpriced)
        ),
    };
    let question = Question {
        title: format!("Lock {title}?"),
        text: format!(
            "It came to {}. Its reports stay as they are from now on, whatever prices, teams and cost centres become; \
             requests that come in later are corrections in the month in which they come in.{unpriced}",
            format::money(month.total.amount)
        ),
        action: "Lock month",
        done: format!("{title} is locked."),
    };
    ask(question, move || workspace.lock_month(which), changed, close)
}

#[component]
fn Unlock(month: ChargebackMonth, on_done: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let workspace = use_workspace();
    let toasts = use_toasts();
    let form = Form::new("unlock");
    let reason = RwSignal::new(String::new());
    let (which, title) = (month.month, month_title(month.month));
    let done = format!("{title} is open again.");
    let submit = Callback::new(move |()| {
        form.clear();
        let Some(reason) = form.text("reason", reason) else {
            return;
        };
        let done = done.clone();
        form.send(workspace.unlock_month(which, reason), move |()| {
            toasts.done(done);
            tell(on_done);
            tell(on_close);
        });
    });
    view! {
        <Dialog title=format!("Unlock {title}?") on_close=on_close>
            <FormFrame form=form submit="Unlock month" on_submit=submit on_cancel=on_close>
                <p class="prose">"Its reports are made anew from its requests, and may come to something else than what was charged."</p>
                <TextField form=form name="reason" label="Why" value=reason hint="It stands in the audit log."/>
            </FormFrame>
        </Dialog>
    }
    .into_any()
}
