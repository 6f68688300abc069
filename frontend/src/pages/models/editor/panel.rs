//! Beside the graph: everything that is said of the selected node and can be done with it.

use leptos::prelude::*;

use super::canary::canary;
use super::edge::edge;
use super::facts::Facts;
use super::fields::affinity;
use super::graph::focus;
use super::state::{Editor, Step};
use super::target::target;
use crate::components::button::{Button, IconButton, Look};
use crate::components::icon::{Icon, icon};
use crate::components::strategy::glyph;
use crate::route::{Direction, NodeId, Strategy, edge_label};

/// What the panel is about. It is made anew only when this changes, so that typing keeps the focus.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Subject {
    id: NodeId,
    strategy: Strategy,
    /// The parent's strategy, and which of its branches this is.
    parent: Option<(Strategy, usize)>,
    siblings: usize,
}

#[component]
pub(super) fn Panel(editor: Editor, facts: Facts) -> impl IntoView {
    let subject = Memo::new(move |_| {
        let id = editor.selected.get();
        editor.with(|draft| {
            let node = draft.node(id)?;
            let edge = draft.edge(id);
            Some(Subject {
                id,
                strategy: node.strategy,
                parent: edge.map(|(parent, position)| (parent.strategy, position)),
                siblings: edge.map_or(1, |(parent, _)| parent.children.len()),
            })
        })
    });
    move || subject.get().map(|subject| panel(editor, facts, subject))
}

fn panel(editor: Editor, facts: Facts, subject: Subject) -> AnyView {
    let Subject {
        id, strategy, parent, ..
    } = subject;
    let of_strategy = match strategy {
        Strategy::Target => target(editor, facts, id),
        Strategy::Sticky => affinity(editor, id),
        Strategy::Canary => canary(editor, id),
        Strategy::Fallback
        | Strategy::Weighted
        | Strategy::RoundRobin
        | Strategy::LeastBusy
        | Strategy::Fastest
        | Strategy::Cheapest
        | Strategy::LowestUsage
        | Strategy::When
        | Strategy::Task => ().into_any(),
    };
    let of_edge = parent.map(|(parent, position)| edge(editor, id, parent, position));
    view! {
        <div class="node-panel form">
            <header class="node-panel-head">
                <span class="node-icon">{icon(glyph(strategy))}</span>
                <div>
                    <h3>{strategy.title()}</h3>
                    <p class="muted small">{strategy.about()}</p>
                </div>
                {editor.can_edit().then(|| actions(editor, subject))}
            </header>
            {whole(editor, id)}
            {of_edge}
            {strategies(editor, subject)}
            {of_strategy}
            {(strategy != Strategy::Target).then(|| branches(editor, id, strategy))}
        </div>
    }
    .into_any()
}

/// What is wrong with the node as a whole.
fn whole(editor: Editor, id: NodeId) -> AnyView {
    let problem = Memo::new(move |_| editor.problem_of(id, ""));
    (move || {
        problem
            .get()
            .map(|text| view! { <p class="notice notice-bad" role="status">{text}</p> })
    })
    .into_any()
}

fn actions(editor: Editor, subject: Subject) -> AnyView {
    let Subject {
        id, parent, siblings, ..
    } = subject;
    let Some((_, position)) = parent else {
        return ().into_any();
    };
    let shift = move |direction: Direction| {
        Callback::new(move |()| editor.change(Step::Tree, |draft| draft.shift(id, direction)))
    };
    let remove = Callback::new(move |()| editor.change_and_select(|draft| draft.remove(id)));
    view! {
        <div class="node-actions">
            {(position > 0).then(|| view! { <IconButton label="Move up" glyph=Icon::ArrowUp on_press=shift(Direction::Before)/> })}
            {(position + 1 < siblings).then(|| {
                view! { <IconButton label="Move down" glyph=Icon::ArrowDown on_press=shift(Direction::After)/> }
            })}
            <IconButton label="Remove" glyph=Icon::Trash on_press=remove/>
        </div>
    }
    .into_any()
}

/// Another strategy for the node, and strategies around it.
fn strategies(editor: Editor, subject: Subject) -> AnyView {
    let Subject {
        id, strategy, parent, ..
    } = subject;
    let option = move |chosen: Strategy| {
        view! { <option value=chosen.word() prop:selected=chosen == strategy>{chosen.title()}" – "{chosen.about()}</option> }
    };
    let change = move |event| {
        if let Some(chosen) = Strategy::from_word(&event_target_value(&event)) {
            editor.change_and_select(|draft| draft.change_strategy(id, chosen));
        }
    };
    let around = move |event: web_sys::Event| {
        if let Some(chosen) = Strategy::from_word(&event_target_value(&event)) {
            editor.change_and_select(|draft| draft.wrap(id, chosen));
        }
    };
    let others = Strategy::ALL.into_iter().filter(|other| *other != Strategy::Target);
    let wraps = others.map(|other| view! { <option value=other.word()>{other.title()}" – "{other.about()}</option> });
    let keep_only = Callback::new(move |()| editor.change_and_select(|draft| draft.unwrap(id)));
    let locked = move || !editor.is_open();
    view! {
        <div class="field">
            <label for="field-strategy">"Strategy"</label>
            <select id="field-strategy" disabled=locked on:change=change>
                {Strategy::ALL.into_iter().map(option).collect_view()}
            </select>
        </div>
        <div class="field">
            <label for="field-wrap">"Wrap in"</label>
            <select id="field-wrap" disabled=locked on:change=around>
                <option value="" selected=true>"Choose…"</option>
                {wraps.collect_view()}
            </select>
        </div>
        {(parent.is_some() && editor.can_edit()).then(|| {
            view! { <div><Button label="Put in its parent's place" look=Look::Quiet on_press=keep_only/></div> }
        })}
    }
    .into_any()
}

/// The branches with what leads to each, and a way to have one more.
fn branches(editor: Editor, id: NodeId, strategy: Strategy) -> AnyView {
    let rows = Memo::new(move |_| {
        editor
            .node(id, |node| {
                let children = node.children.iter().enumerate();
                children
                    .map(|(position, child)| {
                        let below = &child.node;
                        let title = match below.strategy {
                            Strategy::Target if below.leaf.model.trim().is_empty() => "New target".to_owned(),
                            Strategy::Target => below.leaf.model.trim().to_owned(),
                            other => other.title().to_owned(),
                        };
                        (below.id, title, edge_label(node, position))
                    })
                    .collect::<Vec<_>>()
            })
            .unwrap_or_default()
    });
    let row = move |(child, title, label): (NodeId, String, Option<String>)| {
        let select = move |_| {
            editor.selected.set(child);
            focus(child);
        };
        view! {
            <li>
                <button type="button" class="branch" on:click=select>
                    <span class="branch-title">{title}</span>
                    {label.map(|label| view! { <span class="branch-label">{label}</span> })}
                    {icon(Icon::ChevronRight)}
                </button>
            </li>
        }
    };
    let add = Callback::new(move |()| editor.change_and_select(|draft| draft.add_child(id)));
    let can_grow = strategy != Strategy::Canary && editor.can_edit();
    view! {
        <section>
            <h4>"Branches"</h4>
            <ol class="branches">{move || rows.get().into_iter().map(row).collect_view()}</ol>
            {can_grow.then(|| view! { <Button label="Add branch" glyph=Icon::Plus on_press=add/> })}
        </section>
    }
    .into_any()
}
