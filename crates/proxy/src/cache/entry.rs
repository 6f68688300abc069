//! An answer as it is kept: what is known of it in a line of JSON, and behind it the bytes that its caller got.

use std::collections::BTreeMap;

use bytes::{BufMut, Bytes, BytesMut};
use chrono::{DateTime, Utc};
use gatewright_contract::Origin;
use gatewright_llm::{Form, Tokens};
use gatewright_types::{CacheNamespace, DisplayName, KeyId, ModelId, Nanos, Slug, TagName, TeamId, UpstreamModel};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) about: About,
    pub(super) body: Bytes,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) form: Form,
    pub(super) stored_at: DateTime<Utc>,
    pub(super) source: Source,
    /// Who made it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) maker: Option<Maker>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<Tokens>,
    /// Absent when it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cost: Option<Nanos>,
    /// What could not be carried over into the provider's dialect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dropped: Option<Box<str>>,
}

/// The request that it is from, as far as purges name it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Source {
    pub(super) model: ModelId,
    pub(super) key: KeyId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) team: Option<TeamId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<CacheNamespace>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) tags: BTreeMap<TagName, DisplayName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) newest_purge: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Maker {
    pub(crate) provider: Slug,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<UpstreamModel>,
}

impl Entry {
    /// `None` for what could not be kept as a text.
    pub(super) fn write(&self) -> Option<Bytes> {
        std::str::from_utf8(&self.body).ok()?;
        let about = serde_json::to_vec(&self.about).ok()?;
        let mut text = BytesMut::with_capacity(about.len() + 1 + self.body.len());
        text.extend_from_slice(&about);
        text.put_u8(b'\n');
        text.extend_from_slice(&self.body);
        Some(text.freeze())
    }

    /// `None` for what another release wrote in another form.
    pub(super) fn read(text: &Bytes) -> Option<Self> {
        let end = memchr::memchr(b'\n', text)?;
        let about = serde_json::from_slice(text.get(..end)?).ok()?;
        Some(Self {
            about,
            body: text.slice(end + 1..),
        })
    }
}

impl Source {
    pub(super) fn origin(&self) -> Origin<'_> {
        Origin {
            model: self.model,
            key: self.key,
            team: self.team,
            namespace: self.namespace.as_ref(),
            tags: &self.tags,
            newest_purge: self.newest_purge,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_byte_for_byte() {
        let entry = Entry {
            about: About {
                form: Form::Events { usage: false },
                stored_at: Utc::now(),
                source: Source {
                    model: ModelId::mint(),
                    key: KeyId::mint(),
                    team: Some(TeamId::mint()),
                    namespace: Some("a:b".parse().expect("a namespace")),
                    tags: [("project".parse().expect("a tag"), "apollo".parse().expect("a value"))].into(),
                    newest_purge: Some(Utc::now()),
                },
                maker: None,
                usage: None,
                cost: Some(Nanos::new(7)),
                dropped: Some("seed".into()),
            },
            body: Bytes::from_static(b"data: {\"a\":\"\xc3\xa9\\n\"}\n\ndata: [DONE]\n\n"),
        };

        let text = entry.write().expect("a text");

        assert_eq!(Entry::read(&text), Some(entry.clone()));
        assert_eq!(Entry::read(&Bytes::from_static(b"{\"form\":\"later\"}\nx")), None);
        let binary = Entry {
            body: Bytes::from_static(b"\xff"),
            ..entry
        };
        assert_eq!(binary.write(), None);
    }
}
