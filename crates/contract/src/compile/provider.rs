//! What each kind of provider needs, and what means nothing to it.

use std::sync::Arc;
use std::time::Duration;

use gatewright_types::Region;
use gatewright_types::api::{
    BreakerSettings, CredentialKind, ProviderKind, ProviderSetting, ProviderSettings, Timeouts,
};

use super::CompileProblem;
use crate::{BaseUrl, Credential, Provider, ProviderUnit, UnitId, proxy_url};

const SHORTEST_WINDOW: Duration = Duration::from_millis(100);
const MOST_OFTEN_PROBED: Duration = Duration::from_secs(1);

/// Why a provider cannot use a credential; reads as the rest of a sentence about it.
pub fn credential_problem(provider: ProviderKind, credential: CredentialKind) -> Option<String> {
    let usable = provider.credential_kinds();
    if usable.contains(&credential) {
        return None;
    }
    let kind = provider.as_str();
    Some(match usable {
        [] => format!("has no meaning for a provider of kind {kind}: remove it"),
        [_, ..] => {
            let names: Vec<_> = usable.iter().map(|kind| kind.as_str()).collect();
            format!(
                "cannot be used with a provider of kind {kind}: give {}",
                names.join(" or ")
            )
        }
    })
}

/// Limits that nothing could keep to, by field.
pub(super) fn timeout_problems(timeouts: &Timeouts) -> impl Iterator<Item = (String, &'static str)> {
    let named = timeouts.named().into_iter();
    let none = named.filter(|(_, limit)| limit.is_some_and(|limit| limit.get().is_zero()));
    none.map(|(name, _)| {
        (
            format!("timeouts.{name}"),
            "must be longer than nothing, such as 20s: leave it out for no limit of its own",
        )
    })
}

pub(super) fn provider(unit: UnitId, spec: &ProviderUnit, problems: &mut Vec<CompileProblem>) -> Option<Provider> {
    let UnitId::Provider(id) = unit else { return None };
    let mut check = Check {
        spec,
        found: Vec::new(),
    };
    let base_url = check.address();
    let region = check.region(base_url.as_ref());
    check.project();
    check.settings();
    check.network();
    check.credentials();
    let usable = check.found.is_empty();
    problems.extend(
        check
            .found
            .into_iter()
            .map(|(field, message)| CompileProblem { unit, field, message }),
    );
    let credentials = spec.credentials.iter().map(|unit| Credential {
        id: unit.id,
        weight: unit.weight,
        kind: unit.kind,
        sealed: unit.sealed.clone(),
    });
    usable.then(|| Provider {
        id,
        name: spec.name.clone(),
        kind: spec.kind,
        base_url,
        settings: ProviderSettings {
            region,
            ..spec.settings.clone()
        },
        network: spec.network.clone().map(Arc::new),
        credentials: credentials.collect(),
    })
}

struct Check<'a> {
    spec: &'a ProviderUnit,
    /// Fields, and what is wrong with them.
    found: Vec<(String, String)>,
}

