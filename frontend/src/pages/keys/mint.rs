//! Making a key: a form, then the secret, shown this once, with code that uses it.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use gatewright_types::DisplayName;
use gatewright_types::api::{MintedKey, NewKey};
use leptos::prelude::*;

use super::Choices;
use super::edit::last_day;
use super::settings::Fields;
use super::snippets::Snippets;
use crate::components::button::{Button, Look};
use crate::components::choice::CheckList;
use crate::components::code::CodeBlock;
use crate::components::dialog::{Dialog, Frame};
use crate::components::field::{Input, SelectField, TextField};
use crate::components::form::FormFrame;
use crate::components::icon::{Icon, icon};
use crate::components::moment::now;
use crate::form::{Form, tell};
use crate::session::use_workspace;

const ON_A_DAY: &str = "day";
const LIFETIMES: [(&str, &str); 6] = [
    ("", "Never"),
    ("7", "In 7 days"),
    ("30", "In 30 days"),
    ("90", "In 90 days"),
    ("365", "In a year"),
    (ON_A_DAY, "On a day…"),
];

#[component]
pub(super) fn Mint(choices: Choices, on_minted: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let form = Form::new("mint-key");
    let on_close = form.closing(on_close);
    let minted = RwSignal::new(None::<MintedKey>);
    let body = move || match minted.get() {
        None => fields(form, choices, minted, on_minted, on_close),
        Some(minted) => secret(&minted, choices, on_close),
    };
    move || {
        let (title, frame) = if minted.with(Option::is_some) {
            ("Your key", Frame::Wide)
        } else {
            ("Create key", Frame::Middle)
        };
        view! { <Dialog title=title frame=frame on_close=on_close>{untrack(body)}</Dialog> }.into_any()
    }
}

fn fields(
    form: Form,
    choices: Choices,
    minted: RwSignal<Option<MintedKey>>,
    on_minted: Callback<()>,
    on_close: Callback<()>,
) -> AnyView {
    let workspace = use_workspace();
    let (name, team, lifetime) = (
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
    );
    let (day, secret, models) = (
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
        RwSignal::new(Vec::new()),
    );

    let settings = Fields::empty(form);
    let me = untrack(|| workspace.session.me());
    settings.owner.set(me.map(|me| me.id.to_string()).unwrap_or_default());
    let faults = RwSignal::new(false);

    let submit = Callback::new(move |()| {
        form.clear();
        let name = form.parse::<DisplayName>("name", name);
        let team = form.parse_optional("team", team);
        let expires_at = expiry(form, lifetime, day);
        let models = super::edit::allow_list(form, models);
        let secret = Some(secret.get_untracked()).filter(|secret| !secret.is_empty());
        let (Some(name), Some(team), Some(expires_at), Some(models), Some(settings)) =
            (name, team, expires_at, models, settings.read())
        else {
            return;
        };
        let key = NewKey {
            name,
            team,
            owner: Some(settings.owner),
            models,
            tags: settings.tags,
            scopes: settings.scopes,
            upkeep: settings.upkeep,
            faults: faults.get_untracked(),
            cost_centre: settings.cost_centre,
            expires_at,
            secret,
        };
        form.send(workspace.mint_key(&key), move |answer| {
            tell(on_minted);
            let _closed = minted.try_set(Some(answer));
        });
    });
    let lifetimes = LIFETIMES
        .map(|(value, title)| (value.to_owned(), title.to_owned()))
        .to_vec();
    view! {
        <FormFrame form=form submit="Create key" on_submit=submit on_cancel=on_close>
            <TextField
                form=form
                name="name"
                label="Name"
                value=name
                placeholder="search-prod"
                hint="What or who uses it."
            />
            <SelectField
                form=form
                name="team"
                label="Team"
                value=team
                options=Signal::derive(move || choices.team_options())
            />
            {settings.owner_field(choices)}
            <SelectField form=form name="lifetime" label="Expires" value=lifetime options=lifetimes/>
            {move || {
                (lifetime.get() == ON_A_DAY).then(|| {
                    view! {
                        <TextField
                            form=form
                            name="expires_at"
                            label="Last day"
                            value=day
                            input=Input::Date
                            hint="Works until the end of that day, UTC."
                        />
                    }
                })
            }}
            <CheckList
                form=form
                name="models"
                label="Models"
                chosen=models
                options=Signal::derive(move || choices.model_names())
                hint="None chosen: all of the organization's, later ones included."
            />
            {settings.view(choices)}
            <details class="more-fields">
                <summary>"For tests and game days"</summary>
                {super::edit::faults_field(form, faults)}
            </details>
            <details class="more-fields">
                <summary>"Bring your own secret"</summary>
                <TextField
                    form=form
                    name="secret"
                    label="Secret"
                    value=secret
                    input=Input::Secret
                    hint="20 characters or more. Leave empty to have one made."
                />
            </details>
        </FormFrame>
    }
    .into_any()
}

fn expiry(form: Form, lifetime: RwSignal<String>, day: RwSignal<String>) -> Option<Option<DateTime<Utc>>> {
    let lifetime = lifetime.get_untracked();
    if lifetime == ON_A_DAY {
        // Here a day is required: never is another choice.
        form.parse::<NaiveDate>("expires_at", day)?;
        return last_day(form, day);
    }
    // The options' values are whole days, or empty for none.
    Some(lifetime.parse().ok().map(|days| now() + TimeDelta::days(days)))
}

fn secret(minted: &MintedKey, choices: Choices, on_close: Callback<()>) -> AnyView {
    let model = minted
        .key
        .models
        .as_ref()
        .and_then(|models| models.first())
        .map(ToString::to_string);
    let model = model.or_else(|| untrack(|| choices.model_names().into_iter().next()));
    let shown = match &minted.secret {
        Some(secret) => view! {
            <div class="notice notice-warning">
                {icon(Icon::Lock)}
                <p>"Copy the secret now. It is shown this once and cannot be read again."</p>
            </div>
            <CodeBlock label="Secret" text=secret.clone()/>
        }
        .into_any(),
        None => view! {
            <p class="prose">
                "The key works with the secret you brought. Only its last four characters are shown from here on."
            </p>
        }
        .into_any(),
    };
    let secret = minted.secret.clone().unwrap_or_else(|| "YOUR_SECRET".to_owned());
    view! {
        {shown}
        <Snippets secret=secret model=model/>
        <div class="form-actions"><Button label="Done" look=Look::Primary on_press=on_close/></div>
    }
    .into_any()
}
