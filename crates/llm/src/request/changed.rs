//! A request as a route changes it for one of its targets: members of the body in place of the caller's, and instructions
//! in place of its own. The rest stays as it was sent, byte for byte.

use std::borrow::Cow;
use std::collections::BTreeMap;

use gatewright_types::api::Dialect;
use serde_json::{Value, json};

use super::{Request, Segments, object_start};
use crate::BadRequest;
use crate::dialect::PathFacts;
use crate::json::{Kind, Members};

impl Request {
    /// `params` are members in the caller's dialect; one that is null takes the caller's out.
    pub fn changed(&self, params: &BTreeMap<String, Value>, prompt: Option<&str>) -> Result<Self, BadRequest> {
        let mut members: BTreeMap<&str, Option<Cow<'_, [u8]>>> = BTreeMap::new();
        if let Some((name, text)) = prompt.and_then(|prompt| self.instructed(prompt)) {
            members.insert(name, Some(text.into()));
        }
        for (name, value) in params {
            let text = (!value.is_null()).then(|| value.to_string().into_bytes().into());
            members.insert(name, text);
        }
        // Whichever of its two names the caller used.
        if members.contains_key("systemInstruction") {
            members.entry("system_instruction").or_insert(None);
        }
        let body = self.with_members(members);
        let path = match self.model_at {
            Some(_) => PathFacts::default(),
            None => PathFacts {
                model: Some(&self.model),
                stream: self.stream,
            },
        };
        Ok(Self {
            continues: self.continues,
            ..Self::parse(self.dialect, body.into(), path)?
        })
    }

    /// The same request, as if it had asked for another model.
    pub fn asking(&self, model: &str) -> Result<Self, BadRequest> {
        let in_body = self.model_at.is_some();
        let body = match self.model_edit(model) {
            Some(edit) => {
                let segments = Segments::edited(&self.body, [Some(edit), None]);
                segments.into_iter().collect::<Vec<_>>().concat().into()
            }
            None => self.body.clone(),
        };
        let path = PathFacts {
            model: (!in_body).then_some(model),
            stream: self.stream,
        };
        Ok(Self {
            continues: self.continues,
            ..Self::parse(self.dialect, body, path)?
        })
    }

    fn with_members(&self, mut members: BTreeMap<&str, Option<Cow<'_, [u8]>>>) -> Vec<u8> {
        let body = &self.body[..];
        let part = |from: usize, to: usize| body.get(from..to).unwrap_or_default();
        let start = object_start(body);
        let (mut changed, mut copied, mut kept_any) = (Vec::with_capacity(body.len()), start, false);
        // Its syntax was checked when it was read.
        let mut reader = Members::of_document(body);
        while let Ok(reader) = &mut reader
            && let Ok(Some(key)) = reader.next_key()
            && let Ok(value) = reader.slot().pass()
        {
            let comma = key.comma_before;
            let change = members.get_mut(&*String::from_utf8_lossy(&key.text)).map(Option::take);
            if let Some(None) = change {
                let cut = match comma {
                    Some(comma) if kept_any => comma,
                    // What divides it from one that was taken out goes, too.
                    Some(_) => copied,
                    None => key.start,
                };
                changed.extend_from_slice(part(copied, cut));
                copied = value.end();
                continue;
            }
            if !std::mem::replace(&mut kept_any, true)
                && let Some(comma) = comma
            {
                // Of what was before, nothing is left to be divided from.
                copied = comma + 1;
            }
            if let Some(Some(text)) = change {
                changed.extend_from_slice(part(copied, value.start));
                changed.extend_from_slice(&text);
                copied = value.end();
            }
        }
        changed.extend_from_slice(part(copied, body.len()));
        let added = members.into_iter().filter_map(|(name, text)| Some((name, text?)));
        let added = added.map(|(name, text)| [json!(name).to_string().as_bytes(), b":", &text, b","].concat());
        [part(0, start), &added.collect::<Vec<_>>().concat(), &changed].concat()
    }

