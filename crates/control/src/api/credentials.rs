//! A provider's credentials. Secrets are sealed on their way in and never come out again.

use gatewright_contract::Secret;
use gatewright_store::CredentialInsert;
use gatewright_types::api::{Credential, NewCredential};
use gatewright_types::{CredentialId, ProviderId};
use serde_json::json;

use super::providers;
use crate::access::Call;
use crate::endpoint::{Created, Json, NoContent, Path, Path2};
use crate::error::ApiError;

const LONGEST_SECRET: usize = 16 * 1024;

pub(crate) async fn create(
    call: Call,
    Path(provider): Path<ProviderId>,
    Json(new): Json<NewCredential>,
) -> Result<Created<Credential>, ApiError> {
    providers::find(&call, provider).await?;
    let insert = seal(&call, new, "api_key")?;
    let organization = call.organization.id;
    let detail = json!({"provider": provider, "name": insert.name, "weight": insert.weight});
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

/// The credential as it is stored; `path` names the secret's field.
pub(super) fn seal(call: &Call, new: NewCredential, path: &str) -> Result<CredentialInsert, ApiError> {
    check_secret(&new.api_key).map_err(|message| ApiError::field(path, &message))?;
    let id = CredentialId::mint();
    let hint = hint(&new.api_key);
    let sealed = call.control.keyring.seal(&Secret::new(new.api_key), &id.to_string());
    Ok(CredentialInsert {
        id,
        name: new.name,
        weight: new.weight,
        hint,
        sealed,
    })
}

/// What keeps a text from being a provider's secret: it has to fit in a header.
pub(crate) fn check_secret(text: &str) -> Result<(), &'static str> {
    if text.is_empty() || text.len() > LONGEST_SECRET {
        return Err("must have 1 to 16384 characters");
    }
    if !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("may hold only visible ASCII characters");
    }
    Ok(())
}

/// The last four characters, when that gives little away.
pub(crate) fn hint(secret: &str) -> String {
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
