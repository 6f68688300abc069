//! Differences in service accounts and keys.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use gatewright_store::{KeyInsert, Rotation};
use gatewright_types::api::{ChangeKind, Key, KeyChange, KeyEntry, KeyOwner};
use gatewright_types::{DisplayName, Email, KeyId, PersonId, ServiceAccountId, TeamId};

use super::coherence::CHARGED_BY_ITS_TEAM;
use super::diff::{Differ, Step, change, differing};
use super::entries::NewSecret;
use crate::auth::token::Purpose;
use crate::key_settings::{Before, KnownNames, Wanted, problems};

/// Whom and what keys can belong to when the document is applied.
#[derive(Debug)]
pub(super) struct Owners {
    pub(super) teams: HashMap<DisplayName, TeamId>,
    pub(super) accounts: HashMap<DisplayName, (ServiceAccountId, Option<TeamId>)>,
    pub(super) members: HashMap<Email, PersonId>,
}

/// An entry with its names looked up.
struct Resolved<'a> {
    entry: &'a KeyEntry,
    path: String,
    team: Option<TeamId>,
    owner: Option<KeyOwner>,
}

impl Differ<'_> {
    /// Gives the service accounts there will be, by name.
    pub(super) fn service_accounts(
        &mut self,
        teams: &HashMap<DisplayName, TeamId>,
    ) -> HashMap<DisplayName, (ServiceAccountId, Option<TeamId>)> {
        let there = self.current.service_accounts.iter();
        let mut accounts: HashMap<_, _> = there
            .map(|account| (account.name.clone(), (account.id, account.team)))
            .collect();
        let Some(entries) = &self.document.service_accounts else {
            return accounts;
        };
        self.check_unique(
            "service_accounts",
            "name",
            entries.iter().map(|entry| entry.name.as_str()),
        );
        for (index, entry) in entries.iter().enumerate() {
            let path = format!("service_accounts[{index}].team");
            let Some(team) = self.team(path.clone(), entry.team.as_ref(), teams) else {
                continue;
            };
            if team.is_some() && entry.cost_centre.is_some() {
                self.problem(format!("service_accounts[{index}].cost_centre"), &CHARGED_BY_ITS_TEAM);
            }
            let id = match accounts.get(&entry.name) {
                Some((id, own)) if *own == team => *id,
                Some(_) => {
                    self.problem(path, &"stays as it is: its keys' usage counts there");
                    continue;
                }
                None => {
                    let id = ServiceAccountId::mint();
                    accounts.insert(entry.name.clone(), (id, team));
                    let change = change(ChangeKind::Create, "service_account", &&entry.name, &[]);
                    self.step(change, Step::CreateServiceAccount(id, entry.name.clone(), team));
                    id
                }
            };
            let there = self.current.service_accounts.iter().find(|account| account.id == id);
            if there.and_then(|account| account.cost_centre.as_ref()) != entry.cost_centre.as_ref() {
                let change = change(ChangeKind::Update, "service_account", &&entry.name, &["cost_centre"]);
                self.step(change, Step::ChargeServiceAccount(id, entry.cost_centre.clone()));
            }
        }
        let named: HashSet<_> = entries.iter().map(|entry| &entry.name).collect();
        let gone = self.current.service_accounts.iter();
        for account in gone.filter(|account| !named.contains(&account.name)) {
            accounts.remove(&account.name);
            self.removal("service_account", &account.name, Step::DeleteServiceAccount(account.id));
        }
        accounts
    }

    /// Keys go before others come: one that has got another name brings its secret along.
    pub(super) fn keys(&mut self, owners: &Owners) {
        let Some(entries) = &self.document.keys else { return };
        self.check_unique("keys", "name", entries.iter().map(|entry| entry.name.as_str()));
        let named: HashSet<_> = entries.iter().map(|entry| &entry.name).collect();
        for key in self.current.keys.iter().filter(|key| !named.contains(&key.name)) {
            let change = change(ChangeKind::Remove, "key", &key.name, &[]);
            self.step(change, Step::RevokeKey(key.id));
        }
        let known = self.known_names();
        let current: HashMap<_, _> = self.current.keys.iter().map(|key| (&key.name, key)).collect();
        for (index, entry) in entries.iter().enumerate() {
            let key = current.get(&entry.name).copied();
            let path = format!("keys[{index}]");
            self.check_settings(&path, entry, key, &known);
            let Some(resolved) = self.resolved(path, entry, owners) else {
                continue;
            };
            match key {
                Some(key) => self.change_key(&resolved, key),
                None => self.new_key(&resolved),
            }
        }
    }

    /// The names there will be.
    fn known_names(&self) -> KnownNames {
        let mut known = KnownNames::default();
        match &self.document.models {
            Some(entries) => known.models.extend(entries.iter().map(|entry| entry.name.clone())),
            None => known
                .models
                .extend(self.current.models.iter().map(|row| row.name.clone())),
        }
        match &self.document.providers {
            Some(entries) => {
                known.providers.extend(entries.iter().map(|entry| entry.name.clone()));
                known.places.extend(entries.iter().map(|entry| entry.settings.clone()));
            }
            None => {
                let rows = || self.current.providers.iter().map(|(row, _)| row);
                known.providers.extend(rows().map(|row| row.name.clone()));
                known.places.extend(rows().map(|row| row.settings.clone()));
            }
        }
        known
    }

    fn check_settings(&mut self, path: &str, entry: &KeyEntry, key: Option<&Key>, known: &KnownNames) {
        let wanted = Wanted {
            models: entry.models.as_deref(),
            tags: Some(&entry.tags),
            scopes: Some(&entry.scopes),
            upkeep: Some(entry.upkeep),
        };
        let before = key.map_or_else(Before::default, |key| Before {
            models: key.models.as_deref(),
            scopes: Some(&key.scopes),
        });
        for problem in problems(&wanted, &before, known) {
            self.problem(format!("{path}.{}", problem.path), &problem.message);
        }
    }

    fn resolved<'e>(&mut self, path: String, entry: &'e KeyEntry, owners: &Owners) -> Option<Resolved<'e>> {
        let mut team = self.team(format!("{path}.team"), entry.team.as_ref(), &owners.teams)?;
        let owner = match (&entry.owner, &entry.service_account) {
            (None, None) => None,
            (Some(_), Some(_)) => {
                self.problem(
                    format!("{path}.service_account"),
                    &"stands beside owner: give only one of them",
                );
                return None;
            }
            (Some(email), None) => match owners.members.get(email) {
                Some(person) => Some(KeyOwner::Member(*person)),
                None => {
                    self.problem(format!("{path}.owner"), &format!("there is no member {email}"));
                    return None;
                }
            },
            (None, Some(name)) => match owners.accounts.get(name) {
                Some((account, own)) => {
                    // Its keys are of its own team, whether or not it is written with each.
                    team = team.or(*own);
                    Some(KeyOwner::ServiceAccount(*account))
                }
                None => {
                    let message = format!("there is no service account named {name}");
                    self.problem(format!("{path}.service_account"), &message);
                    return None;
                }
            },
        };
        Some(Resolved {
            entry,
            path,
            team,
            owner,
        })
    }

    /// `None` when there is no such team, and it is told.
    fn team(
        &mut self,
        path: String,
        name: Option<&DisplayName>,
        teams: &HashMap<DisplayName, TeamId>,
    ) -> Option<Option<TeamId>> {
        let Some(name) = name else { return Some(None) };
        let found = teams.get(name).copied();
        if found.is_none() {
            self.problem(path, &format!("there is no team named {name}"));
        }
        found.map(Some)
    }

    fn new_key(&mut self, wanted: &Resolved<'_>) {
        let Resolved {
            entry,
            path,
            team,
            owner,
        } = wanted;
        let path = format!("{path}.secret");
        let Some(secret) = self.new_secret(Purpose::DataPlane, path, entry.secret.as_ref()) else {
            return;
        };
        self.mint("key", &entry.name, &secret);
        let insert = KeyInsert {
            id: KeyId::mint(),
            name: entry.name.clone(),
            team: *team,
            owner: *owner,
            models: entry.models.clone(),
            tags: entry.tags.clone(),
            scopes: entry.scopes.clone(),
            upkeep: entry.upkeep,
            faults: entry.faults,
            cost_centre: entry.cost_centre.clone(),
            expires_at: entry.expires_at,
            digest: secret.key.digest,
            hint: secret.key.hint,
            created_by: self.means.actor.to_owned(),
        };
        self.step(
            change(ChangeKind::Create, "key", &&entry.name, &[]),
            Step::CreateKey(insert),
        );
    }

    fn change_key(&mut self, wanted: &Resolved<'_>, key: &Key) {
        let Resolved {
            entry,
            path,
            team,
            owner,
        } = wanted;
        let mut fields = differing(&[
            ("team", key.team == *team),
            ("owner", key.owner == *owner),
            ("models", key.models == entry.models),
            ("tags", key.tags == entry.tags),
            ("scopes", key.scopes == entry.scopes),
            ("upkeep", key.upkeep == entry.upkeep),
            ("faults", key.faults == entry.faults),
            ("cost_centre", key.cost_centre == entry.cost_centre),
            ("expires_at", key.expires_at.map(millis) == entry.expires_at.map(millis)),
        ]);
        let mut rotated = None;
        if entry.secret.is_some() {
            let path = format!("{path}.secret");
            let Some(secret) = self.new_secret(Purpose::DataPlane, path, entry.secret.as_ref()) else {
                return;
            };
            if self.current.key_digests.get(&key.id) != Some(&secret.key.digest) {
                fields.push("secret");
                rotated = Some(rotation(secret));
            }
        }
        if fields.is_empty() {
            return;
        }
        let wanted = KeyChange {
            name: entry.name.clone(),
            team: *team,
            models: entry.models.clone(),
            owner: Some(*owner),
            tags: Some(entry.tags.clone()),
            scopes: Some(entry.scopes.clone()),
            upkeep: Some(entry.upkeep),
            faults: Some(entry.faults),
            cost_centre: Some(entry.cost_centre.clone()),
            expires_at: Some(entry.expires_at),
        };
        let change = change(ChangeKind::Update, "key", &&entry.name, &fields);
        let step = match rotated {
            Some(rotation) => Step::RotateKey(key.id, wanted, rotation),
            None => Step::ChangeKey(key.id, wanted),
        };
        self.step(change, step);
    }
}

/// Whoever writes another secret into a file wants that one and no other.
fn rotation(secret: NewSecret) -> Rotation {
    Rotation {
        digest: secret.key.digest,
        hint: secret.key.hint,
        grace: std::time::Duration::ZERO,
        idempotency_key: None,
    }
}

/// Databases keep times less finely than documents may write them.
fn millis(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
}
