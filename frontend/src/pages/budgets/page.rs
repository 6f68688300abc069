//! One budget: how it stands, where that leads, who spends, what was added to it, and who asks for more.

use gatewright_types::api::{Budget, BudgetMode, UnpricedRequests, WhenUnavailable};
use gatewright_types::{BudgetId, Nanos, Permission};
use leptos::prelude::*;

use super::alerts::alerts;
use super::course::CourseOf;
use super::form::BudgetForm;
use super::increases::increases;
use super::more::{More, MoreDialog};
use super::requests::Requests;
use super::standing::{Standing, action, amount, meter, reset, spent, title};
use crate::components::button::{Button, IconButton, Look};
use crate::components::confirm::{Question, ask};
use crate::components::header::PageHeader;
use crate::components::icon::Icon;
use crate::components::moment::{local, now};
use crate::components::state::{Shape, loaded};
use crate::format;
use crate::load::Loader;
use crate::place::{Place, Section};
use crate::router::use_router;
use crate::session::{Workspace, use_workspace};
use crate::waiting::use_waiting;

/// The window over the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Window {
    Nothing,
    Edit,
    Delete,
    Increase,
    Ask,
}

#[component]
pub(crate) fn BudgetPage(budget: BudgetId) -> impl IntoView {
    let workspace = use_workspace();
    let loader = Loader::new(move || workspace.budget(budget));
    loaded(loader, Shape::Charts, move |budget| show(budget, workspace, loader))
}

fn show(budget: &Budget, workspace: Workspace, loader: Loader<Budget>) -> AnyView {
    let open = RwSignal::new(Window::Nothing);
    let asked = Trigger::new();
    let waiting = use_waiting();
    let opens = |window| Callback::new(move |()| open.set(window));
    let changed = Callback::new(move |()| loader.reload());
    let on_asked = Callback::new(move |()| {
        asked.notify();
        waiting.look_again();
    });
    let close = Callback::new(move |()| open.set(Window::Nothing));
    let writes = workspace.can(Permission::BudgetsWrite).then(|| {
        view! {
            <Button label="Add for a while" glyph=Icon::Plus on_press=opens(Window::Increase)/>
            <IconButton label="Edit" glyph=Icon::Pencil on_press=opens(Window::Edit)/>
            <IconButton label="Delete" glyph=Icon::Trash on_press=opens(Window::Delete)/>
        }
    });
    let asks = workspace
        .can(Permission::BudgetsAsk)
        .then(|| view! { <Button label="Ask for more" look=Look::Primary on_press=opens(Window::Ask)/> });
    let stored = StoredValue::new(budget.clone());
    let window = move || {
        let budget = stored.get_value();
        match open.get() {
            Window::Nothing => ().into_any(),
            Window::Edit => view! { <BudgetForm budget=Some(budget) on_saved=changed on_close=close/> }.into_any(),
            Window::Delete => delete(&budget, workspace, close),
            Window::Increase => {
                let more = More::Add(Box::new(budget));
                view! { <MoreDialog more=more on_saved=changed on_close=close/> }.into_any()
            }
            Window::Ask => {
                let more = More::Ask(Box::new(budget));
                view! { <MoreDialog more=more on_saved=on_asked on_close=close/> }.into_any()
            }
        }
    };
    view! {
        <PageHeader title=title(budget) up=(workspace.href(Section::Budgets), "Budgets")>{asks}{writes}</PageHeader>
        {stands(budget)}
        <section class="section"><CourseOf budget=budget.clone()/></section>
        <section class="section">
            <h2>"Alerts"</h2>
            {alerts(budget, workspace)}
        </section>
        <section class="section">
            <h2>"Added for a while"</h2>
            {increases(budget, changed)}
        </section>
        <section class="section">
            <h2>"Requests for more"</h2>
            <Requests budget=Some(budget.id) again=asked on_decided=changed/>
        </section>
        {window}
    }
    .into_any()
}

