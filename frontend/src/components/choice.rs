//! Several of many: a list of check boxes.

use leptos::prelude::*;

use super::field::about_field;
use crate::form::Form;

#[component]
pub(crate) fn CheckList(
    form: Form,
    name: &'static str,
    label: &'static str,
    chosen: RwSignal<Vec<String>>,
    #[prop(into)] options: Signal<Vec<String>>,
    #[prop(optional)] hint: &'static str,
) -> impl IntoView {
    let about = format!("{}-about", form.register(name));
    let toggle = move |option: &str| {
        chosen.update(|chosen| match chosen.iter().position(|other| other == option) {
            Some(position) => {
                chosen.remove(position);
            }
            None => chosen.push(option.to_owned()),
        });
        form.touch(name);
    };
    let row = move |option: String| {
        let (this, shown) = (option.clone(), option.clone());
        view! {
            <label class="check">
                <input
                    type="checkbox"
                    prop:checked=move || chosen.with(|chosen| chosen.contains(&this))
                    on:change=move |_| toggle(&option)
                />
                <code>{shown}</code>
            </label>
        }
    };
    view! {
        <fieldset class="field" aria-describedby=about.clone()>
            <legend>{label}</legend>
            <div class="check-list">{move || options.get().into_iter().map(row).collect_view()}</div>
            {about_field(form, name, &about, hint)}
        </fieldset>
    }
    .into_any()
}

/// A single choice that is made or not.
#[component]
pub(crate) fn CheckField(
    form: Form,
    name: &'static str,
    label: &'static str,
    value: RwSignal<bool>,
    #[prop(optional)] hint: &'static str,
) -> impl IntoView {
    let id = form.register(name);
    let about = format!("{id}-about");
    view! {
        <div class="field">
            <label class="check">
                <input
                    id=id
                    type="checkbox"
                    aria-describedby=about.clone()
                    prop:checked=move || value.get()
                    on:change=move |event| {
                        value.set(event_target_checked(&event));
                        form.touch(name);
                    }
                />
                {label}
            </label>
            {about_field(form, name, &about, hint)}
        </div>
    }
    .into_any()
}
