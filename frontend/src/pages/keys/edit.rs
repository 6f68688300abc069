//! Changing a key's name, team and models; its secret stays.

use gatewright_types::api::{Key, KeyChange};
use gatewright_types::{DisplayName, ModelName};
use leptos::prelude::*;

use super::Choices;
use crate::components::choice::CheckList;
use crate::components::dialog::Dialog;
use crate::components::field::{SelectField, TextField};
use crate::components::form::FormFrame;
use crate::components::toast::use_toasts;
use crate::form::{Form, tell};
use crate::session::use_workspace;

#[component]
pub(super) fn Edit(key: Key, choices: Choices, on_changed: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let workspace = use_workspace();
    let toasts = use_toasts();
    let form = Form::new("edit-key");
    let Key {
        id,
        name: title,
        team,
        models,
        ..
    } = key;
    let name = RwSignal::new(title.to_string());
    let team = RwSignal::new(team.map(|team| team.to_string()).unwrap_or_default());
    let allowed: Vec<String> = models.iter().flatten().map(ToString::to_string).collect();
    let models = RwSignal::new(allowed.clone());
    // A model that is gone still stands in the list of a key that names it.
    let options = Signal::derive(move || {
        let mut names = choices.model_names();
        names.extend(
            allowed
                .iter()
                .filter(|name| !names.contains(name))
                .cloned()
                .collect::<Vec<_>>(),
        );
        names
    });

    let submit = Callback::new(move |()| {
        form.clear();
        let name = form.parse::<DisplayName>("name", name);
        let team = form.parse_optional("team", team);
        let models = allow_list(form, models);
        let (Some(name), Some(team), Some(models)) = (name, team, models) else {
            return;
        };
        let change = KeyChange { name, team, models };
        form.send(async move { workspace.change_key(id, &change).await }, move |key| {
            toasts.done(format!("{} is saved.", key.name));
            tell(on_changed);
            tell(on_close);
        });
    });
    view! {
        <Dialog title=format!("Edit {title}") on_close=on_close>
            <FormFrame form=form submit="Save" on_submit=submit on_cancel=on_close>
                <TextField form=form name="name" label="Name" value=name/>
                <SelectField
                    form=form
                    name="team"
                    label="Team"
                    value=team
                    options=Signal::derive(move || choices.team_options())
                />
                <CheckList
                    form=form
                    name="models"
                    label="Models"
                    chosen=models
                    options=options
                    hint="None chosen: all of the organization's, later ones included."
                />
            </FormFrame>
        </Dialog>
    }
    .into_any()
}

/// The chosen models; none chosen means no limit.
pub(super) fn allow_list(form: Form, chosen: RwSignal<Vec<String>>) -> Option<Option<Vec<ModelName>>> {
    let names: Result<Vec<ModelName>, _> =
        chosen.with_untracked(|chosen| chosen.iter().map(|name| name.parse()).collect());
    match names {
        Ok(names) => Some(Some(names).filter(|names| !names.is_empty())),
        Err(error) => {
            form.refuse("models", &error.to_string());
            None
        }
    }
}
