//! What a request needs of a model, told from the caller's bytes before anybody is asked: which abilities, how long an
//! answer, how much room for the question. Parsing notes where the few members lie that say so, and of the conversation
//! only one that has media in it is looked through.

mod media;
mod most;

use std::ops::Range;

use gatewright_types::api::{Capability, Dialect, RequestNeeds};

use self::media::Media;
pub(super) use self::media::names_files;
pub use self::most::{Boundless, ModelLimits, Most};
use super::Request;
use crate::Capabilities;
use crate::estimate::{BYTES_PER_TOKEN, MEDIA};
use crate::json::{Kind, Value};

/// What a request needs of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// A model without one of these cannot do what is asked: tools, structured output, and what it has to see, hear or say.
    pub capabilities: Capabilities,
    /// It is asked to think. One that cannot answers all the same.
    pub reasoning: bool,
    /// Tokens of the longest answer that the caller takes.
    pub max_tokens: Option<u64>,
    /// All of the body but its media.
    text_bytes: u64,
    media: Media,
    /// Part of the conversation is kept by a provider.
    kept_elsewhere: bool,
    embeds: bool,
    /// How many answers are asked for.
    answers: u64,
    /// Tools of the vendor's own that the caller runs: what is said of them is not in the request.
    own_tools: u64,
    /// Tools that the provider runs.
    providers_tools: bool,
    /// It says what the answer will probably be.
    foretells: bool,
}

/// Where a body says so.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    tools: Option<Range<usize>>,
    format: Option<Range<usize>>,
    /// `text`, `output_config`, `generationConfig`: objects with settings of the answer.
    settings: Option<Range<usize>>,
    limit: Option<Range<usize>>,
    /// The same by its other name.
    other_limit: Option<Range<usize>>,
    answers: Option<Range<usize>>,
    /// Of which so many are thrown away.
    best_of: Option<Range<usize>>,
    foretold: Option<Range<usize>>,
    /// Tools that the provider runs, where they are no tools by name.
    providers_tools: Option<Range<usize>>,
    thinking: Option<Range<usize>>,
    modalities: Option<Range<usize>>,
    /// The response, conversation or prompt that it builds on.
    earlier: Option<Range<usize>>,
}

impl Request {
    /// A few microseconds at most for a body of texts, whatever its size.
    pub fn needs(&self) -> Needs {
        let media = Media::of(self.dialect, self.content());
        let mut needs = Needs {
            capabilities: Capabilities::default(),
            reasoning: false,
            max_tokens: None,
            text_bytes: (self.body.len() as u64).saturating_sub(media.bytes),
            kept_elsewhere: self.needed.earlier.is_some() && !self.continues,
            media,
            embeds: self.dialect.embeds(),
            answers: 1,
            own_tools: 0,
            providers_tools: self.needed.providers_tools.is_some(),
            foretells: self.needed.foretold.is_some(),
        };
        if needs.embeds {
            return needs;
        }
        media.note(&mut needs.capabilities);
        self.note_members(&mut needs);
        needs
    }

    fn note_members(&self, needs: &mut Needs) {
        let read = |place: &Option<Range<usize>>| Value::at(&self.body, place.clone()?);
        let places = &self.needed;
        let mut need = |capability, needed| {
            if needed {
                needs.capabilities.set(capability, true);
            }
        };
        need(
            Capability::Tools,
            read(&places.tools).is_some_and(|tools| !tools.is_empty()),
        );
        need(
            Capability::StructuredOutput,
            read(&places.format).is_some_and(|format| is_schema(&format)),
        );
        need(
            Capability::AudioOutput,
            read(&places.modalities).is_some_and(|modalities| modalities.elements().any(|word| is(&word, "audio"))),
        );
        let limits = [&places.limit, &places.other_limit].map(|place| number(&read(place)?));
        needs.max_tokens = limits.into_iter().flatten().max();
        let answers = [&places.answers, &places.best_of].map(|place| number(&read(place)?));
        needs.answers = answers.into_iter().flatten().max().unwrap_or(1);
        if self.dialect == Dialect::OpenaiCompletions {
            needs.answers = needs.answers.saturating_mul(prompts(self.content()));
        }
        if let Some(tools) = read(&places.tools) {
            needs.note_tools(self.dialect, &tools);
        }
        needs.reasoning = read(&places.thinking).is_some_and(|thinking| thinks(&thinking));
        if let Some(settings) = read(&places.settings) {
            needs.note_settings(self.dialect, &settings);
        }
    }
}

