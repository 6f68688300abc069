//! What [`crate::Request::cached`] does with the bytes of a request, for one that is translated.

use super::{CacheMark, Chat, Part, Role};
use crate::estimate::BYTES_PER_TOKEN;
use crate::prompt_cache::key;

/// No model of Anthropic's caches less than 1,024 tokens; some want more, and pass over the marks until then.
pub(crate) const SHORTEST_CACHED_BYTES: u64 = 1_024 * BYTES_PER_TOKEN;

impl Chat {
    /// Marks the ends of the tools, the instructions and the last of the user's turns, unless the caller marked
    /// something or the prompt is too short.
    pub fn mark_for_cache(&mut self) {
        if self.is_marked() {
            return;
        }
        let mut bytes = 0;
        let mut reaches = |more: usize| {
            bytes += more as u64;
            bytes >= SHORTEST_CACHED_BYTES
        };
        let tools = self.tools.iter().map(|tool| {
            let parameters = tool.parameters.as_ref().map_or(0, |parameters| parameters.text().len());
            tool.name.len() + tool.description.as_ref().map_or(0, |text| text.len()) + parameters
        });
        if reaches(tools.sum())
            && let Some(tool) = self.tools.last_mut()
        {
            tool.cache = Some(CacheMark::FiveMinutes);
        }
        if reaches(self.instructions.iter().map(|text| text.text.len()).sum())
            && let Some(text) = self.instructions.last_mut()
        {
            text.cache = Some(CacheMark::FiveMinutes);
        }
        let turns = self.turns.iter().flat_map(|turn| &turn.parts).map(size);
        if reaches(turns.sum())
            && let Some(turn) = self.turns.iter_mut().rfind(|turn| turn.role == Role::User)
            && let Some(mark) = turn.parts.iter_mut().rev().find_map(Part::cache_mark)
        {
            *mark = Some(CacheMark::FiveMinutes);
        }
    }

    /// As of a request in OpenAI's own dialect that begins so; `model` is the provider's name for it.
    pub fn cache_key(&self, organization: &str, model: &str) -> String {
        let instructions = self.instructions.iter().map(|text| text.text.as_bytes());
        let first = self.turns.iter().find(|turn| turn.role == Role::User);
        let asked = first
            .into_iter()
            .flat_map(|turn| &turn.parts)
            .filter_map(|part| match part {
                Part::Text(text) => Some(text.text.as_bytes()),
                Part::Media(_) | Part::ToolCall(_) | Part::ToolResult(_) | Part::Thinking(_) | Part::Refusal(_) => None,
            });
        key(organization, model, instructions.chain(asked))
    }

    fn is_marked(&self) -> bool {
        let parts = self.turns.iter().flat_map(|turn| &turn.parts);
        self.tools.iter().any(|tool| tool.cache.is_some())
            || self.instructions.iter().any(|text| text.cache.is_some())
            || parts.into_iter().any(|part| match part {
                Part::Text(text) => text.cache.is_some(),
                Part::Media(media) => media.cache.is_some(),
                Part::ToolCall(call) => call.cache.is_some(),
                Part::ToolResult(result) => result.cache.is_some(),
                Part::Thinking(_) | Part::Refusal(_) => false,
            })
    }
}

/// Of its texts: media count for what they are written in only where a provider reads that.
fn size(part: &Part) -> usize {
    match part {
        Part::Text(text) => text.text.len(),
        Part::ToolCall(call) => call.name.len() + call.arguments.len(),
        Part::ToolResult(result) => result.parts.iter().map(size).sum(),
        Part::Thinking(thinking) => thinking.text.len(),
        Part::Refusal(text) => text.len(),
        Part::Media(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use gatewright_types::api::Dialect;

    use super::*;
    use crate::Request;
    use crate::dialect::PathFacts;
    use crate::dialect::anthropic::Anthropic;
    use crate::dialect::{Outbound as _, TargetFacts};

    fn chat(members: &str) -> Chat {
        let body = format!(r#"{{"model":"m",{members}}}"#);
        let request = Request::parse(Dialect::OpenaiChat, Bytes::from(body), PathFacts::default());
        request.and_then(|request| request.read()).expect("a request")
    }

    fn marks(chat: &Chat) -> usize {
        let target = TargetFacts {
            model: "claude-sonnet-4-5",
            output_limit: None,
        };
        let written = Anthropic.write_request(chat, target).expect("a request");
        String::from_utf8(written.body)
            .expect("text")
            .matches("cache_control")
            .count()
    }

    #[test]
    fn a_long_prompt_is_marked_at_the_ends_of_its_parts() {
        let long = "word ".repeat(1_000);
        let user = r#"{"role":"user","content":"Why?"}"#;
        let tool = r#""tools":[{"type":"function","function":{"name":"f"}}]"#;
        let check = |members: String, expected| {
            let mut chat = chat(&members);
            chat.mark_for_cache();
            assert_eq!(marks(&chat), expected, "{members}");
        };

        check(
            format!(r#"{tool},"messages":[{{"role":"system","content":"{long}"}},{user}]"#),
            2,
        );
        check(
            format!(r#"{tool},"messages":[{{"role":"system","content":"a"}},{{"role":"user","content":"{long}"}}]"#),
            1,
        );
        check(
            format!(r#"{tool},"messages":[{{"role":"system","content":"a"}},{user}]"#),
            0,
        );
        let marked = r#"{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}"#;
        check(
            format!(r#""messages":[{{"role":"system","content":"{long}"}},{{"role":"user","content":[{marked}]}}]"#),
            1,
        );
    }

    #[test]
    fn a_key_stays_the_same_while_a_conversation_grows() {
        let begun = r#"{"role":"system","content":"Be brief."},{"role":"user","content":"Why?"}"#;
        let first = chat(&format!(r#""messages":[{begun}]"#)).cache_key("org", "m");
        let grown = r#"{"role":"assistant","content":"So."},{"role":"user","content":"And?"}"#;

        assert_eq!(
            chat(&format!(r#""messages":[{begun},{grown}]"#)).cache_key("org", "m"),
            first
        );
        assert_ne!(chat(&format!(r#""messages":[{grown}]"#)).cache_key("org", "m"), first);
    }
}
