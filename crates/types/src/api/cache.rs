//! What of a model's answers is kept, for whom and for how long, what is void of it, and what its providers keep of
//! prompts. The same shapes are in the API, in the configuration file and in the published configuration.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{CacheNamespace, DisplayName, HumanDuration, KeyId, ModelId, TagName, TeamId};

/// Equal requests to the model are answered from what was answered before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CacheSettings {
    /// How long an answer is kept, from `1s` to `30d`.
    pub ttl: HumanDuration,
    /// Whose requests share answers.
    #[serde(default)]
    pub scope: CacheScope,
    /// Equal requests that can only be answered alike (temperature 0, a seed, or embeddings) and that run at the same time
    /// on one node share one call to the provider.
    #[serde(default = "usual_coalesce")]
    pub coalesce: bool,
}

/// Whose requests share answers. Nobody shares any with another organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CacheScope {
    Key,
    /// The caller's end user, as the request names it; without a name, the key.
    User,
    /// The key's team; without a team, the key.
    #[default]
    Team,
    Organization,
}

/// Whether providers are asked to keep what prompts begin with, for callers who do not ask themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PromptCache {
    /// Requests go as they are.
    #[default]
    Off,
    /// Models of Anthropic's get marks at the ends of the tools, of the system prompt and of the user's last message, where
    /// that is long enough; OpenAI and Azure get a `prompt_cache_key` made of the organization, the model and the beginning.
    Auto,
}

impl PromptCache {
    pub const ALL: [Self; 2] = [Self::Off, Self::Auto];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Auto => "auto",
        }
    }

    pub fn is_off(&self) -> bool {
        *self == Self::Off
    }
}

/// The order to answer nothing more from what was kept so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewCachePurge {
    pub of: PurgedAnswers,
}

/// Answers that were kept before a purge are void.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CachePurge {
    pub of: PurgedAnswers,
    pub at: DateTime<Utc>,
}

/// Which answers a purge means: `"everything"`, or those of one model, key, team, namespace or tag, as in
/// `{"model": "mdl_…"}` or `{"tag": {"name": "project", "value": "apollo"}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PurgedAnswers {
    Everything,
    Model(ModelId),
    /// Those that the key's requests brought.
    Key(KeyId),
    /// Those that the requests of the team's keys brought.
    Team(TeamId),
    /// Those that were asked for with this `x-gw-cache-namespace`.
    Namespace(CacheNamespace),
    /// Those that requests with this tag brought.
    Tag(PurgedTag),
}

/// A tag that requests had: of a key's own, in `x-gw-tags`, or in their metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PurgedTag {
    pub name: TagName,
    /// Any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<DisplayName>,
}

impl PurgedAnswers {
    /// Whether all that the other means is meant by this as well.
    pub fn includes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Everything, _) => true,
            (Self::Tag(tag), Self::Tag(other)) if tag.value.is_none() => tag.name == other.name,
            (ours, theirs) => ours == theirs,
        }
    }
}

impl CacheSettings {
    /// The longest time an answer can be kept, and the shortest.
    pub const LONGEST_TTL: HumanDuration = HumanDuration::from_millis(30 * 86_400_000);
    pub const SHORTEST_TTL: HumanDuration = HumanDuration::from_millis(1_000);
}

impl CacheScope {
    pub const ALL: [Self; 4] = [Self::Key, Self::User, Self::Team, Self::Organization];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::User => "user",
            Self::Team => "team",
            Self::Organization => "organization",
        }
    }
}

const fn usual_coalesce() -> bool {
    true
}
