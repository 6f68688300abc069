//! What an organization has, as the options of a field.

use leptos::prelude::*;

use crate::api::Pending;
use crate::load::{Load, Loader};

/// The options of a select, as `(value, title)`.
pub(super) type Options = Vec<(String, String)>;

/// Fetches options; the first of them is chosen when none is. `none` stands where there are none.
pub(super) fn choices(
    fetch: impl Fn() -> Pending<Options> + 'static,
    chosen: RwSignal<String>,
    none: &'static str,
) -> Signal<Options> {
    let options = Loader::new(fetch);
    Effect::new(move |_| {
        let first = options.state.with(|state| match state {
            Load::Ready(options) => options.first().map(|(value, _)| value.clone()),
            Load::Waiting | Load::Failed(_) => None,
        });
        if let Some(first) = first
            && chosen.with_untracked(String::is_empty)
        {
            chosen.set(first);
        }
    });
    Signal::derive(move || {
        let only = |title: String| vec![(String::new(), title)];
        options.state.with(|state| match state {
            Load::Ready(options) if options.is_empty() => only(none.to_owned()),
            Load::Ready(options) => options.clone(),
            Load::Waiting => only("Loading…".to_owned()),
            Load::Failed(failure) => only(failure.sentence()),
        })
    })
}

/// Options that are always the same.
pub(super) fn fixed(options: &[(&'static str, &'static str)]) -> Signal<Options> {
    let options = options
        .iter()
        .map(|(value, title)| ((*value).to_owned(), (*title).to_owned()));
    Signal::stored(options.collect())
}
