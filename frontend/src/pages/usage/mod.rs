//! Single requests, newest first, filtered by what the address says.

mod adjustments;
mod detail;
mod filters;
mod trace;

use gatewright_types::KeyId;
use gatewright_types::api::{Key, Outcome, Team, UsageQuery, UsageRow};
use gatewright_types::{TeamId, UsageUnit};
use leptos::prelude::*;

use crate::components::badge::{Badge, Tone};
use crate::components::button::IconButton;
use crate::components::header::PageHeader;
use crate::components::icon::Icon;
use crate::components::moment::Second;
use crate::components::state::{Shape, empty, listed};
use crate::components::table::table;
use crate::format;
use crate::load::{List, Load, Loader};
use crate::router::use_router;
use crate::session::use_workspace;

/// The names behind identifiers.
#[derive(Clone, Copy)]
struct Names {
    keys: Loader<Vec<Key>>,
    teams: Loader<Vec<Team>>,
}

impl Names {
    fn key(self, id: KeyId) -> String {
        self.keys.state.with(|state| match state {
            Load::Ready(keys) => keys
                .iter()
                .find(|key| key.id == id)
                .map_or_else(|| id.to_string(), |key| key.name.to_string()),
            Load::Waiting | Load::Failed(_) => id.to_string(),
        })
    }

    fn team(self, id: TeamId) -> String {
        self.teams.state.with(|state| match state {
            Load::Ready(teams) => teams
                .iter()
                .find(|team| team.id == id)
                .map_or_else(|| id.to_string(), |team| team.name.to_string()),
            Load::Waiting | Load::Failed(_) => id.to_string(),
        })
    }
}

#[component]
pub(crate) fn Usage() -> impl IntoView {
    let workspace = use_workspace();
    let router = use_router();
    let query = Memo::new(move |_| filters::of_address(&router.query()));
    let names = Names {
        keys: Loader::items(move || workspace.key_choices()),
        teams: Loader::items(move || workspace.team_choices()),
    };
    let rows = List::new(move |cursor| {
        let query = UsageQuery {
            cursor,
            ..query.get().unwrap_or_default()
        };
        workspace.usage(&query)
    });
    let shown = RwSignal::new(None::<UsageRow>);
    let none = || {
        let text =
            "Nothing matches the filters, or no request has come through yet. Requests appear here within seconds.";
        empty(Icon::Requests, "No requests", text, None)
    };
    let table = move |items: &[UsageRow]| {
        let rows = items.iter().map(|item| row(item, names, shown)).collect_view();
        table(
            "Requests",
            &["Time", "Model", "Key", "Outcome", "Tokens", "Cost", "Duration"],
            rows.into_any(),
        )
    };
    let drawer = move || {
        let close = Callback::new(move |()| shown.set(None));
        shown
            .get()
            .map(|row| view! { <detail::Detail row=row names=names on_close=close/> })
    };
    view! {
        <PageHeader title="Requests" about="Every request that reached the gateway, with what it used and what it cost.">
            <IconButton label="Refresh" glyph=Icon::Retry on_press=Callback::new(move |()| rows.reload())/>
        </PageHeader>
        <filters::Filters query=query names=names/>
        {listed(rows, Shape::Rows, none, table)}
        {drawer}
    }
    .into_any()
}

fn row(item: &UsageRow, names: Names, shown: RwSignal<Option<UsageRow>>) -> AnyView {
    let opened = StoredValue::new(item.clone());
    let open = move || shown.set(Some(opened.get_value()));
    let key = item.key;
    let upstream = item.provider.as_ref().zip(item.upstream_model.as_ref());
    view! {
        <tr class="is-link" on:click=move |_| open()>
            <th scope="row" data-label="Time">
                <button type="button" class="link-button" title="Show the details"><Second moment=item.started_at/></button>
            </th>
            <td data-label="Model">
                {match &item.model {
                    Some(model) => view! { <code class="cell-title">{model.clone()}</code> }.into_any(),
                    None => view! { <span class="muted">"–"</span> }.into_any(),
                }}
                {upstream.map(|(provider, model)| view! { <span class="cell-note">{format!("{provider}/{model}")}</span> })}
            </td>
            <td data-label="Key">{move || key.map_or_else(|| "–".to_owned(), |key| names.key(key))}</td>
            <td data-label="Outcome">{outcome(item)}</td>
            <td data-label="Tokens" class="number">
                {format!("{} → {}", format::count(tokens(item, Side::Input)), format::count(tokens(item, Side::Output)))}
            </td>
            <td data-label="Cost" class="number">
                {cost(item)}
                {(!item.adjustments.is_empty()).then(|| view! { <span class="cell-note">"repriced"</span> })}
            </td>
            <td data-label="Duration" class="number">{format::millis(item.duration_ms)}</td>
        </tr>
    }
    .into_any()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Input,
    Output,
    /// No tokens.
    Neither,
}

const fn side(unit: UsageUnit) -> Side {
    match unit {
        UsageUnit::InputUncached
        | UsageUnit::InputCacheRead
        | UsageUnit::InputCacheWrite5m
        | UsageUnit::InputCacheWrite1h
        | UsageUnit::InputAudio
        | UsageUnit::InputImage => Side::Input,
        UsageUnit::OutputText | UsageUnit::OutputReasoning | UsageUnit::OutputAudio => Side::Output,
        UsageUnit::WebSearch => Side::Neither,
    }
}

fn tokens(row: &UsageRow, wanted: Side) -> u64 {
    row.lines
        .iter()
        .filter(|line| side(line.unit) == wanted)
        .map(|line| line.quantity)
        .sum()
}

/// What a request comes to, with what was added to it since; one that used something without a price is unpriced, not free.
fn cost(row: &UsageRow) -> AnyView {
    match row.adjusted_cost {
        Some(cost) => format::money(cost.amount).into_any(),
        None if row.provider.is_none() => view! { <span class="muted">"–"</span> }.into_any(),
        None => view! { <Badge tone=Tone::Warning text="unpriced"/> }.into_any(),
    }
}

fn outcome(row: &UsageRow) -> AnyView {
    let (tone, word) = outcome_word(row.outcome);
    let code = row
        .code
        .clone()
        .map(|code| view! { <span class="cell-note">{code}</span> });
    let status = (row.outcome != Outcome::Complete).then_some(row.status);
    view! { <Badge tone=tone text=word/>" "<span class="muted small">{status}</span>{code} }.into_any()
}

const fn outcome_word(outcome: Outcome) -> (Tone, &'static str) {
    match outcome {
        Outcome::Complete => (Tone::Good, "complete"),
        Outcome::Refused => (Tone::Warning, "refused"),
        Outcome::Failed => (Tone::Bad, "failed"),
        Outcome::Cut => (Tone::Bad, "cut off"),
        Outcome::ClientGone => (Tone::Neutral, "caller left"),
    }
}
