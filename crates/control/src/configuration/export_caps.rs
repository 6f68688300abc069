//! Budgets and limits as entries: those of teams and keys stand with them, all others in lists of their own.

use std::collections::{BTreeMap, HashMap};

use gatewright_types::api::{BudgetEntry, BudgetSpec, CredentialName, LimitEntry, LimitScope, LimitSpec, NamedScope};

use super::current::Current;

#[derive(Debug, Default)]
pub(super) struct CapEntries {
    budgets: BTreeMap<NamedScope, Vec<BudgetSpec>>,
    limits: BTreeMap<NamedScope, Vec<LimitSpec>>,
}

impl CapEntries {
    pub(super) fn of(current: &Current) -> Self {
        let names = Names::of(current);
        let mut entries = Self::default();
        for row in &current.budgets {
            if let Some(scope) = names.scope(&row.scope) {
                entries.budgets.entry(scope).or_default().push(row.spec.clone());
            }
        }
        for specs in entries.budgets.values_mut() {
            specs.sort_by_key(|spec| spec.window);
        }
        for row in &current.limits {
            if let Some(scope) = names.scope(&row.scope) {
                entries.limits.entry(scope).or_default().push(row.spec.clone());
            }
        }
        for specs in entries.limits.values_mut() {
            specs.sort_by_key(|spec| spec.shadow);
        }
        entries
    }

    /// What stands with a team or key: all of its budgets, and its limit. One in shadow has no place there.
    pub(super) fn take(&mut self, holder: &NamedScope) -> (Option<Vec<BudgetSpec>>, Option<LimitSpec>) {
        let budgets = self.budgets.remove(holder);
        let limits = self.limits.get_mut(holder).and_then(|specs| {
            let there = specs.iter().position(|spec| !spec.shadow)?;
            Some(specs.remove(there))
        });
        (budgets, limits)
    }

    /// All that nobody took.
    pub(super) fn rest(self) -> (Vec<BudgetEntry>, Vec<LimitEntry>) {
        let budgets = self.budgets.into_iter().flat_map(|(scope, specs)| {
            let entry = move |spec| BudgetEntry {
                scope: scope.clone(),
                spec,
            };
            specs.into_iter().map(entry)
        });
        let limits = self.limits.into_iter().flat_map(|(scope, specs)| {
            let entry = move |spec| LimitEntry {
                scope: scope.clone(),
                spec,
            };
            specs.into_iter().map(entry)
        });
        (budgets.collect(), limits.collect())
    }
}

/// Names by the identifiers that scopes have.
struct Names(HashMap<LimitScope, NamedScope>);

impl Names {
    fn of(current: &Current) -> Self {
        let teams = current.teams.iter();
        let teams = teams.map(|team| (LimitScope::Team(team.id), NamedScope::Team(team.name.clone())));
        let people = current.members.iter();
        let people = people.map(|member| (LimitScope::User(member.id), NamedScope::User(member.email.clone())));
        let keys = current.keys.iter();
        let keys = keys.map(|key| (LimitScope::Key(key.id), NamedScope::Key(key.name.clone())));
        let credentials = current.providers.iter().flat_map(|(provider, credentials)| {
            credentials.iter().map(|credential| {
                let (provider, name) = (provider.name.clone(), credential.name.clone());
                let scope = NamedScope::Credential(CredentialName { provider, name });
                (LimitScope::Credential(credential.id), scope)
            })
        });
        Self(teams.chain(people).chain(keys).chain(credentials).collect())
    }

    fn scope(&self, scope: &LimitScope) -> Option<NamedScope> {
        match scope {
            LimitScope::Organization => Some(NamedScope::Organization),
            LimitScope::EndUser(which) => Some(NamedScope::EndUser(which.clone())),
            LimitScope::Tag(tag) => Some(NamedScope::Tag(tag.clone())),
            LimitScope::Provider(provider) => Some(NamedScope::Provider(provider.clone())),
            LimitScope::Model(model) => Some(NamedScope::Model(model.clone())),
            LimitScope::Team(_) | LimitScope::User(_) | LimitScope::Key(_) | LimitScope::Credential(_) => {
                self.0.get(scope).cloned()
            }
        }
    }
}
