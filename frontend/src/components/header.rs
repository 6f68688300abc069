//! The head of a page: where one is, what it is for, and its main action. Sets the window's title too.

use leptos::prelude::*;

use crate::session::use_session;

#[component]
pub(crate) fn PageHeader(
    #[prop(into)] title: String,
    #[prop(optional)] about: &'static str,
    /// The page above this one: its address and its title.
    #[prop(optional, into)]
    up: Option<(String, &'static str)>,
    /// The page's main actions.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let workspace = use_session().workspace();
    let heading = title.clone();
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
                {up.map(|(href, title)| view! { <a class="page-up" href=href>{title}</a> })}
                <h1>{heading}</h1>
                {(!about.is_empty()).then(|| view! { <p class="page-about">{about}</p> })}
            </div>
            {children.map(|children| view! { <div class="page-actions">{children()}</div> })}
        </header>
    }
    .into_any()
}
