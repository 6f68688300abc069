//! One of few, side by side: a range, a language, a theme.

use leptos::prelude::*;

/// `options` are the values with their titles.
pub(crate) fn segments<T>(
    label: &'static str,
    options: impl IntoIterator<Item = (T, &'static str)>,
    chosen: Signal<T>,
    choose: Callback<T>,
) -> AnyView
where
    T: Copy + PartialEq + Send + Sync + 'static,
{
    let segment = move |(option, title): (T, &'static str)| {
        view! {
            <button
                type="button"
                class="segment"
                aria-pressed=move || if chosen.get() == option { "true" } else { "false" }
                on:click=move |event| {
                    // A menu around the segments stays open.
                    event.stop_propagation();
                    choose.run(option);
                }
            >
                {title}
            </button>
        }
    };
    let row = options.into_iter().map(segment).collect_view();
    view! { <div class="segments" role="group" aria-label=label>{row}</div> }.into_any()
}
