//! The request for a vendor that speaks OpenAI's dialect with an accent: what it calls by another name is renamed where
//! it stands, and what it refuses though it would do it unasked is taken out. All else stays as the caller wrote it, for
//! the vendor to judge: it may know more than this gateway does.

use std::ops::Range;

use bytes::Bytes;

use super::{Edit, Request, Segments, UsageOption};
use crate::dialect::Dropped;
use crate::dialect::openai_chat::{InstructionsRole, MaxTokensName, Quirks, SeedName};
use crate::json::{Kind, Members, SyntaxError, Value};

/// The members that vendors say otherwise.
#[derive(Default)]
struct Said {
    max_tokens: bool,
    /// The name with the colon.
    max_completion_tokens: Option<Range<usize>>,
    seed: Option<Range<usize>>,
    /// Those that have to go, each with one comma.
    removed: Vec<Range<usize>>,
    developers: Vec<Range<usize>>,
}

impl Request {
    /// As [`Request::forward`], in this vendor's words. What it refuses is left out and named.
    pub fn forward_in(&self, words: &Quirks, upstream_model: &str, dropped: &mut Dropped) -> Segments {
        let mut edits = Vec::new();
        // The syntax was checked when the request was parsed.
        if let Ok(said) = Said::read(&self.body, words, dropped) {
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
    fn read(body: &[u8], words: &Quirks, dropped: &mut Dropped) -> Result<Self, SyntaxError> {
        let mut said = Self::default();
        let mut members = Members::of_document(body)?;
        // Where all members before have to go, a member goes with the comma behind it, which ends where the next begins.
        let (mut leads, mut open) = (true, false);
        while let Some(key) = members.next_key()? {
            if let (true, Some(last)) = (open, said.removed.last_mut()) {
                last.end = key.start;
            }
            let value = members.slot().pass()?;
            let refused = words.refuses.iter().find(|name| name.as_bytes() == &*key.text);
            let unknown = !words.usage_in_stream && &*key.text == b"stream_options";
            open = leads && (refused.is_some() || unknown);
            leads = open;
            if let Some(name) = refused {
                dropped.add_if(value.kind != Kind::Null, name);
            }
            if refused.is_some() || unknown {
                let start = key.comma_before.filter(|_| !open).unwrap_or(key.start);
                said.removed.push(start..value.end());
                continue;
            }
            let name = key.start..value.start;
            match &*key.text {
                b"max_tokens" => said.max_tokens = value.kind != Kind::Null,
                b"max_completion_tokens" => said.max_completion_tokens = Some(name),
                b"seed" => said.seed = Some(name),
                b"messages" => said.developers = developers(&value),
                _ => {}
            }
        }
        Ok(said)
    }

    fn edit(self, words: &Quirks, edits: &mut Vec<Edit>) {
        let mut replace = |at: Range<usize>, text: &'static str| {
            edits.push(Edit {
                at,
                text: Bytes::from_static(text.as_bytes()),
            });
        };
        if let (Some(name), MaxTokensName::MaxTokens, false) =
            (self.max_completion_tokens, words.max_tokens, self.max_tokens)
        {
            replace(name, r#""max_tokens":"#);
        }
        if let (Some(name), SeedName::RandomSeed) = (self.seed, words.seed) {
            replace(name, r#""random_seed":"#);
        }
        for removed in self.removed {
            replace(removed, "");
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
    edits.sort_by_key(|edit| (edit.at.start, edit.at.end));
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
    use crate::dialect::openai_chat::vendors::{VENDORS, vendor};

    fn check(name: &str, body: &str, expected: &str) {
        assert_eq!(dropped(name, body, expected), "", "{body}");
    }

    /// What is left out by name.
    fn dropped(name: &str, body: &str, expected: &str) -> String {
        let request = Request::parse(Dialect::OpenaiChat, Bytes::from(body.to_owned()), PathFacts::default());
        let words = &vendor(name).expect("a row").quirks;

        let mut dropped = Dropped::default();
        let forwarded: Vec<u8> = request
            .expect(body)
            .forward_in(words, "m", &mut dropped)
            .into_iter()
            .flatten()
            .collect();

        assert_eq!(String::from_utf8_lossy(&forwarded), expected);
        dropped.to_string()
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
    fn what_a_vendor_refuses_is_left_out_and_named() {
        let rest = r#""model":"m","messages":[1]"#;
        let whole = format!("{{{rest}}}");
        for body in [
            format!(r#"{{"user":"u" , "store" :true,{rest}}}"#),
            format!(r#"{{{rest},"user":"u", "store":true}}"#),
            format!(r#"{{"user":"u",{rest},"store":false}}"#),
        ] {
            let named = dropped("mistral", &body, &whole);
            assert_eq!(named, "user, store", "{body}");
        }
        check("mistral", &format!(r#"{{"user":null,{rest}}}"#), &whole);
        let asked = r#"{"store":true,"stream":true,"model":"m","messages":[1]}"#;
        let usage = r#"{"stream_options":{"include_usage":true},"stream":true,"model":"m","messages":[1]}"#;
        assert_eq!(dropped("groq", asked, usage), "store");
        // Nothing is known against it.
        let own = r#"{"user":"u","store":true,"model":"m","messages":[1]}"#;
        check("xai", own, own);
    }

    #[test]
    fn each_vendor_is_known_to_refuse_these_and_no_others() {
        const ASKED: [&str; 9] = [
            "user",
            "store",
            "metadata",
            "service_tier",
            "prompt_cache_key",
            "prompt_cache_options",
            "prompt_cache_retention",
            "safety_identifier",
            "verbosity",
        ];
        let body = |left_out: &[&str]| {
            let told = ASKED.iter().filter(|name| !left_out.contains(name));
            let told: String = told.map(|name| format!(r#","{name}":"x""#)).collect();
            format!(r#"{{"model":"m","messages":[1]{told}}}"#)
        };

        for vendor in &VENDORS {
            let refused: &[&str] = match vendor.name {
                "mistral" => &[
                    "user",
                    "store",
                    "prompt_cache_options",
                    "prompt_cache_retention",
                    "safety_identifier",
                    "verbosity",
                ],
                "groq" => &[
                    "store",
                    "prompt_cache_key",
                    "prompt_cache_options",
                    "prompt_cache_retention",
                    "safety_identifier",
                    "verbosity",
                ],
                "fireworks" => &[
                    "store",
                    "prompt_cache_options",
                    "prompt_cache_retention",
                    "safety_identifier",
                    "verbosity",
                ],
                _ => &[],
            };
            let named = dropped(vendor.name, &body(&[]), &body(refused));
            assert_eq!(named, refused.join(", "), "{}", vendor.name);
        }
    }

    #[test]
    fn a_limit_is_not_given_twice() {
        let both = r#"{"model":"m","max_tokens":1,"max_completion_tokens":2,"messages":[1]}"#;
        check("mistral", both, both);
        let own = r#"{"model":"m","max_completion_tokens":2,"messages":[1]}"#;
        check("xai", own, own);
    }
}
