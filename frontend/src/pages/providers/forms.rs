//! The forms of a provider: adding one, changing its settings, giving it another credential.

use gatewright_types::api::{NewCredential, NewProvider, Provider, ProviderChange, ProviderKind, ProviderSettings};
use gatewright_types::{DisplayName, Slug};
use leptos::prelude::*;

use super::kinds::{grouped, parse_kind};
use super::network::NetworkFields;
use super::secret::{ALONE, SecretFields, WITH_PROVIDER};
use super::settings::SettingsFields;
use crate::components::dialog::Dialog;
use crate::components::field::{GroupedSelectField, Input, TextField};
use crate::components::form::FormFrame;
use crate::components::toast::use_toasts;
use crate::form::{Form, tell};
use crate::session::use_workspace;

#[component]
pub(super) fn Create(on_saved: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let workspace = use_workspace();
    let toasts = use_toasts();
    let form = Form::new("provider");
    let name = RwSignal::new(String::new());
    let kind = RwSignal::new(ProviderKind::Openai.as_str().to_owned());
    let settings = SettingsFields::new(form, None, &ProviderSettings::default());
    let network = NetworkFields::new(form, None);
    let secret = SecretFields::new(form, &WITH_PROVIDER);
    let submit = Callback::new(move |()| {
        form.clear();
        let Some(kind) = parse_kind(&kind.get_untracked()) else {
            return;
        };
        let name = form.parse::<Slug>("name", name);
        let read = settings.read(kind);
        let way = network.read(kind);
        let credentials = if secret.is_left_out(kind) {
            Some(Vec::new())
        } else {
            secret.read(kind).map(|secret| {
                vec![NewCredential {
                    name: first_name(),
                    weight: 1,
                    secret,
                }]
            })
        };
        let (Some(name), Some((base_url, settings)), Some(network), Some(credentials)) = (name, read, way, credentials)
        else {
            return;
        };
        let provider = NewProvider {
            name,
            kind,
            base_url,
            network,
            settings,
            credentials,
        };
        form.send(workspace.create_provider(&provider), move |provider| {
            toasts.done(format!("{} is added.", provider.name));
            tell(on_saved);
            tell(on_close);
        });
    });
    let kind_fields = move || {
        let kind = parse_kind(&kind.get())?;
        let view = view! {
            {settings.view(kind)}
            {secret.view(kind)}
            {network.view(kind)}
        };
        Some(view.into_any())
    };
    view! {
        <Dialog title="Add provider" on_close=on_close>
            <FormFrame form=form submit="Add provider" on_submit=submit on_cancel=on_close>
                <GroupedSelectField form=form name="kind" label="Kind" value=kind groups=grouped()/>
                <TextField
                    form=form
                    name="name"
                    label="Name"
                    value=name
                    input=Input::Code
                    placeholder="openai-main"
                    hint="Lower-case letters, digits and hyphens. It cannot be changed later."
                />
                {kind_fields}
            </FormFrame>
        </Dialog>
    }
    .into_any()
}

/// What the credential that comes with a new provider is called.
fn first_name() -> DisplayName {
    "default".parse().expect("a plain word is a name")
}

#[component]
pub(super) fn Edit(provider: Provider, on_saved: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let workspace = use_workspace();
    let toasts = use_toasts();
    let form = Form::new("provider");
    let Provider {
        id,
        name,
        kind,
        base_url,
        network,
        settings,
        ..
    } = provider;
    // An address that follows from the rest is left to follow.
    let usual = kind.usual_address(&settings);
    let fields = SettingsFields::new(form, base_url.filter(|url| Some(url) != usual.as_ref()), &settings);
    let network = NetworkFields::new(form, network.as_ref());
    let submit = Callback::new(move |()| {
        form.clear();
        let (read, way) = (fields.read(kind), network.read(kind));
        let (Some((base_url, settings)), Some(network)) = (read, way) else {
            return;
        };
        let change = ProviderChange {
            base_url,
            network,
            settings,
        };
        form.send(workspace.change_provider(id, &change), move |provider| {
            toasts.done(format!("{} is saved.", provider.name));
            tell(on_saved);
            tell(on_close);
        });
    });
    view! {
        <Dialog title=format!("Edit {name}") on_close=on_close>
            <FormFrame form=form submit="Save" on_submit=submit on_cancel=on_close>
                {fields.view(kind)}
                {network.view(kind)}
            </FormFrame>
        </Dialog>
    }
    .into_any()
}

#[component]
pub(super) fn AddCredential(provider: Provider, on_saved: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let workspace = use_workspace();
    let toasts = use_toasts();
    let form = Form::new("credential");
    let Provider {
        id, name: title, kind, ..
    } = provider;
    let name = RwSignal::new(String::new());
    let secret = SecretFields::new(form, &ALONE);
    let weight = RwSignal::new("1".to_owned());
    let submit = Callback::new(move |()| {
        form.clear();
        let name = form.parse::<DisplayName>("name", name);
        let secret = secret.read(kind);
        let weight = form.whole_number("weight", weight, "0 or more");
        let (Some(name), Some(secret), Some(weight)) = (name, secret, weight) else {
            return;
        };
        let credential = NewCredential { name, weight, secret };
        form.send(workspace.add_credential(id, &credential), move |credential| {
            toasts.done(format!("{} is added.", credential.name));
            tell(on_saved);
            tell(on_close);
        });
    });
    view! {
        <Dialog title=format!("Add a credential to {title}") on_close=on_close>
            <FormFrame form=form submit="Add credential" on_submit=submit on_cancel=on_close>
                <TextField form=form name="name" label="Name" value=name placeholder="second account"/>
                {secret.view(kind)}
                <TextField
                    form=form
                    name="weight"
                    label="Weight"
                    value=weight
                    input=Input::Number
                    hint="Its share of the requests, compared with the other credentials."
                />
            </FormFrame>
        </Dialog>
    }
    .into_any()
}
