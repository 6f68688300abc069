//! Views of one page side by side, as links, so that each has its address.

use leptos::prelude::*;

/// `tabs` are `(address, title, whether it is the current one)`.
#[component]
pub(crate) fn Tabs(
    label: &'static str,
    #[prop(into)] tabs: Signal<Vec<(String, &'static str, bool)>>,
) -> impl IntoView {
    let row = |(href, title, current): (String, &'static str, bool)| {
        view! { <a href=href class="tab" aria-current=current.then_some("page")>{title}</a> }
    };
    view! {
        <nav class="tabs" aria-label=label>{move || tabs.get().into_iter().map(row).collect_view()}</nav>
    }
}
