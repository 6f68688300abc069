//! What a page keeps in its address, one value by name, so that it can be sent to somebody.

use leptos::prelude::*;

use super::choices::Options;
use crate::components::field::options_view;
use crate::router::{Router, use_router};

/// One value of the address.
#[derive(Debug, Clone, Copy)]
pub(super) struct Noted {
    name: &'static str,
    router: Router,
}

impl Noted {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            router: use_router(),
        }
    }

    /// Empty where the address does not have it.
    pub(super) fn value(self) -> String {
        let found = self.pairs().into_iter().find(|(key, _)| key == self.name);
        found.map(|(_, value)| value).unwrap_or_default()
    }

    /// Keeps what else is in the address.
    pub(super) fn choose(self, value: &str) {
        let mut pairs = untrack(|| self.pairs());
        pairs.retain(|(key, _)| key != self.name);
        if !value.is_empty() {
            pairs.push((self.name.to_owned(), value.to_owned()));
        }
        self.router
            .set_query(&serde_urlencoded::to_string(pairs).unwrap_or_default());
    }

    /// A choice of it, for above a list.
    pub(super) fn choice(self, label: &'static str, options: Options) -> AnyView {
        let value = RwSignal::new(String::new());
        Effect::new(move |_| value.set(self.value()));
        view! {
            <label class="filter">
                <span>{label}</span>
                <select on:change=move |event| self.choose(&event_target_value(&event))>
                    {options_view(options, value)}
                </select>
            </label>
        }
        .into_any()
    }

    fn pairs(self) -> Options {
        serde_urlencoded::from_str(&self.router.query()).unwrap_or_default()
    }
}
