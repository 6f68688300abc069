//! Typed identifiers: a UUID v7 each, written with a prefix that says what it names (`key_0198…`).

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Why a text is not an identifier of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdError {
    expected: &'static str,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "expected an identifier like {}_ followed by 32 hexadecimal digits",
            self.expected
        )
    }
}

impl std::error::Error for IdError {}

fn parse(prefix: &'static str, text: &str) -> Result<Uuid, IdError> {
    text.strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .filter(|hex| hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
        .and_then(|hex| Uuid::try_parse(hex).ok())
        .ok_or(IdError { expected: prefix })
}

/// An identifier's text form, made without the formatting machinery: each request writes half a dozen of them.
#[derive(Debug, Clone, Copy)]
pub struct Written {
    text: [u8; Self::LONGEST],
    length: usize,
}

impl Written {
    const LONGEST: usize = 48;

    fn new(prefix: &'static str, uuid: Uuid) -> Self {
        let mut text = [b'_'; Self::LONGEST];
        let (head, rest) = text.split_at_mut(prefix.len());
        head.copy_from_slice(prefix.as_bytes());
        if let Some(hex) = rest.get_mut(1..) {
            uuid.as_simple().encode_lower(hex);
        }
        Self {
            text,
            length: prefix.len() + 1 + uuid::fmt::Simple::LENGTH,
        }
    }

    pub fn as_str(&self) -> &str {
        let text = self.text.get(..self.length).unwrap_or_default();
        std::str::from_utf8(text).expect("a prefix and hexadecimal digits are ASCII")
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// What its text form starts with.
            pub const PREFIX: &'static str = $prefix;

            /// A fresh identifier; later ones sort after earlier ones.
            #[cfg(feature = "mint")]
            pub fn mint() -> Self {
                Self(Uuid::now_v7())
            }

            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// The text form, for where a borrowed text is wanted.
            pub fn written(self) -> Written {
                Written::new($prefix, self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(Written::new($prefix, self.0).as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse($prefix, text).map(Self)
            }
        }

        impl Serialize for $name {
            /// Formats that no person reads get the bare number.
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if !serializer.is_human_readable() {
                    return self.0.serialize(serializer);
                }
                serializer.serialize_str(Written::new($prefix, self.0).as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if !deserializer.is_human_readable() {
                    return Uuid::deserialize(deserializer).map(Self);
                }
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": concat!("^", $prefix, "_[0-9a-f]{32}$") })
            }
        }
    )+};
}

ids! {
    /// An organization: the tenant everything else belongs to.
    OrganizationId = "org";
    /// Somebody who can sign in; may belong to several organizations.
    PersonId = "per";
    InvitationId = "inv";
    TeamId = "team";
    /// A data-plane key (`gw-…`).
    KeyId = "key";
    /// What keys of programs belong to.
    ServiceAccountId = "svc";
    ProviderId = "prov";
    /// One of a provider's credentials.
    CredentialId = "cred";
    /// A name callers can ask for, with its route.
    ModelId = "mod";
    /// A price that overrides the catalogue's.
    PriceId = "price";
    /// An organization's own facts of a model.
    OverlayId = "fact";
    /// A catalogue that was brought in.
    CatalogRefreshId = "refresh";
    BudgetId = "bud";
    /// More of a budget for a while.
    IncreaseId = "inc";
    /// Somebody wants a budget raised.
    BudgetRequestId = "ask";
    LimitId = "lim";
    SessionId = "ses";
    /// A control-plane token (`gwt-…`).
    TokenId = "tok";
    AuditId = "aud";
    /// One request on the data plane; its usage record has the same identifier.
    RequestId = "req";
    /// One running installation of the server with its own data directory.
    NodeId = "node";
    /// A run that prices requests anew.
    RepriceId = "rpr";
}

impl OrganizationId {
    /// Stands where others name their organization in what belongs to the installation itself.
    pub const INSTALLATION: Self = Self(Uuid::nil());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_rejects_other_kinds() {
        let id: KeyId = "key_0198c0de00007000800000000000002a"
            .parse()
            .expect("a well-formed id");

        assert_eq!(id.to_string(), "key_0198c0de00007000800000000000002a");
        assert!("team_0198c0de00007000800000000000002a".parse::<KeyId>().is_err());
        assert!("key_0198C0DE00007000800000000000002A".parse::<KeyId>().is_err());
        assert!("key_../../etc/passwd".parse::<KeyId>().is_err());
    }
}
