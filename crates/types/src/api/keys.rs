//! Data-plane keys. A secret is shown once, when it is minted; afterwards only its last four characters are known.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::given::given;
use super::{Disabled, KeyOwner, KeyScopes, KeyState, KeyUpkeep, KeyWarning};
use crate::{CostCentre, DisplayName, HumanDuration, KeyId, ModelName, TagName, TeamId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Key {
    pub id: KeyId,
    pub name: DisplayName,
    pub team: Option<TeamId>,
    /// Whose it is; the organization's own when null.
    pub owner: Option<KeyOwner>,
    /// The last four characters of the secret.
    pub hint: String,
    /// The models this key may call; all of the organization's when null.
    pub models: Option<Vec<ModelName>>,
    /// What its requests are tagged with, whatever they say.
    #[serde(default)]
    pub tags: BTreeMap<TagName, DisplayName>,
    #[serde(default)]
    pub scopes: KeyScopes,
    #[serde(default)]
    pub upkeep: KeyUpkeep,
    /// What it costs is charged there, whatever its team says.
    #[serde(default)]
    pub cost_centre: Option<CostCentre>,
    pub state: KeyState,
    pub disabled: Option<Disabled>,
    /// Whether its requests may ask for failures made on purpose, in `x-gw-fault`.
    #[serde(default)]
    pub faults: bool,
    pub expires_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    pub revoked_at: Option<DateTime<Utc>>,
    /// To the minute; null when nobody used it yet.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Since when the secret is the one it is.
    pub secret_made_at: DateTime<Utc>,
    /// Secrets from before rotations that still work for a while.
    #[serde(default)]
    pub former_secrets: Vec<FormerSecret>,
    /// When the secret is to be rotated, by its schedule.
    pub rotation_due_at: Option<DateTime<Utc>>,
    /// When the key is disabled, unless somebody uses or rotates it.
    pub disables_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub warnings: Vec<KeyWarning>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FormerSecret {
    /// Its last four characters.
    pub hint: String,
    pub ends_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    pub name: DisplayName,
    #[serde(default)]
    pub team: Option<TeamId>,
    /// When absent, whoever makes it, and nobody's for a token's; the organization's own when null.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub owner: Option<Option<KeyOwner>>,
    #[serde(default)]
    pub models: Option<Vec<ModelName>>,
    #[serde(default)]
    pub tags: BTreeMap<TagName, DisplayName>,
    #[serde(default)]
    pub scopes: KeyScopes,
    #[serde(default)]
    pub upkeep: KeyUpkeep,
    #[serde(default)]
    pub faults: bool,
    /// Its team's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_centre: Option<CostCentre>,
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
    /// Import this secret (20 characters or more) instead of minting one.
    #[serde(default)]
    pub secret: Option<String>,
}

/// Replaces name, team and models. What is absent of the others stays as it is; each that is there is replaced as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct KeyChange {
    pub name: DisplayName,
    pub team: Option<TeamId>,
    pub models: Option<Vec<ModelName>>,
    /// The organization's own when null.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub owner: Option<Option<KeyOwner>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<TagName, DisplayName>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<KeyScopes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upkeep: Option<KeyUpkeep>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faults: Option<bool>,
    /// Its team's when null.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub cost_centre: Option<Option<CostCentre>>,
    /// Never when null.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Option<DateTime<Utc>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MintedKey {
    pub key: Key,
    /// Shown this once. Null when the secret was imported.
    pub secret: Option<String>,
}

/// A new secret for a key that stays the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewRotation {
    /// How long the secret from before still works beside the new one: from `0s` to `90d`.
    #[serde(default = "usual_grace")]
    pub grace: HumanDuration,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RotatedKey {
    pub key: Key,
    /// Shown this once. Null for a call that repeats an earlier one by its `Idempotency-Key`: the secret was in the answer
    /// to that one. When it was lost, rotate with another `Idempotency-Key`.
    pub secret: Option<String>,
    /// An earlier call with the same `Idempotency-Key` made the secret.
    pub repeated: bool,
}

/// A secret that was found where others can read it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewLeak {
    pub secret: String,
}

impl std::fmt::Debug for NewLeak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewLeak")
    }
}

impl KeyChange {
    /// One that changes nothing of a key.
    pub fn keeping(key: &Key) -> Self {
        Self {
            name: key.name.clone(),
            team: key.team,
            models: key.models.clone(),
            owner: None,
            tags: None,
            scopes: None,
            upkeep: None,
            faults: None,
            cost_centre: None,
            expires_at: None,
        }
    }
}

impl NewRotation {
    pub const LONGEST_GRACE: HumanDuration = HumanDuration::from_millis(90 * 86_400_000);
}

const fn usual_grace() -> HumanDuration {
    HumanDuration::from_millis(86_400_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_tells_nothing_from_what_is_left_out() {
        let read = |text: &str| serde_json::from_str::<KeyChange>(text).expect("a change");

        let silent = read(r#"{"name":"a","team":null,"models":null}"#);
        let cleared = read(r#"{"name":"a","team":null,"models":null,"owner":null,"expires_at":null}"#);

        assert_eq!((silent.owner, silent.expires_at), (None, None));
        assert_eq!((cleared.owner, cleared.expires_at), (Some(None), Some(None)));
        for change in [silent, cleared] {
            let written = serde_json::to_string(&change).expect("a text");
            assert_eq!(read(&written), change);
        }
    }
}