impl Check<'_> {
    fn wrong(&mut self, field: &str, message: impl Into<String>) {
        self.found.push((field.to_owned(), message.into()));
    }

    fn means_nothing(&self) -> String {
        format!("has no meaning for a provider of kind {}", self.spec.kind.as_str())
    }

    fn has(&self, kind: CredentialKind) -> bool {
        self.spec.credentials.iter().any(|credential| credential.kind == kind)
    }

    fn address(&mut self) -> Option<BaseUrl> {
        let kind = self.spec.kind;
        if !kind.calls_out() {
            if self.spec.base_url.is_some() {
                self.wrong("base_url", self.means_nothing());
            }
            return None;
        }
        let address = self
            .spec
            .base_url
            .clone()
            .or_else(|| kind.usual_address(&self.spec.settings));
        let Some(text) = address else {
            match kind {
                ProviderKind::Bedrock => {
                    self.wrong("region", "is required for a provider of kind bedrock that has no base_url: give one, such as eu-central-1");
                }
                ProviderKind::Azure => {
                    self.wrong("base_url", "is required for a provider of kind azure: give the resource's, such as https://my-resource.openai.azure.com");
                }
                other => self.wrong(
                    "base_url",
                    format!("is required for a provider of kind {}", other.as_str()),
                ),
            }
            return None;
        };
        match text.parse::<BaseUrl>() {
            Ok(url) => Some(url),
            Err(error) => {
                self.wrong("base_url", error.to_string());
                None
            }
        }
    }

    /// The region that calls are signed for: what is said, else what the address tells.
    fn region(&mut self, base_url: Option<&BaseUrl>) -> Option<Region> {
        let said = self.spec.settings.region.clone();
        if self.spec.kind != ProviderKind::Bedrock {
            return said;
        }
        let region = said.or_else(|| bedrock_region(base_url?.host()));
        if region.is_none() && base_url.is_some() && self.has(CredentialKind::Aws) {
            self.wrong(
                "region",
                "is required to sign calls with aws credentials: give the one of base_url, such as eu-central-1",
            );
        }
        region
    }

    /// With an API key alone Google's models are called without a project; everything else is in one.
    fn project(&mut self) {
        if self.spec.kind != ProviderKind::Vertex {
            return;
        }
        let ProviderSettings { region, project, .. } = &self.spec.settings;
        let google = self.has(CredentialKind::Google);
        if project.is_none() && (google || region.is_some()) {
            self.wrong("project", "is required for a provider of kind vertex with a region or a google credential: give the id of the project that is billed");
        }
        if region.is_none() && (google || project.is_some()) {
            self.wrong("region", "is required for a provider of kind vertex with a project or a google credential: give one, such as europe-west4 or global");
        }
    }

    fn settings(&mut self) {
        let (kind, settings) = (self.spec.kind, &self.spec.settings);
        for setting in ProviderSetting::ALL {
            if settings.holds(setting) && !kind.takes(setting) {
                self.wrong(setting.as_str(), format!("{}: remove it", self.means_nothing()));
            }
        }
        if settings.deployments.len() > ProviderSettings::MOST_DEPLOYMENTS {
            self.wrong(
                "deployments",
                format!("may have at most {} entries", ProviderSettings::MOST_DEPLOYMENTS),
            );
        }
        if settings.headers.len() > ProviderSettings::MOST_HEADERS {
            self.wrong(
                "headers",
                format!("may have at most {} entries", ProviderSettings::MOST_HEADERS),
            );
        }
        if settings.residency.len() > ProviderSettings::MOST_RESIDENCIES {
            self.wrong(
                "residency",
                format!("may have at most {} entries", ProviderSettings::MOST_RESIDENCIES),
            );
        }
        if !kind.calls_out() && !settings.headers.is_empty() {
            self.wrong("headers", format!("{}: remove it", self.means_nothing()));
        }
        if !kind.calls_out() && !settings.timeouts.is_empty() {
            self.wrong("timeouts", format!("{}: remove it", self.means_nothing()));
        }
        for (field, message) in timeout_problems(&settings.timeouts) {
            self.wrong(&field, message);
        }
        self.breaker();
        self.probe();
    }

    fn breaker(&mut self) {
        let BreakerSettings {
            error_rate,
            min_requests,
            window,
            open_for,
        } = self.spec.settings.breaker;
        if !(1..=100).contains(&error_rate) {
            self.wrong("breaker.error_rate", "must be a percentage from 1 to 100");
        }
        if min_requests == 0 {
            self.wrong("breaker.min_requests", "must be 1 at least");
        }
        // A window has ten parts, which are told apart by their milliseconds.
        if window.get() < SHORTEST_WINDOW {
            self.wrong("breaker.window", "must be 100ms at least");
        }
        if open_for.get().is_zero() {
            self.wrong("breaker.open_for", "must be longer than nothing, such as 15s");
        }
    }

    fn probe(&mut self) {
        let kind = self.spec.kind;
        let Some(probe) = &self.spec.settings.probe else { return };
        if !kind.calls_out() {
            self.wrong("probe", format!("{}: remove it", self.means_nothing()));
            return;
        }
        let needs_model = probe.model.is_none() && !kind.lists_models();
        if probe.every.get() < MOST_OFTEN_PROBED {
            self.wrong("probe.every", "must be 1s at least");
        }
        if needs_model {
            let kind = kind.as_str();
            self.wrong(
                "probe.model",
                format!(
                    "is required for a provider of kind {kind}, which does not say what models it has: name a small one"
                ),
            );
        }
    }

    fn network(&mut self) {
        let Some(network) = &self.spec.network else { return };
        if !self.spec.kind.calls_out() {
            self.wrong("network", format!("{}: remove it", self.means_nothing()));
        }
        if let Some(Err(message)) = network.proxy.as_ref().map(|proxy| proxy_url(&proxy.url)) {
            self.wrong("network.proxy.url", message);
        }
    }

    fn credentials(&mut self) {
        for (index, credential) in self.spec.credentials.iter().enumerate() {
            if let Some(message) = credential_problem(self.spec.kind, credential.kind) {
                self.wrong(&format!("credentials[{index}].{}", credential.kind.as_str()), message);
            }
        }
    }
}

/// AWS writes the region after the service's name: `bedrock-runtime.eu-central-1.amazonaws.com`.
fn bedrock_region(host: &str) -> Option<Region> {
    let of_aws = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"];
    if !of_aws.iter().any(|end| host.ends_with(end)) {
        return None;
    }
    let mut labels = host.split('.').skip_while(|label| !label.starts_with("bedrock"));
    labels.nth(1)?.parse().ok()
}
