//! The part of a provider's form that says how it is reached: proxy, authorities, client certificate.

use gatewright_types::api::{ClientCertificate, PlainNetwork, ProviderKind, Proxy};
use leptos::prelude::*;

use crate::components::field::{Input, LinesField, TextField};
use crate::form::Form;

const PEM: &str = "-----BEGIN CERTIFICATE-----";
const KEPT: &str = "Sealed and never shown. Leave it empty to keep the one that is there.";
const SEALED: &str = "Kept sealed and never shown.";

/// What is typed into the fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct NetworkFields {
    form: Form,
    proxy_url: RwSignal<String>,
    username: RwSignal<String>,
    password: RwSignal<String>,
    ca: RwSignal<String>,
    certificate: RwSignal<String>,
    private_key: RwSignal<String>,
    /// Whether secrets are there that stay when nothing is typed.
    has_password: bool,
    has_key: bool,
}

impl NetworkFields {
    pub(super) fn new(form: Form, network: Option<&PlainNetwork>) -> Self {
        let proxy = network.and_then(|network| network.proxy.as_ref());
        let own = network.and_then(|network| network.client_certificate.as_ref());
        let text = |value: Option<&String>| RwSignal::new(value.cloned().unwrap_or_default());
        Self {
            form,
            proxy_url: text(proxy.map(|proxy| &proxy.url)),
            username: text(proxy.and_then(|proxy| proxy.username.as_ref())),
            password: RwSignal::default(),
            ca: text(network.and_then(|network| network.ca.as_ref())),
            certificate: text(own.map(|own| &own.certificate)),
            private_key: RwSignal::default(),
            has_password: proxy.is_some_and(|proxy| proxy.username.is_some()),
            has_key: own.is_some(),
        }
    }

    /// Nothing when a field is wrong, `Some(None)` when the provider is called straight.
    pub(super) fn read(self, kind: ProviderKind) -> Option<Option<PlainNetwork>> {
        if !kind.calls_out() {
            return Some(None);
        }
        let (username, password) = (typed(self.username), secret(self.password));
        let proxy = match typed(self.proxy_url) {
            Some(url) => Some(Proxy {
                url,
                username,
                password,
            }),
            None if username.is_some() || password.is_some() => {
                self.form.refuse("network.proxy.url", "is required with a user name");
                return None;
            }
            None => None,
        };
        let private_key = secret(self.private_key);
        let client_certificate = match typed(self.certificate) {
            Some(certificate) => Some(ClientCertificate {
                certificate,
                private_key,
            }),
            None if private_key.is_some() => {
                let field = "network.client_certificate.certificate";
                self.form.refuse(field, "is required with a private key");
                return None;
            }
            None => None,
        };
        let network = PlainNetwork {
            proxy,
            ca: typed(self.ca),
            client_certificate,
        };
        Some(Some(network).filter(|network| !network.is_empty()))
    }

    fn is_straight(self) -> bool {
        [self.proxy_url, self.ca, self.certificate]
            .into_iter()
            .all(|field| field.with_untracked(String::is_empty))
    }

    pub(super) fn view(self, kind: ProviderKind) -> AnyView {
        if !kind.calls_out() {
            return ().into_any();
        }
        let form = self.form;
        let open = !self.is_straight();
        view! {
            <details class="more-fields" prop:open=open>
                <summary>"Network"</summary>
                <p class="muted small">
                    "Only where the provider is not called straight over the internet. Calls for a cloud's tokens take the same way."
                </p>
                <TextField
                    form=form
                    name="network.proxy.url"
                    label="Proxy"
                    value=self.proxy_url
                    input=Input::Code
                    placeholder="http://proxy.example.com:3128"
                    hint="A forward proxy, with its port. It sees where calls by https go, and not what is in them."
                />
                <div class="field-grid">
                    <TextField
                        form=form
                        name="network.proxy.username"
                        label="User name at the proxy"
                        value=self.username
                        input=Input::Code
                    />
                    <TextField
                        form=form
                        name="network.proxy.password"
                        label="Password at the proxy"
                        value=self.password
                        input=Input::Secret
                        hint=if self.has_password { KEPT } else { SEALED }
                    />
                </div>
                <LinesField
                    form=form
                    name="network.ca"
                    label="Private authorities"
                    value=self.ca
                    placeholder=PEM
                    hint="Certificates in PEM that are trusted besides the public ones."
                />
                <LinesField
                    form=form
                    name="network.client_certificate.certificate"
                    label="Client certificate"
                    value=self.certificate
                    placeholder=PEM
                    hint="In PEM, with those that lead to its authority. Shown to servers that ask who calls."
                />
                <LinesField
                    form=form
                    name="network.client_certificate.private_key"
                    label="Private key"
                    value=self.private_key
                    placeholder="-----BEGIN PRIVATE KEY-----"
                    hint=if self.has_key { KEPT } else { SEALED }
                />
            </details>
        }
        .into_any()
    }
}

/// How a provider is reached, in some words; nothing where it is called straight.
pub(super) fn told(network: &PlainNetwork) -> String {
    let proxy = network.proxy.as_ref().map(|proxy| format!("through {}", proxy.url));
    let ca = network.ca.as_ref().map(|_| "private authorities".to_owned());
    let own = network
        .client_certificate
        .as_ref()
        .map(|_| "client certificate".to_owned());
    let parts: Vec<_> = [proxy, ca, own].into_iter().flatten().collect();
    parts.join(", ")
}

fn typed(field: RwSignal<String>) -> Option<String> {
    Some(field.get_untracked().trim().to_owned()).filter(|text| !text.is_empty())
}

/// As it was typed: spaces may belong to it.
fn secret(field: RwSignal<String>) -> Option<String> {
    Some(field.get_untracked()).filter(|text| !text.is_empty())
}
