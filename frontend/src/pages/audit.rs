//! The audit log: who changed what and who was refused, newest first.

use gatewright_types::api::{AuditEntry, AuditOutcome, AuditQuery};
use leptos::prelude::*;

use crate::components::badge::{Badge, Tone};
use crate::components::button::{Button, IconButton, Look};
use crate::components::code::CodeBlock;
use crate::components::dialog::{Dialog, Frame};
use crate::components::header::PageHeader;
use crate::components::icon::Icon;
use crate::components::moment::{Exact, Second};
use crate::components::state::{Shape, empty, listed};
use crate::components::table::table;
use crate::format;
use crate::load::List;
use crate::router::use_router;
use crate::session::use_workspace;

#[component]
pub(crate) fn Audit() -> impl IntoView {
    let workspace = use_workspace();
    let router = use_router();
    let action = Memo::new(move |_| {
        let query: AuditQuery = serde_urlencoded::from_str(&router.query()).unwrap_or_default();
        query.action.filter(|action| !action.is_empty())
    });
    let entries = List::new(move |cursor| {
        let query = AuditQuery {
            limit: None,
            cursor,
            action: action.get(),
        };
        workspace.audit(&query)
    });
    let shown = RwSignal::new(None::<AuditEntry>);
    let none = || {
        let text = "Nothing matches the filter. Actions are written like key.create or member.update.";
        empty(Icon::Audit, "No entries", text, None)
    };
    let rows = move |items: &[AuditEntry]| {
        let rows = items.iter().map(|entry| row(entry, shown)).collect_view();
        table(
            "Audit log",
            &["Time", "Who", "Action", "Target", "Outcome"],
            rows.into_any(),
        )
    };
    let drawer = move || {
        let close = Callback::new(move |()| shown.set(None));
        shown.get().map(|entry| detail(entry, close))
    };
    view! {
        <PageHeader title="Audit log" about="Who changed what, and who was refused.">
            <IconButton label="Refresh" glyph=Icon::Retry on_press=Callback::new(move |()| entries.reload())/>
        </PageHeader>
        {filter(action)}
        {listed(entries, Shape::Rows, none, rows)}
        {drawer}
    }
    .into_any()
}

fn filter(action: Memo<Option<String>>) -> AnyView {
    let router = use_router();
    let set = move |text: &str| {
        let query = AuditQuery {
            action: Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            ..AuditQuery::default()
        };
        router.set_query(&serde_urlencoded::to_string(query).unwrap_or_default());
    };
    let clear = Callback::new(move |()| router.set_query(""));
    view! {
        <div class="filters" role="search" aria-label="Filters">
            <label class="filter">
                <span>"Action"</span>
                <input
                    type="text"
                    class="code"
                    placeholder="key.create"
                    spellcheck="false"
                    autocomplete="off"
                    prop:value=move || action.get().unwrap_or_default()
                    on:change=move |event| set(&event_target_value(&event))
                />
            </label>
            {move || {
                action.get().is_some().then(|| {
                    view! { <Button label="Clear" look=Look::Quiet glyph=Icon::Close on_press=clear/> }
                })
            }}
        </div>
    }
    .into_any()
}

fn row(entry: &AuditEntry, shown: RwSignal<Option<AuditEntry>>) -> AnyView {
    let opened = StoredValue::new(entry.clone());
    view! {
        <tr class="is-link" on:click=move |_| shown.set(Some(opened.get_value()))>
            <th scope="row" data-label="Time">
                <button type="button" class="link-button" title="Show the details"><Second moment=entry.at/></button>
            </th>
            <td data-label="Who">{entry.actor.clone()}</td>
            <td data-label="Action"><code>{entry.action.clone()}</code></td>
            <td data-label="Target">
                {match &entry.target {
                    Some(target) => view! { <code class="shortened" title=target.clone()>{target.clone()}</code> }.into_any(),
                    None => view! { <span class="muted">"–"</span> }.into_any(),
                }}
            </td>
            <td data-label="Outcome">{outcome(entry.outcome)}</td>
        </tr>
    }
    .into_any()
}

fn outcome(outcome: AuditOutcome) -> AnyView {
    match outcome {
        AuditOutcome::Done => view! { <Badge tone=Tone::Good text="done"/> }.into_any(),
        AuditOutcome::Refused => view! { <Badge tone=Tone::Bad text="refused"/> }.into_any(),
    }
}

fn detail(entry: AuditEntry, close: Callback<()>) -> AnyView {
    let fact = |name: &'static str, value: Option<String>| {
        value.map(|value| view! { <div><dt>{name}</dt><dd>{value}</dd></div> })
    };
    let title = format::words(&entry.action.replace('.', " "));
    let pretty = serde_json::to_string_pretty(&entry.detail).unwrap_or_default();
    view! {
        <Dialog title=title frame=Frame::Drawer on_close=close>
            <p class="drawer-lead">{outcome(entry.outcome)}</p>
            <dl class="facts">
                <div><dt>"When"</dt><dd><Exact moment=entry.at/></dd></div>
                {fact("Who", Some(entry.actor.clone()))}
                {fact("From", entry.address.clone())}
                {fact("Action", Some(entry.action.clone()))}
                {fact("Target", entry.target.clone())}
                {fact("Entry", Some(entry.id.to_string()))}
                {fact("Request", Some(entry.request_id.clone()))}
            </dl>
            <h3>"What changed"</h3>
            <CodeBlock label="What changed" text=pretty/>
        </Dialog>
    }
    .into_any()
}
