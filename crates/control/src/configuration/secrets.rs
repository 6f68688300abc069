//! Secrets in documents: replacing references by what they name, where somebody can read that, and naming references
//! for an export. Reading is the caller's: this crate knows no environment.

use std::cell::RefCell;

use gatewright_contract::{NetworkUnit, OpenedCredential, OpenedNetwork, Secret};
use gatewright_types::api::{
    AwsKeys, CredentialKind, CredentialSecret, Document, EntraClient, GoogleAccount, NetworkEntry, NewSecret,
    SecretEntry, SecretSource, TextSource,
};

use crate::check::FieldProblem;

/// Why a reference gives nothing; reads as a sentence about the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableSecret(pub String);

/// Reads what references name.
pub trait SecretReader {
    /// The value of an environment variable.
    fn env(&self, name: &str) -> Result<String, UnreadableSecret>;
    /// The content of a file.
    fn file(&self, path: &str) -> Result<String, UnreadableSecret>;
}

/// Replaces every `env` and `file` by its `value`, or tells all that could not be read.
pub fn resolve_secrets(document: &mut Document, reader: &impl SecretReader) -> Result<(), Vec<FieldProblem>> {
    let mut problems = Vec::new();
    for_each(document, |path, source| {
        let read = match source {
            SecretSource::Env(name) => reader.env(name),
            SecretSource::File(name) => reader
                .file(name)
                .map(|text| text.trim_end_matches(['\r', '\n']).to_owned()),
            SecretSource::Value(_) => return,
        };
        match read {
            Ok(value) => *source = SecretSource::Value(value),
            Err(UnreadableSecret(message)) => problems.push(FieldProblem { path, message }),
        }
    });
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// The secret itself. A reference means nothing here: it names something on another machine.
pub(super) fn value(source: &SecretSource) -> Result<&str, String> {
    match source {
        SecretSource::Value(value) => Ok(value),
        SecretSource::Env(_) | SecretSource::File(_) => {
            Err("send {value: …}: references are read by the command line, not by the server".to_owned())
        }
    }
}

/// A network with its secrets, or what is wrong with its fields.
pub(super) fn plain_network(entry: &NetworkEntry) -> Result<OpenedNetwork, Vec<FieldProblem>> {
    let reader = RefCell::new(Reader { problems: Vec::new() });
    let network = entry.map(
        |field, text| reader.borrow_mut().text(field, text),
        |field, secret| Some(Secret::new(reader.borrow_mut().secret(field, secret))),
    );
    let problem = |(path, message): (&'static str, String)| FieldProblem {
        path: path.to_owned(),
        message,
    };
    match reader.into_inner().problems {
        none if none.is_empty() => Ok(network),
        some => Err(some.into_iter().map(problem).collect()),
    }
}

/// How an exported document tells a network: its secrets are references.
pub(super) fn network_entry(provider: &str, unit: &NetworkUnit) -> NetworkEntry {
    unit.map(
        |_, text| TextSource::Text(text.clone()),
        |field, _| {
            let part = if field.ends_with("password") {
                "_PROXY_PASSWORD"
            } else {
                "_CLIENT_KEY"
            };
            Some(reference(provider, "", part))
        },
    )
}

/// A credential's secret, or what is wrong with its fields.
pub(super) fn plain(entry: &SecretEntry) -> Result<NewSecret, Vec<(&'static str, String)>> {
    let mut reader = Reader { problems: Vec::new() };
    let secret = match entry {
        CredentialSecret::ApiKey(key) => CredentialSecret::ApiKey(reader.secret("api_key", key)),
        CredentialSecret::Aws(keys) => CredentialSecret::Aws(AwsKeys {
            access_key_id: reader.text("aws.access_key_id", &keys.access_key_id),
            secret_access_key: reader.secret("aws.secret_access_key", &keys.secret_access_key),
            session_token: keys
                .session_token
                .as_ref()
                .map(|token| reader.secret("aws.session_token", token)),
            role_arn: keys.role_arn.as_ref().map(|role| reader.text("aws.role_arn", role)),
            token_url: keys.token_url.as_ref().map(|url| reader.text("aws.token_url", url)),
        }),
        CredentialSecret::Entra(client) => CredentialSecret::Entra(EntraClient {
            tenant_id: reader.text("entra.tenant_id", &client.tenant_id),
            client_id: reader.text("entra.client_id", &client.client_id),
            client_secret: reader.secret("entra.client_secret", &client.client_secret),
            token_url: client.token_url.as_ref().map(|url| reader.text("entra.token_url", url)),
        }),
        CredentialSecret::Google(account) => CredentialSecret::Google(GoogleAccount {
            service_account: reader.secret("google.service_account", &account.service_account),
        }),
    };
    if reader.problems.is_empty() {
        Ok(secret)
    } else {
        Err(reader.problems)
    }
}

struct Reader {
    problems: Vec<(&'static str, String)>,
}

impl Reader {
    fn secret(&mut self, field: &'static str, source: &SecretSource) -> String {
        match value(source) {
            Ok(text) => text.to_owned(),
            Err(message) => {
                self.problems.push((field, message));
                String::new()
            }
        }
    }

    fn text(&mut self, field: &'static str, source: &TextSource) -> String {
        match source {
            TextSource::Text(text) => text.clone(),
            TextSource::Source(source) => self.secret(field, source),
        }
    }
}

/// How an exported document tells a credential: secrets are references, and the rest is written out where it can be
/// read. What no master key opens is told as if it had only what its kind needs.
pub(super) fn entry(
    provider: &str,
    credential: &str,
    kind: CredentialKind,
    opened: Option<OpenedCredential>,
) -> SecretEntry {
    let name = |field| reference(provider, credential, field);
    let text = |known: Option<String>, field| known.map_or_else(|| TextSource::Source(name(field)), TextSource::Text);
    match kind {
        CredentialKind::ApiKey => CredentialSecret::ApiKey(name("")),
        CredentialKind::Aws => {
            let known = match opened {
                Some(OpenedCredential::Aws(identity)) => Some(identity),
                _ => None,
            };
            let (expires, role, url) = known.map_or((false, None, None), |keys| {
                (keys.session_token.is_some(), keys.role_arn, keys.token_url)
            });
            CredentialSecret::Aws(AwsKeys {
                access_key_id: TextSource::Source(name("_ACCESS_KEY_ID")),
                secret_access_key: name("_SECRET_ACCESS_KEY"),
                session_token: expires.then(|| name("_SESSION_TOKEN")),
                role_arn: role.map(TextSource::Text),
                token_url: url.map(|url| TextSource::Text(url.to_string())),
            })
        }
        CredentialKind::Entra => {
            let known = match opened {
                Some(OpenedCredential::Entra(identity)) => Some(identity),
                _ => None,
            };
            let url = known.as_ref().and_then(|known| known.token_url.as_ref());
            let token_url = url.map(|url| TextSource::Text(url.to_string()));
            let (tenant, client) = known.map(|known| (known.tenant_id, known.client_id)).unzip();
            CredentialSecret::Entra(EntraClient {
                tenant_id: text(tenant, "_TENANT_ID"),
                client_id: text(client, "_CLIENT_ID"),
                client_secret: name("_CLIENT_SECRET"),
                token_url,
            })
        }
        CredentialKind::Google => CredentialSecret::Google(GoogleAccount {
            service_account: name("_SERVICE_ACCOUNT"),
        }),
    }
}

/// `GATEWRIGHT_SECRET_<PROVIDER>_<CREDENTIAL>[_FIELD]`: where an exported document expects a credential's secret.
fn reference(provider: &str, credential: &str, field: &str) -> SecretSource {
    let upper = |text: &str| -> String {
        text.chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() {
                    c.to_ascii_uppercase()
                } else {
                    '_'
                }
            })
            .collect()
    };
    SecretSource::Env(format!(
        "GATEWRIGHT_SECRET_{}_{}{field}",
        upper(provider),
        upper(credential)
    ))
}

