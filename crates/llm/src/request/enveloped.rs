//! The caller's own body in the envelope of a cloud that serves Claude: the address says what the body said, the body says
//! which version of the envelope it is for, and everything else stays as the caller wrote it.

use std::ops::Range;

use bytes::Bytes;
use gatewright_types::api::Dialect;

use super::needs::names_files;
use super::{Edit, Request, Segments};
use crate::dialect::anthropic::Envelope;
use crate::dialect::anthropic::betas::member;
use crate::json::Member;

/// Where a body says what the envelope says.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    /// The name of the model, with the member's own.
    model: Option<Range<usize>>,
    /// Whether to stream, with one comma.
    stream: Option<Range<usize>>,
    /// The member before was the first one, and said whether to stream: its comma is the one behind it.
    stream_was_first: bool,
    /// It is written for an envelope already, or asks for what only Anthropic's own service has.
    unfit: bool,
}

impl Request {
    /// Whether it has files of which it only names the addresses.
    pub(crate) fn names_files(&self) -> bool {
        names_files(self.dialect, self.content())
    }

    /// `betas` are those that the envelope takes. Absent for a body that has to be translated: one that names files where
    /// the envelope wants their bytes, says itself what the envelope is to say, or asks for more than there is.
    pub fn enveloped(&self, envelope: Envelope, betas: &[&str]) -> Option<Segments> {
        if self.dialect != Dialect::AnthropicMessages || self.said.unfit {
            return None;
        }
        let version = envelope.version()?;
        let at = self.said.model.clone()?;
        if self.names_files() {
            return None;
        }
        let mut text = format!(r#""anthropic_version":"{version}""#);
        let (stream, betas) = match envelope {
            // There the body says whether to stream, and a header which betas are wanted.
            Envelope::Direct | Envelope::Vertex => (None, &[][..]),
            Envelope::Bedrock => (self.said.stream.clone(), betas),
        };
        if !betas.is_empty() {
            text.push(',');
            text.push_str(&member(betas));
        }
        // Where the model was named, so that no comma has to be put or taken away.
        let version = Edit { at, text: text.into() };
        let stream = stream.map(|at| Edit { at, text: Bytes::new() });
        Some(Segments::edited(&self.body, [Some(version), stream]))
    }
}

impl Said {
    /// Notes a member of the body, where it is one of these.
    pub(super) fn note(&mut self, member: &Member<'_>) {
        if std::mem::take(&mut self.stream_was_first)
            && let Some(stream) = &mut self.stream
        {
            stream.end = member.start;
        }
        match &*member.key {
            b"model" => self.model = Some(member.start..member.value.end()),
            b"stream" => {
                self.stream = Some(member.comma_before.unwrap_or(member.start)..member.value.end());
                self.stream_was_first = member.comma_before.is_none();
            }
            b"anthropic_version" | b"anthropic_beta" | b"thread" | b"mcp_servers" => self.unfit = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::dialect::PathFacts;

    fn request(body: &str) -> Request {
        let body = Bytes::copy_from_slice(body.as_bytes());
        Request::parse(Dialect::AnthropicMessages, body, PathFacts::default()).expect("a request")
    }

    fn written(body: &str, envelope: Envelope, betas: &[&str]) -> Option<String> {
        let segments = request(body).enveloped(envelope, betas)?;
        Some(String::from_utf8(segments.into_iter().flatten().collect()).expect("text"))
    }

    #[test]
    fn all_but_what_the_envelope_says_stays_as_it_was_written() {
        let check = |body: &str, betas: &[&str], expected: &str| {
            assert_eq!(
                written(body, Envelope::Bedrock, betas).as_deref(),
                Some(expected),
                "{body}"
            );
        };
        let version = r#""anthropic_version":"bedrock-2023-05-31""#;
        let rest = r#" "max_tokens": 1e2, "messages":[{"role":"user","content":[{"cache_control":{"type":"ephemeral"}}]}],"new":[ 1 ]"#;

        check(
            &format!(r#"{{"model":"m",{rest}}}"#),
            &[],
            &format!("{{{version},{rest}}}"),
        );
        check(
            &format!(r#"{{"model" : "m" , "stream":true,{rest}}}"#),
            &[],
            &format!("{{{version} ,{rest}}}"),
        );
        check(
            &format!(r#"{{ "stream" : true , "model":"m",{rest}}}"#),
            &[],
            &format!("{{ {version},{rest}}}"),
        );
        check(
            &format!(r#"{{{rest},"model":"m","stream":false }}"#),
            &[],
            &format!("{{{rest},{version} }}"),
        );
        check(
            &format!(r#"{{{rest},"stream":null,"model":"m"}}"#),
            &["a", "b"],
            &format!(r#"{{{rest},{version},"anthropic_beta":["a","b"]}}"#),
        );
    }

    #[test]
    fn on_vertex_the_body_says_whether_to_stream() {
        let body = r#"{"model":"m","stream":true,"messages":[1]}"#;

        assert_eq!(
            written(body, Envelope::Vertex, &["a"]).as_deref(),
            Some(r#"{"anthropic_version":"vertex-2023-10-16","stream":true,"messages":[1]}"#)
        );
    }

    #[test]
    fn what_is_doubtful_is_not_put_into_an_envelope() {
        let with = |more: &str| format!(r#"{{"model":"m","messages":[{{"role":"user","content":[{more}]}}]}}"#);
        for part in [
            r#"{"type":"image","source":{"type":"url","url":"https://a.example"}}"#,
            r#"{"type":"document","source":{"type":"file","file_id":"f"}}"#,
            r#"{"type":"tool_result","content":[{"source":{"url":"u","type":"url"},"type":"image"}]}"#,
        ] {
            assert_eq!(written(&with(part), Envelope::Bedrock, &[]), None, "{part}");
        }
        for part in [
            r#"{"type":"image","source":{"type":"base64","data":"aa"}}"#,
            r#"{"type":"text","text":"{\"type\":\"image\",\"source\":{\"type\":\"url\"}}"}"#,
            r#"{"type":"tool_use","input":{"type":"image","source":{"type":"url"}}}"#,
        ] {
            assert!(written(&with(part), Envelope::Bedrock, &[]).is_some(), "{part}");
        }
        for own in [
            r#""anthropic_version":"bedrock-2023-05-31""#,
            r#""thread":{"type":"create"}"#,
            r#""mcp_servers":[1]"#,
        ] {
            let body = format!(r#"{{"model":"m","messages":[1],{own}}}"#);
            assert_eq!(written(&body, Envelope::Bedrock, &[]), None, "{own}");
        }
        let chat = Request::parse(
            Dialect::OpenaiChat,
            Bytes::from_static(br#"{"model":"m","messages":[1]}"#),
            PathFacts::default(),
        );
        assert!(chat.expect("a request").enveloped(Envelope::Bedrock, &[]).is_none());
    }

    proptest! {
        /// In whatever order the members come, and whatever else is there.
        #[test]
        fn the_same_is_said_but_for_model_and_stream(
            names in Just(vec!["model", "stream", "messages", "system", "x"]).prop_shuffle(),
            left_out in proptest::sample::subsequence(vec!["stream", "system", "x"], 0..=3),
            text: String,
            pretty: bool,
        ) {
            let mut body = serde_json::Map::new();
            for name in names.into_iter().filter(|name| !left_out.contains(name)) {
                body.insert(name.to_owned(), match name {
                    "stream" => json!(true),
                    "messages" => json!([{"role": "user", "content": text}]),
                    _ => json!(text.chars().take(9).collect::<String>() + "."),
                });
            }
            let body = Value::Object(body);
            let sent = if pretty { serde_json::to_string_pretty(&body) } else { serde_json::to_string(&body) };
            let sent = sent.expect("JSON");
            let told = written(&sent, Envelope::Bedrock, &["b"]).expect("an envelope");
            let told: Value = serde_json::from_str(&told).expect("JSON");

            let mut expected = body;
            let members = expected.as_object_mut().expect("an object");
            members.remove("model");
            members.remove("stream");
            members.insert("anthropic_version".into(), json!("bedrock-2023-05-31"));
            members.insert("anthropic_beta".into(), json!(["b"]));
            prop_assert_eq!(told, expected);
        }
    }
}