impl Needs {
    /// Those of its needs that a model with these capabilities does not meet.
    pub fn lacking(&self, there: Capabilities) -> impl Iterator<Item = Capability> {
        let needed = self.capabilities;
        needed.iter().filter(move |capability| !there.contains(*capability))
    }

    /// More tokens than this the request is not, whoever counts: no token is shorter than a byte. Absent where only a
    /// provider knows: with media, or what it keeps itself. What it adds of its own, as for tools, is not in it.
    pub fn input_tokens_at_most(&self) -> Option<u64> {
        (self.media.pieces == 0 && !self.kept_elsewhere).then_some(self.text_bytes)
    }

    /// About how many tokens the request is, by a rule of thumb: [`crate::count_request`] counts, and takes its time.
    pub fn input_tokens(&self) -> u64 {
        self.text_bytes.div_ceil(BYTES_PER_TOKEN) + self.media.pieces * MEDIA
    }

    /// As far as people are told of them.
    pub fn told(&self) -> RequestNeeds {
        RequestNeeds {
            capabilities: self.capabilities.iter().collect(),
            reasoning: self.reasoning,
            input_tokens: self.input_tokens(),
            max_tokens: self.max_tokens,
        }
    }

    /// As people were told of them before, of a request in this dialect. Its size is known to about a token.
    pub fn told_before(told: &RequestNeeds, dialect: Dialect) -> Self {
        let mut capabilities = Capabilities::default();
        for capability in &told.capabilities {
            capabilities.set(*capability, true);
        }
        let media = [Capability::Vision, Capability::Documents, Capability::AudioInput];
        Self {
            capabilities,
            reasoning: told.reasoning,
            max_tokens: told.max_tokens,
            text_bytes: told.input_tokens.saturating_mul(BYTES_PER_TOKEN),
            media: Media::default(),
            // Of media only a provider knows how many tokens they are.
            kept_elsewhere: media.iter().any(|one| told.capabilities.contains(one)),
            embeds: dialect.embeds(),
            answers: 1,
            own_tools: 0,
            providers_tools: false,
            foretells: false,
        }
    }

    fn note_tools(&mut self, dialect: Dialect, tools: &Value<'_>) {
        for tool in tools.elements() {
            match whose(dialect, &tool) {
                ToolOf::Caller => {}
                ToolOf::Vendor => self.own_tools += 1,
                ToolOf::Provider => self.providers_tools = true,
            }
        }
    }

    fn is_instructed(&self) -> bool {
        let needed = self.capabilities;
        needed.contains(Capability::Tools) || needed.contains(Capability::StructuredOutput)
    }

    fn speaks(&self) -> bool {
        self.capabilities.contains(Capability::AudioOutput)
    }

    fn note_settings(&mut self, dialect: Dialect, settings: &Value<'_>) {
        let mut members = settings.members();
        while let Ok(Some(member)) = members.next_member() {
            let value = member.value;
            let has_schema = match &*member.key {
                b"format" => is_schema(&value),
                b"responseSchema" | b"response_schema" | b"responseJsonSchema" | b"response_json_schema" => {
                    dialect == Dialect::GeminiGenerate && value.kind == Kind::Object
                }
                b"maxOutputTokens" | b"max_output_tokens" => {
                    self.max_tokens = number(&value);
                    false
                }
                b"candidateCount" | b"candidate_count" => {
                    self.answers = number(&value).unwrap_or(1);
                    false
                }
                b"thinkingConfig" | b"thinking_config" => {
                    self.reasoning = thinks(&value);
                    false
                }
                b"responseModalities" | b"response_modalities" => {
                    let speaks = value.elements().any(|word| is(&word, "AUDIO"));
                    if speaks {
                        self.capabilities.set(Capability::AudioOutput, true);
                    }
                    false
                }
                _ => false,
            };
            if has_schema {
                self.capabilities.set(Capability::StructuredOutput, true);
            }
        }
    }
}

