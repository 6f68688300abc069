//! Credentials of providers. Secrets go in and never come out; they are texts in the API and references in the
//! configuration file, so the shapes are written once over both.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{CredentialId, DisplayName};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Credential {
    pub id: CredentialId,
    pub name: DisplayName,
    pub kind: CredentialKind,
    pub weight: u32,
    /// The last four characters of the API key, of the AWS access key's id, of the Entra client's id or of the service
    /// account's address.
    pub hint: String,
    pub created_at: DateTime<Utc>,
}

/// How a credential proves who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// A text that goes along with each call.
    #[default]
    ApiKey,
    /// Keys that sign each call, perhaps after taking on a role.
    Aws,
    /// A registered application of Microsoft Entra, which gets tokens.
    Entra,
    /// A service account of Google Cloud, which gets tokens.
    Google,
}

/// A new credential; exactly one kind of secret is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewCredential {
    pub name: DisplayName,
    #[serde(default = "usual_weight")]
    pub weight: u32,
    #[serde(flatten)]
    pub secret: NewSecret,
}

/// What a credential is made of, as plain texts.
pub type NewSecret = CredentialSecret<String, String>;

/// What a credential is made of. `S` is how secrets are written, `T` how the other texts are.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CredentialSecret<S, T> {
    ApiKey(S),
    Aws(AwsKeys<S, T>),
    Entra(EntraClient<S, T>),
    Google(GoogleAccount<S>),
}

/// Keys of AWS.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(deny_unknown_fields)]
pub struct AwsKeys<S, T> {
    pub access_key_id: T,
    pub secret_access_key: S,
    /// For keys that expire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_token: Option<S>,
    /// A role to take on with the keys: `arn:aws:iam::123456789012:role/gateway`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<T>,
    /// Where the role is taken on, when not at the region's own Security Token Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_url: Option<T>,
}

/// A registered application of Microsoft Entra.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(deny_unknown_fields)]
pub struct EntraClient<S, T> {
    pub tenant_id: T,
    pub client_id: T,
    pub client_secret: S,
    /// Where tokens are given out, when not at `https://login.microsoftonline.com`; the tenant's path is put behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_url: Option<T>,
}

/// A service account of Google Cloud.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(deny_unknown_fields)]
pub struct GoogleAccount<S> {
    /// The JSON of the key file, as one text.
    pub service_account: S,
}

pub(super) fn usual_weight() -> u32 {
    1
}

impl CredentialKind {
    pub const ALL: [Self; 4] = [Self::ApiKey, Self::Aws, Self::Entra, Self::Google];

    /// Also the field that holds a secret of this kind.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::Aws => "aws",
            Self::Entra => "entra",
            Self::Google => "google",
        }
    }
}

impl<S, T> CredentialSecret<S, T> {
    pub const fn kind(&self) -> CredentialKind {
        match self {
            Self::ApiKey(_) => CredentialKind::ApiKey,
            Self::Aws(_) => CredentialKind::Aws,
            Self::Entra(_) => CredentialKind::Entra,
            Self::Google(_) => CredentialKind::Google,
        }
    }
}

/// Only the kind: whatever the texts are, some of them are secrets.
impl<S, T> fmt::Debug for CredentialSecret<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().as_str())
    }
}

impl<S, T> fmt::Debug for AwsKeys<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsKeys").finish_non_exhaustive()
    }
}

impl<S, T> fmt::Debug for EntraClient<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntraClient").finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for GoogleAccount<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GoogleAccount").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: Value) -> Result<NewCredential, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_credential_holds_exactly_one_kind_of_secret() {
        let aws = json!({"access_key_id": "AKIA", "secret_access_key": "s"});

        let read_back = read(json!({"name": "a", "aws": aws})).expect("a credential");

        assert_eq!((read_back.secret.kind(), read_back.weight), (CredentialKind::Aws, 1));
        assert_eq!(
            serde_json::to_value(&read_back).expect("JSON"),
            json!({"name": "a", "weight": 1, "aws": aws})
        );
        for wrong in [
            json!({"name": "a"}),
            json!({"name": "a", "api_key": "k", "aws": aws}),
            json!({"name": "a", "api_key": "k", "extra": 1}),
            json!({"name": "a", "aws": {"access_key_id": "AKIA", "secret_access_key": "s", "extra": 1}}),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn debug_output_tells_only_the_kind() {
        let credential = read(json!({"name": "a", "api_key": "sk-canary"})).expect("a credential");

        assert!(!format!("{credential:?}").contains("canary"));
    }
}
