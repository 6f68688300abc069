//! One node of the graph.

use std::collections::BTreeMap;

use gatewright_types::api::{BreakerState, Capability};
use leptos::prelude::*;

use super::facts::{Facts, TargetFacts};
use super::state::Editor;
use crate::components::icon::{Icon, icon};
use crate::components::strategy::glyph;
use crate::pages::models::health::badge;
use crate::pages::models::rates_line;
use crate::route::{Card, Mark, Node, NodeId, Strategy, Way, edge_label};

/// Which abilities are told on a card, and how.
const TOLD: [(Capability, &str); 6] = [
    (Capability::Vision, "vision"),
    (Capability::Tools, "tools"),
    (Capability::StructuredOutput, "schema"),
    (Capability::Reasoning, "reasoning"),
    (Capability::AudioInput, "audio"),
    (Capability::Embeddings, "embeddings"),
];

/// What a card says.
struct Words {
    title: String,
    about: String,
    more: String,
}

/// A node's place in the tree, for those who do not see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rank {
    pub(super) level: usize,
    pub(super) position: usize,
    pub(super) siblings: usize,
}

pub(super) fn card(
    editor: Editor,
    facts: Facts,
    marks: Signal<BTreeMap<NodeId, Mark>>,
    at: &Card,
    rank: Rank,
) -> AnyView {
    let id = at.id;
    let words = Memo::new(move |_| {
        let words = editor.node(id, |node| words(node, facts));
        words
            .map(|words| (words.title, words.about, words.more))
            .unwrap_or_default()
    });
    let label = Memo::new(move |_| {
        editor.with(|draft| {
            let (parent, position) = draft.edge(id)?;
            edge_label(parent, position)
        })
    });
    let strategy = editor.with_untracked(|draft| draft.node(id).map_or(Strategy::Target, |node| node.strategy));
    let mark = Memo::new(move |_| marks.with(|marks| marks.get(&id).cloned()));
    let is_wrong = Memo::new(move |_| editor.problems().iter().any(|problem| problem.node == id));
    let selected = move || editor.selected.get() == id;
    let class = move || {
        let way = match mark.get().map(|mark| mark.way) {
            None => "",
            Some(Way::Aside) => " is-aside",
            Some(Way::Taken) => " is-taken",
            Some(Way::StandsBy) => " is-standing-by",
            Some(Way::Dropped) => " is-dropped",
        };
        let selected = if selected() { " is-selected" } else { "" };
        let wrong = if is_wrong.get() { " is-wrong" } else { "" };
        format!("node node-{}{way}{selected}{wrong}", kind(strategy))
    };
    // What is seen beside the card, for those who hear it.
    let spoken = move || {
        let label = label.get().map(|label| format!(", on the edge: {label}"));
        let wrong = is_wrong.get().then(|| ", has problems".to_owned());
        label.into_iter().chain(wrong).collect::<String>()
    };
    let health = Memo::new(move |_| {
        let names = editor.node(id, |node| {
            (node.leaf.provider.trim().to_owned(), node.leaf.model.trim().to_owned())
        });
        let (provider, model) = names.filter(|_| strategy == Strategy::Target)?;
        facts.health(&provider, &model)
    });
    let dot = move || {
        let (_, word) = badge(health.get()?);
        let class = match health.get()? {
            BreakerState::Closed => "node-health is-good",
            BreakerState::HalfOpen => "node-health is-warning",
            BreakerState::Open => "node-health is-bad",
        };
        Some(view! { <span class=class title=word><span class="unseen">", "{word}</span></span> })
    };
    let why = move || mark.get().and_then(|mark| mark.why);
    let order = move || {
        let order = mark.get().and_then(|mark| mark.order)?;
        Some(view! { <span class="node-order"><span class="unseen">", turn "</span>{order}</span> })
    };
    view! {
        <div
            id=element_id(id)
            class=class
            role="treeitem"
            tabindex=move || if selected() { "0" } else { "-1" }
            attr:aria-level=rank.level.to_string()
            aria-posinset=rank.position.to_string()
            aria-setsize=rank.siblings.to_string()
            aria-selected=move || if selected() { "true" } else { "false" }
            style:left=format!("{}px", at.left)
            style:top=format!("{}px", at.top)
            on:click=move |_| editor.selected.set(id)
        >
            <span class="node-icon">{icon(glyph(strategy))}</span>
            <span class="node-text">
                <strong>{move || words.get().0}</strong>
                <span>{move || why().unwrap_or_else(|| words.get().1)}</span>
                {move || Some(words.get().2).filter(|more| !more.is_empty()).map(|more| view! { <span>{more}</span> })}
            </span>
            {dot}
            {order}
            <span class="unseen">{spoken}</span>
            {move || is_wrong.get().then(|| view! { <span class="node-wrong">{icon(Icon::Alert)}</span> })}
        </div>
    }
    .into_any()
}

pub(super) fn element_id(id: NodeId) -> String {
    format!("node-{}", id.number())
}

const fn kind(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::Target => "target",
        _ => "strategy",
    }
}

fn words(node: &Node, facts: Facts) -> Words {
    if node.strategy != Strategy::Target {
        return Words {
            title: node.strategy.title().to_owned(),
            about: node.strategy.about().to_owned(),
            more: String::new(),
        };
    }
    let (provider, model) = (node.leaf.provider.trim(), node.leaf.model.trim());
    let or = |text: &str, otherwise: &str| {
        if text.is_empty() {
            otherwise.to_owned()
        } else {
            text.to_owned()
        }
    };
    let known = facts.of(&format!("{provider}/{model}"));
    let fault = node.leaf.fault.kind.map(|_| "fails on purpose".to_owned());
    let told = known
        .iter()
        .flat_map(|known| std::iter::once(short_price(known)).chain(abilities(known)));
    Words {
        title: or(model, "New target"),
        about: or(provider, "no provider yet"),
        more: fault.into_iter().chain(told).collect::<Vec<_>>().join(" · "),
    }
}

pub(super) fn price(known: &TargetFacts) -> String {
    let rates = known.price.as_ref().and_then(|price| price.rates.as_ref());
    rates.map_or_else(|| "unpriced".to_owned(), rates_line)
}

/// Input and output: `$0.15 / $0.60`.
fn short_price(known: &TargetFacts) -> String {
    let rates = known.price.as_ref().and_then(|price| price.rates.as_ref());
    match rates.map(|rates| (rates.input, rates.output)) {
        Some((Some(input), Some(output))) => format!("${input} / ${output}"),
        Some(_) => "priced".to_owned(),
        None => "unpriced".to_owned(),
    }
}

fn abilities(known: &TargetFacts) -> Vec<String> {
    let Some(entry) = &known.entry else { return Vec::new() };
    let told = TOLD.into_iter().filter(|(one, _)| entry.capabilities.contains(one));
    let context = entry.context.map(|tokens| match tokens {
        1_000_000.. => format!("{}M", tokens / 1_000_000),
        _ => format!("{}k", tokens / 1_000),
    });
    context
        .into_iter()
        .chain(told.map(|(_, word)| word.to_owned()))
        .collect()
}
