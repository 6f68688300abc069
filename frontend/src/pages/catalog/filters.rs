//! What narrows the list of known models; it lives in the address.

use gatewright_types::api::{Capability, CatalogQuery, LifecycleStage, ProviderKind};
use leptos::prelude::*;

use crate::components::button::{Button, Look};
use crate::components::field::options_view;
use crate::components::icon::Icon;
use crate::format;
use crate::router::use_router;

pub(super) fn filters(query: Memo<Option<CatalogQuery>>) -> AnyView {
    let router = use_router();
    let text = move || query.get().and_then(|query| query.text).unwrap_or_default();
    let clear = Callback::new(move |()| router.set_query(""));
    let clear_button = move || {
        (query.get() != Some(CatalogQuery::default()))
            .then(|| view! { <Button label="Clear" look=Look::Quiet glyph=Icon::Close on_press=clear/> })
    };
    let unreadable = move || {
        query.get().is_none().then(|| {
            let text = "The address holds a filter that cannot be read, so nothing is filtered.";
            view! { <p class="notice notice-warning">{text}</p> }
        })
    };
    let words = |words: Vec<&'static str>| words.into_iter().map(|word| (word.to_owned(), format::words(word)));
    let kinds = ProviderKind::ALL
        .into_iter()
        .map(|kind| (kind.as_str().to_owned(), kind.as_str().to_owned()));
    let capabilities = words(Capability::ALL.iter().map(|one| one.as_str()).collect());
    let stages = words(LifecycleStage::ALL.iter().map(|one| one.as_str()).collect());
    view! {
        <div class="filters" role="search" aria-label="Filters">
            <label class="filter">
                <span>"Name"</span>
                <input
                    type="search"
                    class="code"
                    placeholder="sonnet"
                    spellcheck="false"
                    autocomplete="off"
                    prop:value=text
                    on:change=move |event| router.set_query(&change(query, "text", event_target_value(&event).trim()))
                />
            </label>
            {choice("Kind", "kind", "All kinds", kinds.collect(), query)}
            {choice("Ability", "capability", "All abilities", capabilities.collect(), query)}
            {choice("State", "stage", "All states", stages.collect(), query)}
            {clear_button}
        </div>
        {unreadable}
    }
    .into_any()
}

fn choice(
    label: &'static str,
    name: &'static str,
    all: &'static str,
    mut options: Vec<(String, String)>,
    query: Memo<Option<CatalogQuery>>,
) -> AnyView {
    let router = use_router();
    options.insert(0, (String::new(), all.to_owned()));
    let value = RwSignal::new(String::new());
    Effect::new(move |_| {
        let asked = pairs(query.get()).into_iter().find(|(key, _)| key == name);
        value.set(asked.map(|(_, value)| value).unwrap_or_default());
    });
    view! {
        <label class="filter">
            <span>{label}</span>
            <select on:change=move |event| router.set_query(&change(query, name, &event_target_value(&event)))>
                {options_view(options, value)}
            </select>
        </label>
    }
    .into_any()
}

fn pairs(query: Option<CatalogQuery>) -> Vec<(String, String)> {
    let query = serde_urlencoded::to_string(query.unwrap_or_default()).unwrap_or_default();
    serde_urlencoded::from_str(&query).unwrap_or_default()
}

/// Puts one filter into the address and keeps the others.
fn change(query: Memo<Option<CatalogQuery>>, name: &str, value: &str) -> String {
    let mut pairs = pairs(query.get_untracked());
    pairs.retain(|(key, _)| key != name);
    if !value.is_empty() {
        pairs.push((name.to_owned(), value.to_owned()));
    }
    serde_urlencoded::to_string(pairs).unwrap_or_default()
}
