//! A credential's secret as the text that is sealed, and back as what a call needs. An API key is its own text and so is
//! a service account's key file; what has several parts is a JSON object, so that it is sealed as one.

use gatewright_types::CredentialId;
use gatewright_types::api::{AwsKeys, CredentialKind, CredentialSecret, EntraClient, GoogleAccount, NewSecret};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{BaseUrl, Credential, Keyring, OpenError, Sealed, Secret};

/// What a call needs to prove who makes it.
#[derive(Debug, Clone)]
pub enum OpenedCredential {
    ApiKey(Secret),
    Aws(AwsIdentity),
    Entra(EntraIdentity),
    Google(GoogleIdentity),
}

#[derive(Debug, Clone)]
pub struct AwsIdentity {
    pub access_key_id: String,
    pub secret_access_key: Secret,
    pub session_token: Option<Secret>,
    /// The role that is taken on with the keys.
    pub role_arn: Option<String>,
    /// Where it is taken on, when not at the region's own service.
    pub token_url: Option<BaseUrl>,
}

#[derive(Debug, Clone)]
pub struct EntraIdentity {
    pub tenant_id: String,
    pub client_id: String,
    pub client_secret: Secret,
    /// Where tokens are given out, when not where they usually are.
    pub token_url: Option<BaseUrl>,
}

/// A service account's key file, as far as it is needed.
#[derive(Debug, Clone)]
pub struct GoogleIdentity {
    pub client_email: String,
    /// An RSA key in PEM.
    pub private_key: Secret,
    pub private_key_id: Option<String>,
    /// Where tokens are given out, when the file says so.
    pub token_url: Option<BaseUrl>,
}

/// Why a credential cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    #[error("a credential cannot be opened")]
    Sealed(#[from] OpenError),
    #[error("a credential's secret is not in the form that its kind has")]
    Unreadable,
}

/// Why a text is no service account's key file; reads as the rest of a sentence about the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    #[error("must be the JSON of a service account's key file, as one text")]
    NotAKeyFile,
    #[error("must be of the type service_account: no other file of Google's can be used")]
    OtherType,
    #[error("must hold a private key in PEM in private_key")]
    NoPrivateKey,
    #[error("must hold an https address in token_uri")]
    TokenAddress,
}

impl OpenedCredential {
    pub fn open(keyring: &Keyring, credential: &Credential) -> Result<Self, CredentialError> {
        Self::open_sealed(keyring, credential.id, credential.kind, &credential.sealed)
    }

    pub fn open_sealed(
        keyring: &Keyring,
        id: CredentialId,
        kind: CredentialKind,
        sealed: &Sealed,
    ) -> Result<Self, CredentialError> {
        let text = keyring.open(sealed, &id.to_string())?;
        Ok(match kind {
            CredentialKind::ApiKey => Self::ApiKey(text),
            CredentialKind::Aws => {
                let AwsKeys {
                    access_key_id,
                    secret_access_key,
                    session_token,
                    role_arn,
                    token_url,
                } = parts::<AwsKeys<String, String>>(&text)?;
                Self::Aws(AwsIdentity {
                    access_key_id,
                    secret_access_key: Secret::new(secret_access_key),
                    session_token: session_token.map(Secret::new),
                    role_arn,
                    token_url: address(token_url)?,
                })
            }
            CredentialKind::Entra => {
                let EntraClient {
                    tenant_id,
                    client_id,
                    client_secret,
                    token_url,
                } = parts::<EntraClient<String, String>>(&text)?;
                Self::Entra(EntraIdentity {
                    tenant_id,
                    client_id,
                    client_secret: Secret::new(client_secret),
                    token_url: address(token_url)?,
                })
            }
            CredentialKind::Google => {
                let identity = GoogleIdentity::parse(text.expose()).map_err(|_| CredentialError::Unreadable)?;
                Self::Google(identity)
            }
        })
    }

    /// Every text in it that nobody may see.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let (first, second) = match self {
            Self::ApiKey(secret) => (secret, None),
            Self::Aws(identity) => (&identity.secret_access_key, identity.session_token.as_ref()),
            Self::Entra(identity) => (&identity.client_secret, None),
            Self::Google(identity) => (&identity.private_key, None),
        };
        std::iter::once(first).chain(second)
    }
}

