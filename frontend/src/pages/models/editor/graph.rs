//! The tree as a picture: cards, the lines between them, and the keys that lead from one to another.

use std::collections::BTreeMap;

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::card::{Rank, card, element_id};
use super::facts::Facts;
use super::state::Editor;
use crate::components::button::IconButton;
use crate::components::icon::Icon;
use crate::route::{CARD, Card, Draft, Drawing, Flow, Mark, NodeId, Way, edge_label, lay_out};

/// A narrower pane shows an outline.
const NARROW: i32 = 560;
const SMALLEST: f64 = 0.3;
const READABLE: f64 = 0.75;
const LARGEST: f64 = 1.6;
const ZOOM_STEP: f64 = 1.2;

#[component]
pub(super) fn Graph(
    editor: Editor,
    facts: Facts,
    #[prop(into)] marks: Signal<BTreeMap<NodeId, Mark>>,
) -> impl IntoView {
    let pane = NodeRef::<html::Div>::new();
    let flow = RwSignal::new(Flow::Across);
    let zoom = RwSignal::new(1.0_f64);
    let drawing = Memo::new(move |_| editor.with(|draft| lay_out(draft, flow.get())));
    // Cards are made anew only when there are others, so that the focus stays.
    let shape = Memo::new(move |_| (flow.get(), editor.with(shape)));

    let measure = move || {
        if let Some(pane) = pane.get_untracked() {
            let narrow = pane.client_width() < NARROW;
            flow.set(if narrow { Flow::Outline } else { Flow::Across });
        }
    };
    let fit = Callback::new(move |least: f64| {
        if let Some(pane) = pane.get_untracked() {
            let size = drawing.with_untracked(|drawing| drawing.size);
            let across = f64::from(pane.client_width()) / f64::from(size.width);
            let down = f64::from(pane.client_height()) / f64::from(size.height);
            let whole = if flow.get_untracked() == Flow::Outline {
                across
            } else {
                across.min(down)
            };
            zoom.set(whole.clamp(least, 1.0));
        }
    });
    // Until somebody chooses a size, as much as can still be read.
    let chosen = RwSignal::new(false);
    Effect::new(move |_| {
        shape.with(|_| ());
        if pane.get().is_some() && !chosen.get_untracked() {
            measure();
            fit.run(READABLE);
        }
    });
    Effect::new(move |_| {
        let selected = editor.selected.get();
        let at = drawing.with(|drawing| drawing.cards.iter().find(|card| card.id == selected).cloned());
        if let Some((pane, at)) = pane.get().zip(at) {
            request_animation_frame(move || reveal(&pane, &at, zoom.get_untracked()));
        }
    });
    let resized = window_event_listener(leptos::ev::resize, move |_| measure());
    on_cleanup(move || resized.remove());

    let cards = move || {
        // Read, so that the memo follows the tree from here on.
        shape.with(|_| ());
        let drawing = drawing.get_untracked();
        let ranks = editor.with_untracked(ranks);
        let cards = drawing.cards.iter().zip(ranks);
        cards
            .map(|(at, rank)| card(editor, facts, marks, at, rank))
            .collect_view()
    };
    let key = move |event: web_sys::KeyboardEvent| {
        let next = editor.with_untracked(|draft| neighbour(draft, editor.selected.get_untracked(), &event.key()));
        if let Some(next) = next {
            event.prevent_default();
            editor.selected.set(next);
            focus(next);
        }
    };
    let size = move || drawing.with(|drawing| drawing.size);
    let change = move |factor: f64| {
        Callback::new(move |()| {
            chosen.set(true);
            zoom.update(|zoom| *zoom = (*zoom * factor).clamp(SMALLEST, LARGEST));
        })
    };
    let show_all = Callback::new(move |()| {
        chosen.set(true);
        fit.run(SMALLEST);
    });
    view! {
        <div
            class="graph"
            class:is-stale=move || editor.broken().is_some()
            class:is-outline=move || flow.get() == Flow::Outline
        >
            <div class="graph-pane" node_ref=pane>
                <div
                    class="graph-plane"
                    style:width=move || format!("{}px", size().width)
                    style:height=move || format!("{}px", size().height)
                    style:zoom=move || format!("{:.3}", zoom.get())
                >
                    {move || lines(&drawing.get(), &marks.get())}
                    {move || editor.with(|draft| labels(draft, &drawing.get(), &marks.get()))}
                    <div role="tree" aria-label="Route" on:keydown=key>{cards}</div>
                </div>
            </div>
            <div class="graph-zoom">
                <IconButton label="Smaller" glyph=Icon::Minus on_press=change(1.0 / ZOOM_STEP)/>
                <IconButton label="Show all" glyph=Icon::Fit on_press=show_all/>
                <IconButton label="Larger" glyph=Icon::Plus on_press=change(ZOOM_STEP)/>
            </div>
        </div>
    }
    .into_any()
}

