//! One event of a stream as Anthropic sends it: its members by name, nothing built.

use std::borrow::Cow;

use crate::json::{Kind, Members, SyntaxError, Value};

#[derive(Debug, Default)]
pub(super) struct Sent<'a> {
    /// `type`.
    pub(super) kind: Option<Cow<'a, str>>,
    pub(super) index: Option<u64>,
    pub(super) message: Option<Value<'a>>,
    pub(super) block: Option<Value<'a>>,
    pub(super) delta: Option<Value<'a>>,
    pub(super) usage: Option<Value<'a>>,
    pub(super) error: Option<Value<'a>>,
}

impl<'a> Sent<'a> {
    pub(super) fn read(data: &'a [u8]) -> Result<Self, SyntaxError> {
        let mut sent = Self::default();
        let mut members = Members::of_document(data)?;
        while let Some(member) = members.next_member()? {
            let value = member.value;
            match &*member.key {
                b"type" => sent.kind = value.string(),
                b"index" => sent.index = std::str::from_utf8(value.text).ok().and_then(|text| text.parse().ok()),
                b"message" => sent.message = Some(value),
                b"content_block" => sent.block = Some(value),
                b"delta" => sent.delta = Some(value),
                b"usage" => sent.usage = Some(value),
                b"error" => sent.error = Some(value),
                _ => {}
            }
        }
        Ok(sent)
    }

    /// What `message_start` tells of usage, or `message_delta` beside its delta.
    pub(super) fn told_usage(&self) -> Option<Value<'a>> {
        let beside = || self.message?.member("usage").filter(|usage| usage.kind != Kind::Null);
        self.usage.or_else(beside)
    }

    /// The reason of a `message_delta`, when it has one.
    pub(super) fn stop_reason(&self) -> Option<Cow<'a, str>> {
        member_text(self.delta.as_ref()?, "stop_reason")
    }
}

pub(super) fn member_text<'a>(object: &Value<'a>, name: &str) -> Option<Cow<'a, str>> {
    object.member(name)?.string()
}
