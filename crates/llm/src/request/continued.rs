//! Requests that lean on what was said before and is kept elsewhere: a conversation they continue, or items they only name.

use super::Request;
use crate::BadRequest;
use crate::chat::Json;
use crate::dialect::PathFacts;
use crate::dialect::openai_responses::stored::reference_of;
use crate::json::{Elements, Kind, Value};

impl Request {
    /// The same request with an earlier conversation at the head of its input: what a reference to a stored response
    /// means to a provider that stores none.
    pub fn continuing<'a>(&self, earlier: impl IntoIterator<Item = &'a Json>) -> Result<Self, BadRequest> {
        let (before, rest) = self.body.split_at(self.content_at.start);
        let (own, after) = rest.split_at(self.content_at.len());
        let mut body = before.to_vec();
        match own.trim_ascii() {
            [b'[', inner @ .., b']'] => write_items(&mut body, earlier, inner.trim_ascii()),
            text @ [b'"', ..] => {
                let message = [br#"{"role":"user","content":"#, text, b"}"].concat();
                write_items(&mut body, earlier, &message);
            }
            // Nothing that could be asked: whoever reads it says so.
            other => body.extend_from_slice(other),
        }
        body.extend_from_slice(after);
        let request = Self::parse(self.dialect, body.into(), PathFacts::default())?;
        Ok(Self {
            continues: true,
            ..request
        })
    }

    /// The items of the input that are only named.
    pub fn references(&self) -> Vec<Box<str>> {
        let items = self.items();
        items.filter_map(|item| reference_of(&item).map(Into::into)).collect()
    }

    /// The same request with the items themselves where it only names them.
    pub fn with_items<'a>(&self, find: impl Fn(&str) -> Option<&'a Json>) -> Result<Self, BadRequest> {
        let (before, rest) = self.body.split_at(self.content_at.start);
        let (_, after) = rest.split_at(self.content_at.len());
        let mut body = before.to_vec();
        body.push(b'[');
        for (index, item) in self.items().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            match reference_of(&item) {
                Some(id) => {
                    let found = find(&id).ok_or_else(|| {
                        let message = format!(
                            "item with id '{id}' not found: it was never stored, was deleted, or is older than items are \
                             kept here; send the item itself"
                        );
                        BadRequest::at(format!("input[{index}]"), message)
                    })?;
                    body.extend_from_slice(found.text().as_bytes());
                }
                None => body.extend_from_slice(item.text),
            }
        }
        body.push(b']');
        body.extend_from_slice(after);
        Self::parse(self.dialect, body.into(), PathFacts::default())
    }

    /// The items of the input; none when it is a text.
    fn items(&self) -> Elements<'_> {
        let text = self.content();
        let kind = match text.first() {
            Some(b'[') => Kind::Array,
            _ => Kind::String,
        };
        Value { kind, text, start: 0 }.elements()
    }
}

fn write_items<'a>(body: &mut Vec<u8>, earlier: impl IntoIterator<Item = &'a Json>, own: &[u8]) {
    let earlier = earlier.into_iter().map(|item| item.text().as_bytes());
    let own = Some(own).filter(|own| !own.is_empty());
    body.push(b'[');
    for (index, item) in earlier.chain(own).enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(item);
    }
    body.push(b']');
}
