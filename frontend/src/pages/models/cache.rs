//! Whether a model's answers are kept: the part of its form, and how it is told.

use gatewright_types::api::{CacheScope, CacheSettings, ModelSettings, PromptCache};
use leptos::prelude::*;

use crate::components::field::{Input, SelectField, TextField};
use crate::form::Form;

const SHARED: &str = "shared";
const SEPARATE: &str = "separate";

/// The fields of what is kept of a model's answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct CacheFields {
    form: Form,
    /// Empty where nothing is kept.
    ttl: RwSignal<String>,
    scope: RwSignal<String>,
    coalesce: RwSignal<String>,
    prompts: RwSignal<String>,
}

impl CacheFields {
    pub(super) fn new(form: Form, settings: &ModelSettings) -> Self {
        let cache = settings.cache.as_ref();
        let scope = cache.map(|cache| cache.scope).unwrap_or_default();
        let coalesce = cache.is_none_or(|cache| cache.coalesce);
        Self {
            form,
            ttl: RwSignal::new(cache.map(|cache| cache.ttl.to_string()).unwrap_or_default()),
            scope: RwSignal::new(scope.as_str().to_owned()),
            coalesce: RwSignal::new(if coalesce { SHARED } else { SEPARATE }.to_owned()),
            prompts: RwSignal::new(settings.prompt_cache.as_str().to_owned()),
        }
    }

    /// Nothing when a field is wrong.
    pub(super) fn read(self) -> Option<Option<CacheSettings>> {
        let ttl = self.form.parse_optional("cache.ttl", self.ttl)?;
        let chosen = self.scope.get_untracked();
        let scope = CacheScope::ALL.into_iter().find(|scope| scope.as_str() == chosen);
        Some(ttl.map(|ttl| CacheSettings {
            ttl,
            scope: scope.unwrap_or_default(),
            coalesce: self.coalesce.with_untracked(|chosen| chosen == SHARED),
        }))
    }

    /// What providers are asked to keep of prompts.
    pub(super) fn prompt_cache(self) -> PromptCache {
        let chosen = self.prompts.get_untracked();
        let known = PromptCache::ALL.into_iter().find(|one| one.as_str() == chosen);
        known.unwrap_or_default()
    }

    pub(super) fn view(self) -> AnyView {
        let form = self.form;
        let open = !self.ttl.with_untracked(String::is_empty) || !self.prompt_cache().is_off();
        let scopes = CacheScope::ALL
            .map(|scope| (scope.as_str().to_owned(), title(scope).to_owned()))
            .to_vec();
        let together = [(SHARED, "share one call"), (SEPARATE, "are called for each")]
            .map(|(value, title)| (value.to_owned(), title.to_owned()))
            .to_vec();
        let prompts = PromptCache::ALL
            .map(|one| (one.as_str().to_owned(), prompts_told(one).to_owned()))
            .to_vec();
        view! {
            <details class="more-fields" prop:open=open>
                <summary>"Cache"</summary>
                <p class="muted small">
                    "Equal requests are answered from what was answered before. Where no time is given, nothing is kept."
                </p>
                <div class="field-grid">
                    <TextField
                        form=form
                        name="cache.ttl"
                        label="Kept for"
                        value=self.ttl
                        input=Input::Code
                        placeholder="1h"
                        hint="From 1s to 30d."
                    />
                    <SelectField form=form name="cache.scope" label="Shared by" value=self.scope options=scopes/>
                    <SelectField
                        form=form
                        name="cache.coalesce"
                        label="Equal requests at a time"
                        value=self.coalesce
                        options=together
                        hint="Those that can only be answered alike: temperature 0, a seed, or embeddings."
                    />
                    <SelectField
                        form=form
                        name="prompt_cache"
                        label="Prompts at the provider"
                        value=self.prompts
                        options=prompts
                        hint="For requests that do not say so themselves: marks for Claude, a key for OpenAI."
                    />
                </div>
            </details>
        }
        .into_any()
    }
}

/// In a line; nothing where nothing is kept.
pub(super) fn told(cache: Option<&CacheSettings>) -> Option<String> {
    cache.map(|cache| format!("{} for {}", cache.ttl, title(cache.scope)))
}

pub(super) const fn prompts_told(prompts: PromptCache) -> &'static str {
    match prompts {
        PromptCache::Off => "as the request says",
        PromptCache::Auto => "kept whenever it can be",
    }
}

const fn title(scope: CacheScope) -> &'static str {
    match scope {
        CacheScope::Key => "each key",
        CacheScope::User => "each end user",
        CacheScope::Team => "each team",
        CacheScope::Organization => "the organization",
    }
}
