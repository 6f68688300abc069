//! Whom or what a budget or a limit is for. In the API others are named by their identifiers, in the configuration file
//! by their names, so the shape is written once over both.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::catalog::words;
use crate::{CredentialId, DisplayName, KeyId, ModelName, PersonId, Slug, TagName, TeamId};

/// `"organization"`, `{"team": "team_…"}`, `{"end_user": {"each": true}}`, `{"tag": {"name": "project", "value": "apollo"}}`.
/// `T`, `P`, `K` and `C` are how teams, people, keys and credentials are named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LimitScope<T = TeamId, P = PersonId, K = KeyId, C = CredentialId> {
    /// All of the organization's requests.
    Organization,
    Team(T),
    /// The keys that a person owns.
    User(P),
    Key(K),
    /// Whom the caller answers, as the request names them.
    EndUser(Which),
    /// Requests with a tag.
    Tag(TagScope),
    /// What is asked of a provider.
    Provider(Slug),
    /// What is asked by a model's name.
    Model(ModelName),
    /// What is asked with one of a provider's credentials.
    Credential(C),
}

/// One by its name, or each for itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Which {
    One(DisplayName),
    Each(Each),
}

/// `{"each": true}`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Each {
    pub each: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TagScope {
    pub name: TagName,
    /// Each of the tag's values for itself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<DisplayName>,
}

words! {
    /// What sort of thing a scope names, as it is in the database, in logs and in messages.
    ScopeKind {
        Organization = "organization",
        Team = "team",
        User = "user",
        Key = "key",
        EndUser = "end_user",
        Tag = "tag",
        Provider = "provider",
        Model = "model",
        Credential = "credential",
    }
}

impl fmt::Display for ScopeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A list of budgets or limits, of one kind of scope or of one scope only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LimitScopeQuery {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<ScopeKind>,
    /// With `scope`: an identifier of a team, user, key or credential, a name of an end user, provider or model, or
    /// `tag=value`. Empty for what is for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

impl<T, P, K, C> LimitScope<T, P, K, C>
where
    T: fmt::Display,
    P: fmt::Display,
    K: fmt::Display,
    C: fmt::Display,
{
    /// `team Search`, `each end user`.
    pub fn in_words(&self) -> String {
        match self {
            Self::Organization => "the organization".to_owned(),
            Self::Team(team) => format!("team {team}"),
            Self::User(person) => format!("user {person}"),
            Self::Key(key) => format!("key {key}"),
            Self::EndUser(Which::Each(_)) => "each end user".to_owned(),
            Self::EndUser(Which::One(name)) => format!("end user {name}"),
            Self::Tag(TagScope { name, value: None }) => format!("each value of tag {name}"),
            Self::Tag(TagScope {
                name,
                value: Some(value),
            }) => format!("tag {name}={value}"),
            Self::Provider(provider) => format!("provider {provider}"),
            Self::Model(model) => format!("model {model}"),
            Self::Credential(credential) => format!("credential {credential}"),
        }
    }
}

impl LimitScope {
    /// What tells it from others of its kind: see `LimitScopeQuery::subject`.
    pub fn subject(&self) -> String {
        match self {
            Self::Organization | Self::EndUser(Which::Each(_)) => String::new(),
            Self::Team(team) => team.to_string(),
            Self::User(person) => person.to_string(),
            Self::Key(key) => key.to_string(),
            Self::EndUser(Which::One(name)) => name.to_string(),
            Self::Tag(TagScope { name, value: None }) => name.to_string(),
            Self::Tag(TagScope {
                name,
                value: Some(value),
            }) => format!("{name}={value}"),
            Self::Provider(provider) => provider.to_string(),
            Self::Model(model) => model.to_string(),
            Self::Credential(credential) => credential.to_string(),
        }
    }
}

impl<T, P, K, C> LimitScope<T, P, K, C> {
    /// The same, with what it names named in another way.
    pub fn renamed<T2, P2, K2, C2, E>(
        &self,
        team: impl FnOnce(&T) -> Result<T2, E>,
        user: impl FnOnce(&P) -> Result<P2, E>,
        key: impl FnOnce(&K) -> Result<K2, E>,
        credential: impl FnOnce(&C) -> Result<C2, E>,
    ) -> Result<LimitScope<T2, P2, K2, C2>, E> {
        Ok(match self {
            Self::Organization => LimitScope::Organization,
            Self::Team(name) => LimitScope::Team(team(name)?),
            Self::User(name) => LimitScope::User(user(name)?),
            Self::Key(name) => LimitScope::Key(key(name)?),
            Self::EndUser(which) => LimitScope::EndUser(which.clone()),
            Self::Tag(tag) => LimitScope::Tag(tag.clone()),
            Self::Provider(provider) => LimitScope::Provider(provider.clone()),
            Self::Model(model) => LimitScope::Model(model.clone()),
            Self::Credential(name) => LimitScope::Credential(credential(name)?),
        })
    }

    pub const fn kind(&self) -> ScopeKind {
        match self {
            Self::Organization => ScopeKind::Organization,
            Self::Team(_) => ScopeKind::Team,
            Self::User(_) => ScopeKind::User,
            Self::Key(_) => ScopeKind::Key,
            Self::EndUser(_) => ScopeKind::EndUser,
            Self::Tag(_) => ScopeKind::Tag,
            Self::Provider(_) => ScopeKind::Provider,
            Self::Model(_) => ScopeKind::Model,
            Self::Credential(_) => ScopeKind::Credential,
        }
    }

    /// Whether everybody it is about has an amount for themselves.
    pub const fn is_for_each(&self) -> bool {
        match self {
            Self::EndUser(Which::Each(_)) => true,
            Self::Tag(tag) => tag.value.is_none(),
            Self::Organization
            | Self::Team(_)
            | Self::User(_)
            | Self::Key(_)
            | Self::EndUser(Which::One(_))
            | Self::Provider(_)
            | Self::Model(_)
            | Self::Credential(_) => false,
        }
    }
}
