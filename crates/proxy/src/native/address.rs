//! The address below a provider's base that a caller names: kept as it is written, and refused where any reader on the
//! way might find that it leads out of the base.

use gatewright_contract::BaseUrl;
use gatewright_llm::BadRequest;
use memchr::memmem;
use percent_encoding::{percent_decode, percent_decode_str};
use url::Url;

/// Nobody encodes more often than this in earnest.
const MOST_ROUNDS: usize = 4;

/// What follows the provider's name in an address, as it was sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tail<'a> {
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
}

impl Tail<'_> {
    /// The provider's address. The caller's secret is not to stand in it: it would travel on.
    pub(crate) fn below(self, base_url: &BaseUrl, secret: &[u8]) -> Result<Url, BadRequest> {
        if self.path.split('/').any(leads_elsewhere) {
            return Err(BadRequest::new(
                "the path holds a segment that means another place, such as `..`; write the path without it",
            ));
        }
        let mut text = format!("{}/{}", base_url.as_str(), self.path);
        if let Some(query) = self.query {
            text.push('?');
            text.push_str(query);
        }
        if holds(self.path, secret) || self.query.is_some_and(|query| holds(query, secret)) {
            return Err(BadRequest::new(
                "the API key stands in the address; send it in a header, such as `Authorization: Bearer gw-…`",
            ));
        }
        match Url::parse(&text) {
            // What a reader of addresses would write differently would not arrive as it was sent.
            Ok(url) if url.as_str() == text => Ok(url),
            Ok(_) | Err(_) => Err(BadRequest::new(
                "the address holds characters that have to be percent-encoded",
            )),
        }
    }
}

/// Whether some reader may take a segment, or a part of it once its percent signs are read, for this place or the one
/// above.
fn leads_elsewhere(segment: &str) -> bool {
    let mut read = segment.as_bytes().to_owned();
    for _ in 0..MOST_ROUNDS {
        let mut parts = read.split(|byte| matches!(byte, b'/' | b'\\'));
        // What follows a semicolon is no part of the name to some.
        let mut names = parts
            .by_ref()
            .filter_map(|part| part.split(|byte| *byte == b';').next());
        if names.any(|name| matches!(name, b"." | b"..")) {
            return true;
        }
        let again: Vec<u8> = percent_decode(&read).collect();
        if again == read {
            return false;
        }
        read = again;
    }
    true
}

fn holds(text: &str, secret: &[u8]) -> bool {
    let found = |text: &[u8]| memmem::find(text, secret).is_some();
    !secret.is_empty() && (found(text.as_bytes()) || found(&percent_decode_str(text).collect::<Vec<_>>()))
}