impl GoogleIdentity {
    pub fn parse(text: &str) -> Result<Self, KeyFileError> {
        #[derive(Deserialize)]
        struct KeyFile {
            #[serde(rename = "type")]
            kind: String,
            client_email: Option<String>,
            private_key: Option<String>,
            private_key_id: Option<String>,
            token_uri: Option<String>,
        }
        let file: KeyFile = serde_json::from_str(text).map_err(|_| KeyFileError::NotAKeyFile)?;
        if file.kind != "service_account" {
            return Err(KeyFileError::OtherType);
        }
        let private_key = file.private_key.map(Secret::new);
        let in_pem = |secret: &Secret| secret.expose().trim_start().starts_with("-----BEGIN ");
        let token_url = file.token_uri.map(|address| address.parse::<BaseUrl>());
        Ok(Self {
            client_email: file.client_email.ok_or(KeyFileError::NotAKeyFile)?,
            private_key: private_key.filter(in_pem).ok_or(KeyFileError::NoPrivateKey)?,
            private_key_id: file.private_key_id,
            token_url: token_url.transpose().map_err(|_| KeyFileError::TokenAddress)?,
        })
    }
}

/// The text that is sealed. The same secret gives the same text.
pub fn secret_text(secret: &NewSecret) -> Secret {
    let json = |text: serde_json::Result<String>| text.expect("texts are always JSON");
    Secret::new(match secret {
        CredentialSecret::ApiKey(key) => key.clone(),
        CredentialSecret::Aws(keys) => json(serde_json::to_string(keys)),
        CredentialSecret::Entra(client) => json(serde_json::to_string(client)),
        CredentialSecret::Google(GoogleAccount { service_account }) => service_account.clone(),
    })
}

fn address(text: Option<String>) -> Result<Option<BaseUrl>, CredentialError> {
    let parsed = text.map(|text| text.parse());
    parsed.transpose().map_err(|_| CredentialError::Unreadable)
}

fn parts<T: DeserializeOwned>(text: &Secret) -> Result<T, CredentialError> {
    serde_json::from_str(text.expose()).map_err(|_| CredentialError::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY_FILE: &str = r#"{"type": "service_account", "project_id": "p", "private_key_id": "kid",
        "private_key": "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n",
        "client_email": "gateway@p.iam.gserviceaccount.com", "token_uri": "https://oauth2.googleapis.com/token"}"#;

    fn opened(secret: &NewSecret) -> OpenedCredential {
        let keyring = Keyring::parse(Keyring::mint().expose()).expect("a minted key parses");
        let id = CredentialId::mint();
        let credential = Credential {
            id,
            weight: 1,
            kind: secret.kind(),
            sealed: keyring.seal(&secret_text(secret), &id.to_string()),
        };
        OpenedCredential::open(&keyring, &credential).expect("it opens")
    }

    #[test]
    fn each_kind_comes_back_as_it_was_sealed_and_tells_nothing() {
        let key = opened(&NewSecret::ApiKey("sk-canary".to_owned()));
        let aws = opened(&NewSecret::Aws(AwsKeys {
            access_key_id: "AKIAEXAMPLE".to_owned(),
            secret_access_key: "canary-secret".to_owned(),
            session_token: Some("canary-session".to_owned()),
            role_arn: None,
            token_url: None,
        }));
        let entra = opened(&NewSecret::Entra(EntraClient {
            tenant_id: "tenant".to_owned(),
            client_id: "client".to_owned(),
            client_secret: "canary".to_owned(),
            token_url: Some("https://login.example.com".to_owned()),
        }));
        let google = opened(&NewSecret::Google(GoogleAccount {
            service_account: KEY_FILE.to_owned(),
        }));

        assert!(matches!(&key, OpenedCredential::ApiKey(secret) if secret.expose() == "sk-canary"));
        let texts: Vec<_> = aws.secrets().map(Secret::expose).collect();
        assert_eq!(texts, ["canary-secret", "canary-session"]);
        assert!(matches!(&entra, OpenedCredential::Entra(identity) if identity.client_id == "client"));
        let OpenedCredential::Google(account) = &google else {
            panic!("a service account: {google:?}")
        };
        assert_eq!(account.client_email, "gateway@p.iam.gserviceaccount.com");
        assert!(account.private_key.expose().contains("canary"));
        assert!(!format!("{key:?} {aws:?} {entra:?} {google:?}").contains("canary"));
    }

    #[test]
    fn what_is_no_key_file_says_what_is_missing() {
        let cases = [
            ("", KeyFileError::NotAKeyFile),
            ("[]", KeyFileError::NotAKeyFile),
            (r#"{"type": "authorized_user"}"#, KeyFileError::OtherType),
            (
                r#"{"type": "service_account", "private_key": "-----BEGIN "}"#,
                KeyFileError::NotAKeyFile,
            ),
            (
                r#"{"type": "service_account", "client_email": "a@b", "private_key": "x"}"#,
                KeyFileError::NoPrivateKey,
            ),
            (
                r#"{"type": "service_account", "client_email": "a@b", "private_key": "-----BEGIN ", "token_uri": "file:///x"}"#,
                KeyFileError::TokenAddress,
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(GoogleIdentity::parse(text).map(|_| ()), Err(expected), "{text}");
        }
    }
}
