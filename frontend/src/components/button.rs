//! Buttons. A button whose action is not allowed stays where it is and says why.

use leptos::prelude::*;

use super::icon::{Icon, icon};

/// How much a button asks for attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    Primary,
    Plain,
    Quiet,
    Danger,
}

impl Look {
    const fn class(self) -> &'static str {
        match self {
            Self::Primary => "button button-primary",
            Self::Plain => "button",
            Self::Quiet => "button button-quiet",
            Self::Danger => "button button-danger",
        }
    }
}

#[component]
pub(crate) fn Button(
    label: &'static str,
    #[prop(default = Look::Plain)] look: Look,
    #[prop(optional)] glyph: Option<Icon>,
    #[prop(optional, into)] busy: Signal<bool>,
    /// Why the action is not offered.
    #[prop(optional_no_strip)]
    denial: Option<String>,
    on_press: Callback<()>,
) -> impl IntoView {
    let denied = denial.is_some();
    let inert = move || denied || busy.get();
    view! {
        <button
            type="button"
            class=look.class()
            class:is-busy=busy
            aria-disabled=move || inert().then_some("true")
            title=denial
            on:click=move |_| if !denied && !busy.get_untracked() { on_press.run(()) }
        >
            {glyph.map(icon)}
            <span>{label}</span>
        </button>
    }
}

/// The button that sends the form it is in.
#[component]
pub(crate) fn SubmitButton(
    label: &'static str,
    #[prop(default = Look::Primary)] look: Look,
    #[prop(into)] busy: Signal<bool>,
) -> impl IntoView {
    view! {
        <button
            type="submit"
            class=look.class()
            class:is-busy=busy
            aria-disabled=move || busy.get().then_some("true")
        >
            <span>{label}</span>
        </button>
    }
}

/// A button that is only a drawing; `label` is what it is called.
#[component]
pub(crate) fn IconButton(
    #[prop(into)] label: String,
    glyph: Icon,
    #[prop(optional, into)] busy: Signal<bool>,
    /// There is nothing to do at the moment.
    #[prop(optional, into)]
    denied: Signal<bool>,
    on_press: Callback<()>,
) -> impl IntoView {
    let inert = move || busy.get() || denied.get();
    view! {
        <button
            type="button"
            class="icon-button"
            class:is-busy=busy
            aria-label=label.clone()
            title=label
            aria-disabled=move || inert().then_some("true")
            on:click=move |_| if !untrack(inert) { on_press.run(()) }
        >
            {icon(glyph)}
        </button>
    }
}
