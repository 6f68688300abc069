//! Differences in teams, providers, models, prices and keys.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use gatewright_contract::{BaseUrl, Secret, UnitId};
use gatewright_store::{CredentialInsert, CredentialUpdate, KeyInsert, ProviderUpdate, SealedCredential};
use gatewright_types::api::{
    ChangeKind, CredentialEntry, KeyChange, KeyEntry, ModelChange, NewModel, NewPrice, Price, PriceEntry, Provider,
    ProviderEntry, Rates, SecretSource,
};
use gatewright_types::{CredentialId, DisplayName, KeyId, ModelId, PriceId, ProviderId, TeamId};

use super::diff::{Differ, Step, change, differing, same_address};
use super::secrets::value;
use crate::api::credentials::{check_secret, hint};
pub(super) use crate::auth::token::NewSecret;
use crate::auth::token::Purpose;

impl Differ<'_> {
    /// Gives the teams there will be, by name.
    pub(super) fn teams(&mut self) -> HashMap<DisplayName, TeamId> {
        let mut teams: HashMap<_, _> = self
            .current
            .teams
            .iter()
            .map(|team| (team.name.clone(), team.id))
            .collect();
        let Some(entries) = &self.document.teams else {
            return teams;
        };
        self.check_unique("teams", "name", entries.iter().map(|entry| entry.name.as_str()));
        for entry in entries {
            if !teams.contains_key(&entry.name) {
                let id = TeamId::mint();
                teams.insert(entry.name.clone(), id);
                let change = change(ChangeKind::Create, "team", &&entry.name, &[]);
                self.step(change, Step::CreateTeam(id, entry.name.clone()));
            }
        }
        for team in self
            .current
            .teams
            .iter()
            .filter(|team| entries.iter().all(|entry| entry.name != team.name))
        {
            teams.remove(&team.name);
            self.removal("team", &team.name, Step::DeleteTeam(team.id));
        }
        teams
    }

    pub(super) fn providers(&mut self) {
        let Some(entries) = &self.document.providers else {
            return;
        };
        self.check_unique("providers", "name", entries.iter().map(|entry| entry.name.as_str()));
        for (index, entry) in entries.iter().enumerate() {
            let address = entry.base_url.as_deref().and_then(|text| text.parse::<BaseUrl>().ok());
            if let Some(Err(error)) = address.map(|url| url.check(self.means.policy)) {
                self.problem(format!("providers[{index}].base_url"), &error);
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

    pub(super) fn models(&mut self) {
        let Some(entries) = &self.document.models else { return };
        self.check_unique("models", "name", entries.iter().map(|entry| entry.name.as_str()));
        for (index, entry) in entries.iter().enumerate() {
            let id = match self.current.models.iter().find(|model| model.name == entry.name) {
                Some(model) => {
                    let fields = differing(&[
                        ("route", model.route == entry.route),
                        ("timeouts", model.timeouts == entry.timeouts),
                    ]);
                    if !fields.is_empty() {
                        let wanted = ModelChange {
                            route: entry.route.clone(),
                            timeouts: entry.timeouts.clone(),
                        };
                        let change = change(ChangeKind::Update, "model", &&entry.name, &fields);
                        self.step(change, Step::ChangeModel(model.id, wanted));
                    }
                    model.id
                }
                None => {
                    let id = ModelId::mint();
                    let (name, route, timeouts) = (entry.name.clone(), entry.route.clone(), entry.timeouts.clone());
                    let change = change(ChangeKind::Create, "model", &&entry.name, &[]);
                    self.step(change, Step::CreateModel(id, NewModel { name, route, timeouts }));
                    id
                }
            };
            self.plan.places.insert(UnitId::Model(id), format!("models[{index}]"));
        }
        let gone = self
            .current
            .models
            .iter()
            .filter(|model| entries.iter().all(|entry| entry.name != model.name));
        for model in gone {
            self.removal("model", &model.name, Step::DeleteModel(model.id));
        }
    }

    /// An entry without a date stands for the newest price of its model that no other entry names.
    pub(super) fn prices(&mut self) {
        let Some(entries) = &self.document.prices else { return };
        let keys: Vec<_> = entries
            .iter()
            .map(|entry| {
                format!(
                    "{}/{}@{:?}",
                    entry.provider,
                    entry.model,
                    entry.effective_from.map(millis)
                )
            })
            .collect();
        self.check_unique("prices", "effective_from", keys.iter().map(String::as_str));
        let mut left: Vec<&Price> = self.current.prices.iter().collect();
        left.sort_by_key(|price| std::cmp::Reverse(price.effective_from));
        let (dated, undated): (Vec<_>, Vec<_>) = entries
            .iter()
            .enumerate()
            .partition(|(_, entry)| entry.effective_from.is_some());
        for (index, entry) in dated.into_iter().chain(undated) {
            if entry.rates == Rates::default() {
                self.problem(format!("prices[{index}]"), &"must name at least one price");
            }
            let same = |price: &&Price| {
                let dates = entry
                    .effective_from
                    .is_none_or(|at| millis(at) == millis(price.effective_from));
                (&price.provider, &price.model) == (&entry.provider, &entry.model) && dates
            };
            let wanted = NewPrice {
                provider: entry.provider.clone(),
                model: entry.model.clone(),
                rates: entry.rates.clone(),
                effective_from: entry.effective_from,
            };
            match left.iter().position(same).map(|at| left.remove(at)) {
                Some(price) if price.rates == entry.rates => {}
                Some(price) => {
                    let change = change(ChangeKind::Update, "price", &price_name(entry), &["rates"]);
                    self.step(change, Step::ReplacePrice(price.id, PriceId::mint(), wanted));
                }
                None => {
                    let change = change(ChangeKind::Create, "price", &price_name(entry), &[]);
                    self.step(change, Step::CreatePrice(PriceId::mint(), wanted));
                }
            }
        }
        for price in left {
            self.removal(
                "price",
                &format!("{}/{}", price.provider, price.model),
                Step::DeletePrice(price.id),
            );
        }
    }

    /// Keys go before others come: one that has got another name brings its secret along.
    pub(super) fn keys(&mut self, teams: &HashMap<DisplayName, TeamId>) {
        let Some(entries) = &self.document.keys else { return };
        self.check_unique("keys", "name", entries.iter().map(|entry| entry.name.as_str()));
        let named: HashSet<_> = entries.iter().map(|entry| &entry.name).collect();
        for key in self.current.keys.iter().filter(|key| !named.contains(&key.name)) {
            let change = change(ChangeKind::Remove, "key", &key.name, &[]);
            self.step(change, Step::RevokeKey(key.id));
        }
        let current: HashMap<_, _> = self.current.keys.iter().map(|key| (&key.name, key)).collect();
        for (index, entry) in entries.iter().enumerate() {
            let team = match &entry.team {
                Some(name) if !teams.contains_key(name) => {
                    self.problem(format!("keys[{index}].team"), &format!("there is no team named {name}"));
                    continue;
                }
                Some(name) => teams.get(name).copied(),
                None => None,
            };
            match current.get(&entry.name) {
                Some(key) => self.change_key(index, entry, team, key),
                None => {
                    let path = format!("keys[{index}].secret");
                    let secret = self.new_secret(Purpose::DataPlane, path, entry.secret.as_ref());
                    let Some(secret) = secret else { continue };
                    self.mint("key", &entry.name, &secret);
                    let insert = self.key_insert(entry, team, secret);
                    self.step(
                        change(ChangeKind::Create, "key", &&entry.name, &[]),
                        Step::CreateKey(insert),
                    );
                }
            }
        }
    }

    /// The secret of a new key or token; a problem when the document's is none.
    pub(super) fn new_secret(
        &mut self,
        purpose: Purpose,
        path: String,
        source: Option<&SecretSource>,
    ) -> Option<NewSecret> {
        let imported = match source.map(value).transpose() {
            Ok(imported) => imported,
            Err(message) => {
                self.problem(path, &message);
                return None;
            }
        };
        match NewSecret::make(purpose, imported) {
            Ok(secret) => Some(secret),
            Err(error) => {
                self.problem(path, &error);
                None
            }
        }
    }

    pub(super) fn mint(&mut self, resource: &str, name: &DisplayName, secret: &NewSecret) {
        if let Some(shown) = &secret.shown {
            self.plan.minted.insert(format!("{resource}/{name}"), shown.clone());
        }
    }

    fn create_provider(&mut self, index: usize, entry: &ProviderEntry) -> ProviderId {
        let id = ProviderId::mint();
        let mut credentials = Vec::new();
        for (number, credential) in entry.credentials.iter().enumerate() {
            let path = format!("providers[{index}].credentials[{number}].api_key");
            let Some(secret) = self.provider_secret(path, credential) else {
                continue;
            };
            credentials.push(self.seal(credential, secret));
        }
        let update = ProviderUpdate {
            kind: entry.kind,
            base_url: entry.base_url.clone(),
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
        let wanted = entry.base_url.as_deref().or(entry.kind.usual_base_url());
        let fields = differing(&[
            ("kind", provider.kind == entry.kind),
            ("base_url", same_address(wanted, provider.base_url.as_deref())),
        ]);
        if !fields.is_empty() {
            let update = ProviderUpdate {
                kind: entry.kind,
                base_url: entry.base_url.clone(),
            };
            let change = change(ChangeKind::Update, "provider", &&entry.name, &fields);
            self.step(change, Step::ChangeProvider(provider.id, update));
        }
        for (number, credential) in entry.credentials.iter().enumerate() {
            let path = format!("providers[{index}].credentials[{number}].api_key");
            let Some(secret) = self.provider_secret(path, credential) else {
                continue;
            };
            let name = format!("{}/{}", entry.name, credential.name);
            match sealed.iter().find(|one| one.name == credential.name) {
                Some(there) => self.change_credential(provider.id, &name, credential, secret, there),
                None => {
                    let insert = self.seal(credential, secret);
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
        secret: &str,
        there: &SealedCredential,
    ) {
        // A secret that no master key opens is worth nothing: the one in the document takes its place.
        let known = self.means.keyring.open(&there.sealed, &there.id.to_string());
        let same_secret = known.is_ok_and(|known| known.expose() == secret);
        let fields = differing(&[("weight", there.weight == wanted.weight), ("api_key", same_secret)]);
        if fields.is_empty() {
            return;
        }
        let sealed = || {
            self.means
                .keyring
                .seal(&Secret::new(secret.to_owned()), &there.id.to_string())
        };
        let secret = (!same_secret).then(|| (hint(secret), sealed()));
        let update = CredentialUpdate {
            weight: wanted.weight,
            secret,
        };
        let change = change(ChangeKind::Update, "credential", &name, &fields);
        self.step(change, Step::ChangeCredential(provider, there.id, update));
    }

    fn provider_secret<'e>(&mut self, path: String, credential: &'e CredentialEntry) -> Option<&'e str> {
        let checked = value(&credential.api_key)
            .and_then(|secret| check_secret(secret).map(|()| secret).map_err(ToOwned::to_owned));
        checked.map_err(|message| self.problem(path, &message)).ok()
    }

    fn seal(&self, credential: &CredentialEntry, secret: &str) -> CredentialInsert {
        let id = CredentialId::mint();
        let sealed = self
            .means
            .keyring
            .seal(&Secret::new(secret.to_owned()), &id.to_string());
        CredentialInsert {
            id,
            name: credential.name.clone(),
            weight: credential.weight,
            hint: hint(secret),
            sealed,
        }
    }

    fn change_key(&mut self, index: usize, entry: &KeyEntry, team: Option<TeamId>, key: &gatewright_types::api::Key) {
        if entry.secret.is_some() {
            let path = format!("keys[{index}].secret");
            let Some(secret) = self.new_secret(Purpose::DataPlane, path, entry.secret.as_ref()) else {
                return;
            };
            if self.current.key_digests.get(&key.id) != Some(&secret.key.digest) {
                let insert = self.key_insert(entry, team, secret);
                let change = change(ChangeKind::Update, "key", &&entry.name, &["secret"]);
                return self.step(change, Step::ReplaceKey(key.id, insert));
            }
        }
        let fields = differing(&[("team", key.team == team), ("models", key.models == entry.models)]);
        if !fields.is_empty() {
            let wanted = KeyChange {
                name: entry.name.clone(),
                team,
                models: entry.models.clone(),
            };
            let change = change(ChangeKind::Update, "key", &&entry.name, &fields);
            self.step(change, Step::ChangeKey(key.id, wanted));
        }
        if key.expires_at.map(millis) != entry.expires_at.map(millis) {
            let change = change(ChangeKind::Update, "key", &&entry.name, &["expires_at"]);
            self.step(change, Step::SetKeyExpiry(key.id, entry.expires_at));
        }
    }

    fn key_insert(&self, entry: &KeyEntry, team: Option<TeamId>, secret: NewSecret) -> KeyInsert {
        KeyInsert {
            id: KeyId::mint(),
            name: entry.name.clone(),
            team,
            models: entry.models.clone(),
            expires_at: entry.expires_at,
            digest: secret.key.digest,
            hint: secret.key.hint,
            created_by: self.means.actor.to_owned(),
        }
    }
}

/// Databases keep times less finely than documents may write them.
fn millis(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
}

fn price_name(entry: &PriceEntry) -> String {
    format!("{}/{}", entry.provider, entry.model)
}