fn stands(budget: &Budget) -> AnyView {
    let head = match &budget.state {
        None => view! { <p class="muted">"How it stands is not known: this release does not understand all that is written of it."</p> }.into_any(),
        Some(state) => view! {
            <p class="budget-spent">
                <strong>{spent(state)}</strong>" "
                {Standing::of(budget).map(Standing::badge)}
            </p>
            {meter(budget)}
        }
        .into_any(),
    };
    let fact = |(name, value): (&'static str, String)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> };
    let facts = facts(budget).into_iter().map(fact).collect_view();
    view! { <section class="card" aria-label="How it stands">{head}<dl class="facts facts-wide">{facts}</dl></section> }
        .into_any()
}

fn facts(budget: &Budget) -> Vec<(&'static str, String)> {
    let spec = &budget.spec;
    let steps = |steps: &[u16]| {
        let steps: Vec<_> = steps.iter().map(|step| format!("{step}%")).collect();
        steps.join(", ")
    };
    let (next, exactly) = reset(budget);
    let exactly = exactly.map(|exactly| format!(", {exactly}")).unwrap_or_default();
    let mut facts = vec![
        ("Amount", format!("{}, {}", amount(spec), action(spec))),
        ("Begins anew", format!("{next}{exactly}")),
    ];
    if let Some(state) = &budget.state {
        if let Some(from) = state.from {
            facts.push(("Window began", format::exact(local(from))));
        }
        if let Some(cap) = state.cap {
            let left = cap.saturating_sub(state.spent);
            let left = left.saturating_sub(state.reserved.unwrap_or(Nanos::ZERO));
            let more = cap.saturating_sub(spec.amount).saturating_sub(state.carried_over);
            facts.push(("Left", format::money(left.max(Nanos::ZERO))));
            let parts = [("Carried over", state.carried_over), ("Added for a while", more)];
            let parts = parts.into_iter().filter(|(_, part)| *part > Nanos::ZERO);
            facts.extend(parts.map(|(name, part)| (name, format::money(part))));
        }
        let reserved = state
            .reserved
            .map_or_else(|| "not known: nodes cannot be asked".to_owned(), format::money);
        facts.push(("Reserved for requests under way", reserved));
        let reached = match state.reached.as_slice() {
            [] => "nothing".to_owned(),
            reached => steps(reached),
        };
        facts.push(("Reached", format!("{reached} of {}", steps(&spec.alerts))));
    }
    let mode = match spec.mode {
        BudgetMode::Smooth => "smooth: reserves what a request usually costs",
        BudgetMode::Strict => "strict: reserves the most a request can cost",
    };
    let unavailable = match spec.when_unavailable() {
        WhenUnavailable::Local => "goes on by what each node knows",
        WhenUnavailable::Deny => "refuses",
    };
    let unpriced = match spec.unpriced() {
        UnpricedRequests::Block => "are refused",
        UnpricedRequests::Allow => "count as nothing",
    };
    facts.push(("How exactly", mode.to_owned()));
    facts.push(("When nodes cannot ask", unavailable.to_owned()));
    facts.push(("Requests without a price", unpriced.to_owned()));
    let made = format::distance(budget.created_at, now());
    facts.push(("Made", format!("{made}, by {}", budget.created_by)));
    facts
}

fn delete(budget: &Budget, workspace: Workspace, close: Callback<()>) -> AnyView {
    let router = use_router();
    let id = budget.id;
    let question = Question {
        title: format!("Delete the budget of {}?", budget.scope_name),
        text: "Nothing is refused for its sake from now on. What was spent stays in the records.".to_owned(),
        action: "Delete budget",
        done: "The budget is deleted.".to_owned(),
    };
    let gone = Callback::new(move |()| {
        if let Ok(slug) = workspace.slug().parse() {
            router.go(&Place::section(&slug, Section::Budgets));
        }
    });
    ask(question, move || workspace.delete_budget(id), gone, close)
}
