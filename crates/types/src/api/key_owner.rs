//! Whose key it is: a member's, or a service account's, which stays when people leave.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{IdError, PersonId, ServiceAccountId};

/// Written as the identifier, which says by itself what it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyOwner {
    Member(PersonId),
    ServiceAccount(ServiceAccountId),
}

impl KeyOwner {
    pub const fn person(self) -> Option<PersonId> {
        match self {
            Self::Member(person) => Some(person),
            Self::ServiceAccount(_) => None,
        }
    }

    pub const fn service_account(self) -> Option<ServiceAccountId> {
        match self {
            Self::Member(_) => None,
            Self::ServiceAccount(account) => Some(account),
        }
    }
}

impl fmt::Display for KeyOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(person) => person.fmt(f),
            Self::ServiceAccount(account) => account.fmt(f),
        }
    }
}

impl FromStr for KeyOwner {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.split_once('_') {
            Some((ServiceAccountId::PREFIX, _)) => text.parse().map(Self::ServiceAccount),
            Some(_) | None => text.parse().map(Self::Member),
        }
    }
}

impl Serialize for KeyOwner {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyOwner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for KeyOwner {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "KeyOwner".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^(per|svc)_[0-9a-f]{32}$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_known_by_the_kind_of_its_identifier() {
        for text in [
            "per_0198c0de00007000800000000000002a",
            "svc_0198c0de00007000800000000000002a",
        ] {
            let owner: KeyOwner = text.parse().expect(text);
            assert_eq!(owner.to_string(), text);
            assert_eq!(owner.person().is_some(), text.starts_with("per"));
        }
        assert!("team_0198c0de00007000800000000000002a".parse::<KeyOwner>().is_err());
    }
}
