//! The organization's providers to choose from in a form.

use leptos::prelude::*;

use crate::load::{Load, Loader};
use crate::session::Workspace;

/// The organization's providers; the first one is chosen when none is.
pub(in crate::pages) fn provider_options(
    workspace: Workspace,
    chosen: RwSignal<String>,
) -> Signal<Vec<(String, String)>> {
    let providers = Loader::new(move || async move { workspace.provider_choices().await.map(|page| page.items) });
    Effect::new(move |_| {
        let first = providers.state.with(|state| match state {
            Load::Ready(providers) => providers.first().map(|provider| provider.name.to_string()),
            Load::Waiting | Load::Failed(_) => None,
        });
        if let Some(first) = first
            && chosen.with_untracked(String::is_empty)
        {
            chosen.set(first);
        }
    });
    Signal::derive(move || {
        providers.state.with(|state| match state {
            Load::Ready(providers) if providers.is_empty() => vec![(String::new(), "No providers yet".to_owned())],
            Load::Ready(providers) => providers
                .iter()
                .map(|provider| {
                    (
                        provider.name.to_string(),
                        format!("{} ({})", provider.name, provider.kind.as_str()),
                    )
                })
                .collect(),
            Load::Waiting => vec![(String::new(), "Loading…".to_owned())],
            Load::Failed(failure) => vec![(String::new(), failure.sentence())],
        })
    })
}
