//! The catalogue: what is known of models at each kind of provider, and refreshes that wait for an approval.

mod entry;
mod filters;
mod overlay;
mod refreshes;
mod schedule;

use gatewright_types::Permission;
use gatewright_types::api::{CatalogEntry, CatalogQuery, Lifecycle, LifecycleStage};
use leptos::prelude::*;

use super::models::rates_line;
use crate::components::badge::{Badge, Tone};
use crate::components::button::{Button, Look};
use crate::components::header::PageHeader;
use crate::components::icon::Icon;
use crate::components::live::live;
use crate::components::state::{Shape, empty, listed};
use crate::components::table::table;
use crate::components::tabs::Tabs;
use crate::format;
use crate::load::List;
use crate::place::Section;
use crate::router::use_router;
use crate::session::{Workspace, use_workspace};
use overlay::{Facts, FactsDialog};
use refreshes::Refreshes;

const REFRESHES: &str = "view=refreshes";

/// The window over the list.
#[derive(Debug, Clone, PartialEq)]
enum Window {
    Nothing,
    Show(Box<CatalogEntry>),
    State(Facts),
}

#[component]
pub(crate) fn Catalog() -> impl IntoView {
    let workspace = use_workspace();
    let router = use_router();
    let refreshes = Memo::new(move |_| router.query() == REFRESHES);
    let tabs = Signal::derive(move || {
        let href = workspace.href(Section::Catalog);
        vec![
            (href.clone(), "Known models", !refreshes.get()),
            (format!("{href}?{REFRESHES}"), "Refreshes", refreshes.get()),
        ]
    });
    let open = RwSignal::new(Window::Nothing);
    let bringing_in = RwSignal::new(false);
    let facts_denial = workspace.denial(Permission::ModelsWrite);
    let refresh_denial = workspace.denial(Permission::CatalogRefresh);
    let state = Callback::new(move |()| open.set(Window::State(Facts::OfNewModel)));
    let bring_in = Callback::new(move |()| bringing_in.set(true));
    let action = move || {
        if refreshes.get() {
            let denial = refresh_denial.clone();
            view! { <Button label="Bring in a catalogue" look=Look::Primary glyph=Icon::Plus denial=denial on_press=bring_in/> }
                .into_any()
        } else {
            let denial = facts_denial.clone();
            view! { <Button label="Add own model" look=Look::Primary glyph=Icon::Plus denial=denial on_press=state/> }
                .into_any()
        }
    };
    let body = move || {
        if refreshes.get() {
            view! { <Refreshes bringing_in=bringing_in/> }.into_any()
        } else {
            list(workspace, open)
        }
    };
    view! {
        <PageHeader title="Catalogue" about="What is known of models: abilities, limits, prices and dates.">{action}</PageHeader>
        <Tabs label="Known models and refreshes" tabs=tabs/>
        {body}
    }
    .into_any()
}

fn list(workspace: Workspace, open: RwSignal<Window>) -> AnyView {
    let router = use_router();
    let query = Memo::new(move |_| serde_urlencoded::from_str::<CatalogQuery>(&router.query()).ok());
    let entries = List::new(move |cursor| {
        let query = CatalogQuery {
            cursor,
            ..query.get().unwrap_or_default()
        };
        workspace.catalog(&query)
    });
    let none = || {
        let text = "No known model matches the filters. A model of your own can be added.";
        empty(Icon::Inbox, "No models", text, None)
    };
    let rows = move |entries: &[CatalogEntry]| {
        let rows = entries.iter().map(|entry| row(entry, open)).collect_view();
        table(
            "Known models",
            &["Model", "Kind", "Context", "Price per million tokens", "State"],
            rows.into_any(),
        )
    };
    let changed = Callback::new(move |()| entries.reload());
    let close = Callback::new(move |()| open.set(Window::Nothing));
    let window = move || match open.get() {
        Window::Nothing => ().into_any(),
        Window::Show(entry) => entry::drawer(*entry, workspace, open, changed),
        Window::State(facts) => view! { <FactsDialog facts=facts on_saved=changed on_close=close/> }.into_any(),
    };
    view! {
        {filters::filters(query)}
        {listed(entries, Shape::Rows, none, rows)}
        {live(window)}
    }
    .into_any()
}

fn row(entry: &CatalogEntry, open: RwSignal<Window>) -> AnyView {
    let opened = StoredValue::new(entry.clone());
    let price = match &entry.price {
        Some(terms) if terms.rates != gatewright_types::api::Rates::default() => rates_line(&terms.rates),
        Some(_) => "not by the token".to_owned(),
        None => "not known".to_owned(),
    };
    let context = entry.context.map(|tokens| format::count(u64::from(tokens)));
    view! {
        <tr class="is-link" on:click=move |_| open.set(Window::Show(Box::new(opened.get_value())))>
            <th scope="row" data-label="Model">
                <button type="button" class="link-button" title="Show the details">
                    <code class="cell-title">{entry.model.to_string()}</code>
                </button>
            </th>
            <td data-label="Kind"><code>{entry.kind.as_str()}</code></td>
            <td data-label="Context" class="number">{context.unwrap_or_else(|| "–".to_owned())}</td>
            <td data-label="Price per million tokens">{price}</td>
            <td data-label="State">
                {stage_badge(&entry.lifecycle)}
                {entry.own.is_some().then(|| view! { " "<Badge tone=Tone::Accent text="own facts"/> })}
            </td>
        </tr>
    }
    .into_any()
}

/// Where a model is in its life, with the day that comes next.
pub(in crate::pages) fn stage_badge(lifecycle: &Lifecycle) -> AnyView {
    let ends = || lifecycle.sunset_on.map(|day| format!("ends on {day}"));
    let next = match lifecycle.stage {
        LifecycleStage::Active => lifecycle
            .deprecated_on
            .map(|day| format!("deprecated on {day}"))
            .or_else(ends),
        LifecycleStage::Deprecated => ends(),
        LifecycleStage::Retired => lifecycle.sunset_on.map(|day| format!("since {day}")),
    };
    let tone = match lifecycle.stage {
        LifecycleStage::Active => Tone::Good,
        LifecycleStage::Deprecated => Tone::Warning,
        LifecycleStage::Retired => Tone::Bad,
    };
    view! {
        <Badge tone=tone text=lifecycle.stage.as_str()/>
        {next.map(|text| view! { <span class="cell-note">{text}</span> })}
    }
    .into_any()
}
