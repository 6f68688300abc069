//! The most that a request can use, whatever comes of it: by that a budget reserves that is never to be exceeded.

use std::fmt;

use super::Needs;

/// What the providers of today add to a request with tools or a schema: instructions for those, at most so long.
const ADDED_INSTRUCTIONS: u64 = 1_024;
/// The most that a picture comes to anywhere: `gpt-4o-mini` in full detail, 2,833 and 5,667 for each of 8 tiles.
const PICTURE: u64 = 2_833 + 8 * 5_667;

/// The most tokens that a request can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Most {
    pub input: u64,
    pub output: u64,
    /// Some of the input may be pictures, which some price apart.
    pub pictures: bool,
    pub sounds: bool,
    /// Some of the output may be a voice.
    pub speaks: bool,
}

/// What is known of the model that answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ModelLimits {
    pub context: Option<u64>,
    pub max_output: Option<u64>,
}

/// Why there is no telling how much a request can use. Reads as a sentence for its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundless {
    Answer,
    Question,
    ProvidersTools,
}

impl Most {
    pub const fn of_texts(input: u64, output: u64) -> Self {
        Self {
            input,
            output,
            pictures: false,
            sounds: false,
            speaks: false,
        }
    }

    /// What nobody here can read, a model can be as far as it goes.
    pub fn of_anything(model: ModelLimits) -> Result<Self, Boundless> {
        Ok(Self {
            input: model.context.ok_or(Boundless::Question)?,
            output: model.max_output.ok_or(Boundless::Answer)?,
            pictures: true,
            sounds: true,
            speaks: true,
        })
    }
}

impl Needs {
    pub fn most(&self, model: ModelLimits) -> Result<Most, Boundless> {
        if self.providers_tools {
            return Err(Boundless::ProvidersTools);
        }
        Ok(Most {
            input: self.most_input(model).ok_or(Boundless::Question)?,
            output: self.most_output(model).ok_or(Boundless::Answer)?,
            pictures: self.media.pictures || self.media.films || self.media.documents,
            sounds: self.media.sounds || self.media.films,
            speaks: self.speaks(),
        })
    }

    fn most_input(&self, model: ModelLimits) -> Option<u64> {
        let only_pictures = self.media.only_pictures();
        let added = self.own_tools.saturating_add(u64::from(self.is_instructed())) * ADDED_INSTRUCTIONS;
        let by_bytes = (only_pictures && !self.kept_elsewhere).then(|| {
            let pictures = self.media.pieces.saturating_mul(PICTURE);
            self.text_bytes.saturating_add(pictures).saturating_add(added)
        });
        match (by_bytes, model.context) {
            (Some(bytes), Some(context)) => Some(bytes.min(context)),
            (known, other) => known.or(other),
        }
    }

    fn most_output(&self, model: ModelLimits) -> Option<u64> {
        if self.embeds {
            return Some(0);
        }
        let longest = self.max_tokens.or(model.max_output)?;
        // Of a text that is foretold, what does not come true is billed as if it had been said.
        let foretold = if self.foretells { self.text_bytes } else { 0 };
        Some(longest.saturating_mul(self.answers).saturating_add(foretold))
    }
}

