//! The editor of a route: a graph and a text that are the same tree, a panel beside them, and everything that is wrong.

mod canary;
mod card;
mod edge;
mod facts;
mod fields;
mod graph;
mod panel;
mod problems;
mod state;
mod target;
mod text;

use std::collections::BTreeMap;

use leptos::prelude::*;

use crate::components::button::IconButton;
use crate::components::icon::Icon;
use crate::components::segments::segments;
use crate::route::{Mark, NodeId};
pub(super) use facts::Facts;
use graph::Graph;
use panel::Panel;
use problems::Problems;
pub(super) use state::Editor;
use text::Text;

/// What stands beside the route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Node,
    Trial,
}

/// How the route is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    Graph,
    Text,
}

#[component]
pub(super) fn RouteEditor(
    editor: Editor,
    facts: Facts,
    /// A decision laid over the graph.
    #[prop(into)]
    marks: Signal<BTreeMap<NodeId, Mark>>,
    /// Where a request is tried out.
    trial: AnyView,
) -> impl IntoView {
    facts.follow(editor);
    let shown = RwSignal::new(View::Graph);
    let choose = Callback::new(move |view| shown.set(view));
    let undo = Callback::new(move |()| editor.undo());
    let redo = Callback::new(move |()| editor.redo());
    let steps = move || {
        editor.can_edit().then(|| {
            view! {
                <IconButton label="Undo" glyph=Icon::Undo denied=Signal::derive(move || !editor.can_undo()) on_press=undo/>
                <IconButton label="Redo" glyph=Icon::Redo denied=Signal::derive(move || !editor.can_redo()) on_press=redo/>
            }
        })
    };
    let stale = move || {
        (shown.get() == View::Graph)
            .then(|| why_closed(editor, shown))
            .flatten()
    };
    let body = move || match shown.get() {
        View::Graph => view! { <Graph editor=editor facts=facts marks=marks/> }.into_any(),
        View::Text => view! { <Text editor=editor/> }.into_any(),
    };
    let beside = RwSignal::new(Side::Node);
    let turn = Callback::new(move |side| beside.set(side));
    let sides = [(Side::Node, "Node"), (Side::Trial, "Try a request")];
    // Both stay, so that what was typed and answered does.
    let side = |side: Side, what: AnyView| {
        view! { <div hidden=move || beside.get() != side>{what}</div> }
    };
    let node = side(Side::Node, view! { <Panel editor=editor facts=facts/> }.into_any());
    let trial = side(Side::Trial, trial);
    view! {
        <div class="route-bar">
            {segments("Shown as", [(View::Graph, "Graph"), (View::Text, "YAML")], shown.into(), choose)}
            <div class="route-steps">{steps}</div>
        </div>
        {stale}
        <div class="route-body">
            <div class="route-main">{body}<Problems editor=editor/></div>
            <div class="route-side">
                <div class="side-bar">{segments("Beside the route", sides, beside.into(), turn)}</div>
                {node}
                {trial}
            </div>
        </div>
    }
    .into_any()
}

/// Why the graph cannot be changed while the text is what it is, and what can be done about it.
fn why_closed(editor: Editor, shown: RwSignal<View>) -> Option<AnyView> {
    let to_text = move |_| shown.set(View::Text);
    if editor.broken().is_some() {
        let notice = view! {
            <p class="notice notice-warning">
                "The text cannot be read, so this is the last route that could be, and it cannot be changed here. "
                <button type="button" class="link-button" on:click=to_text>"Mend the text"</button>
            </p>
        };
        return Some(notice.into_any());
    }
    let commented = editor.can_edit() && editor.has_comments();
    commented.then(|| {
        view! {
            <p class="notice notice-warning">
                "The text has comments, which a change here would lose. "
                <button type="button" class="link-button" on:click=move |_| editor.take_tree()>
                    "Remove the comments and change it here"
                </button>
                " or "
                <button type="button" class="link-button" on:click=to_text>"change the text"</button>
                "."
            </p>
        }
        .into_any()
    })
}
