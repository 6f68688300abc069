//! The part of a form that takes a credential's secret, of whichever kinds the provider can use.

use gatewright_types::api::{
    AwsKeys, CredentialKind, CredentialSecret, EntraClient, GoogleAccount, NewSecret, ProviderKind,
};
use leptos::prelude::*;

use super::kinds::credential_title;
use crate::components::field::{Input, SelectField, TextField};
use crate::form::Form;

/// Where the fields are in the call.
#[derive(Debug)]
pub(super) struct Names {
    kind: &'static str,
    api_key: &'static str,
    access_key_id: &'static str,
    secret_access_key: &'static str,
    session_token: &'static str,
    role_arn: &'static str,
    tenant_id: &'static str,
    client_id: &'static str,
    client_secret: &'static str,
    service_account: &'static str,
    aws_token_url: &'static str,
    entra_token_url: &'static str,
}

/// In the call that adds a provider.
pub(super) static WITH_PROVIDER: Names = Names {
    kind: "credentials[0]",
    api_key: "credentials[0].api_key",
    access_key_id: "credentials[0].aws.access_key_id",
    secret_access_key: "credentials[0].aws.secret_access_key",
    session_token: "credentials[0].aws.session_token",
    role_arn: "credentials[0].aws.role_arn",
    tenant_id: "credentials[0].entra.tenant_id",
    client_id: "credentials[0].entra.client_id",
    client_secret: "credentials[0].entra.client_secret",
    service_account: "credentials[0].google.service_account",
    aws_token_url: "credentials[0].aws.token_url",
    entra_token_url: "credentials[0].entra.token_url",
};

/// In the call that adds a credential.
pub(super) static ALONE: Names = Names {
    kind: "kind",
    api_key: "api_key",
    access_key_id: "aws.access_key_id",
    secret_access_key: "aws.secret_access_key",
    session_token: "aws.session_token",
    role_arn: "aws.role_arn",
    tenant_id: "entra.tenant_id",
    client_id: "entra.client_id",
    client_secret: "entra.client_secret",
    service_account: "google.service_account",
    aws_token_url: "aws.token_url",
    entra_token_url: "entra.token_url",
};

const SEALED: &str = "Kept sealed; only its last four characters are ever shown.";

/// What is typed into the fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct SecretFields {
    form: Form,
    names: &'static Names,
    chosen: RwSignal<String>,
    api_key: RwSignal<String>,
    access_key_id: RwSignal<String>,
    secret_access_key: RwSignal<String>,
    session_token: RwSignal<String>,
    role_arn: RwSignal<String>,
    tenant_id: RwSignal<String>,
    client_id: RwSignal<String>,
    client_secret: RwSignal<String>,
    service_account: RwSignal<String>,
    token_url: RwSignal<String>,
}

impl SecretFields {
    pub(super) fn new(form: Form, names: &'static Names) -> Self {
        Self {
            form,
            names,
            chosen: RwSignal::default(),
            api_key: RwSignal::default(),
            access_key_id: RwSignal::default(),
            secret_access_key: RwSignal::default(),
            session_token: RwSignal::default(),
            role_arn: RwSignal::default(),
            tenant_id: RwSignal::default(),
            client_id: RwSignal::default(),
            client_secret: RwSignal::default(),
            service_account: RwSignal::default(),
            token_url: RwSignal::default(),
        }
    }

    /// Nothing when a field is wrong.
    pub(super) fn read(self, provider: ProviderKind) -> Option<NewSecret> {
        let (form, names) = (self.form, self.names);
        let kind = usable(provider, &self.chosen.get_untracked())?;
        let trimmed = |name, value| form.text(name, value).map(|text| text.trim().to_owned());
        let maybe =
            |value: RwSignal<String>| Some(value.get_untracked().trim().to_owned()).filter(|text| !text.is_empty());
        Some(match kind {
            CredentialKind::ApiKey => CredentialSecret::ApiKey(form.text(names.api_key, self.api_key)?),
            CredentialKind::Aws => {
                let id = trimmed(names.access_key_id, self.access_key_id);
                let secret = form.text(names.secret_access_key, self.secret_access_key);
                CredentialSecret::Aws(AwsKeys {
                    access_key_id: id?,
                    secret_access_key: secret?,
                    session_token: maybe(self.session_token),
                    role_arn: maybe(self.role_arn),
                    token_url: maybe(self.token_url),
                })
            }
            CredentialKind::Entra => {
                let tenant = trimmed(names.tenant_id, self.tenant_id);
                let client = trimmed(names.client_id, self.client_id);
                let secret = form.text(names.client_secret, self.client_secret);
                CredentialSecret::Entra(EntraClient {
                    tenant_id: tenant?,
                    client_id: client?,
                    client_secret: secret?,
                    token_url: maybe(self.token_url),
                })
            }
            CredentialKind::Google => CredentialSecret::Google(GoogleAccount {
                service_account: trimmed(names.service_account, self.service_account)?,
            }),
        })
    }

