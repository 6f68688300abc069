//! The head of a page: where one is, what it is for, and its main action. Sets the window's title too.

use leptos::prelude::*;

use crate::session::use_session;

#[component]
pub(crate) fn PageHeader(
    title: &'static str,
    #[prop(optional)] about: &'static str,
    /// The page's main actions.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let workspace = use_session().workspace();
    Effect::new(move |_| {
        let organization = workspace.name();
        let middle = if organization.is_empty() {
            String::new()
        } else {
            format!("{organization} · ")
        };
        document().set_title(&format!("{title} · {middle}Gatewright"));
    });
    view! {
        <header class="page-head">
            <div>
                <h1>{title}</h1>
                {(!about.is_empty()).then(|| view! { <p class="page-about">{about}</p> })}
            </div>
            {children.map(|children| view! { <div class="page-actions">{children()}</div> })}
        </header>
    }
    .into_any()
}