fn for_each(document: &mut Document, mut visit: impl FnMut(String, &mut SecretSource)) {
    for (index, member) in document.members.iter_mut().flatten().enumerate() {
        if let Some(source) = &mut member.password {
            visit(format!("members[{index}].password"), source);
        }
    }
    for (index, provider) in document.providers.iter_mut().flatten().enumerate() {
        for (field, source) in provider.network.iter_mut().flat_map(network_sources) {
            visit(format!("providers[{index}].{field}"), source);
        }
        for (number, credential) in provider.credentials.iter_mut().enumerate() {
            for (field, source) in sources(&mut credential.secret) {
                visit(format!("providers[{index}].credentials[{number}].{field}"), source);
            }
        }
    }
    for (index, token) in document.tokens.iter_mut().flatten().enumerate() {
        if let Some(source) = &mut token.secret {
            visit(format!("tokens[{index}].secret"), source);
        }
    }
    for (index, key) in document.keys.iter_mut().flatten().enumerate() {
        if let Some(source) = &mut key.secret {
            visit(format!("keys[{index}].secret"), source);
        }
    }
}

fn within(text: &mut TextSource) -> Option<&mut SecretSource> {
    match text {
        TextSource::Text(_) => None,
        TextSource::Source(source) => Some(source),
    }
}

/// Everything in a network that may be a reference.
fn network_sources(network: &mut NetworkEntry) -> Vec<(&'static str, &mut SecretSource)> {
    let mut all = Vec::new();
    if let Some(proxy) = &mut network.proxy {
        all.push(("network.proxy.url", within(&mut proxy.url)));
        all.push(("network.proxy.username", proxy.username.as_mut().and_then(within)));
        all.push(("network.proxy.password", proxy.password.as_mut()));
    }
    all.push(("network.ca", network.ca.as_mut().and_then(within)));
    if let Some(own) = &mut network.client_certificate {
        all.push(("network.client_certificate.certificate", within(&mut own.certificate)));
        all.push(("network.client_certificate.private_key", own.private_key.as_mut()));
    }
    all.into_iter()
        .filter_map(|(field, source)| Some((field, source?)))
        .collect()
}

