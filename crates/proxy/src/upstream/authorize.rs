//! Shows a provider who calls: a header with the secret, a token of the cloud's, or a signature over the whole request.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use gatewright_contract::{OpenedCredential, Provider};
use gatewright_llm::{Failure, FailureKind, sigv4};
use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::credentials::{Chosen, Proof};
use super::identity::{Endpoint, EntraScope, Identities, IdentityError};
use crate::call::failure_of;

/// What is to be authorized.
pub(super) struct Unsigned<'a> {
    pub(super) provider: &'a Provider,
    pub(super) method: &'a Method,
    pub(super) address: &'a Url,
    pub(super) body: &'a Bytes,
    pub(super) now: DateTime<Utc>,
}

/// Whether the body itself has to be at hand.
pub(super) fn signs_the_body(chosen: &Chosen) -> bool {
    matches!(&chosen.proof, Proof::Cloud(opened) if matches!(**opened, OpenedCredential::Aws(_)))
}

/// `endpoint` is how whoever gives out tokens is called, should that be needed.
pub(super) async fn authorize(
    identities: &Identities,
    endpoint: impl FnOnce() -> Endpoint,
    chosen: &Chosen,
    call: Unsigned<'_>,
    headers: &mut HeaderMap,
) -> Result<(), Failure> {
    let failed = |error: IdentityError| error.failure();
    let opened = match &chosen.proof {
        Proof::Header(name, value) => {
            headers.insert(name.clone(), value.clone());
            return Ok(());
        }
        Proof::Cloud(opened) => opened,
    };
    let settings = &call.provider.settings;
    match &**opened {
        OpenedCredential::ApiKey(_) => Ok(()),
        OpenedCredential::Entra(identity) => {
            let scope = match settings.api_version {
                Some(_) => EntraScope::Classic,
                None => EntraScope::V1,
            };
            headers.insert(
                AUTHORIZATION,
                identities.entra(endpoint(), identity, scope).await.map_err(failed)?,
            );
            Ok(())
        }
        OpenedCredential::Google(identity) => {
            headers.insert(
                AUTHORIZATION,
                identities.google(endpoint(), identity).await.map_err(failed)?,
            );
            Ok(())
        }
        OpenedCredential::Aws(identity) => {
            let Some(region) = &settings.region else {
                return Err(failure_of(
                    FailureKind::Credential,
                    "the provider has no region".to_owned(),
                ));
            };
            let keys = identities.aws(endpoint(), identity, region).await.map_err(failed)?;
            let to_sign = headers_to_sign(headers);
            let to_sign: Vec<_> = to_sign
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let signed = sigv4::sign(
                &sigv4::Request {
                    method: call.method.as_str(),
                    host: &host(call.address),
                    path: call.address.path(),
                    query: call.address.query().unwrap_or_default(),
                    headers: &to_sign,
                    body_hash: &sigv4::body_hash(call.body),
                    region: region.as_str(),
                    service: "bedrock",
                },
                &keys.for_signing(),
                call.now,
            );
            for header in signed {
                let name = HeaderName::from_static(header.name);
                if name == HOST {
                    continue;
                }
                let mut value = HeaderValue::try_from(header.value)
                    .map_err(|_| failure_of(FailureKind::Credential, "its keys fit no header".to_owned()))?;
                value.set_sensitive(true);
                headers.insert(name, value);
            }
            Ok(())
        }
    }
}

/// What says how a body is to be read, and what is Amazon's own: AWS insists on the latter.
fn headers_to_sign(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut signed = Vec::new();
    for (name, value) in headers {
        // A value that is no text is sent without being signed.
        if let (true, Ok(value)) = (
            *name == CONTENT_TYPE || name.as_str().starts_with("x-amz"),
            value.to_str(),
        ) {
            signed.push((name.as_str().to_owned(), value.to_owned()));
        }
    }
    signed
}

/// As the `host` header will have it.
fn host(address: &Url) -> String {
    let name = address.host_str().unwrap_or_default();
    match address.port() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    }
}