impl fmt::Display for Boundless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Answer => {
                "the longest answer of the model is not known; send how long the answer may be (`max_tokens`, in this \
                 API's word for it)"
            }
            Self::Question => {
                "the request has files or refers to what its provider keeps, and how long a conversation the model takes \
                 is not known"
            }
            Self::ProvidersTools => {
                "the provider's own tools, such as its search, use as much as they like; leave them out"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use gatewright_types::api::Dialect;

    use super::super::tests::request;
    use super::*;

    const KNOWN: ModelLimits = ModelLimits {
        context: Some(100_000),
        max_output: Some(4_000),
    };

    fn most(dialect: Dialect, members: &str, model: ModelLimits) -> Result<(u64, u64), Boundless> {
        let most = request(dialect, members).needs().most(model)?;
        Ok((most.input, most.output))
    }

    #[test]
    fn an_answer_is_as_long_as_the_caller_takes_else_as_the_model_gives() {
        let chat = |members: &str, model| {
            let members = format!(r#""messages":[{{"role":"user","content":"hi"}}]{members}"#);
            most(Dialect::OpenaiChat, &members, model).map(|(_, output)| output)
        };

        assert_eq!(chat(r#","max_tokens":7"#, ModelLimits::default()), Ok(7));
        assert_eq!(chat("", KNOWN), Ok(4_000));
        assert_eq!(chat("", ModelLimits::default()), Err(Boundless::Answer));
        assert_eq!(chat(r#","max_tokens":7,"n":3"#, KNOWN), Ok(21));
        // Servers differ in which of the two they read.
        assert_eq!(chat(r#","max_completion_tokens":9,"max_tokens":7"#, KNOWN), Ok(9));
        let completions = r#""prompt":["a","b"],"max_tokens":5,"n":1,"best_of":3"#;
        assert_eq!(
            most(Dialect::OpenaiCompletions, completions, KNOWN).map(|most| most.1),
            Ok(30)
        );
        let tokens = r#""prompt":[1,2,3],"max_tokens":5"#;
        assert_eq!(
            most(Dialect::OpenaiCompletions, tokens, KNOWN).map(|most| most.1),
            Ok(5)
        );
        let contents =
            r#""contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"maxOutputTokens":6,"candidateCount":2}"#;
        assert_eq!(
            most(Dialect::GeminiGenerate, contents, KNOWN).map(|most| most.1),
            Ok(12)
        );
        assert_eq!(
            most(Dialect::OpenaiEmbeddings, r#""input":"a""#, ModelLimits::default()).map(|most| most.1),
            Ok(0)
        );
        let foretold = chat(
            r#","max_tokens":7,"prediction":{"type":"content","content":"hi"}"#,
            KNOWN,
        );
        assert!(foretold.is_ok_and(|output| output > 100), "{foretold:?}");
    }

    #[test]
    fn no_text_has_more_tokens_than_bytes_and_what_has_no_bytes_has_the_models_context() {
        let chat = |content: &str, more: &str, model| {
            let members = format!(r#""messages":[{{"role":"user","content":{content}}}],"max_tokens":1{more}"#);
            most(Dialect::OpenaiChat, &members, model).map(|(input, _)| input)
        };
        let text = chat(r#""hi""#, "", ModelLimits::default()).expect("bytes");

        assert!((60..100).contains(&text), "{text}");
        let longer = chat(r#""hiyy""#, "", ModelLimits::default()).expect("bytes");
        assert_eq!(longer, text + 2);
        let picture = r#"[{"type":"image_url","image_url":{"url":"https://a.test/b.png"}}]"#;
        let picture = chat(picture, "", ModelLimits::default()).expect("a picture");
        assert!((PICTURE..PICTURE + 200).contains(&picture), "{picture}");
        let sound = r#"[{"type":"input_audio","input_audio":{"data":"aa","format":"wav"}}]"#;
        assert_eq!(chat(sound, "", KNOWN), Ok(100_000));
        assert_eq!(chat(sound, "", ModelLimits::default()), Err(Boundless::Question));
        let tools = chat(r#""hi""#, r#","tools":[{"type":"function"}]"#, ModelLimits::default()).expect("tools");
        assert!(tools > text + ADDED_INSTRUCTIONS, "{tools}");
        let kept = r#""input":"a","previous_response_id":"resp_1","max_output_tokens":1"#;
        assert_eq!(most(Dialect::OpenaiResponses, kept, KNOWN), Ok((100_000, 1)));
    }

    #[test]
    fn what_a_providers_own_tools_use_has_no_bound() {
        let check = |dialect, members: &str, bounded: bool| {
            let most = most(dialect, members, KNOWN);
            assert_eq!(most.is_ok(), bounded, "{members}: {most:?}");
        };
        let chat = |more: &str| format!(r#""messages":[{{"role":"user","content":"hi"}}],{more}"#);
        let responses = |more: &str| format!(r#""input":"hi",{more}"#);
        let gemini = |more: &str| format!(r#""contents":[{{"parts":[{{"text":"a"}}]}}],{more}"#);

        check(
            Dialect::OpenaiChat,
            &chat(r#""tools":[{"type":"function"},{"type":"custom"}]"#),
            true,
        );
        check(Dialect::OpenaiChat, &chat(r#""web_search_options":{}"#), false);
        check(
            Dialect::OpenaiResponses,
            &responses(r#""tools":[{"type":"web_search"}]"#),
            false,
        );
        check(
            Dialect::OpenaiResponses,
            &responses(r#""tools":[{"type":"function","name":"f"}]"#),
            true,
        );
        check(
            Dialect::AnthropicMessages,
            &chat(r#""tools":[{"name":"f","input_schema":{}}]"#),
            true,
        );
        check(
            Dialect::AnthropicMessages,
            &chat(r#""tools":[{"type":"bash_20250124","name":"bash"}]"#),
            true,
        );
        check(
            Dialect::AnthropicMessages,
            &chat(r#""tools":[{"type":"web_search_20250305"}]"#),
            false,
        );
        check(
            Dialect::AnthropicMessages,
            &chat(r#""mcp_servers":[{"url":"https://a.test"}]"#),
            false,
        );
        check(
            Dialect::GeminiGenerate,
            &gemini(r#""tools":[{"functionDeclarations":[]}]"#),
            true,
        );
        check(
            Dialect::GeminiGenerate,
            &gemini(r#""tools":[{"googleSearch":{}}]"#),
            false,
        );
    }
}