/// Everything in a credential that may be a reference.
fn sources(secret: &mut SecretEntry) -> Vec<(&'static str, &mut SecretSource)> {
    let all = match secret {
        CredentialSecret::ApiKey(key) => vec![("api_key", Some(key))],
        CredentialSecret::Aws(AwsKeys {
            access_key_id,
            secret_access_key,
            session_token,
            role_arn,
            token_url,
        }) => vec![
            ("aws.access_key_id", within(access_key_id)),
            ("aws.secret_access_key", Some(secret_access_key)),
            ("aws.session_token", session_token.as_mut()),
            ("aws.role_arn", role_arn.as_mut().and_then(within)),
            ("aws.token_url", token_url.as_mut().and_then(within)),
        ],
        CredentialSecret::Entra(EntraClient {
            tenant_id,
            client_id,
            client_secret,
            token_url,
        }) => vec![
            ("entra.tenant_id", within(tenant_id)),
            ("entra.client_id", within(client_id)),
            ("entra.client_secret", Some(client_secret)),
            ("entra.token_url", token_url.as_mut().and_then(within)),
        ],
        CredentialSecret::Google(GoogleAccount { service_account }) => {
            vec![("google.service_account", Some(service_account))]
        }
    };
    all.into_iter()
        .filter_map(|(field, source)| Some((field, source?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::configuration::check_document;

    struct Fixed;

    impl SecretReader for Fixed {
        fn env(&self, name: &str) -> Result<String, UnreadableSecret> {
            match name {
                "THERE" => Ok("from-env".to_owned()),
                _ => Err(UnreadableSecret(format!("the environment variable {name} is not set"))),
            }
        }

        fn file(&self, _: &str) -> Result<String, UnreadableSecret> {
            Ok("from-file\n".to_owned())
        }
    }

    fn document(key: &serde_json::Value) -> Document {
        let value = json!({
            "version": 1, "organization": "acme",
            "providers": [{"name": "a", "kind": "openai", "credentials": [{"name": "x", "api_key": {"file": "f"}}]}],
            "keys": [{"name": "k", "secret": key}],
        });
        check_document(&value).expect("a document")
    }

    #[test]
    fn references_become_values() {
        let mut document = document(&json!({"env": "THERE"}));

        resolve_secrets(&mut document, &Fixed).expect("all can be read");

        let texts = json!(document).to_string();
        assert!(
            texts.contains(r#"{"value":"from-env"}"#) && texts.contains(r#"{"value":"from-file"}"#),
            "{texts}"
        );
    }

    #[test]
    fn every_part_of_a_credential_may_be_a_reference() {
        let aws = json!({
            "access_key_id": {"env": "THERE"}, "secret_access_key": {"file": "f"}, "session_token": {"env": "GONE"},
            "role_arn": "arn:aws:iam::1:role/r",
        });
        let entra = json!({"tenant_id": "t", "client_id": {"env": "ALSO_GONE"}, "client_secret": {"file": "f"}});
        let mut document = check_document(&json!({
            "version": 1, "organization": "acme", "providers": [
                {"name": "a", "kind": "bedrock", "region": "eu-central-1", "credentials": [{"name": "x", "aws": aws}]},
                {"name": "b", "kind": "azure", "credentials": [{"name": "x", "entra": entra}]},
                {"name": "c", "kind": "vertex", "credentials": [{"name": "x", "google": {"service_account": {"env": "NONE"}}}]},
            ],
        }))
        .expect("a document");

        let problems = resolve_secrets(&mut document, &Fixed).expect_err("three are not set");

        let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "providers[0].credentials[0].aws.session_token",
                "providers[1].credentials[0].entra.client_id",
                "providers[2].credentials[0].google.service_account",
            ]
        );
        let texts = json!(document).to_string();
        assert!(texts.contains(r#""access_key_id":{"value":"from-env"}"#), "{texts}");
        assert!(texts.contains(r#""client_secret":{"value":"from-file"}"#), "{texts}");
    }

    #[test]
    fn a_reference_to_nothing_is_told_with_its_place() {
        let problems = resolve_secrets(&mut document(&json!({"env": "GONE"})), &Fixed).expect_err("it is not set");

        let expected = FieldProblem {
            path: "keys[0].secret".to_owned(),
            message: "the environment variable GONE is not set".to_owned(),
        };
        assert_eq!(problems, [expected]);
    }

    #[test]
    fn a_reference_is_named_after_its_place() {
        assert_eq!(
            reference("openai-main", "team a", "_CLIENT_SECRET"),
            SecretSource::Env("GATEWRIGHT_SECRET_OPENAI_MAIN_TEAM_A_CLIENT_SECRET".to_owned())
        );
    }
}
