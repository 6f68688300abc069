//! Whom or what a budget or a limit is for. In the API others are named by their identifiers, in the configuration file
//! by their names, so the shape is written once over both.

use serde::{Deserialize, Serialize};

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

impl<T, P, K, C> LimitScope<T, P, K, C> {
    /// As it is in the database, in logs and in messages.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Team(_) => "team",
            Self::User(_) => "user",
            Self::Key(_) => "key",
            Self::EndUser(_) => "end_user",
            Self::Tag(_) => "tag",
            Self::Provider(_) => "provider",
            Self::Model(_) => "model",
            Self::Credential(_) => "credential",
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
