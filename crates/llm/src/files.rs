//! Files that a request names by their addresses and that its provider wants to have in the request. Says which those
//! are and puts them in their places; fetching them is not for here.

mod sniff;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use self::sniff::{Found, sniff};
use crate::chat::{Chat, Media, MediaKind, Part, Source};
use crate::dialect::{Outbound, Unsupported};

/// A request that wants more is not served: each file is a call of its own.
const MOST_FILES: usize = 100;

/// A file to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub address: Box<str>,
    /// In how many places of the request it is to be: each costs its size.
    pub places: usize,
}

/// A file that is something else than the request takes it for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is {found}, where the request has {}", name(*.wanted))]
pub struct WrongFile {
    pub address: Box<str>,
    found: String,
    wanted: MediaKind,
}

/// How large a file is within a request.
pub const fn written_bytes(file_bytes: usize) -> usize {
    file_bytes.div_ceil(3).saturating_mul(4)
}

/// Whether the text is an address in the web, which anybody could fetch.
pub(crate) fn is_in_the_web(address: &str) -> bool {
    let begins = |scheme: &str| {
        let start = address.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    begins("https://") || begins("http://")
}

impl Media {
    /// The address in the web by which it is given.
    pub(crate) fn web_address(&self) -> Option<&str> {
        match &self.source {
            Source::Url(address) => Some(&**address).filter(|address| is_in_the_web(address)),
            Source::Base64(_) | Source::Plain(_) | Source::File(_) => None,
        }
    }

    /// What the bytes are is told by themselves: neither an address nor who sends them has to be right.
    fn fill(&mut self, file: &[u8]) -> Result<(), WrongFile> {
        let found = sniff(file, self.kind);
        let kind = match (self.kind, found) {
            // A document is whatever was not said to be anything else.
            (MediaKind::Document, Found::Media(kind, _)) => kind,
            (wanted, Found::Media(kind, _)) if wanted == kind => kind,
            (MediaKind::Document, Found::Text(_, text)) => {
                self.media_type = Some(found.media_type().into());
                self.source = Source::Plain(text.into());
                return Ok(());
            }
            (wanted, found) => {
                return Err(WrongFile {
                    address: self.web_address().unwrap_or_default().into(),
                    found: found.to_string(),
                    wanted,
                });
            }
        };
        self.kind = kind;
        self.media_type = Some(found.media_type().into());
        self.source = Source::Base64(BASE64.encode(file).into());
        Ok(())
    }
}

impl Chat {
    /// The files that the provider wants and the request only names, each once.
    pub fn wanted_files(&mut self, outbound: &dyn Outbound) -> Result<Vec<Wanted>, Unsupported> {
        let mut wanted: Vec<Wanted> = Vec::new();
        let media = self.media().filter(|media| outbound.wants_bytes(media));
        for address in media.filter_map(|media| media.web_address()) {
            let count = wanted.len();
            match wanted.iter_mut().find(|wanted| &*wanted.address == address) {
                Some(known) => known.places += 1,
                None if count == MOST_FILES => return Err(too_many()),
                None => wanted.push(Wanted {
                    address: address.into(),
                    places: 1,
                }),
            }
        }
        Ok(wanted)
    }

    /// Puts the files that are found under their addresses in the places of those.
    pub fn put_files<'f>(
        &mut self,
        outbound: &dyn Outbound,
        find: impl Fn(&str) -> Option<&'f [u8]>,
    ) -> Result<(), WrongFile> {
        for media in self.media().filter(|media| outbound.wants_bytes(media)) {
            if let Some(file) = media.web_address().and_then(&find) {
                media.fill(file)?;
            }
        }
        Ok(())
    }

    fn media(&mut self) -> impl Iterator<Item = &mut Media> {
        let parts = self.turns.iter_mut().flat_map(|turn| &mut turn.parts);
        let parts = parts.flat_map(|part| match part {
            Part::ToolResult(result) => result.parts.as_mut_slice(),
            part => std::slice::from_mut(part),
        });
        parts.filter_map(|part| match part {
            Part::Media(media) => Some(media),
            Part::Text(_) | Part::ToolCall(_) | Part::ToolResult(_) | Part::Thinking(_) | Part::Refusal(_) => None,
        })
    }
}

fn too_many() -> Unsupported {
    let message =
        format!("more than {MOST_FILES} files are given by their addresses; send fewer, or the files in base64");
    Unsupported::new("messages", message)
}

const fn name(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "an image",
        MediaKind::Audio => "a sound",
        MediaKind::Document => "a document",
        MediaKind::Video => "a film",
    }
}

#[cfg(test)]
mod tests;
