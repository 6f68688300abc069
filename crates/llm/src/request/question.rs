//! A request as a cache sees it: what of it shapes the answer, in one form however it is written, and whether an answer
//! that was given before is one to it.

use gatewright_types::api::Dialect;

use super::Request;
use crate::json::canonical::write_without;
use crate::json::{Kind, SyntaxError, Value};

/// What a cache has to know of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Equal for requests that ask the same, and for no others.
    pub form: Vec<u8>,
    /// Whom the caller asks for, as it names its own users.
    pub end_user: Option<Box<str>>,
    /// It builds on something that is kept elsewhere, or wants its answer to be: a conversation, a file of prompts, a
    /// container. What that is may change.
    pub has_state: bool,
    /// The same answer comes again: it says so by a temperature of 0 or a seed, or asks for vectors.
    pub repeatable: bool,
}

/// Members of the body that do not shape the answer: how it is sent, who asks, and what the provider notes for its own
/// accounts. The model's name is left out as well, because the model itself stands for it.
///
/// | dialect | left out |
/// |---|---|
/// | chat completions | `model` `stream` `stream_options` `user` `safety_identifier` `metadata` `store` `prompt_cache_key` `prompt_cache_retention` |
/// | responses | `model` `stream` `stream_options` `store` (all others are repeated in the answer) |
/// | completions, embeddings | `model` `stream` `stream_options` `user` |
/// | messages | `model` `stream` `metadata` |
/// | Gemini | `labels` (model and stream are in the address) |
const fn left_out(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::OpenaiChat => &[
            "model",
            "stream",
            "stream_options",
            "user",
            "safety_identifier",
            "metadata",
            "store",
            "prompt_cache_key",
            "prompt_cache_retention",
        ],
        Dialect::OpenaiResponses => &["model", "stream", "stream_options", "store"],
        Dialect::OpenaiCompletions | Dialect::OpenaiEmbeddings => &["model", "stream", "stream_options", "user"],
        Dialect::AnthropicMessages => &["model", "stream", "metadata"],
        Dialect::GeminiGenerate => &["labels"],
        Dialect::GeminiEmbed | Dialect::GeminiBatchEmbed | Dialect::Native(_) => &[],
    }
}

impl Request {
    pub fn question(&self) -> Question {
        self.question_without(&[])
    }

    /// The same but for more members.
    pub(crate) fn question_without(&self, more: &[&str]) -> Question {
        let mut question = Question {
            form: Vec::with_capacity(self.body.len()),
            end_user: None,
            has_state: !self.references().is_empty(),
            repeatable: self.dialect.embeds(),
        };
        let (mut stored, mut bound) = (None, false);
        let mut look = |name: &[u8], value: &Value<'_>| match name {
            b"temperature" => question.repeatable |= is_zero(value),
            b"seed" => question.repeatable |= value.kind == Kind::Number,
            b"generationConfig" | b"generation_config" => question.repeatable |= settles(value),
            b"store" => stored = Some(value.kind == Kind::True),
            b"background" => question.has_state |= value.kind == Kind::True,
            b"previous_response_id"
            | b"conversation"
            | b"prompt"
            | b"container"
            | b"cachedContent"
            | b"cached_content" => {
                // A completion's prompt is its text.
                let own = name == b"prompt" && self.dialect == Dialect::OpenaiCompletions;
                question.has_state |= !own && value.kind != Kind::Null;
            }
            b"user" if question.end_user.is_none() => question.end_user = text(value),
            b"safety_identifier" => question.end_user = text(value).or(question.end_user.take()),
            // Who is bound to a region by it gets no answer from elsewhere.
            b"metadata" if value.member("region").is_some() => bound = true,
            b"metadata" if self.dialect == Dialect::AnthropicMessages => {
                question.end_user = value.member("user_id").and_then(|user| text(&user));
            }
            _ => {}
        };
        if let Some(body) = Value::at(&self.body, 0..self.body.len()) {
            let mut members = body.members();
            while let Ok(Some(member)) = members.next_member() {
                look(&member.key, &member.value);
            }
        }
        // The Responses API stores what it is not told to forget.
        question.has_state |= stored.unwrap_or(self.dialect == Dialect::OpenaiResponses);
        let mut without = [left_out(self.dialect), more].concat();
        without.retain(|name| !bound || *name != "metadata");
        // The syntax was checked when the request was read.
        if self.written(&without, &mut question.form).is_err() {
            question.has_state = true;
        }
        question
    }

    fn written(&self, without: &[&str], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
        let start = memchr::memchr(b'{', &self.body).unwrap_or_default();
        let Some(body) = Value::at(&self.body, start..self.body.len()) else {
            return Ok(());
        };
        body.again(|slot| write_without(slot, without, out))
    }
}

fn settles(settings: &Value<'_>) -> bool {
    settings.member("temperature").is_some_and(|value| is_zero(&value))
        || settings.member("seed").is_some_and(|seed| seed.kind == Kind::Number)
}

fn is_zero(value: &Value<'_>) -> bool {
    let mantissa = value.text.split(|byte| matches!(byte, b'e' | b'E')).next();
    value.kind == Kind::Number
        && mantissa.is_some_and(|digits| digits.iter().all(|byte| matches!(byte, b'-' | b'0' | b'.')))
}

