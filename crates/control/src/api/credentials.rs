//! A provider's credentials. Secrets are sealed on their way in and never come out again.

use gatewright_contract::{BaseUrl, Egress, GoogleIdentity, Keyring, credential_problem, secret_text};
use gatewright_store::{CredentialInsert, SealedSecret};
use gatewright_types::api::{
    AwsKeys, Credential, CredentialSecret, EntraClient, GoogleAccount, NewCredential, NewSecret,
};
use gatewright_types::{CredentialId, ProviderId};
use serde_json::json;

use super::providers;
use crate::access::Call;
use crate::check::FieldProblem;
use crate::endpoint::{Created, Json, NoContent, Path, Path2};
use crate::error::ApiError;

const LONGEST_SECRET: usize = 16 * 1024;

pub(crate) async fn create(
    call: Call,
    Path(provider): Path<ProviderId>,
    Json(new): Json<NewCredential>,
) -> Result<Created<Credential>, ApiError> {
    let there = providers::find(&call, provider).await?;
    let kind = new.secret.kind();
    if let Some(message) = credential_problem(there.kind, kind) {
        return Err(ApiError::field(kind.as_str(), &message));
    }
    let insert = insert(&call, new, "")?;
    let organization = call.organization.id;
    let detail = json!({"provider": provider, "name": insert.name, "kind": kind, "weight": insert.weight});
    let audited = call.change("credential.create", insert.id, detail);
    Ok(Created(
        call.write(audited, async |tx| {
            tx.add_credential(organization, provider, &insert).await
        })
        .await?,
    ))
}

pub(crate) async fn delete(
    call: Call,
    Path2(provider, credential): Path2<ProviderId, CredentialId>,
) -> Result<NoContent, ApiError> {
    let organization = call.organization.id;
    let audited = call.change("credential.delete", credential, json!({"provider": provider}));
    call.write(audited, async |tx| {
        tx.remove_credential(organization, provider, credential).await
    })
    .await?;
    Ok(NoContent)
}

/// The credential as it is stored; `path` is where its fields are in what was sent.
pub(super) fn insert(call: &Call, new: NewCredential, path: &str) -> Result<CredentialInsert, ApiError> {
    let wrong = problems(&new.secret, &call.control.settings.egress);
    if !wrong.is_empty() {
        let at = |(field, message): (&str, String)| FieldProblem {
            path: format!("{path}{field}"),
            message,
        };
        return Err(ApiError::invalid(wrong.into_iter().map(at).collect()));
    }
    let id = CredentialId::mint();
    Ok(CredentialInsert {
        id,
        name: new.name,
        weight: new.weight,
        secret: seal(&call.control.keyring, id, &new.secret),
    })
}

pub(crate) fn seal(keyring: &Keyring, id: CredentialId, secret: &NewSecret) -> SealedSecret {
    let shown = match secret {
        CredentialSecret::ApiKey(key) => hint(key),
        CredentialSecret::Aws(keys) => hint(&keys.access_key_id),
        CredentialSecret::Entra(client) => hint(&client.client_id),
        CredentialSecret::Google(GoogleAccount { service_account }) => {
            GoogleIdentity::parse(service_account).map_or_else(|_| String::new(), |account| hint(&account.client_email))
        }
    };
    SealedSecret {
        kind: secret.kind(),
        hint: shown,
        sealed: keyring.seal(&secret_text(secret), &id.to_string()),
    }
}

/// What is wrong with a secret, by field.
pub(crate) fn problems(secret: &NewSecret, egress: &Egress) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut check = |field, checked: Result<(), &'static str>| {
        found.extend(checked.err().map(|message| (field, message.to_owned())));
    };
    match secret {
        CredentialSecret::ApiKey(key) => check("api_key", check_secret(key)),
        CredentialSecret::Aws(AwsKeys {
            access_key_id,
            secret_access_key,
            session_token,
            role_arn,
            token_url,
        }) => {
            check("aws.access_key_id", check_id(access_key_id));
            check("aws.secret_access_key", check_secret(secret_access_key));
            check(
                "aws.session_token",
                session_token.as_deref().map_or(Ok(()), check_secret),
            );
            check("aws.role_arn", role_arn.as_deref().map_or(Ok(()), check_role));
            if token_url.is_some() && role_arn.is_none() {
                check("aws.token_url", Err("has no meaning without a role_arn: remove it"));
            } else if let Some(message) = token_url_problem(token_url.as_deref(), egress) {
                found.push(("aws.token_url", message));
            }
        }
        CredentialSecret::Entra(EntraClient {
            tenant_id,
            client_id,
            client_secret,
            token_url,
        }) => {
            check("entra.tenant_id", check_id(tenant_id));
            check("entra.client_id", check_id(client_id));
            check("entra.client_secret", check_secret(client_secret));
            if let Some(message) = token_url_problem(token_url.as_deref(), egress) {
                found.push(("entra.token_url", message));
            }
        }
        CredentialSecret::Google(GoogleAccount { service_account }) => {
            found.extend(key_file_problem(service_account, egress).map(|message| ("google.service_account", message)));
        }
    }
    found
}

/// Tokens are got under the same rules as answers.
fn token_url_problem(text: Option<&str>, egress: &Egress) -> Option<String> {
    let checked = text?.parse::<BaseUrl>().and_then(|url| egress.check(&url));
    checked.err().map(|error| error.to_string())
}

fn key_file_problem(text: &str, egress: &Egress) -> Option<String> {
    if text.len() > LONGEST_SECRET {
        return Some("must have 1 to 16384 characters".to_owned());
    }
    match GoogleIdentity::parse(text) {
        Ok(account) => {
            let refused = egress.check(&account.token_url?).err()?;
            Some(format!("holds a token_uri that cannot be used: it {refused}"))
        }
        Err(error) => Some(error.to_string()),
    }
}

/// Ids become parts of addresses and heads.
fn check_id(text: &str) -> Result<(), &'static str> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
    if text.is_empty() || text.len() > 128 || !text.bytes().all(allowed) || text.starts_with('.') {
        return Err("must have 1 to 128 letters, digits and . - _");
    }
    Ok(())
}

fn check_role(text: &str) -> Result<(), &'static str> {
    let graphic = text.bytes().all(|b| b.is_ascii_graphic());
    if text.len() > 2048 || !graphic || !text.starts_with("arn:") || !text.contains(":role/") {
        return Err("must be the ARN of a role, such as arn:aws:iam::123456789012:role/gateway");
    }
    Ok(())
}

/// What keeps a text from being a provider's secret: it has to fit in a header.
fn check_secret(text: &str) -> Result<(), &'static str> {
    if text.is_empty() || text.len() > LONGEST_SECRET {
        return Err("must have 1 to 16384 characters");
    }
    if !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("may hold only visible ASCII characters");
    }
    Ok(())
}

/// The last four characters, when that gives little away.
fn hint(secret: &str) -> String {
    let count = secret.chars().count();
    if count < 12 {
        return String::new();
    }
    secret.chars().skip(count - 4).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_secret_gives_no_hint() {
        assert_eq!(hint("short"), "");
        assert_eq!(hint("sk-0123456789abcd"), "abcd");
    }

    #[test]
    fn a_secret_fits_in_a_header() {
        assert_eq!(check_secret("sk-1"), Ok(()));
        for text in ["", "a b", "a\r\nx-evil: 1", "schlüssel"] {
            assert!(check_secret(text).is_err(), "{text:?}");
        }
    }
}
