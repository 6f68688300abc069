//! Labelled inputs. Each shows its hint, and what is wrong with it, right below.

use leptos::prelude::*;

use super::icon::{Icon, icon};
use crate::form::Form;

/// What is typed into a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    Text,
    /// An identifier: no spell checking, shown in the font of code.
    Code,
    Email,
    /// The password of an account that exists.
    Password,
    /// A password that is being chosen.
    NewPassword,
    /// A credential: hidden, but not offered to the browser's password store.
    Secret,
    Date,
    Number,
}

impl Input {
    const fn kind(self) -> &'static str {
        match self {
            Self::Text | Self::Code => "text",
            Self::Email => "email",
            Self::Password | Self::NewPassword | Self::Secret => "password",
            Self::Date => "date",
            Self::Number => "number",
        }
    }

    const fn autocomplete(self) -> &'static str {
        match self {
            Self::Email => "username",
            Self::Password => "current-password",
            Self::NewPassword | Self::Secret => "new-password",
            Self::Text | Self::Code | Self::Date | Self::Number => "off",
        }
    }

    const fn is_hidden(self) -> bool {
        matches!(self, Self::Password | Self::NewPassword | Self::Secret)
    }
}

#[component]
pub(crate) fn TextField(
    form: Form,
    /// Where the value goes in the call: `route.target`.
    name: &'static str,
    label: &'static str,
    value: RwSignal<String>,
    #[prop(default = Input::Text)] input: Input,
    #[prop(optional)] hint: &'static str,
    #[prop(optional)] placeholder: &'static str,
) -> impl IntoView {
    let id = form.register(name);
    let about = format!("{id}-about");
    let hidden = RwSignal::new(input.is_hidden());
    let reveal = input.is_hidden().then(|| {
        view! {
            <button
                type="button"
                class="icon-button field-reveal"
                aria-label=move || if hidden.get() { "Show" } else { "Hide" }
                on:click=move |_| hidden.update(|hidden| *hidden = !*hidden)
            >
                {move || icon(if hidden.get() { Icon::Eye } else { Icon::EyeOff })}
            </button>
        }
    });
    view! {
        <div class="field" class:has-error=move || form.has_error(name)>
            <label for=id.clone()>{label}</label>
            <div class="field-box">
                <input
                    id=id
                    name=name
                    class:code=input == Input::Code
                    type=move || if input.is_hidden() && !hidden.get() { "text" } else { input.kind() }
                    autocomplete=input.autocomplete()
                    spellcheck="false"
                    autocapitalize="off"
                    placeholder=placeholder
                    prop:value=move || value.get()
                    aria-describedby=about.clone()
                    aria-invalid=move || form.has_error(name).then_some("true")
                    on:input=move |event| {
                        value.set(event_target_value(&event));
                        form.touch(name);
                    }
                />
                {reveal}
            </div>
            {about_field(form, name, &about, hint)}
        </div>
    }
    .into_any()
}

/// A choice among few, as `(value, title)`.
#[component]
pub(crate) fn SelectField(
    form: Form,
    name: &'static str,
    label: &'static str,
    value: RwSignal<String>,
    #[prop(into)] options: Signal<Vec<(String, String)>>,
    #[prop(optional)] hint: &'static str,
) -> impl IntoView {
    let options = move || options_view(options.get(), value);
    select_view(form, name, label, value, hint, options.into_any())
}

/// A choice among many, as headings with `(value, title)` below them.
#[component]
pub(crate) fn GroupedSelectField(
    form: Form,
    name: &'static str,
    label: &'static str,
    value: RwSignal<String>,
    groups: Vec<(&'static str, Vec<(String, String)>)>,
    #[prop(optional)] hint: &'static str,
) -> impl IntoView {
    let group = |(heading, options)| view! { <optgroup label=heading>{options_view(options, value)}</optgroup> };
    let groups = groups.into_iter().map(group).collect_view();
    select_view(form, name, label, value, hint, groups.into_any())
}

fn select_view(
    form: Form,
    name: &'static str,
    label: &'static str,
    value: RwSignal<String>,
    hint: &'static str,
    options: AnyView,
) -> AnyView {
    let id = form.register(name);
    let about = format!("{id}-about");
    view! {
        <div class="field" class:has-error=move || form.has_error(name)>
            <label for=id.clone()>{label}</label>
            <div class="field-box">
                <select
                    id=id
                    name=name
                    aria-describedby=about.clone()
                    aria-invalid=move || form.has_error(name).then_some("true")
                    on:change=move |event| {
                        value.set(event_target_value(&event));
                        form.touch(name);
                    }
                >
                    {options}
                </select>
            </div>
            {about_field(form, name, &about, hint)}
        </div>
    }
    .into_any()
}

/// Several lines of code.
#[component]
pub(crate) fn LinesField(
    form: Form,
    name: &'static str,
    label: &'static str,
    value: RwSignal<String>,
    #[prop(optional)] hint: &'static str,
    #[prop(optional)] placeholder: &'static str,
) -> impl IntoView {
    let id = form.register(name);
    let about = format!("{id}-about");
    view! {
        <div class="field" class:has-error=move || form.has_error(name)>
            <label for=id.clone()>{label}</label>
            <div class="field-box">
                <textarea
                    id=id
                    name=name
                    class="code"
                    rows="3"
                    autocomplete="off"
                    spellcheck="false"
                    autocapitalize="off"
                    placeholder=placeholder
                    prop:value=move || value.get()
                    aria-describedby=about.clone()
                    aria-invalid=move || form.has_error(name).then_some("true")
                    on:input=move |event| {
                        value.set(event_target_value(&event));
                        form.touch(name);
                    }
                ></textarea>
            </div>
            {about_field(form, name, &about, hint)}
        </div>
    }
    .into_any()
}

/// The options of a select, with the chosen one marked.
pub(crate) fn options_view(options: Vec<(String, String)>, value: RwSignal<String>) -> AnyView {
    let row = |(option, title): (String, String)| {
        let this = option.clone();
        view! { <option value=option prop:selected=move || value.with(|value| *value == this)>{title}</option> }
    };
    options.into_iter().map(row).collect_view().into_any()
}

/// The lines below a field: what is wrong, else the hint.
pub(crate) fn about_field(form: Form, name: &'static str, id: &str, hint: &'static str) -> AnyView {
    view! {
        <p id=id.to_owned() class="field-about" class:is-error=move || form.has_error(name)>
            {move || form.error(name).map(|error| sentence(&error)).unwrap_or_else(|| hint.to_owned())}
        </p>
    }
    .into_any()
}

fn sentence(error: &str) -> String {
    let mut chars = error.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}
