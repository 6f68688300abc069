//! Who and what will be there once a document is applied, by the names that its budgets and limits use.

use std::collections::{HashMap, HashSet};

use gatewright_types::api::{CredentialName, LimitScope, NamedScope};
use gatewright_types::{CredentialId, DisplayName, Email, KeyId, ModelName, PersonId, Slug, TeamId};

use super::diff::{Differ, Step};
use super::keys::Owners;

#[derive(Debug, Default)]
pub(super) struct Named {
    pub(super) teams: HashMap<DisplayName, TeamId>,
    pub(super) people: HashMap<Email, PersonId>,
    /// Of service accounts that belong to one.
    pub(super) account_teams: HashMap<DisplayName, Option<TeamId>>,
    pub(super) keys: HashMap<DisplayName, KeyId>,
    pub(super) credentials: HashMap<CredentialName, CredentialId>,
    pub(super) providers: HashSet<Slug>,
    pub(super) models: HashSet<ModelName>,
}

impl Named {
    /// The scope by identifiers; none where it names what is not there.
    pub(super) fn scope(&self, scope: &NamedScope) -> Option<LimitScope> {
        let found = scope.renamed(
            |team| self.teams.get(team).copied().ok_or(()),
            |email| self.people.get(email).copied().ok_or(()),
            |key| self.keys.get(key).copied().ok_or(()),
            |credential| self.credentials.get(credential).copied().ok_or(()),
        );
        found.ok()
    }

    /// Whether what a scope names will be there.
    pub(super) fn stays(&self, scope: &LimitScope) -> bool {
        match scope {
            LimitScope::Team(team) => self.teams.values().any(|id| id == team),
            LimitScope::User(person) => self.people.values().any(|id| id == person),
            LimitScope::Key(key) => self.keys.values().any(|id| id == key),
            LimitScope::Credential(credential) => self.credentials.values().any(|id| id == credential),
            LimitScope::Provider(provider) => self.providers.contains(provider),
            LimitScope::Model(model) => self.models.contains(model),
            LimitScope::Organization | LimitScope::EndUser(_) | LimitScope::Tag(_) => true,
        }
    }
}

impl Differ<'_> {
    /// After everything that makes, replaces or removes them.
    pub(super) fn named(&self, owners: Owners) -> Named {
        let mut named = Named {
            teams: owners.teams,
            people: owners.members,
            account_teams: owners
                .accounts
                .into_iter()
                .map(|(name, (_, team))| (name, team))
                .collect(),
            ..Named::default()
        };
        self.name_keys(&mut named);
        self.name_providers(&mut named);
        named.models = match &self.document.models {
            Some(entries) => entries.iter().map(|entry| entry.name.clone()).collect(),
            None => self.current.models.iter().map(|model| model.name.clone()).collect(),
        };
        for planned in &self.plan.steps {
            match &planned.step {
                Step::CreateKey(key) => {
                    named.keys.insert(key.name.clone(), key.id);
                }
                Step::CreateProvider(_, provider, _, credentials) => {
                    for credential in credentials {
                        let (provider, name) = (provider.clone(), credential.name.clone());
                        named
                            .credentials
                            .insert(CredentialName { provider, name }, credential.id);
                    }
                }
                Step::AddCredential(id, credential) => {
                    let provider = self.current.providers.iter().find(|(provider, _)| provider.id == *id);
                    let Some((provider, _)) = provider else { continue };
                    let (provider, name) = (provider.name.clone(), credential.name.clone());
                    named
                        .credentials
                        .insert(CredentialName { provider, name }, credential.id);
                }
                _ => {}
            }
        }
        named
    }

    fn name_keys(&self, named: &mut Named) {
        let stay: Option<HashSet<_>> = self
            .document
            .keys
            .as_ref()
            .map(|entries| entries.iter().map(|entry| &entry.name).collect());
        for key in &self.current.keys {
            if stay.as_ref().is_none_or(|stay| stay.contains(&key.name)) {
                named.keys.insert(key.name.clone(), key.id);
            }
        }
    }

    fn name_providers(&self, named: &mut Named) {
        let entries = self.document.providers.as_deref();
        if let Some(entries) = entries {
            named.providers.extend(entries.iter().map(|entry| entry.name.clone()));
        }
        for (provider, credentials) in &self.current.providers {
            let entry = entries.map(|entries| entries.iter().find(|entry| entry.name == provider.name));
            if entry.is_none() {
                named.providers.insert(provider.name.clone());
            }
            for credential in credentials {
                let stays = entry.is_none_or(|entry| {
                    let mut names = entry.into_iter().flat_map(|entry| &entry.credentials);
                    names.any(|one| one.name == credential.name)
                });
                if stays {
                    let (provider, name) = (provider.name.clone(), credential.name.clone());
                    named
                        .credentials
                        .insert(CredentialName { provider, name }, credential.id);
                }
            }
        }
    }
}