    /// Whether nothing was typed, for a provider that needs no credential.
    pub(super) fn is_left_out(self, provider: ProviderKind) -> bool {
        !provider.needs_credential() && self.api_key.with_untracked(String::is_empty)
    }

    pub(super) fn view(self, provider: ProviderKind) -> AnyView {
        let kinds = provider.credential_kinds();
        let choice = (kinds.len() > 1).then(|| {
            let options: Vec<_> = kinds
                .iter()
                .map(|kind| (kind.as_str().to_owned(), credential_title(*kind).to_owned()))
                .collect();
            if usable(provider, &self.chosen.get_untracked()).is_none_or(|kind| kind.as_str() != self.chosen.get_untracked()) {
                let usual = kinds.first().map_or("", |kind| kind.as_str());
                self.chosen.set(usual.to_owned());
            }
            view! { <SelectField form=self.form name=self.names.kind label="Credential" value=self.chosen options=options/> }
        });
        let fields = move || match usable(provider, &self.chosen.get()) {
            Some(CredentialKind::ApiKey) => self.api_key_view(),
            Some(CredentialKind::Aws) => self.aws_view(),
            Some(CredentialKind::Entra) => self.entra_view(),
            Some(CredentialKind::Google) => self.google_view(),
            None => ().into_any(),
        };
        view! {
            {choice}
            {fields}
        }
        .into_any()
    }

    fn api_key_view(self) -> AnyView {
        let (form, name) = (self.form, self.names.api_key);
        view! {
            <TextField form=form name=name label="API key" value=self.api_key input=Input::Secret hint=SEALED/>
        }
        .into_any()
    }

    fn aws_view(self) -> AnyView {
        let (form, names) = (self.form, self.names);
        view! {
            <TextField
                form=form
                name=names.access_key_id
                label="Access key ID"
                value=self.access_key_id
                input=Input::Code
                hint="Its last four characters are shown."
            />
            <TextField
                form=form
                name=names.secret_access_key
                label="Secret access key"
                value=self.secret_access_key
                input=Input::Secret
                hint="Kept sealed and never shown."
            />
            <TextField
                form=form
                name=names.session_token
                label="Session token"
                value=self.session_token
                input=Input::Secret
                hint="Only for keys that expire."
            />
            <TextField
                form=form
                name=names.role_arn
                label="Role"
                value=self.role_arn
                input=Input::Code
                placeholder="arn:aws:iam::123456789012:role/gateway"
                hint="Taken on with the keys. Leave empty to use the keys themselves."
            />
            <TextField
                form=form
                name=names.aws_token_url
                label="Address of the token service"
                value=self.token_url
                input=Input::Code
                placeholder="https://sts.eu-central-1.amazonaws.com"
                hint="Where the role is taken on. Leave empty for the region's own."
            />
        }
        .into_any()
    }

    fn entra_view(self) -> AnyView {
        let (form, names) = (self.form, self.names);
        view! {
            <TextField form=form name=names.tenant_id label="Tenant ID" value=self.tenant_id input=Input::Code/>
            <TextField
                form=form
                name=names.client_id
                label="Client ID"
                value=self.client_id
                input=Input::Code
                hint="Its last four characters are shown."
            />
            <TextField
                form=form
                name=names.client_secret
                label="Client secret"
                value=self.client_secret
                input=Input::Secret
                hint="Kept sealed and never shown."
            />
            <TextField
                form=form
                name=names.entra_token_url
                label="Address for tokens"
                value=self.token_url
                input=Input::Code
                placeholder="https://login.microsoftonline.com"
                hint="Leave empty for the usual one; sovereign clouds have their own."
            />
        }
        .into_any()
    }

    fn google_view(self) -> AnyView {
        view! {
            <TextField
                form=self.form
                name=self.names.service_account
                label="Key file"
                value=self.service_account
                input=Input::Secret
                hint="Paste the whole JSON file of the service account's key. It is kept sealed and never shown."
            />
        }
        .into_any()
    }
}

/// The chosen kind where the provider can use it, else the usual one.
fn usable(provider: ProviderKind, chosen: &str) -> Option<CredentialKind> {
    let kinds = provider.credential_kinds();
    let found = kinds.iter().find(|kind| kind.as_str() == chosen);
    found.or_else(|| kinds.first()).copied()
}
