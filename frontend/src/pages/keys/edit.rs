//! Changing everything of a key but its secret.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use gatewright_types::api::{Key, KeyChange};
use gatewright_types::{DisplayName, ModelName};
use leptos::prelude::*;

use super::Choices;
use super::settings::Fields;
use crate::components::choice::{CheckField, CheckList};
use crate::components::dialog::Dialog;
use crate::components::field::{Input, SelectField, TextField};
use crate::components::form::FormFrame;
use crate::components::moment::now;
use crate::components::toast::use_toasts;
use crate::form::{Form, tell};
use crate::session::use_workspace;

#[component]
pub(super) fn Edit(key: Key, choices: Choices, on_changed: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let workspace = use_workspace();
    let toasts = use_toasts();
    let form = Form::new("edit-key");
    let settings = Fields::of_key(form, &key);
    let before = key.expires_at;
    let Key {
        id,
        name: title,
        team,
        models,
        faults,
        ..
    } = key;
    let expires = RwSignal::new(before.map(|at| last_day_of(at).to_string()).unwrap_or_default());
    let unchanged = expires.get_untracked();
    let name = RwSignal::new(title.to_string());
    let team = RwSignal::new(team.map(|team| team.to_string()).unwrap_or_default());
    let allowed: Vec<String> = models.iter().flatten().map(ToString::to_string).collect();
    let models = RwSignal::new(allowed.clone());
    let faults = RwSignal::new(faults);
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
        let expires_at = match expires.with_untracked(|day| *day == unchanged) {
            true => Some(before),
            false => last_day(form, expires),
        };
        let (Some(name), Some(team), Some(models), Some(expires_at), Some(settings)) =
            (name, team, models, expires_at, settings.read())
        else {
            return;
        };
        let change = KeyChange {
            name,
            team,
            models,
            owner: Some(settings.owner),
            tags: Some(settings.tags),
            scopes: Some(settings.scopes),
            upkeep: Some(settings.upkeep),
            expires_at: Some(expires_at),
            faults: Some(faults.get_untracked()),
            cost_centre: Some(settings.cost_centre),
        };
        form.send(workspace.change_key(id, &change), move |key| {
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
                {settings.owner_field(choices)}
                <TextField
                    form=form
                    name="expires_at"
                    label="Last day"
                    value=expires
                    input=Input::Date
                    hint="Works until the end of that day, UTC. Empty: it never expires."
                />
                <CheckList
                    form=form
                    name="models"
                    label="Models"
                    chosen=models
                    options=options
                    hint="None chosen: all of the organization's, later ones included."
                />
                {settings.view(choices)}
                {faults_field(form, faults)}
            </FormFrame>
        </Dialog>
    }
    .into_any()
}

/// The last day on which something works that ends then.
fn last_day_of(end: DateTime<Utc>) -> NaiveDate {
    (end - TimeDelta::seconds(1)).date_naive()
}

/// The end of a day that is not over; never, for none.
pub(super) fn last_day(form: Form, day: RwSignal<String>) -> Option<Option<DateTime<Utc>>> {
    let Some(day) = form.parse_optional::<NaiveDate>("expires_at", day)? else {
        return Some(None);
    };
    let end = day.succ_opt()?.and_hms_opt(0, 0, 0)?.and_utc();
    if end <= now() {
        form.refuse("expires_at", "is over already");
        return None;
    }
    Some(Some(end))
}

pub(super) fn faults_field(form: Form, faults: RwSignal<bool>) -> AnyView {
    view! {
        <CheckField
            form=form
            name="faults"
            label="May ask for failures"
            value=faults
            hint="With the header x-gw-fault. What fails on purpose counts as failed for everybody."
        />
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
