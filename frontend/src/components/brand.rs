//! The mark: a gate between two posts, with the road through it.

use leptos::prelude::*;

const MARK: &str = "<rect x='1' y='1' width='30' height='30' rx='8' class='mark-ground'/><path class='mark-line' d='M8.5 24.500V15a7.5 7.5 0 0 1 15 0v9.5'/><path class='mark-line' d='M13 24.500v-9a3 3 0 0 1 6 0v9'/><path class='mark-road' d='M5.5 24.500h21'/>";

#[component]
pub(crate) fn Mark() -> impl IntoView {
    view! { <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false" inner_html=MARK></svg> }
}

#[component]
pub(crate) fn Wordmark() -> impl IntoView {
    view! {
        <span class="wordmark"><Mark/><span>"Gatewright"</span></span>
    }
}