/// What decides which cards there are: nodes, their order, depth and strategy. Where they stand follows from it.
fn shape(draft: &Draft) -> Vec<(NodeId, usize, &'static str)> {
    let visits = draft.walk().into_iter();
    visits
        .map(|visit| (visit.node.id, visit.depth, visit.node.strategy.word()))
        .collect()
}

fn ranks(draft: &Draft) -> Vec<Rank> {
    let visits = draft.walk().into_iter();
    visits
        .map(|visit| Rank {
            level: visit.depth + 1,
            position: visit.position + 1,
            siblings: visit.parent.map_or(1, |parent| parent.children.len()),
        })
        .collect()
}

fn lines(drawing: &Drawing, marks: &BTreeMap<NodeId, Mark>) -> AnyView {
    let class = |id: NodeId| match marks.get(&id).map(|mark| mark.way) {
        Some(Way::Taken) => "line is-taken",
        Some(Way::StandsBy) => "line is-standing-by",
        Some(Way::Dropped) => "line is-dropped",
        Some(Way::Aside) | None => "line",
    };
    let mut edges: Vec<_> = drawing
        .cards
        .iter()
        .filter_map(|card| card.edge.as_ref().map(|edge| (class(card.id), edge.path.clone())))
        .collect();
    // What is lit lies over what is not.
    edges.sort_by_key(|(class, _)| (class.len() > 4, class.ends_with("taken")));
    let paths = edges
        .into_iter()
        .map(|(class, path)| view! { <path class=class d=path></path> });
    let size = drawing.size;
    view! {
        <svg class="graph-lines" width=size.width.to_string() height=size.height.to_string() aria-hidden="true">
            {paths.collect_view()}
        </svg>
    }
    .into_any()
}

/// The cards say their labels, too.
fn labels(draft: &Draft, drawing: &Drawing, marks: &BTreeMap<NodeId, Mark>) -> AnyView {
    let label = |card: &Card| {
        let (left, top) = card.edge.as_ref()?.label?;
        let (parent, position) = draft.edge(card.id)?;
        let text = edge_label(parent, position)?;
        let taken = marks.get(&card.id).is_some_and(|mark| mark.way == Way::Taken);
        Some(view! {
            <span class="edge-label" style:left=format!("{left}px") style:top=format!("{top}px")>
                <span class:is-taken=taken title=text.clone()>{text.clone()}</span>
            </span>
        })
    };
    let labels = drawing.cards.iter().filter_map(label).collect_view();
    view! { <div aria-hidden="true">{labels}</div> }.into_any()
}

/// The node that a key leads to: up and down through the tree as it is read, left to the parent, right to the branches.
fn neighbour(draft: &Draft, from: NodeId, key: &str) -> Option<NodeId> {
    let walk = draft.walk();
    let at = walk.iter().position(|visit| visit.node.id == from)?;
    match key {
        "ArrowDown" => walk.get(at + 1).map(|visit| visit.node.id),
        "ArrowUp" => at.checked_sub(1).map(|before| walk[before].node.id),
        "ArrowLeft" => walk[at].parent.map(|parent| parent.id),
        "ArrowRight" => walk[at].node.children.first().map(|child| child.node.id),
        "Home" => walk.first().map(|visit| visit.node.id),
        "End" => walk.last().map(|visit| visit.node.id),
        _ => None,
    }
}

/// Scrolls the pane, and nothing around it, until a card is in sight.
fn reveal(pane: &web_sys::HtmlDivElement, card: &Card, zoom: f64) {
    let scrolled = |now: i32, room: i32, start: u32, length: u32| {
        let (start, end) = (f64::from(start) * zoom, f64::from(start + length) * zoom);
        let hidden = start < f64::from(now) || end > f64::from(now + room);
        hidden.then_some((start + end) / 2.0 - f64::from(room) / 2.0)
    };
    let left = scrolled(pane.scroll_left(), pane.client_width(), card.left, CARD.width);
    let top = scrolled(pane.scroll_top(), pane.client_height(), card.top, CARD.height);
    if left.is_some() || top.is_some() {
        let (x, y) = (f64::from(pane.scroll_left()), f64::from(pane.scroll_top()));
        pane.scroll_to_with_x_and_y(left.unwrap_or(x), top.unwrap_or(y));
    }
}

/// Puts the focus on a card, which brings it into sight.
pub(super) fn focus(id: NodeId) {
    request_animation_frame(move || {
        let found = document().get_element_by_id(&element_id(id));
        if let Some(card) = found.and_then(|card| card.dyn_into::<HtmlElement>().ok()) {
            // A card that has gone meanwhile takes no focus.
            let _gone = card.focus();
        }
    });
}
