//! A catalogue from outside: fetched where it is not sent, believed only when it is signed, and read before anything is
//! made of it. Whatever is wrong with it, the one in force stays.

use gatewright_contract::{Digest, Edition};
use gatewright_types::api::{NewRefresh, SignedDocument};
use url::Url;

use super::{CatalogFetcher, CatalogKeys};
use crate::error::ApiError;

const PROBLEMS_TOLD: usize = 5;

/// A document that may be shown for approval.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) edition: Edition,
    /// The day it is of, and the beginning of its digest: two documents of a day are two versions.
    pub(crate) version: String,
    /// Who it says tells so, or where it came from.
    pub(crate) origin: String,
    pub(crate) text: String,
}

pub(crate) async fn receive(
    keys: &CatalogKeys,
    fetcher: &CatalogFetcher,
    new: NewRefresh,
) -> Result<Received, ApiError> {
    match new {
        NewRefresh::Document(document) => read(keys, document, "an upload", ["document.text", "document.signature"]),
        NewRefresh::Url(text) => {
            let document = fetched(fetcher, &text).await?;
            read(keys, document, &text, ["url", "url"])
        }
    }
}

async fn fetched(fetcher: &CatalogFetcher, text: &str) -> Result<SignedDocument, ApiError> {
    let address = Url::parse(text).map_err(|_| ApiError::field("url", &"must be an absolute https URL"))?;
    let mut signature_address = address.clone();
    signature_address.set_path(&format!("{}.sig", address.path()));
    let text = async |address: Url, what: &str| {
        let fetched = fetcher.fetch(address).await;
        let bytes =
            fetched.map_err(|problem| ApiError::field("url", &format!("{what} cannot be fetched: it {problem}")))?;
        String::from_utf8(bytes.into()).map_err(|_| ApiError::field("url", &format!("{what} is no text")))
    };
    Ok(SignedDocument {
        text: text(address, "the catalogue").await?,
        signature: text(signature_address, "its signature").await?,
    })
}

fn read(
    keys: &CatalogKeys,
    document: SignedDocument,
    origin: &str,
    [text_field, signature_field]: [&str; 2],
) -> Result<Received, ApiError> {
    let SignedDocument { text, signature } = document;
    keys.check(text.as_bytes(), &signature)
        .map_err(|error| ApiError::field(signature_field, &format!("the signature {error}")))?;
    let (edition, problems) =
        Edition::read(&text).map_err(|error| ApiError::field(text_field, &format!("the document {error}")))?;
    if !problems.is_empty() {
        let told: Vec<_> = problems.iter().take(PROBLEMS_TOLD).map(String::as_str).collect();
        let rest = problems.len() - told.len();
        let more = if rest > 0 {
            format!("; and {rest} more")
        } else {
            String::new()
        };
        return Err(ApiError::field(text_field, &format!("{}{more}", told.join("; "))));
    }
    let digest = Digest::of(text.as_bytes()).to_string();
    let origin = match edition.origin() {
        "" => origin,
        said => said,
    };
    Ok(Received {
        version: format!("{}#{}", edition.version(), digest.get(..8).unwrap_or(&digest)),
        origin: origin.to_owned(),
        edition,
        text,
    })
}
