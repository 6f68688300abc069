//! How a provider is reached where not straight over the internet: through a proxy, with a private authority, with a
//! client certificate. The shapes are written once over secrets as texts (the API) and as references (the
//! configuration file): `S` is how secrets are written, `T` how the other texts are.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a provider is reached. Its secrets are never told, and one that is absent from a change stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(deny_unknown_fields)]
pub struct Network<S, T> {
    /// The forward proxy that every call goes through, those for tokens of a cloud's too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Proxy<S, T>>,
    /// Certificates of authorities in PEM that are trusted besides the public ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<T>,
    /// Shown to servers that ask who calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<ClientCertificate<S, T>>,
}

/// A forward proxy. Calls by https go through a tunnel, so that it sees only where they go.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(deny_unknown_fields)]
pub struct Proxy<S, T> {
    /// `http://proxy.example.com:3128`, or by https.
    pub url: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<T>,
    /// Goes with the user name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<S>,
}

/// A certificate in PEM, with those that lead from it to its authority, and its private key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(deny_unknown_fields)]
pub struct ClientCertificate<S, T> {
    pub certificate: T,
    /// In PEM, without a passphrase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_key: Option<S>,
}

/// In plain texts; told without its secrets.
pub type PlainNetwork = Network<String, String>;

impl<S, T> Network<S, T> {
    pub const fn is_empty(&self) -> bool {
        self.proxy.is_none() && self.ca.is_none() && self.client_certificate.is_none()
    }

    /// The same with its texts and secrets written in another way. Both are told which field it is.
    pub fn map<S2, T2>(
        &self,
        mut text: impl FnMut(&'static str, &T) -> T2,
        mut secret: impl FnMut(&'static str, &S) -> Option<S2>,
    ) -> Network<S2, T2> {
        let proxy = self.proxy.as_ref().map(|proxy| Proxy {
            url: text("network.proxy.url", &proxy.url),
            username: proxy
                .username
                .as_ref()
                .map(|username| text("network.proxy.username", username)),
            password: proxy
                .password
                .as_ref()
                .and_then(|password| secret("network.proxy.password", password)),
        });
        let ca = self.ca.as_ref().map(|ca| text("network.ca", ca));
        let client_certificate = self.client_certificate.as_ref().map(|own| ClientCertificate {
            certificate: text("network.client_certificate.certificate", &own.certificate),
            private_key: own
                .private_key
                .as_ref()
                .and_then(|key| secret("network.client_certificate.private_key", key)),
        });
        Network {
            proxy,
            ca,
            client_certificate,
        }
    }
}

/// Not the password: whatever the texts are.
impl<S, T: fmt::Debug> fmt::Debug for Proxy<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Not the private key.
impl<S, T> fmt::Debug for ClientCertificate<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_told_is_what_a_change_may_send_and_holds_no_secret() {
        let sent: PlainNetwork = serde_json::from_value(json!({
            "proxy": {"url": "http://proxy.example:3128", "username": "u", "password": "canary"},
            "ca": "authority", "client_certificate": {"certificate": "mine", "private_key": "canary"},
        }))
        .expect("a network");

        let told: PlainNetwork = sent.map(|_, text| text.clone(), |_, _| None);

        let value = serde_json::to_value(&told).expect("JSON");
        assert_eq!(
            value,
            json!({
                "proxy": {"url": "http://proxy.example:3128", "username": "u"},
                "ca": "authority", "client_certificate": {"certificate": "mine"},
            })
        );
        assert!(!format!("{sent:?}").contains("canary"));
        assert_eq!(serde_json::from_value::<PlainNetwork>(value).ok(), Some(told));
    }
}
