//! Budgets: how much may be spent, how much is, and who asks for more.

mod alerts;
mod burn_down;
mod course;
mod form;
mod increases;
mod more;
pub(crate) mod page;
mod requests;
mod standing;

use gatewright_types::Permission;
use gatewright_types::api::Budget;
use leptos::prelude::*;

use self::form::BudgetForm;
use self::requests::Requests;
use self::standing::{Standing, action, amount, meter, reached, reset, spent, title};
use super::address::Noted;
use super::scope::{kind_options, of_kind};
use crate::components::button::{Button, Look};
use crate::components::header::PageHeader;
use crate::components::icon::Icon;
use crate::components::state::{Shape, empty, listed};
use crate::components::table::table;
use crate::components::tabs::Tabs;
use crate::load::List;
use crate::place::{Place, Section};
use crate::router::use_router;
use crate::session::{Workspace, use_workspace};

const REQUESTS: &str = "view=requests";

#[component]
pub(crate) fn Budgets() -> impl IntoView {
    let workspace = use_workspace();
    let router = use_router();
    let requests = Memo::new(move |_| router.query() == REQUESTS);
    let tabs = Signal::derive(move || {
        let href = workspace.href(Section::Budgets);
        vec![
            (href.clone(), "Budgets", !requests.get()),
            (format!("{href}?{REQUESTS}"), "Requests for more", requests.get()),
        ]
    });
    let creating = RwSignal::new(false);
    let create = Callback::new(move |()| creating.set(true));
    let denial = workspace.denial(Permission::BudgetsWrite);
    let body = move || {
        if requests.get() {
            view! { <Requests budget=None/> }.into_any()
        } else {
            list(workspace, creating)
        }
    };
    let about = "How much may be spent, by whom or on what, and what happens then.";
    view! {
        <PageHeader title="Budgets" about=about>
            <Button label="Create budget" look=Look::Primary glyph=Icon::Plus denial=denial on_press=create/>
        </PageHeader>
        <Tabs label="Budgets and requests for more" tabs=tabs/>
        {body}
    }
    .into_any()
}

fn list(workspace: Workspace, creating: RwSignal<bool>) -> AnyView {
    let (scope, state) = (Noted::new("scope"), Noted::new("state"));
    let budgets = List::new(move |cursor| {
        let query = of_kind(scope, cursor);
        workspace.budgets(&query)
    });
    let denial = workspace.denial(Permission::BudgetsWrite);
    let create = Callback::new(move |()| creating.set(true));
    let none = move || {
        if !scope.value().is_empty() {
            return empty(
                Icon::Budget,
                "No such budgets",
                "Nothing of this kind has a budget.",
                None,
            );
        }
        let text = "A budget says how much may be spent by a team, a key, an end user or on a model, and what happens \
                    then. Begin with one for the whole organization: no other can be more than it.";
        empty(
            Icon::Budget,
            "No budgets yet",
            text,
            Some(("Create budget", denial.clone(), create)),
        )
    };
    let rows = move |budgets: &[Budget]| {
        let wanted = state.value();
        let wanted = Standing::ALL.into_iter().find(|(_, word, _)| *word == wanted);
        let shown = |budget: &&Budget| wanted.is_none_or(|(one, ..)| Standing::of(budget) == Some(one));
        let rows: Vec<_> = budgets
            .iter()
            .filter(shown)
            .map(|budget| row(budget, workspace))
            .collect();
        if rows.is_empty() {
            return empty(
                Icon::Budget,
                "No such budgets",
                "No budget listed here stands like this.",
                None,
            );
        }
        table(
            "Budgets",
            &["For", "Amount", "Spent", "Begins anew"],
            rows.collect_view().into_any(),
        )
    };
    let states = [(String::new(), "In any state".to_owned())];
    let states = states
        .into_iter()
        .chain(Standing::ALL.map(|(_, word, title)| (word.to_owned(), title.to_owned())));
    let changed = Callback::new(move |()| budgets.reload());
    view! {
        <div class="filters" role="search" aria-label="Filters">
            {scope.choice("Scope", kind_options())}
            {state.choice("State", states.collect())}
        </div>
        {listed(budgets, Shape::Rows, none, rows)}
        {move || {
            let close = Callback::new(move |()| creating.set(false));
            creating.get().then(|| view! { <BudgetForm budget=None on_saved=changed on_close=close/> })
        }}
    }
    .into_any()
}

fn row(budget: &Budget, workspace: Workspace) -> AnyView {
    let slug = workspace.slug().parse().ok();
    let href = slug.map(|slug| {
        Place::Budget {
            slug,
            budget: budget.id,
        }
        .href()
    });
    let state = budget.state.as_ref();
    let (next, exactly) = reset(budget);
    view! {
        <tr>
            <th scope="row" data-label="For"><a class="cell-title" href=href>{title(budget)}</a></th>
            <td data-label="Amount">
                {amount(&budget.spec)}
                <span class="cell-note">{action(&budget.spec)}</span>
            </td>
            <td data-label="Spent" class="meter-cell">
                <div>
                    {state.map_or_else(|| "not known".to_owned(), spent)}" "
                    {state.and_then(reached)}
                    {meter(budget)}
                </div>
            </td>
            <td data-label="Begins anew">{next}{exactly.map(|exactly| view! { <span class="cell-note">{exactly}</span> })}</td>
        </tr>
    }
    .into_any()
}
