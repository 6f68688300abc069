//! The organization's providers to choose from in a form.

use leptos::prelude::*;

use crate::api::Pending;
use crate::pages::choices::{Options, choices};
use crate::session::Workspace;

/// The organization's providers; the first one is chosen when none is.
pub(in crate::pages) fn provider_options(workspace: Workspace, chosen: RwSignal<String>) -> Signal<Options> {
    let fetch = move || -> Pending<Options> {
        Box::pin(async move {
            let providers = workspace.provider_choices().await?.items.into_iter();
            let option = |provider: gatewright_types::api::Provider| {
                let title = format!("{} ({})", provider.name, provider.kind.as_str());
                (provider.name.to_string(), title)
            };
            Ok(providers.map(option).collect())
        })
    };
    choices(fetch, chosen, "No providers yet")
}
