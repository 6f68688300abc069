//! The budgets and limits of an organization, by whom and what they are for: a request finds those on its path without
//! looking at the others.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use gatewright_cel::{Expression, Zone};
use gatewright_types::api::{BudgetSpec, LimitScope, LimitSpec, Which};
use gatewright_types::{BudgetId, CredentialId, DisplayName, LimitId, ModelName, PersonId, Slug, TagName, TeamId};

use crate::compile::budget;
use crate::{BudgetUnit, MetPeriods};

#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    pub id: BudgetId,
    pub scope: LimitScope,
    pub spec: BudgetSpec,
    pub zone: Zone,
    /// When it was made, as far as that is known.
    pub since: Option<DateTime<Utc>>,
    /// In force until their time is over, by nanos and the end in milliseconds since 1970.
    pub increases: Vec<(i64, i64)>,
    pub met: MetPeriods,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RateLimit {
    pub id: LimitId,
    pub scope: LimitScope,
    pub spec: LimitSpec,
    /// What a request counts against its limits of tokens. Absent where input and output count alike.
    pub units: Option<Expression>,
}

/// What holds for one of those a request may have on its path.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Caps {
    pub budgets: Vec<Arc<Budget>>,
    pub limits: Vec<Arc<RateLimit>>,
}

/// All of an organization but those of keys, which are with their keys.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CapsByScope {
    organization: Caps,
    teams: HashMap<TeamId, Caps>,
    users: HashMap<PersonId, Caps>,
    end_users: CapsByName,
    tags: HashMap<TagName, CapsByName>,
    models: HashMap<ModelName, Caps>,
    providers: HashMap<Slug, Caps>,
    credentials: HashMap<CredentialId, Caps>,
}

/// Of those that come with requests.
#[derive(Debug, Clone, Default, PartialEq)]
struct CapsByName {
    each: Caps,
    named: HashMap<DisplayName, Caps>,
}

/// Somebody or something on a request's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    Organization,
    Team(TeamId),
    User(PersonId),
    EndUser(&'a str),
    Tag(&'a TagName, &'a str),
    Model(&'a ModelName),
    Provider(&'a Slug),
    Credential(CredentialId),
}

impl Budget {
    /// As nodes count by it; nothing where it does not compile.
    pub fn compiled(id: BudgetId, unit: &BudgetUnit) -> Option<Self> {
        budget(id, unit).ok()
    }
}

impl Caps {
    pub fn is_empty(&self) -> bool {
        self.budgets.is_empty() && self.limits.is_empty()
    }
}

impl CapsByScope {
    /// There are none, but perhaps with keys.
    pub fn is_empty(&self) -> bool {
        let Self {
            organization,
            teams,
            users,
            end_users,
            tags,
            models,
            providers,
            credentials,
        } = self;
        organization.is_empty()
            && teams.is_empty()
            && users.is_empty()
            && end_users.each.is_empty()
            && end_users.named.is_empty()
            && tags.is_empty()
            && models.is_empty()
            && providers.is_empty()
            && credentials.is_empty()
    }

    pub(crate) fn add_budget(&mut self, budget: Budget) {
        if let Some(caps) = self.of_scope(&budget.scope.clone()) {
            caps.budgets.push(Arc::new(budget));
        }
    }

    pub(crate) fn add_limit(&mut self, limit: RateLimit) {
        if let Some(caps) = self.of_scope(&limit.scope.clone()) {
            caps.limits.push(Arc::new(limit));
        }
    }

    /// What holds for each for itself, then what holds for this one. Empty ones are left out.
    pub fn of(&self, subject: Subject<'_>) -> impl Iterator<Item = &Caps> {
        let (each, one) = match subject {
            Subject::Organization => (None, Some(&self.organization)),
            Subject::Team(team) => (None, self.teams.get(&team)),
            Subject::User(person) => (None, self.users.get(&person)),
            Subject::EndUser(name) => (Some(&self.end_users.each), self.end_users.named.get(name)),
            Subject::Tag(tag, value) => {
                let tag = self.tags.get(tag);
                (tag.map(|tag| &tag.each), tag.and_then(|tag| tag.named.get(value)))
            }
            Subject::Model(model) => (None, self.models.get(model)),
            Subject::Provider(provider) => (None, self.providers.get(provider)),
            Subject::Credential(credential) => (None, self.credentials.get(&credential)),
        };
        each.into_iter().chain(one).filter(|caps| !caps.is_empty())
    }

    fn of_scope(&mut self, scope: &LimitScope) -> Option<&mut Caps> {
        Some(match scope {
            LimitScope::Organization => &mut self.organization,
            LimitScope::Team(team) => self.teams.entry(*team).or_default(),
            LimitScope::User(person) => self.users.entry(*person).or_default(),
            LimitScope::EndUser(Which::Each(_)) => &mut self.end_users.each,
            LimitScope::EndUser(Which::One(name)) => self.end_users.named.entry(name.clone()).or_default(),
            LimitScope::Tag(tag) => {
                let of_tag = self.tags.entry(tag.name.clone()).or_default();
                match &tag.value {
                    Some(value) => of_tag.named.entry(value.clone()).or_default(),
                    None => &mut of_tag.each,
                }
            }
            LimitScope::Model(model) => self.models.entry(model.clone()).or_default(),
            LimitScope::Provider(provider) => self.providers.entry(provider.clone()).or_default(),
            LimitScope::Credential(credential) => self.credentials.entry(*credential).or_default(),
            LimitScope::Key(_) => return None,
        })
    }
}
