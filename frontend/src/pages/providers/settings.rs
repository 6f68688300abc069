//! The part of a provider's form that depends on its kind: address, region, project, version, deployments, headers,
//! time limits, the breaker and probes.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use gatewright_types::api::{BedrockApi, ProviderKind, ProviderSetting, ProviderSettings};
use leptos::prelude::*;

use super::breaker::BreakerFields;
use super::kinds::address_example;
use super::probe::ProbeFields;
use crate::components::field::{Input, LinesField, SelectField, TextField};
use crate::form::Form;
use crate::pages::timeouts::TimeoutFields;

const INVOKE: &str = "invoke";

/// What is typed into the fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct SettingsFields {
    form: Form,
    base_url: RwSignal<String>,
    region: RwSignal<String>,
    residency: RwSignal<String>,
    project: RwSignal<String>,
    api_version: RwSignal<String>,
    deployments: RwSignal<String>,
    api: RwSignal<String>,
    headers: RwSignal<String>,
    timeouts: TimeoutFields,
    breaker: BreakerFields,
    probe: ProbeFields,
}

impl SettingsFields {
    pub(super) fn new(form: Form, base_url: Option<String>, settings: &ProviderSettings) -> Self {
        let text = |value: Option<String>| RwSignal::new(value.unwrap_or_default());
        Self {
            form,
            base_url: text(base_url),
            residency: RwSignal::new(words(&settings.residency)),
            region: text(settings.region.as_ref().map(ToString::to_string)),
            project: text(settings.project.as_ref().map(ToString::to_string)),
            api_version: text(settings.api_version.as_ref().map(ToString::to_string)),
            deployments: RwSignal::new(lines(&settings.deployments)),
            api: text((settings.api == Some(BedrockApi::Invoke)).then(|| INVOKE.to_owned())),
            headers: RwSignal::new(lines(&settings.headers)),
            timeouts: TimeoutFields::new(form, &settings.timeouts),
            breaker: BreakerFields::new(form, &settings.breaker),
            probe: ProbeFields::new(form, settings.probe.as_deref()),
        }
    }

    /// The address and the settings; nothing when a field is wrong. Fields that the kind has not are not read.
    pub(super) fn read(self, kind: ProviderKind) -> Option<(Option<String>, ProviderSettings)> {
        if !kind.calls_out() {
            return Some((None, ProviderSettings::default()));
        }
        let form = self.form;
        let takes = |setting| kind.takes(setting);
        let region = optional(takes(ProviderSetting::Region), || {
            form.parse_optional("region", self.region)
        });
        let residency = parse_words(form, "residency", self.residency);
        let project = optional(takes(ProviderSetting::Project), || {
            form.parse_optional("project", self.project)
        });
        let api_version = optional(takes(ProviderSetting::ApiVersion), || {
            form.parse_optional("api_version", self.api_version)
        });
        let deployments = match takes(ProviderSetting::Deployments) {
            true => pairs(form, "deployments", self.deployments),
            false => Some(BTreeMap::new()),
        };
        let headers = pairs(form, "headers", self.headers);
        let (timeouts, breaker) = (self.timeouts.read(), self.breaker.read());
        let probe = self.probe.read();
        let settings = ProviderSettings {
            region: region?,
            residency: residency?,
            project: project?,
            api_version: api_version?,
            deployments: deployments?,
            api: (takes(ProviderSetting::Api) && self.api.get_untracked() == INVOKE).then_some(BedrockApi::Invoke),
            headers: headers?,
            timeouts: timeouts?,
            breaker: breaker?,
            probe: probe?.map(Box::new),
        };
        let typed = self.base_url.get_untracked().trim().to_owned();
        if typed.is_empty() && kind.usual_address(&settings).is_none() && kind != ProviderKind::Bedrock {
            form.refuse("base_url", "is required");
            return None;
        }
        Some((Some(typed).filter(|url| !url.is_empty()), settings))
    }

