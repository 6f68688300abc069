//! The budgets and limits that a request meets, the narrowest first: that is the one it is refused by.

use std::sync::Arc;

use gatewright_contract::{Budget, Caller, Caps, RateLimit, Subject};
use gatewright_types::api::{LimitScope, Which};
use gatewright_types::{CredentialId, DisplayName, ModelName, Slug};

use super::who::Who;

/// One of them; of one for each, for whom.
#[derive(Debug, Clone)]
pub(super) struct Met<T> {
    pub(super) it: Arc<T>,
    pub(super) name: Option<DisplayName>,
}

/// What a request goes by.
#[derive(Debug, Clone, Copy)]
pub(super) enum Path<'a> {
    /// Whoever asks, and for what. Absent is a model of a provider's own.
    Asking {
        caller: &'a Caller,
        who: &'a Who,
        model: Option<&'a ModelName>,
    },
    /// Whoever is asked.
    Asked {
        caller: &'a Caller,
        provider: &'a Slug,
        credential: Option<CredentialId>,
    },
}

impl<'a> Path<'a> {
    pub(super) fn budgets(self) -> Vec<Met<Budget>> {
        self.budgets_that(|_| true)
    }

    pub(super) fn budgets_that(self, matter: impl Fn(&Budget) -> bool) -> Vec<Met<Budget>> {
        let mut met = Vec::new();
        self.visit(|caps, name| {
            let those = caps.budgets.iter().filter(|budget| matter(budget));
            met.extend(those.map(|budget| Met::of(budget, &budget.scope, name)));
        });
        met
    }

    pub(super) fn limits(self) -> Vec<Met<RateLimit>> {
        let mut met = Vec::new();
        self.visit(|caps, name| met.extend(caps.limits.iter().map(|limit| Met::of(limit, &limit.scope, name))));
        met
    }

    fn caller(self) -> &'a Caller {
        match self {
            Self::Asking { caller, .. } | Self::Asked { caller, .. } => caller,
        }
    }

    /// What there is to meet, and the name of those for whom it is, where it is for each.
    fn visit(self, mut meet: impl FnMut(&'a Caps, Option<&'a DisplayName>)) {
        let all = &self.caller().tenant.caps;
        let mut meet_all = |subject, name| all.of(subject).for_each(|caps| meet(caps, name));
        match self {
            Self::Asking { caller, who, model } => {
                if let Some(name) = &who.end_user {
                    meet_all(Subject::EndUser(name.as_str()), Some(name));
                }
                if let Some(caps) = caller.key.caps.as_deref() {
                    meet(caps, None);
                }
                let mut meet_all = |subject, name| all.of(subject).for_each(|caps| meet(caps, name));
                if let Some(owner) = caller.key.owner {
                    meet_all(Subject::User(owner), None);
                }
                for (tag, value) in &who.tags {
                    meet_all(Subject::Tag(tag, value.as_str()), Some(value));
                }
                if let Some(team) = caller.key.team {
                    meet_all(Subject::Team(team), None);
                }
                if let Some(model) = model {
                    meet_all(Subject::Model(model), None);
                }
                meet_all(Subject::Organization, None);
            }
            Self::Asked {
                caller: _,
                provider,
                credential,
            } => {
                if let Some(credential) = credential {
                    meet_all(Subject::Credential(credential), None);
                }
                meet_all(Subject::Provider(provider), None);
            }
        }
    }
}

impl<T> Met<T> {
    fn of(it: &Arc<T>, scope: &LimitScope, name: Option<&DisplayName>) -> Self {
        Self {
            it: it.clone(),
            name: name.filter(|_| scope.is_for_each()).cloned(),
        }
    }
}

/// Whom it is for, as callers are told.
pub(super) fn in_words(scope: &LimitScope, name: Option<&DisplayName>, caller: &Caller) -> String {
    let tenant = &caller.tenant;
    match scope {
        LimitScope::Organization => "the organization".to_owned(),
        LimitScope::Team(team) => match tenant.teams.get(team) {
            Some(name) => format!("the team `{name}`"),
            None => "the team".to_owned(),
        },
        LimitScope::User(_) => "the owner of this API key".to_owned(),
        LimitScope::Key(_) => match &caller.key.name {
            Some(name) => format!("the API key `{name}`"),
            None => "this API key".to_owned(),
        },
        LimitScope::EndUser(Which::One(name)) => format!("the end user `{name}`"),
        LimitScope::EndUser(Which::Each(_)) => match name {
            Some(name) => format!("the end user `{name}`"),
            None => "each end user".to_owned(),
        },
        LimitScope::Tag(tag) => match tag.value.as_ref().or(name) {
            Some(value) => format!("the tag `{}={value}`", tag.name),
            None => format!("each value of the tag `{}`", tag.name),
        },
        LimitScope::Provider(provider) => format!("the provider `{provider}`"),
        LimitScope::Model(model) => format!("the model `{model}`"),
        LimitScope::Credential(_) => "a credential of the provider".to_owned(),
    }
}
