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
    let row = options.into_iter().map(|(option, title)| {
        let pressed = Signal::derive(move || chosen.get() == option);
        segment(title, pressed, Callback::new(move |()| choose.run(option)))
    });
    let row: Vec<AnyView> = row.collect();
    view! { <div class="segments" role="group" aria-label=label>{row}</div> }.into_any()
}

fn segment(title: &'static str, pressed: Signal<bool>, choose: Callback<()>) -> AnyView {
    view! {
        <button
            type="button"
            class="segment"
            aria-pressed=move || if pressed.get() { "true" } else { "false" }
            on:click=move |event| {
                // A menu around the segments stays open.
                event.stop_propagation();
                choose.run(());
            }
        >
            {title}
        </button>
    }
    .into_any()
}
