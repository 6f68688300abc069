//! The frame around fields: what is wrong in general at the top, the buttons at the end.

use leptos::prelude::*;

use super::button::{Button, Look, SubmitButton};
use super::icon::{Icon, icon};
use crate::form::Form;

/// A form with its message and its buttons.
#[component]
pub(crate) fn FormFrame(
    form: Form,
    submit: &'static str,
    #[prop(default = Look::Primary)] look: Look,
    on_submit: Callback<()>,
    #[prop(optional, into)] on_cancel: Option<Callback<()>>,
    children: Children,
) -> impl IntoView {
    view! {
        <form
            class="form"
            id=form.id()
            novalidate=true
            on:submit=move |event| {
                event.prevent_default();
                on_submit.run(());
            }
        >
            <FormMessage form=form/>
            {children()}
            <div class="form-actions">
                {on_cancel.map(|cancel| view! { <Button label="Cancel" look=Look::Quiet on_press=cancel/> })}
                <SubmitButton label=submit look=look busy=Signal::derive(move || form.busy())/>
            </div>
        </form>
    }
}

/// What the server said about the form as a whole, and about fields that are not on the screen.
#[component]
pub(crate) fn FormMessage(form: Form) -> impl IntoView {
    view! {
        <div class="form-message" aria-live="assertive">
            {move || {
                form.message().map(|message| {
                    let stray = form.stray_errors();
                    view! {
                        <div class="notice notice-bad">
                            {icon(Icon::Alert)}
                            <div>
                                <p>{message}</p>
                                {(!stray.is_empty()).then(|| {
                                    let rows = stray.into_iter().map(|(name, error)| {
                                        view! { <li><code>{name}</code> ": " {error}</li> }
                                    });
                                    view! { <ul>{rows.collect_view()}</ul> }
                                })}
                            </div>
                        </div>
                    }
                })
            }}
        </div>
    }
}
