//! The part of the side panel that is about a target: the provider, its model, and what is changed about requests.

use gatewright_types::api::{CatalogEntry, CatalogQuery, FaultKind};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;

use super::card::price;
use super::facts::{Facts, PAUSE_MILLIS};
use super::fields::{Entry, Field, node_field};
use super::state::Editor;
use crate::components::badge::{Badge, Tone};
use crate::format;
use crate::load::{Load, Loader};
use crate::pages::catalog::stage_badge;
use crate::route::NodeId;
use crate::session::use_workspace;

const SUGGESTIONS: &str = "known-models";
/// How many models are suggested at a time.
const MOST: u16 = 30;

pub(super) fn target(editor: Editor, facts: Facts, id: NodeId) -> AnyView {
    let provider = node_field!(editor, id, "provider", "Provider", "", leaf.provider);
    let model = node_field!(
        editor,
        id,
        "model",
        "The provider's model",
        "What the provider calls it.",
        leaf.model
    );
    let providers = Signal::derive(move || {
        facts.providers.state.with(|state| match state {
            Load::Ready(providers) => {
                let option = |name: &str, kind: &str| (name.to_owned(), format!("{name} ({kind})"));
                let providers = providers.iter();
                providers
                    .map(|provider| option(provider.name.as_str(), provider.kind.as_str()))
                    .collect()
            }
            Load::Waiting | Load::Failed(_) => Vec::new(),
        })
    });
    let trouble = move || {
        facts.providers.state.with(|state| match state {
            Load::Ready(providers) if providers.is_empty() => {
                Some("There are no providers yet. Add one first.".to_owned())
            }
            Load::Failed(failure) => Some(failure.sentence()),
            Load::Ready(_) | Load::Waiting => None,
        })
    };
    view! {
        {provider.choice(providers)}
        {move || trouble().map(|text| view! { <p class="notice notice-warning">{text}</p> })}
        {model.view(Entry::Suggested(SUGGESTIONS))}
        {suggestions(facts, provider, model)}
        {known(facts, provider, model)}
        {advanced(editor, id)}
    }
    .into_any()
}

/// Models that the catalogue knows of the provider's kind, by what is typed.
fn suggestions(facts: Facts, provider: Field, model: Field) -> AnyView {
    let workspace = use_workspace();
    let found = Loader::new(move || {
        let kind = facts.kind(&provider.value());
        let text = model.value();
        Box::pin(async move {
            let Some(kind) = kind else { return Ok(Vec::new()) };
            TimeoutFuture::new(PAUSE_MILLIS).await;
            let query = CatalogQuery {
                kind: Some(kind),
                text: Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
                limit: Some(MOST),
                ..CatalogQuery::default()
            };
            workspace.catalog(&query).await.map(|page| page.items)
        })
    });
    let option = |entry: &CatalogEntry| view! { <option value=entry.model.to_string()></option> };
    view! {
        <datalist id=SUGGESTIONS>
            {move || found.state.with(|state| match state {
                Load::Ready(entries) => entries.iter().map(option).collect_view().into_any(),
                Load::Waiting | Load::Failed(_) => ().into_any(),
            })}
        </datalist>
    }
    .into_any()
}

/// What is known of the target: its price, what it can, and where it is in its life.
fn known(facts: Facts, provider: Field, model: Field) -> AnyView {
    let lines = move || {
        let known = facts.of(&format!("{}/{}", provider.value().trim(), model.value().trim()))?;
        let price = price(&known);
        let badge = (price == "unpriced").then(|| view! { <Badge tone=Tone::Warning text="unpriced"/> });
        let price = badge
            .is_none()
            .then(|| view! { <span>{price}" per million tokens"</span> });
        let entry = known.entry.as_ref().map(|entry| {
            let can = entry.capabilities.iter().map(|one| format::words(one.as_str()));
            let can: Vec<_> = can.map(|one| view! { <span class="chip">{one}</span> }).collect();
            let context = entry
                .context
                .map(|tokens| format!("{} tokens of context", format::count(u64::from(tokens))));
            view! {
                {context.map(|context| view! { <p class="muted small">{context}</p> })}
                <p>{stage_badge(&entry.lifecycle)}</p>
                <div class="chips">{can}</div>
            }
        });
        Some(view! { <p class="price-preview">{badge}{price}</p>{entry} })
    };
    view! { <div class="target-facts" aria-live="polite">{lines}</div> }.into_any()
}

fn advanced(editor: Editor, id: NodeId) -> AnyView {
    let open = editor.with_untracked(|draft| draft.node(id).is_some_and(|node| node.leaf.has_more()));
    let kinds = Signal::derive(|| {
        let none = (String::new(), "none".to_owned());
        let kinds = FaultKind::ALL
            .iter()
            .map(|kind| (kind.as_str().to_owned(), fault(*kind).to_owned()));
        std::iter::once(none).chain(kinds).collect()
    });
    let kind = Field::new(
        editor,
        id,
        ("fault", "Fault", "Made on purpose, for tests and game days."),
        |draft, id| {
            draft.node(id).map(|node| {
                node.leaf
                    .fault
                    .kind
                    .map(FaultKind::as_str)
                    .unwrap_or_default()
                    .to_owned()
            })
        },
        |draft, id, word| {
            let kind = FaultKind::ALL.iter().copied().find(|kind| kind.as_str() == word);
            draft.change_node(id, |node| node.leaf.fault.kind = kind);
        },
    );
    let has_fault = Memo::new(move |_| !kind.value().is_empty());
    let is_slow = Memo::new(move |_| kind.value() == FaultKind::Slow.as_str());
    view! {
        <details class="more-fields" prop:open=open>
            <summary>"Advanced"</summary>
            <div class="form">
                {node_field!(editor, id, "params", "Parameters", "A JSON object: members that take the place of the caller's; null takes one out.", leaf.params)
                    .view(Entry::Lines("{\"temperature\": 0}"))}
                {node_field!(editor, id, "prompt", "Instructions", "Take the place of the request's own.", leaf.prompt)
                    .view(Entry::Lines(""))}
                {node_field!(editor, id, "headers", "Headers", "One in each line, sent with calls there.", leaf.headers)
                    .view(Entry::Lines("anthropic-beta: files-api-2025-04-14"))}
                {kind.choice(kinds)}
                {move || has_fault.get().then(|| {
                    node_field!(editor, id, "fault.percent", "Of the calls, in percent", "All of them when empty.", leaf.fault.percent)
                        .view(Entry::Line("100"))
                })}
                {move || is_slow.get().then(|| {
                    node_field!(editor, id, "fault.delay", "Later by", "Like 500ms or 2s.", leaf.fault.delay)
                        .view(Entry::Line("2s"))
                })}
            </div>
        </details>
    }
    .into_any()
}

const fn fault(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::RateLimit => "rate limit (429)",
        FaultKind::Error => "error (500)",
        FaultKind::Stall => "stall: nothing comes",
        FaultKind::Cut => "cut in the middle",
        FaultKind::Malformed => "malformed answer",
        FaultKind::Slow => "slow",
    }
}
