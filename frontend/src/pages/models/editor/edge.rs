//! The part of the side panel that is about the edge to a node: when its parent takes it.

use gatewright_types::api::FailureClass;
use leptos::prelude::*;

use super::fields::{Entry, edge_field, edge_says, switch, words};
use super::state::{Editor, Step};
use crate::route::{NodeId, Strategy, failure, share};

/// What conditions are made of, by example.
const HINTS: [(&str, &str); 9] = [
    ("request.stream", "The answer is streamed"),
    ("request.headers[\"x-tier\"] == \"free\"", "What a header says"),
    (
        "request.input_tokens > 8000",
        "How long the conversation is; also max_tokens",
    ),
    (
        "request.has_images",
        "What it holds; also has_tools, has_schema, has_documents, has_audio",
    ),
    ("request.wants_reasoning", "It asks the model to think"),
    (
        "key.name.startsWith(\"batch\")",
        "The key that calls; also key.id and key.team",
    ),
    ("team.name == \"Search\"", "The key's team"),
    ("now.getHours(\"+01:00\") >= 18", "The time of day"),
    (
        "health[\"openai/gpt-4o\"].healthy",
        "How a target does; also latency_ms and in_flight",
    ),
];

pub(super) fn edge(editor: Editor, id: NodeId, parent: Strategy, position: usize) -> AnyView {
    match parent {
        Strategy::Fallback if position == 0 => {
            view! { <p class="muted small">"The first branch is always tried first."</p> }.into_any()
        }
        Strategy::Fallback => failures(editor, id),
        Strategy::Weighted => weight(editor, id),
        Strategy::When => otherwise_or(editor, id, condition),
        Strategy::Task => otherwise_or(editor, id, task),
        Strategy::Canary if position == 0 => {
            view! { <p class="muted small">"The stable route: everything that the candidate does not get."</p> }
                .into_any()
        }
        Strategy::Canary => {
            view! { <p class="muted small">"The candidate: its part is set at the canary."</p> }.into_any()
        }
        Strategy::Target
        | Strategy::RoundRobin
        | Strategy::LeastBusy
        | Strategy::Fastest
        | Strategy::Cheapest
        | Strategy::LowestUsage
        | Strategy::Sticky => ().into_any(),
    }
}

fn failures(editor: Editor, id: NodeId) -> AnyView {
    let has = move |class: FailureClass| edge_says(editor, id, |terms| terms.on.contains(&class));
    let toggle = move |class: FailureClass| {
        editor.change(Step::Tree, |draft| {
            draft.change_terms(id, |terms| switch(&mut terms.on, class))
        });
    };
    let hint = "None chosen: errors, rate limits, timeouts and conversations that are too long.";
    words(editor, "Stands in on", hint, FailureClass::ALL, failure, has, toggle)
}

fn weight(editor: Editor, id: NodeId) -> AnyView {
    let part = move || {
        editor.with(|draft| {
            let (parent, position) = draft.edge(id)?;
            share(parent, position)
        })
    };
    view! {
        {edge_field!(editor, id, "weight", "Weight", "0 gets no requests of its own and stands in for nobody.", weight)
            .view(Entry::Line("1"))}
        <p class="edge-share" aria-live="polite">
            {move || part().map(|part| view! { <strong>{part}</strong>" of the requests" })}
        </p>
    }
    .into_any()
}

/// The last branch can be the one for everything else, and needs nothing more then.
fn otherwise_or(editor: Editor, id: NodeId, field: fn(Editor, NodeId) -> AnyView) -> AnyView {
    let is_otherwise = Memo::new(move |_| edge_says(editor, id, |terms| terms.otherwise));
    let toggle = move |_| {
        editor.change(Step::Tree, |draft| {
            draft.change_terms(id, |terms| terms.otherwise = !terms.otherwise)
        });
    };
    view! {
        <label class="check check-alone">
            <input
                type="checkbox"
                disabled=move || !editor.is_open()
                prop:checked=move || is_otherwise.get()
                on:change=toggle
            />
            "Takes everything else"
        </label>
        {move || (!is_otherwise.get()).then(|| field(editor, id))}
    }
    .into_any()
}

fn condition(editor: Editor, id: NodeId) -> AnyView {
    let hint = "An expression in CEL. The first branch whose condition holds is taken.";
    let field = edge_field!(editor, id, "if", "Condition", hint, condition);
    let row = move |(example, about): (&'static str, &'static str)| {
        let insert = move |_| {
            let now = untrack(|| field.value());
            let now = now.trim();
            field.write(if now.is_empty() {
                example.to_owned()
            } else {
                format!("{now} && {example}")
            });
        };
        view! {
            <li>
                <button type="button" class="hint" title="Add to the condition" on:click=insert>
                    <code>{example}</code>
                    <span>{about}</span>
                </button>
            </li>
        }
    };
    view! {
        {field.view(Entry::Lines("request.stream"))}
        <details class="more-fields">
            <summary>"What can be asked"</summary>
            <ul class="hints">{HINTS.into_iter().map(row).collect_view()}</ul>
        </details>
    }
    .into_any()
}

fn task(editor: Editor, id: NodeId) -> AnyView {
    let hint = "What a request names in the header x-gw-task.";
    edge_field!(editor, id, "task", "Task", hint, task).view(Entry::Line("code"))
}