fn text(value: &Value<'_>) -> Option<Box<str>> {
    value.string().filter(|text| !text.is_empty()).map(|text| text.into())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::dialect::PathFacts;

    fn question(dialect: Dialect, body: &str) -> Question {
        let model = matches!(
            dialect,
            Dialect::GeminiGenerate | Dialect::GeminiEmbed | Dialect::GeminiBatchEmbed
        );
        let path = PathFacts {
            model: model.then_some("m"),
            stream: false,
        };
        let body = Bytes::copy_from_slice(body.as_bytes());
        Request::parse(dialect, body, path).expect("a request").question()
    }

    fn chat(more: &str) -> Question {
        question(
            Dialect::OpenaiChat,
            &format!(r#"{{"model":"m","messages":[{{"role":"user","content":"Hi"}}]{more}}}"#),
        )
    }

    #[test]
    fn what_does_not_shape_the_answer_makes_no_difference() {
        let plain = chat("").form;
        for more in [
            r#","stream":true"#,
            r#","stream_options":{"include_usage":true}"#,
            r#","user":"u""#,
            r#","safety_identifier":"u""#,
            r#","metadata":{"a":"b"}"#,
            r#","store":false"#,
            r#","prompt_cache_key":"k""#,
        ] {
            assert_eq!(chat(more).form, plain, "{more}");
        }
        let turned = r#" { "messages" : [ {"content":"\u0048i","role":"user"} ] , "model":"other" } "#;
        assert_eq!(question(Dialect::OpenaiChat, turned).form, plain);

        let messages = |more: &str| {
            question(
                Dialect::AnthropicMessages,
                &format!(r#"{{"model":"m","max_tokens":5,"messages":[{{"role":"user","content":"Hi"}}]{more}}}"#),
            )
        };
        assert_eq!(
            messages(r#","metadata":{"user_id":"u"},"stream":true"#).form,
            messages("").form
        );
    }

    #[test]
    fn everything_else_does() {
        let plain = chat("").form;
        for more in [
            r#","temperature":0"#,
            r#","seed":1"#,
            r#","n":1"#,
            r#","max_tokens":1"#,
            r#","tools":[]"#,
            r#","response_format":{"type":"json_object"}"#,
            r#","service_tier":"flex""#,
            r#","logit_bias":null"#,
            r#","unheard_of":false"#,
        ] {
            assert_ne!(chat(more).form, plain, "{more}");
        }
        let told_back = |more: &str| {
            let body = format!(r#"{{"model":"m","input":"Hi","store":false{more}}}"#);
            question(Dialect::OpenaiResponses, &body).form
        };
        for more in [r#","metadata":{"a":"b"}"#, r#","user":"u""#] {
            assert_ne!(told_back(more), told_back(""), "the Responses API repeats it: {more}");
        }
    }

    #[test]
    fn what_is_kept_elsewhere_is_told() {
        let responses = |more: &str| {
            question(
                Dialect::OpenaiResponses,
                &format!(r#"{{"model":"m","input":"Hi"{more}}}"#),
            )
        };
        assert!(!responses(r#","store":false"#).has_state);
        for more in [
            "",
            r#","store":true"#,
            r#","store":false,"background":true"#,
            r#","store":false,"previous_response_id":"resp_1""#,
            r#","store":false,"conversation":"conv_1""#,
            r#","store":false,"prompt":{"id":"pmpt_1"}"#,
        ] {
            assert!(responses(more).has_state, "{more}");
        }
        let bound = chat(r#","metadata":{"region":"eu"}"#).form;
        assert_ne!(bound, chat("").form, "a region binds the answer");
        let referring = r#"{"model":"m","store":false,"input":[{"type":"item_reference","id":"msg_1"}]}"#;
        assert!(question(Dialect::OpenaiResponses, referring).has_state);
        assert!(chat(r#","store":true"#).has_state && !chat("").has_state);
        assert!(!question(Dialect::OpenaiCompletions, r#"{"model":"m","prompt":"Hi"}"#).has_state);
        let cached = r#"{"contents":[{"parts":[{"text":"Hi"}]}],"cachedContent":"cachedContents/1"}"#;
        assert!(question(Dialect::GeminiGenerate, cached).has_state);
    }

    #[test]
    fn a_question_is_repeatable_when_it_says_so() {
        for more in [
            r#","temperature":0"#,
            r#","temperature":0.0"#,
            r#","temperature":1,"seed":7"#,
        ] {
            assert!(chat(more).repeatable, "{more}");
        }
        for more in ["", r#","temperature":0.1"#, r#","temperature":null"#, r#","seed":null"#] {
            assert!(!chat(more).repeatable, "{more}");
        }
        let gemini = |settings: &str| {
            let body = format!(r#"{{"contents":[{{"parts":[{{"text":"Hi"}}]}}],"generationConfig":{settings}}}"#);
            question(Dialect::GeminiGenerate, &body).repeatable
        };
        assert!(gemini(r#"{"temperature":0e1}"#) && gemini(r#"{"seed":1}"#) && !gemini(r#"{"temperature":1}"#));
        assert!(question(Dialect::OpenaiEmbeddings, r#"{"model":"m","input":"a"}"#).repeatable);
    }

    #[test]
    fn the_end_user_is_told_by_the_dialects_name_for_it() {
        let user = |question: Question| question.end_user.map(String::from);
        assert_eq!(user(chat(r#","user":"u""#)).as_deref(), Some("u"));
        assert_eq!(
            user(chat(r#","safety_identifier":"s","user":"u""#)).as_deref(),
            Some("s")
        );
        assert_eq!(user(chat(r#","user":"","metadata":{"user_id":"u"}"#)), None);
        let messages = r#"{"model":"m","max_tokens":5,"messages":[{}],"metadata":{"user_id":"u"}}"#;
        assert_eq!(
            user(question(Dialect::AnthropicMessages, messages)).as_deref(),
            Some("u")
        );
    }
}
