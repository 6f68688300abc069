//! What a model says besides where it leads: the form, and the same for those who may only read it.

use gatewright_types::api::ModelSettings;
use leptos::prelude::*;

use super::cache::{self, CacheFields};
use super::naming::{self, NamingField};
use super::retries::{self, RetryFields};
use crate::form::Form;
use crate::pages::timeouts::{self, TimeoutFields};

#[derive(Debug, Clone, Copy)]
pub(super) struct SettingFields {
    limits: TimeoutFields,
    again: RetryFields,
    kept: CacheFields,
    naming: NamingField,
    /// Whether anything was typed since it was saved.
    touched: RwSignal<bool>,
}

impl SettingFields {
    pub(super) fn new(form: Form, settings: &ModelSettings) -> Self {
        Self {
            limits: TimeoutFields::new(form, &settings.timeouts),
            again: RetryFields::new(form, &settings.retries),
            kept: CacheFields::new(form, settings),
            naming: NamingField::new(form, settings.shown_model),
            touched: RwSignal::new(false),
        }
    }

    pub(super) fn is_changed(self) -> bool {
        self.touched.get()
    }

    pub(super) fn settle(self) {
        self.touched.set(false);
    }

    /// Nothing when a field is wrong.
    pub(super) fn read(self) -> Option<ModelSettings> {
        let (timeouts, retries, cache) = (self.limits.read(), self.again.read(), self.kept.read());
        Some(ModelSettings {
            timeouts: timeouts?,
            retries: retries?,
            cache: cache?,
            prompt_cache: self.kept.prompt_cache(),
            shown_model: self.naming.read(),
        })
    }

    pub(super) fn view(self) -> AnyView {
        let touch = move || {
            if !self.touched.get_untracked() {
                self.touched.set(true);
            }
        };
        view! {
            <div class="settings" on:input=move |_| touch() on:change=move |_| touch()>
                {self.limits.view("Those of the provider apply where a field is empty, and the server's own where it has none.")}
                {self.again.view()}
                {self.kept.view()}
                {self.naming.view()}
            </div>
        }
        .into_any()
    }
}

pub(super) fn read_only(settings: &ModelSettings) -> AnyView {
    let rows = [
        (
            "Timeouts",
            timeouts::told(&settings.timeouts).unwrap_or_else(|| "usual".to_owned()),
        ),
        (
            "Retries",
            retries::told(&settings.retries).unwrap_or_else(|| "usual".to_owned()),
        ),
        (
            "Cache",
            cache::told(settings.cache.as_ref()).unwrap_or_else(|| "off".to_owned()),
        ),
        (
            "Prompts at the provider",
            cache::prompts_told(settings.prompt_cache).to_owned(),
        ),
        ("Answers name", naming::told(settings.shown_model).to_owned()),
    ];
    let row = |(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> };
    view! { <dl class="facts">{rows.into_iter().map(row).collect_view()}</dl> }.into_any()
}
