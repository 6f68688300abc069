//! The forms of a provider: adding one, changing its address, giving it another credential.

use gatewright_types::api::{NewCredential, NewProvider, Provider, ProviderChange, ProviderKind};
use gatewright_types::{DisplayName, Slug};
use leptos::prelude::*;

use crate::components::dialog::Dialog;
use crate::components::field::{Input, SelectField, TextField};
use crate::components::form::FormFrame;
use crate::components::toast::use_toasts;
use crate::form::{Form, tell};
use crate::session::use_workspace;

const fn kind_title(kind: ProviderKind) -> &'static str {
    match kind {
        ProviderKind::Openai => "OpenAI",
        ProviderKind::OpenaiCompatible => "OpenAI-compatible server",
        ProviderKind::Sandbox => "Sandbox (built in, no account)",
    }
}

fn parse_kind(text: &str) -> Option<ProviderKind> {
    ProviderKind::ALL.into_iter().find(|kind| kind.as_str() == text)
}

#[component]
pub(super) fn Create(on_saved: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let workspace = use_workspace();
    let toasts = use_toasts();
    let form = Form::new("provider");
    let (name, base_url, api_key) = (
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
    );
    let kind = RwSignal::new(ProviderKind::Openai.as_str().to_owned());
    let submit = Callback::new(move |()| {
        form.clear();
        let Some(kind) = parse_kind(&kind.get_untracked()) else {
            return;
        };
        let name = form.parse::<Slug>("name", name);
        let base_url = match kind {
            ProviderKind::Sandbox => Some(None),
            ProviderKind::Openai => {
                Some(Some(base_url.get_untracked().trim().to_owned()).filter(|url| !url.is_empty()))
            }
            ProviderKind::OpenaiCompatible => form.text("base_url", base_url).map(|url| Some(url.trim().to_owned())),
        };
        let api_key = match kind {
            ProviderKind::Sandbox => Some(String::new()),
            ProviderKind::Openai => form.text("credentials[0].api_key", api_key),
            ProviderKind::OpenaiCompatible => Some(api_key.get_untracked()),
        };
        let (Some(name), Some(base_url), Some(api_key)) = (name, base_url, api_key) else {
            return;
        };
        let credential = |api_key| NewCredential {
            name: first_name(),
            api_key,
            weight: 1,
        };
        let credentials = Some(api_key)
            .filter(|key| !key.is_empty())
            .map(credential)
            .into_iter()
            .collect();
        let provider = NewProvider {
            name,
            kind,
            base_url,
            credentials,
        };
        form.send(
            async move { workspace.create_provider(&provider).await },
            move |provider| {
                toasts.done(format!("{} is added.", provider.name));
                tell(on_saved);
                tell(on_close);
            },
        );
    });
    let kinds: Vec<_> = ProviderKind::ALL
        .into_iter()
        .map(|kind| (kind.as_str().to_owned(), kind_title(kind).to_owned()))
        .collect();
    let account_fields = move || {
        let usual = match parse_kind(&kind.get())? {
            ProviderKind::Sandbox => return None,
            ProviderKind::Openai => ProviderKind::Openai.usual_base_url().unwrap_or_default(),
            ProviderKind::OpenaiCompatible => "https://models.example.com/v1",
        };
        let view = view! {
            <TextField
                form=form
                name="base_url"
                label="Base URL"
                value=base_url
                input=Input::Code
                placeholder=usual
                hint="Without a trailing slash. Leave empty where the kind has its usual address."
            />
            <TextField
                form=form
                name="credentials[0].api_key"
                label="API key"
                value=api_key
                input=Input::Secret
                hint="Kept sealed; only its last four characters are ever shown."
            />
        };
        Some(view.into_any())
    };
    view! {
        <Dialog title="Add provider" on_close=on_close>
            <FormFrame form=form submit="Add provider" on_submit=submit on_cancel=on_close>
                <SelectField form=form name="kind" label="Kind" value=kind options=kinds/>
                <TextField
                    form=form
                    name="name"
                    label="Name"
                    value=name
                    input=Input::Code
                    placeholder="openai-main"
                    hint="Lower-case letters, digits and hyphens. It cannot be changed later."
                />
                {account_fields}
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
        ..
    } = provider;
    let base_url = RwSignal::new(base_url.unwrap_or_default());
    let submit = Callback::new(move |()| {
        form.clear();
        let base_url = Some(base_url.get_untracked().trim().to_owned()).filter(|url| !url.is_empty());
        let change = ProviderChange { base_url };
        form.send(
            async move { workspace.change_provider(id, &change).await },
            move |provider| {
                toasts.done(format!("{} is saved.", provider.name));
                tell(on_saved);
                tell(on_close);
            },
        );
    });
    view! {
        <Dialog title=format!("Edit {name}") on_close=on_close>
            <FormFrame form=form submit="Save" on_submit=submit on_cancel=on_close>
                <TextField
                    form=form
                    name="base_url"
                    label="Base URL"
                    value=base_url
                    input=Input::Code
                    placeholder=kind.usual_base_url().unwrap_or_default()
                    hint="Leave empty for the kind's usual address."
                />
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
    let Provider { id, name: title, .. } = provider;
    let (name, api_key) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let weight = RwSignal::new("1".to_owned());
    let submit = Callback::new(move |()| {
        form.clear();
        let name = form.parse::<DisplayName>("name", name);
        let api_key = form.text("api_key", api_key);
        let weight = match weight.get_untracked().trim().parse::<u32>() {
            Ok(weight) => Some(weight),
            Err(_) => {
                form.refuse("weight", "must be a whole number, 0 or more");
                None
            }
        };
        let (Some(name), Some(api_key), Some(weight)) = (name, api_key, weight) else {
            return;
        };
        let credential = NewCredential { name, api_key, weight };
        form.send(
            async move { workspace.add_credential(id, &credential).await },
            move |credential| {
                toasts.done(format!("{} is added.", credential.name));
                tell(on_saved);
                tell(on_close);
            },
        );
    });
    view! {
        <Dialog title=format!("Add a credential to {title}") on_close=on_close>
            <FormFrame form=form submit="Add credential" on_submit=submit on_cancel=on_close>
                <TextField form=form name="name" label="Name" value=name placeholder="second account"/>
                <TextField
                    form=form
                    name="api_key"
                    label="API key"
                    value=api_key
                    input=Input::Secret
                    hint="Kept sealed; only its last four characters are ever shown."
                />
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
