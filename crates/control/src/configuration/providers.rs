//! Differences in providers and their credentials.

use gatewright_contract::{BaseUrl, NetworkUnit, UnitId, secret_text};
use gatewright_store::{CredentialInsert, CredentialUpdate, ProviderUpdate, SealedCredential};
use gatewright_types::api::{ChangeKind, CredentialEntry, NewSecret, Provider, ProviderEntry};
use gatewright_types::{CredentialId, ProviderId};

use super::diff::{Differ, Step, change, differing, same_address};
use super::secrets::{plain, plain_network};
use crate::api::credentials::{problems, seal};
use crate::api::network::Means;
use crate::api::providers::check_address;
use crate::check::FieldProblem;

impl Differ<'_> {
    pub(super) fn providers(&mut self) {
        let Some(entries) = &self.document.providers else {
            return;
        };
        self.check_unique("providers", "name", entries.iter().map(|entry| entry.name.as_str()));
        for (index, entry) in entries.iter().enumerate() {
            let address = entry.base_url.as_deref();
            // What is no address at all is told when the whole is compiled.
            let readable = address.is_none_or(|text| text.parse::<BaseUrl>().is_ok());
            let checked = check_address(entry.kind, address, &entry.settings, self.means.egress);
            if let (true, Err(message)) = (readable, checked) {
                self.problem(format!("providers[{index}].base_url"), &message);
            }
            let names = entry.credentials.iter().map(|credential| credential.name.as_str());
            self.check_unique(&format!("providers[{index}].credentials"), "name", names);
            let there = self
                .current
                .providers
                .iter()
                .find(|(provider, _)| provider.name == entry.name);
            let id = match there {
                Some((provider, credentials)) => {
                    self.change_provider(index, entry, provider, credentials);
                    provider.id
                }
                None => self.create_provider(index, entry),
            };
            self.plan
                .places
                .insert(UnitId::Provider(id), format!("providers[{index}]"));
        }
        let gone = self
            .current
            .providers
            .iter()
            .filter(|(provider, _)| entries.iter().all(|entry| entry.name != provider.name));
        for (provider, _) in gone {
            self.removal("provider", &provider.name, Step::DeleteProvider(provider.id));
        }
    }

    fn create_provider(&mut self, index: usize, entry: &ProviderEntry) -> ProviderId {
        let id = ProviderId::mint();
        let mut credentials = Vec::new();
        for (number, credential) in entry.credentials.iter().enumerate() {
            let path = format!("providers[{index}].credentials[{number}]");
            let Some(secret) = self.provider_secret(&path, credential) else {
                continue;
            };
            credentials.push(self.new_credential(credential, &secret));
        }
        let update = ProviderUpdate {
            kind: entry.kind,
            base_url: entry.base_url.clone(),
            settings: entry.settings.clone(),
            network: self.network(index, entry, id, None),
        };
        let step = Step::CreateProvider(id, entry.name.clone(), update, credentials);
        self.step(change(ChangeKind::Create, "provider", &&entry.name, &[]), step);
        id
    }

    fn change_provider(
        &mut self,
        index: usize,
        entry: &ProviderEntry,
        provider: &Provider,
        sealed: &[SealedCredential],
    ) {
        let usual = || entry.kind.usual_address(&entry.settings);
        let wanted = entry.base_url.clone().or_else(usual);
        let (one, other) = (&entry.settings, &provider.settings);
        let before = self.current.networks.get(&provider.id);
        let network = self.network(index, entry, provider.id, before);
        let fields = differing(&[
            ("kind", provider.kind == entry.kind),
            (
                "base_url",
                same_address(wanted.as_deref(), provider.base_url.as_deref()),
            ),
            ("network", network.as_ref() == before),
            ("region", one.region == other.region),
            ("residency", one.residency == other.residency),
            ("project", one.project == other.project),
            ("api_version", one.api_version == other.api_version),
            ("deployments", one.deployments == other.deployments),
            ("api", one.api == other.api),
            ("headers", one.headers == other.headers),
            ("timeouts", one.timeouts == other.timeouts),
            ("breaker", one.breaker == other.breaker),
            ("probe", one.probe == other.probe),
        ]);
        if !fields.is_empty() {
            let update = ProviderUpdate {
                kind: entry.kind,
                base_url: entry.base_url.clone(),
                settings: entry.settings.clone(),
                network,
            };
            let change = change(ChangeKind::Update, "provider", &&entry.name, &fields);
            self.step(change, Step::ChangeProvider(provider.id, update));
        }
        for (number, credential) in entry.credentials.iter().enumerate() {
            let path = format!("providers[{index}].credentials[{number}]");
            let Some(secret) = self.provider_secret(&path, credential) else {
                continue;
            };
            let name = format!("{}/{}", entry.name, credential.name);
            match sealed.iter().find(|one| one.name == credential.name) {
                Some(there) => self.change_credential(provider.id, &name, credential, &secret, there),
                None => {
                    let insert = self.new_credential(credential, &secret);
                    let change = change(ChangeKind::Create, "credential", &name, &[]);
                    self.step(change, Step::AddCredential(provider.id, insert));
                }
            }
        }
        for gone in sealed
            .iter()
            .filter(|one| entry.credentials.iter().all(|wanted| wanted.name != one.name))
        {
            let name = format!("{}/{}", entry.name, gone.name);
            self.removal("credential", &name, Step::RemoveCredential(provider.id, gone.id));
        }
    }

    fn change_credential(
        &mut self,
        provider: ProviderId,
        name: &str,
        wanted: &CredentialEntry,
        secret: &NewSecret,
        there: &SealedCredential,
    ) {
        // A secret that no master key opens is worth nothing: the one in the document takes its place.
        let known = self.means.keyring.open(&there.sealed, &there.id.to_string());
        let same_text = known.is_ok_and(|known| known.expose() == secret_text(secret).expose());
        let same_secret = same_text && there.kind == secret.kind();
        let fields = differing(&[
            ("weight", there.weight == wanted.weight),
            (secret.kind().as_str(), same_secret),
        ]);
        if fields.is_empty() {
            return;
        }
        let update = CredentialUpdate {
            weight: wanted.weight,
            secret: (!same_secret).then(|| seal(self.means.keyring, there.id, secret)),
        };
        let change = change(ChangeKind::Update, "credential", &name, &fields);
        self.step(change, Step::ChangeCredential(provider, there.id, update));
    }

    /// The network as it is to be stored; problems when the document's is none.
    fn network(
        &mut self,
        index: usize,
        entry: &ProviderEntry,
        provider: ProviderId,
        before: Option<&NetworkUnit>,
    ) -> Option<NetworkUnit> {
        let means = Means {
            keyring: self.means.keyring,
            egress: self.means.egress,
        };
        let given = plain_network(entry.network.as_ref()?);
        match given.and_then(|given| means.accept(provider, given, before)) {
            Ok(unit) => Some(unit),
            Err(wrong) => {
                for FieldProblem { path, message } in wrong {
                    self.problem(format!("providers[{index}].{path}"), &message);
                }
                None
            }
        }
    }

    /// The secret of a credential; problems when the document's is none.
    fn provider_secret(&mut self, path: &str, credential: &CredentialEntry) -> Option<NewSecret> {
        let secret = plain(&credential.secret);
        let wrong = match &secret {
            Ok(secret) => problems(secret, self.means.egress),
            Err(unread) => unread.clone(),
        };
        for (field, message) in &wrong {
            self.problem(format!("{path}.{field}"), message);
        }
        secret.ok().filter(|_| wrong.is_empty())
    }

    fn new_credential(&self, credential: &CredentialEntry, secret: &NewSecret) -> CredentialInsert {
        let id = CredentialId::mint();
        CredentialInsert {
            id,
            name: credential.name.clone(),
            weight: credential.weight,
            secret: seal(self.means.keyring, id, secret),
        }
    }
}
