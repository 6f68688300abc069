//! The request for a vendor that speaks OpenAI's dialect with an accent: what it calls by another name is renamed where
//! it stands, and what it refuses though it would do it unasked is taken out. All else stays as the caller wrote it, for
//! the vendor to judge: it may know more than this gateway does.

use std::ops::Range;

use bytes::Bytes;

use super::{Edit, Request, Segments, UsageOption};
use crate::dialect::openai_chat::{InstructionsRole, MaxTokensName, Quirks, SeedName};
use crate::json::{Kind, Members, SyntaxError, Value};

/// A member of the body: its name with the colon, its value, and all of it with one comma.
struct Place {
    name: Range<usize>,
    whole: Range<usize>,
}

/// The members that vendors say otherwise.
#[derive(Default)]
struct Said {
    max_tokens: bool,
    max_completion_tokens: Option<Place>,
    seed: Option<Place>,
    stream_options: Option<Place>,
    developers: Vec<Range<usize>>,
}

impl Request {
    /// As [`Request::forward`], in this vendor's words.
    pub fn forward_in(&self, words: &Quirks, upstream_model: &str) -> Segments {
        let mut edits = Vec::new();
        // The syntax was checked when the request was parsed.
        if let Ok(said) = Said::read(&self.body) {
            said.edit(words, &mut edits);
        }
        if edits.is_empty() && words.usage_in_stream {
            return self.forward(upstream_model);
        }
        edits.extend(self.model_edit(upstream_model));
        if let (UsageOption::NotAsked(edit), true, true) = (&self.usage, self.stream, words.usage_in_stream) {
            edits.push(edit.clone());
        }
        written(&self.body, edits).into()
    }
}

impl Said {
    fn read(body: &[u8]) -> Result<Self, SyntaxError> {
        let mut said = Self::default();
        let mut members = Members::of_document(body)?;
        // A first member goes with the comma behind it, which ends where the next one begins.
        let mut first: Option<Range<usize>> = None;
        while let Some(key) = members.next_key()? {
            if let Some(first) = first.take() {
                said.widen(&first, key.start);
            }
            let value = members.slot().pass()?;
            let start = key.comma_before.unwrap_or(key.start);
            let place = Place {
                name: key.start..value.start,
                whole: start..value.end(),
            };
            if key.comma_before.is_none() {
                first = Some(place.whole.clone());
            }
            match &*key.text {
                b"max_tokens" => said.max_tokens = value.kind != Kind::Null,
                b"max_completion_tokens" => said.max_completion_tokens = Some(place),
                b"seed" => said.seed = Some(place),
                b"stream_options" => said.stream_options = Some(place),
                b"messages" => said.developers = developers(&value),
                _ => {}
            }
        }
        Ok(said)
    }

    fn widen(&mut self, first: &Range<usize>, end: usize) {
        if let Some(place) = &mut self.stream_options
            && place.whole == *first
        {
            place.whole.end = end;
        }
    }

    fn edit(self, words: &Quirks, edits: &mut Vec<Edit>) {
        let mut replace = |at: Range<usize>, text: &'static str| {
            edits.push(Edit {
                at,
                text: Bytes::from_static(text.as_bytes()),
            });
        };
        if let (Some(place), MaxTokensName::MaxTokens, false) =
            (self.max_completion_tokens, words.max_tokens, self.max_tokens)
        {
            replace(place.name, r#""max_tokens":"#);
        }
        if let (Some(place), SeedName::RandomSeed) = (self.seed, words.seed) {
            replace(place.name, r#""random_seed":"#);
        }
        if let (Some(place), false) = (self.stream_options, words.usage_in_stream) {
            replace(place.whole, "");
        }
        if words.instructions == InstructionsRole::System {
            for role in self.developers {
                replace(role, r#""system""#);
            }
        }
    }
}

/// Where messages say that they are the developer's.
fn developers(messages: &Value<'_>) -> Vec<Range<usize>> {
    if memchr::memmem::find(messages.text, b"developer").is_none() {
        return Vec::new();
    }
    let roles = messages.elements().filter_map(|message| {
        let role = message.member("role").filter(|role| role.text == br#""developer""#)?;
        let start = messages.start + message.start + role.start;
        Some(start..start + role.text.len())
    });
    roles.collect()
}

/// The body with these of its places, none of which overlap, written anew.
pub(super) fn written(body: &[u8], mut edits: Vec<Edit>) -> Bytes {
    edits.sort_by_key(|edit| edit.at.start);
    let mut written = Vec::with_capacity(body.len() + 64);
    let mut copied = 0;
    for edit in edits {
        written.extend_from_slice(body.get(copied..edit.at.start).unwrap_or_default());
        written.extend_from_slice(&edit.text);
        copied = edit.at.end;
    }
    written.extend_from_slice(body.get(copied..).unwrap_or_default());
    written.into()
}

#[cfg(test)]
mod tests {
    use gatewright_types::api::Dialect;

    use super::*;
    use crate::dialect::PathFacts;
    use crate::dialect::openai_chat::vendors::vendor;

    fn check(name: &str, body: &str, expected: &str) {
        let request = Request::parse(Dialect::OpenaiChat, Bytes::from(body.to_owned()), PathFacts::default());
        let words = &vendor(name).expect("a row").quirks;

        let forwarded: Vec<u8> = request
            .expect(body)
            .forward_in(words, "m")
            .into_iter()
            .flatten()
            .collect();

        assert_eq!(String::from_utf8_lossy(&forwarded), expected);
    }

    #[test]
    fn a_vendor_is_told_in_its_own_words() {
        check(
            "mistral",
            concat!(
                r#"{"model":"a","stream":true,"stream_options":{"include_usage":true},"seed" : 7,"#,
                r#" "max_completion_tokens": 9,"safe_prompt":true,"#,
                r#""messages":[{"role":"developer","content":"\"developer\""},{"content":"b","role" : "developer"}]}"#
            ),
            concat!(
                r#"{"model":"m","stream":true,"random_seed":7,"#,
                r#" "max_tokens":9,"safe_prompt":true,"#,
                r#""messages":[{"role":"system","content":"\"developer\""},{"content":"b","role" : "system"}]}"#
            ),
        );
    }

    #[test]
    fn usage_is_asked_for_only_where_that_is_understood() {
        let asked = r#"{"stream":true,"model":"m","messages":[1]}"#;
        check("mistral", asked, asked);
        check(
            "groq",
            asked,
            r#"{"stream_options":{"include_usage":true},"stream":true,"model":"m","messages":[1]}"#,
        );
    }

    #[test]
    fn options_are_taken_out_wherever_they_stand() {
        let rest = r#""stream":true,"model":"m","messages":[1]"#;
        let whole = format!("{{{rest}}}");
        check("together", &format!(r#"{{"stream_options":{{}} , {rest}}}"#), &whole);
        check("together", &format!(r#"{{{rest},"stream_options":null}}"#), &whole);
    }

    #[test]
    fn a_limit_is_not_given_twice() {
        let both = r#"{"model":"m","max_tokens":1,"max_completion_tokens":2,"messages":[1]}"#;
        check("mistral", both, both);
        let own = r#"{"model":"m","max_completion_tokens":2,"messages":[1]}"#;
        check("xai", own, own);
    }
}
