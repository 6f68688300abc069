//! The frame of the pages in front of the sign-in.

use leptos::prelude::*;

use crate::components::brand::Wordmark;

#[component]
pub(super) fn Welcome(title: &'static str, #[prop(into)] about: Signal<String>, children: Children) -> impl IntoView {
    document().set_title(&format!("{title} · Gatewright"));
    view! {
        <div class="welcome">
            <main class="welcome-sheet">
                <Wordmark/>
                <h1>{title}</h1>
                <p class="page-about">{about}</p>
                {children()}
            </main>
        </div>
    }
    .into_any()
}
