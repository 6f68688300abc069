//! Everything that is wrong with the route, each a way to where it is.

use leptos::prelude::*;

use super::graph::focus;
use super::state::{Editor, Shown};
use crate::components::icon::{Icon, icon};
use crate::route::{Strategy, node_at};

#[component]
pub(super) fn Problems(editor: Editor) -> impl IntoView {
    let problems = Memo::new(move |_| editor.problems());
    let row = move |problem: Shown| {
        let Shown { node, text, .. } = problem;
        let name = editor.node(node, |node| match node.strategy {
            Strategy::Target if !node.leaf.model.trim().is_empty() => node.leaf.model.trim().to_owned(),
            Strategy::Target => "New target".to_owned(),
            other => other.title().to_owned(),
        });
        let go = move |_| {
            editor.selected.set(node);
            focus(node);
        };
        view! {
            <li>
                <button type="button" class="problem" on:click=go>
                    {icon(Icon::Alert)}
                    <strong>{name}</strong>
                    <span>{text}</span>
                </button>
            </li>
        }
    };
    // What the server says of no node, such as that the organization has no such provider any more.
    let elsewhere = move || {
        let told = editor.told.get();
        let stray = told
            .into_iter()
            .filter(|(place, _)| editor.with(|draft| node_at(draft, place)).is_none());
        stray
            .map(|(place, text)| view! { <li class="problem"><code>{place}</code><span>{text}</span></li> })
            .collect_view()
    };
    view! {
        <div class="problems" aria-live="polite">
            {move || {
                let problems = problems.get();
                let count = problems.len();
                (count > 0).then(|| view! {
                    <h3>{if count == 1 { "1 problem".to_owned() } else { format!("{count} problems") }}</h3>
                    <ul>{problems.into_iter().map(row).collect_view()}</ul>
                })
            }}
            <ul>{elsewhere}</ul>
        </div>
    }
    .into_any()
}
