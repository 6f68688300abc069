//! The part of the side panel that is about a canary: its part, how that grows, and what takes it back.

use leptos::prelude::*;

use super::fields::{Entry, affinity, node_field};
use super::state::{Editor, Step};
use crate::route::NodeId;

pub(super) fn canary(editor: Editor, id: NodeId) -> AnyView {
    let rolls_back = Memo::new(move |_| editor.node(id, |node| node.canary.rolls_back) == Some(true));
    let toggle = move |_| {
        editor.change(Step::Tree, |draft| {
            draft.change_node(id, |node| node.canary.rolls_back = !node.canary.rolls_back);
        });
    };
    view! {
        {node_field!(editor, id, "percent", "The candidate begins with, in percent", "", canary.percent).view(Entry::Line("5"))}
        {affinity(editor, id)}
        <h4>"Grows"</h4>
        <div class="field-grid">
            {node_field!(editor, id, "step", "By, in points", "", canary.step).view(Entry::Line("10"))}
            {node_field!(editor, id, "every", "Every", "", canary.every).view(Entry::Line("1h"))}
            {node_field!(editor, id, "until", "Up to, in percent", "", canary.until).view(Entry::Line("100"))}
        </div>
        <p class="field-about">"With no step and no time the part stays as it is."</p>
        <label class="check check-alone">
            <input
                type="checkbox"
                disabled=move || !editor.is_open()
                prop:checked=move || rolls_back.get()
                on:change=toggle
            />
            "Goes back by itself when the candidate does worse"
        </label>
        {move || rolls_back.get().then(|| rollback(editor, id))}
    }
    .into_any()
}

fn rollback(editor: Editor, id: NodeId) -> AnyView {
    view! {
        <div class="field-grid">
            {node_field!(editor, id, "min_requests", "Judged from", "Requests of each.", canary.min_requests).view(Entry::Line("100"))}
            {node_field!(editor, id, "error_rate", "More failures", "In percentage points.", canary.error_rate).view(Entry::Line("2"))}
            {node_field!(editor, id, "latency", "Latency", "In percent of the stable route's.", canary.latency).view(Entry::Line("150"))}
            {node_field!(editor, id, "cost", "Cost", "In percent of the stable route's.", canary.cost).view(Entry::Line("120"))}
        </div>
    }
    .into_any()
}
