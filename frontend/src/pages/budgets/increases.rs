//! What is added to a budget for a while.

use gatewright_types::Permission;
use gatewright_types::api::{Budget, Increase};
use leptos::prelude::*;

use crate::components::button::IconButton;
use crate::components::confirm::{Question, ask};
use crate::components::icon::Icon;
use crate::components::moment::{Ago, Exact};
use crate::components::table::table;
use crate::format;
use crate::session::use_workspace;

/// Those in force, and the way to end one early.
pub(super) fn increases(budget: &Budget, on_changed: Callback<()>) -> AnyView {
    let workspace = use_workspace();
    let ending = RwSignal::new(None::<Increase>);
    if budget.increases.is_empty() {
        return view! { <p class="muted">"Nothing is added to it at the moment."</p> }.into_any();
    }
    let may = workspace.can(Permission::BudgetsWrite);
    let row = move |increase: &Increase| {
        let this = increase.clone();
        let end = may.then(|| {
            view! {
                <IconButton
                    label=format!("End the increase of {}", format::money(increase.amount))
                    glyph=Icon::Trash
                    on_press=Callback::new(move |()| ending.set(Some(this.clone())))
                />
            }
        });
        view! {
            <tr>
                <th scope="row" data-label="Amount">{format::money(increase.amount)}</th>
                <td data-label="Reason">{increase.reason.clone()}</td>
                <td data-label="Until"><Exact moment=increase.expires_at/></td>
                <td data-label="Added"><Ago moment=increase.created_at/><span class="cell-note">{increase.created_by.clone()}</span></td>
                <td class="actions">{end}</td>
            </tr>
        }
    };
    let rows = budget.increases.iter().map(row).collect_view().into_any();
    let id = budget.id;
    let close = Callback::new(move |()| ending.set(None));
    let window = move || {
        ending.get().map(|increase| {
            let question = Question {
                title: format!("End the increase of {}?", format::money(increase.amount)),
                text: "From now on the budget is what it was without it.".to_owned(),
                action: "End increase",
                done: "The increase has ended.".to_owned(),
            };
            ask(
                question,
                move || workspace.end_increase(id, increase.id),
                on_changed,
                close,
            )
        })
    };
    view! {
        {table("Increases", &["Amount", "Reason", "Until", "Added", ""], rows)}
        {window}
    }
    .into_any()
}