impl Places {
    /// Notes a member of the body, where it is one of these.
    pub(super) fn note(&mut self, name: &[u8], value: &Value<'_>) {
        let place = match name {
            b"tools" | b"functions" => &mut self.tools,
            b"response_format" | b"output_format" => &mut self.format,
            b"text" | b"output_config" | b"generationConfig" | b"generation_config" => &mut self.settings,
            b"max_tokens" | b"max_output_tokens" => &mut self.limit,
            b"max_completion_tokens" => &mut self.other_limit,
            b"n" => &mut self.answers,
            b"best_of" => &mut self.best_of,
            b"prediction" => &mut self.foretold,
            b"web_search_options" | b"mcp_servers" => &mut self.providers_tools,
            b"reasoning_effort" | b"reasoning" | b"thinking" => &mut self.thinking,
            b"modalities" => &mut self.modalities,
            b"previous_response_id"
            | b"conversation"
            | b"prompt"
            | b"cachedContent"
            | b"cached_content"
            | b"container" => &mut self.earlier,
            _ => return,
        };
        if value.kind != Kind::Null {
            *place = Some(value.start..value.end());
        }
    }
}

/// Who made a tool and who runs it.
enum ToolOf {
    Caller,
    /// The caller runs it.
    Vendor,
    Provider,
}

fn whose(dialect: Dialect, tool: &Value<'_>) -> ToolOf {
    /// Of Anthropic's tools, those that run there.
    const THERE: [&str; 5] = ["web_search", "web_fetch", "code_execution", "tool_search", "mcp"];
    if dialect == Dialect::GeminiGenerate {
        let declares = |name| tool.member(name).is_some();
        return match declares("functionDeclarations") || declares("function_declarations") {
            true => ToolOf::Caller,
            false => ToolOf::Provider,
        };
    }
    let kind = tool.member("type").and_then(|kind| kind.string());
    match kind.as_deref() {
        None | Some("function" | "custom") => ToolOf::Caller,
        Some(kind) if dialect == Dialect::AnthropicMessages && !THERE.iter().any(|there| kind.starts_with(there)) => {
            ToolOf::Vendor
        }
        Some(_) => ToolOf::Provider,
    }
}

/// How many texts a legacy request has completed: a list of numbers is one text.
fn prompts(content: &[u8]) -> u64 {
    let Some(content) = Value::at(content, 0..content.len()).filter(|content| content.kind == Kind::Array) else {
        return 1;
    };
    let texts = content.elements().filter(|element| element.kind != Kind::Number);
    (texts.count() as u64).max(1)
}

fn is_schema(format: &Value<'_>) -> bool {
    format.member("type").is_some_and(|kind| is(&kind, "json_schema"))
}

fn is(value: &Value<'_>, word: &str) -> bool {
    value.string().is_some_and(|text| text == word)
}

fn number(value: &Value<'_>) -> Option<u64> {
    std::str::from_utf8(value.text).ok()?.parse().ok()
}

/// Whether a setting of thinking, in whichever dialect's words, does not just switch it off.
fn thinks(setting: &Value<'_>) -> bool {
    match setting.kind {
        Kind::String => !is(setting, "none"),
        Kind::Object => {
            let mut members = setting.members();
            while let Ok(Some(member)) = members.next_member() {
                let off = match &*member.key {
                    b"type" => is(&member.value, "disabled"),
                    b"effort" => is(&member.value, "none"),
                    b"enabled" => member.value.kind == Kind::False,
                    b"thinkingBudget" | b"thinking_budget" => number(&member.value) == Some(0),
                    _ => false,
                };
                if off {
                    return false;
                }
            }
            true
        }
        Kind::Array | Kind::Number | Kind::True | Kind::False | Kind::Null => false,
    }
}

#[cfg(test)]
mod tests;