    pub(super) fn view(self, kind: ProviderKind) -> AnyView {
        if !kind.calls_out() {
            return ().into_any();
        }
        let form = self.form;
        let region = kind.takes(ProviderSetting::Region).then(|| {
            view! {
                <TextField
                    form=form
                    name="region"
                    label="Region"
                    value=self.region
                    input=Input::Code
                    placeholder=if kind == ProviderKind::Bedrock { "eu-central-1" } else { "europe-west4" }
                    hint="Where the models run. The address follows from it."
                />
            }
        });
        let project = kind.takes(ProviderSetting::Project).then(|| {
            view! {
                <TextField
                    form=form
                    name="project"
                    label="Project"
                    value=self.project
                    input=Input::Code
                    placeholder="my-project-123"
                    hint="The id of the project that is billed. Leave region and project empty to use an API key in express mode."
                />
            }
        });
        let version = kind.takes(ProviderSetting::ApiVersion).then(|| {
            view! {
                <TextField
                    form=form
                    name="api_version"
                    label="API version"
                    value=self.api_version
                    input=Input::Code
                    placeholder="2024-10-21"
                    hint="Only for the classic addresses by deployment. Leave empty for version 1."
                />
            }
        });
        let deployments = kind.takes(ProviderSetting::Deployments).then(|| {
            view! {
                <LinesField
                    form=form
                    name="deployments"
                    label="Deployments"
                    value=self.deployments
                    placeholder="gpt-4o: my-deployment"
                    hint="One a line, model: deployment. A model that is not here has a deployment of its own name."
                />
            }
        });
        let api = kind.takes(ProviderSetting::Api).then(|| {
            let options = [("", "Converse"), (INVOKE, "InvokeModel")];
            view! {
                <SelectField
                    form=form
                    name="api"
                    label="Claude is spoken to by"
                    value=self.api
                    options=options.map(|(value, title)| (value.to_owned(), title.to_owned())).to_vec()
                    hint="Other models are always spoken to by Converse."
                />
            }
        });
        view! {
            {region}
            {project}
            {api}
            <TextField
                form=form
                name="base_url"
                label="Base URL"
                value=self.base_url
                input=Input::Code
                placeholder=address_example(kind)
                hint="Without a trailing slash. Leave empty where the kind has its usual address."
            />
            <TextField
                form=form
                name="residency"
                label="Residency"
                value=self.residency
                input=Input::Code
                placeholder="eu"
                hint="Areas or regions in which what is sent there stays, with spaces between. Leave empty where the region tells."
            />
            {version}
            {deployments}
            <details class="more-fields">
                <summary>"More headers"</summary>
                <LinesField
                    form=form
                    name="headers"
                    label="Headers"
                    value=self.headers
                    placeholder="x-team: search"
                    hint="One a line, name: value. Sent with every call. Not for secrets: everybody who may see providers sees them."
                />
            </details>
            {self.timeouts.view("Where a field is empty, the server's own applies. A model's go before these.")}
            {self.breaker.view()}
            {self.probe.view(kind)}
        }
        .into_any()
    }
}

/// `None` when a field is wrong, `Some(None)` when it is empty or not there.
fn optional<T>(there: bool, read: impl FnOnce() -> Option<Option<T>>) -> Option<Option<T>> {
    if there { read() } else { Some(None) }
}

fn words<T: Display>(words: &[T]) -> String {
    let words: Vec<_> = words.iter().map(ToString::to_string).collect();
    words.join(" ")
}

fn parse_words<T: FromStr<Err: Display>>(form: Form, field: &'static str, text: RwSignal<String>) -> Option<Vec<T>> {
    let text = text.get_untracked();
    let words = text.split([' ', ',']).filter(|word| !word.is_empty());
    let read: Result<Vec<T>, String> = words
        .map(|word| word.parse().map_err(|error| format!("{word}: {error}")))
        .collect();
    read.map_err(|message| form.refuse(field, &message)).ok()
}

fn lines<K: Display, V: Display>(pairs: &BTreeMap<K, V>) -> String {
    let lines: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    lines.join("\n")
}

/// Reads `name: value` from each line. The name ends at a colon with a space after it: models may have colons in their
/// names.
fn pairs<K, V>(form: Form, field: &'static str, text: RwSignal<String>) -> Option<BTreeMap<K, V>>
where
    K: FromStr<Err: Display> + Ord,
    V: FromStr<Err: Display>,
{
    let read = |line: &str| -> Result<(K, V), String> {
        let parts = line.split_once(": ").or_else(|| line.split_once(':'));
        let (name, value) = parts.ok_or("write name: value")?;
        let name = name
            .trim()
            .parse()
            .map_err(|error: K::Err| format!("the name {error}"))?;
        let value = value
            .trim()
            .parse()
            .map_err(|error: V::Err| format!("the value {error}"))?;
        Ok((name, value))
    };
    let text = text.get_untracked();
    let mut pairs = BTreeMap::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match read(line.trim()) {
            Ok((name, value)) => pairs.insert(name, value),
            Err(message) => {
                form.refuse(field, &format!("line {}: {message}", number + 1));
                return None;
            }
        };
    }
    Some(pairs)
}
