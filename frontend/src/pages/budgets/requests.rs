//! Who asked for more, and deciding it.

use gatewright_types::api::{
    Budget, BudgetDecision, BudgetRequest, BudgetRequestQuery, BudgetRequestState, LimitScopeQuery,
};
use gatewright_types::{BudgetId, PageQuery, Permission};
use leptos::prelude::*;

use super::more::{More, MoreDialog};
use crate::components::badge::{Badge, Tone};
use crate::components::button::{Button, Look};
use crate::components::confirm::{Question, ask};
use crate::components::icon::Icon;
use crate::components::live::live;
use crate::components::moment::Ago;
use crate::components::state::{Shape, empty, listed};
use crate::components::table::table;
use crate::format;
use crate::load::{List, Load, Loader};
use crate::place::Place;
use crate::session::{Workspace, use_workspace};
use crate::waiting::use_waiting;

/// What is being decided.
#[derive(Debug, Clone, PartialEq)]
enum Window {
    Nothing,
    Approve(BudgetRequest),
    Deny(BudgetRequest),
}

/// The requests of one budget, or of all of them.
#[component]
pub(super) fn Requests(
    budget: Option<BudgetId>,
    #[prop(optional, into)] again: Option<Trigger>,
    #[prop(optional, into)] on_decided: Option<Callback<()>>,
) -> impl IntoView {
    let workspace = use_workspace();
    let waiting = use_waiting();
    let requests = List::new(move |cursor| {
        if let Some(again) = again {
            again.track();
        }
        let query = BudgetRequestQuery {
            cursor,
            budget,
            ..BudgetRequestQuery::default()
        };
        workspace.budget_requests(&query)
    });
    let budgets = Loader::new(move || {
        let query = LimitScopeQuery {
            limit: Some(PageQuery::LONGEST),
            ..LimitScopeQuery::default()
        };
        Box::pin(async move {
            match budget {
                Some(_) => Ok(Vec::new()),
                None => workspace.budgets(&query).await.map(|page| page.items),
            }
        })
    });
    let open = RwSignal::new(Window::Nothing);
    let close = Callback::new(move |()| open.set(Window::Nothing));
    let changed = Callback::new(move |()| {
        requests.reload();
        waiting.look_again();
        if let Some(on_decided) = on_decided {
            on_decided.run(());
        }
    });
    let none = move || {
        if budget.is_some() {
            return view! { <p class="muted">"Nobody asked for more of it so far."</p> }.into_any();
        }
        let text = "A member who needs more of a budget asks for it on the budget's page, and one that says so asks by \
                    itself once it is spent.";
        empty(Icon::Inbox, "No requests", text, None)
    };
    let of = if budget.is_some() { "Who" } else { "For" };
    let rows = move |items: &[BudgetRequest]| {
        let rows = items
            .iter()
            .map(|request| row(request, workspace, open, budget.is_none().then_some(budgets)));
        table(
            "Requests for more",
            &[of, "How much", "What for", "Asked", "State", ""],
            rows.collect_view().into_any(),
        )
    };
    let window = move || match open.get() {
        Window::Nothing => ().into_any(),
        Window::Approve(request) => {
            view! { <MoreDialog more=More::Approve(request) on_saved=changed on_close=close/> }.into_any()
        }
        Window::Deny(request) => deny(&request, workspace, changed, close),
    };
    view! {
        {listed(requests, Shape::Rows, none, rows)}
        {live(window)}
    }
    .into_any()
}

fn row(
    request: &BudgetRequest,
    workspace: Workspace,
    open: RwSignal<Window>,
    budgets: Option<Loader<Vec<Budget>>>,
) -> AnyView {
    let (tone, word) = match request.state {
        BudgetRequestState::Open => (Tone::Accent, "open"),
        BudgetRequestState::Approved => (Tone::Good, "approved"),
        BudgetRequestState::Denied => (Tone::Bad, "denied"),
    };
    let undecided = request.state == BudgetRequestState::Open && workspace.can(Permission::BudgetsWrite);
    let actions = undecided.then(|| {
        let (approved, denied) = (request.clone(), request.clone());
        view! {
            <Button label="Deny" look=Look::Quiet on_press=Callback::new(move |()| open.set(Window::Deny(denied.clone())))/>
            <Button label="Approve" on_press=Callback::new(move |()| open.set(Window::Approve(approved.clone())))/>
        }
    });
    let budget = request.budget;
    let slug = workspace.slug().parse().ok();
    let href = slug.map(|slug| Place::Budget { slug, budget }.href());
    let name = move || {
        let named = budgets.and_then(|budgets| {
            budgets.state.with(|state| match state {
                Load::Ready(budgets) => budgets
                    .iter()
                    .find(|one| one.id == budget)
                    .map(|one| format::heading(&one.scope_name)),
                Load::Waiting | Load::Failed(_) => None,
            })
        });
        named.unwrap_or_else(|| "Budget".to_owned())
    };
    let decided = request
        .decided_by
        .clone()
        .map(|by| view! { <span class="cell-note">{by}</span> });
    view! {
        <tr>
            <th scope="row">
                {match budgets {
                    Some(_) => view! { <a class="cell-title" href=href>{name}</a> }.into_any(),
                    None => request.created_by.clone().into_any(),
                }}
            </th>
            <td data-label="How much">{request.amount.map_or_else(|| "not said".to_owned(), format::money)}</td>
            <td data-label="What for">{request.reason.clone()}</td>
            <td data-label="Asked">
                <Ago moment=request.created_at/>
                {budgets.is_some().then(|| view! { <span class="cell-note">{request.created_by.clone()}</span> })}
            </td>
            <td data-label="State"><Badge tone=tone text=word/>{decided}</td>
            <td class="actions decide">{actions}</td>
        </tr>
    }
    .into_any()
}

fn deny(request: &BudgetRequest, workspace: Workspace, changed: Callback<()>, close: Callback<()>) -> AnyView {
    let id = request.id;
    let question = Question {
        title: "Deny it?".to_owned(),
        text: format!("{} asks: {}", request.created_by, request.reason),
        action: "Deny",
        done: "It is denied.".to_owned(),
    };
    let call = move || workspace.decide_budget_request(id, &BudgetDecision::Deny {});
    ask(question, call, changed, close)
}