    /// The member that says what the instructions are, with these in place of all that the request has.
    fn instructed(&self, prompt: &str) -> Option<(&'static str, Vec<u8>)> {
        match self.dialect {
            Dialect::OpenaiChat => Some(("messages", self.without_instructions(Some(prompt)))),
            Dialect::OpenaiResponses => Some(("instructions", json!(prompt).to_string().into_bytes())),
            Dialect::AnthropicMessages => Some(("system", json!(prompt).to_string().into_bytes())),
            Dialect::GeminiGenerate => {
                let instruction = json!({"parts": [{"text": prompt}]});
                Some(("systemInstruction", instruction.to_string().into_bytes()))
            }
            // They have no instructions.
            Dialect::OpenaiCompletions
            | Dialect::OpenaiEmbeddings
            | Dialect::GeminiEmbed
            | Dialect::GeminiBatchEmbed
            | Dialect::Native(_) => None,
        }
    }

    /// The messages but for those that instruct, behind the prompt.
    fn without_instructions(&self, prompt: Option<&str>) -> Vec<u8> {
        let content = crate::json::Value {
            kind: Kind::Array,
            text: self.content(),
            start: 0,
        };
        let instructs = |message: &crate::json::Value<'_>| {
            let role = message.member("role");
            let role = role.as_ref().and_then(crate::json::Value::string);
            matches!(role.as_deref(), Some("system" | "developer"))
        };
        let mut messages: Vec<Vec<u8>> = Vec::new();
        messages.extend(prompt.map(|prompt| json!({"role": "system", "content": prompt}).to_string().into_bytes()));
        let others = content.elements().filter(|message| !instructs(message));
        messages.extend(others.map(|message| message.text.to_vec()));
        [&b"["[..], &messages.join(&b","[..]), b"]"].concat()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn changed(dialect: Dialect, body: &str, params: Value, prompt: Option<&str>) -> String {
        let path = match dialect {
            Dialect::GeminiGenerate => PathFacts {
                model: Some("m"),
                stream: false,
            },
            _ => PathFacts::default(),
        };
        let request = Request::parse(dialect, Bytes::from(body.to_owned()), path).expect(body);
        let params: BTreeMap<String, Value> = serde_json::from_value(params).expect("a map");
        let changed = request.changed(&params, prompt).expect(body);
        String::from_utf8(changed.body().to_vec()).expect("text")
    }

    #[test]
    fn members_are_replaced_added_and_taken_out_and_the_rest_stays() {
        let body = r#" {"model":"m", "temperature": 1.50,"seed":7, "odd" : [1.0,"é"],"messages":[{"role":"user","content":"hi"}]}"#;

        let told = changed(
            Dialect::OpenaiChat,
            body,
            json!({"temperature": 0, "seed": null, "top_p": 0.5, "gone": null}),
            None,
        );

        assert_eq!(
            told,
            r#" {"top_p":0.5,"model":"m", "temperature": 0, "odd" : [1.0,"é"],"messages":[{"role":"user","content":"hi"}]}"#
        );
        let first = changed(
            Dialect::OpenaiChat,
            r#"{ "seed":7, "user":"u" , "model":"m","messages":[1] }"#,
            json!({"seed": null, "user": null}),
            None,
        );
        assert_eq!(first, r#"{  "model":"m","messages":[1] }"#);
    }

    #[test]
    fn a_prompt_takes_the_place_of_the_instructions_in_every_dialect() {
        let check = |dialect, body: &str, expected: &str| {
            assert_eq!(changed(dialect, body, json!({}), Some("Be brief.")), expected);
        };

        check(
            Dialect::OpenaiChat,
            r#"{"model":"m","messages":[{"role":"system","content":"Be long."},{"role":"user","content":"hi"}]}"#,
            r#"{"model":"m","messages":[{"content":"Be brief.","role":"system"},{"role":"user","content":"hi"}]}"#,
        );
        check(
            Dialect::AnthropicMessages,
            r#"{"model":"m","max_tokens":5,"system":[{"type":"text","text":"Be long."}],"messages":[{"role":"user","content":"hi"}]}"#,
            r#"{"model":"m","max_tokens":5,"system":"Be brief.","messages":[{"role":"user","content":"hi"}]}"#,
        );
        check(
            Dialect::OpenaiResponses,
            r#"{"model":"m","input":"hi"}"#,
            r#"{"instructions":"Be brief.","model":"m","input":"hi"}"#,
        );
        check(
            Dialect::GeminiGenerate,
            r#"{"system_instruction":{"parts":[{"text":"Be long."}]},"contents":[{"parts":[{"text":"hi"}]}]}"#,
            r#"{"systemInstruction":{"parts":[{"text":"Be brief."}]},"contents":[{"parts":[{"text":"hi"}]}]}"#,
        );
    }
}
