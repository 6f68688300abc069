//! Reads a caller's request without rebuilding it: the syntax of everything is checked, the few members that matter here
//! are noted by place, and to a provider of the same dialect the body goes on as it came but for the model's name and the
//! request for usage. What the messages say is only looked at when they have to be translated.

mod accent;
mod changed;
mod continued;
mod declared_tools;
mod enveloped;
mod needs;
mod prompt_cache;
mod question;
mod ties;

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use gatewright_types::api::Dialect;
use thiserror::Error;

use crate::chat::Chat;
use crate::dialect::openai_responses::stored;
use crate::dialect::{PathFacts, inbound};
use crate::json::{Kind, Members, SyntaxError, Value};
pub use declared_tools::declared_tools;
pub use needs::{Boundless, ModelLimits, Most, Needs};
pub use question::Question;

/// Bytes of the longest name a model may have.
pub(crate) const LONGEST_MODEL: usize = 128;
const MOST_SEGMENTS: usize = 5;

/// A checked request: the body as it was sent, and where in it the few members lie that matter here.
#[derive(Debug, Clone)]
pub struct Request {
    dialect: Dialect,
    body: Bytes,
    model: Box<str>,
    /// Absent where the address names the model.
    model_at: Option<Range<usize>>,
    content_at: Range<usize>,
    stream: bool,
    usage: UsageOption,
    /// Where it says what it needs of a model.
    needed: needs::Places,
    /// Where it says what an envelope says in its stead.
    said: enveloped::Said,
    /// Where it says what ties it to others.
    ties: ties::Places,
    /// The response it refers to was found, and the conversation up to there is part of the body.
    continues: bool,
}

/// A body to send, in order: slices of what the caller sent, and the little that differs.
#[derive(Debug, Clone, Default)]
pub struct Segments {
    parts: [Bytes; MOST_SEGMENTS],
    used: usize,
}

/// Why a body is no request: what is wrong, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct BadRequest {
    pub message: String,
    /// The member at fault, as OpenAI's `error.param`.
    pub param: Option<Cow<'static, str>>,
}

/// Whether the caller asked for usage in the stream, else the edit that asks for it.
#[derive(Debug, Clone)]
enum UsageOption {
    Asked,
    NotAsked(Edit),
}

#[derive(Debug, Clone)]
pub(crate) struct Edit {
    pub(crate) at: Range<usize>,
    pub(crate) text: Bytes,
}

#[derive(Default)]
struct Found<'a> {
    model: Option<Value<'a>>,
    /// What is asked: messages, contents, input, prompt.
    content: Option<Value<'a>>,
    stream: Option<Value<'a>>,
    stream_options: Option<Value<'a>>,
    needed: needs::Places,
    said: enveloped::Said,
    ties: ties::Places,
}

impl BadRequest {
    /// About the request as a whole.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            param: None,
        }
    }

    /// About one member.
    pub fn at(param: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            param: Some(param.into()),
        }
    }
}

impl Request {
    /// `path` is what the address says, in dialects that put something there.
    pub fn parse(dialect: Dialect, body: Bytes, path: PathFacts<'_>) -> Result<Self, BadRequest> {
        let content_name = content_name(dialect);
        if body.is_empty() {
            let model = if path.model.is_none() { "'model' and " } else { "" };
            let message = format!("the request body is empty; send a JSON object with {model}'{content_name}'");
            return Err(BadRequest::new(message));
        }
        if let Err(error) = std::str::from_utf8(&body) {
            let message = format!("the request body is not valid UTF-8 at byte {}", error.valid_up_to());
            return Err(BadRequest::new(message));
        }
        let found = Found::read(&body, content_name)?;
        let (model, model_at) = match path.model {
            Some(model) => (check_model(model)?, None),
            None => {
                let value = required(found.model, "model", "name the model to answer")?;
                (read_model(value)?, Some(value.start..value.end()))
            }
        };
        let content_at = content_place(dialect, found.content, content_name)?;
        let stream = match path.model {
            Some(_) => path.stream,
            // Vectors come at once, whatever is asked.
            None if dialect.embeds() => false,
            None => read_flag(found.stream, "stream", "stream")?,
        };
        let usage = match dialect {
            Dialect::OpenaiChat | Dialect::OpenaiCompletions => {
                read_usage_option(found.stream_options, object_start(&body))?
            }
            // Usage is told unasked.
            Dialect::OpenaiResponses
            | Dialect::OpenaiEmbeddings
            | Dialect::AnthropicMessages
            | Dialect::GeminiGenerate
            | Dialect::GeminiEmbed
            | Dialect::GeminiBatchEmbed
            | Dialect::Native(_) => UsageOption::Asked,
        };
        Ok(Self {
            dialect,
            model,
            model_at,
            content_at,
            stream,
            usage,
            needed: found.needed,
            said: found.said,
            ties: found.ties,
            continues: false,
            body,
        })
    }

    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The name the caller asked for.
    pub fn model(&self) -> &str {
        &self.model
    }

    pub fn stream(&self) -> bool {
        self.stream
    }

    /// Usage in the stream is for the caller, too: asked for with `stream_options.include_usage`, or always there.
    pub fn caller_asked_usage(&self) -> bool {
        matches!(self.usage, UsageOption::Asked)
    }

    pub fn body_len(&self) -> usize {
        self.body.len()
    }

    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Where the messages, contents, input or prompt lie.
    pub(crate) fn content_at(&self) -> Range<usize> {
        self.content_at.clone()
    }

    /// The bytes of the messages, contents, input or prompt.
    pub(crate) fn content(&self) -> &[u8] {
        self.body.get(self.content_at.clone()).unwrap_or_default()
    }

    /// Reads all of it, for a provider of another dialect.
    pub fn read(&self) -> Result<Chat, BadRequest> {
        if self.continues {
            return stored::read_continued(&self.body);
        }
        let path = PathFacts {
            model: self.model_at.is_none().then_some(&*self.model),
            stream: self.stream,
        };
        inbound(self.dialect).read_request(&self.body, path)
    }

    /// The body for a provider of the same dialect: the model under its name there and, in a stream, usage asked for.
    pub fn forward(&self, upstream_model: &str) -> Segments {
        let model = self.model_edit(upstream_model);
        let usage = match &self.usage {
            UsageOption::NotAsked(edit) if self.stream => Some(edit.clone()),
            UsageOption::NotAsked(_) | UsageOption::Asked => None,
        };
        Segments::edited(&self.body, [model, usage])
    }

    fn model_edit(&self, upstream_model: &str) -> Option<Edit> {
        let at = self.model_at.clone().filter(|_| upstream_model != &*self.model)?;
        Some(Edit {
            at,
            text: quoted(upstream_model),
        })
    }
}

impl Segments {
    /// A body with these of its places written anew.
    pub(crate) fn edited(body: &Bytes, mut edits: [Option<Edit>; 2]) -> Self {
        edits.sort_by_key(|edit| edit.as_ref().map(|edit| edit.at.start));
        let mut segments = Self::default();
        let mut copied = 0;
        for edit in edits.into_iter().flatten() {
            segments.add(body.slice(copied..edit.at.start));
            segments.add(edit.text);
            copied = edit.at.end;
        }
        segments.add(body.slice(copied..));
        segments
    }

    /// The bytes of all segments together.
    pub fn len(&self) -> usize {
        self.parts.iter().map(Bytes::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn add(&mut self, part: Bytes) {
        if part.is_empty() {
            return;
        }
        if let Some(place) = self.parts.get_mut(self.used) {
            *place = part;
            self.used += 1;
        }
    }
}

impl From<Bytes> for Segments {
    fn from(whole: Bytes) -> Self {
        let mut segments = Self::default();
        segments.add(whole);
        segments
    }
}

impl IntoIterator for Segments {
    type Item = Bytes;
    type IntoIter = std::iter::Take<std::array::IntoIter<Bytes, MOST_SEGMENTS>>;

    fn into_iter(self) -> Self::IntoIter {
        self.parts.into_iter().take(self.used)
    }
}

impl<'a> Found<'a> {
    fn read(body: &'a [u8], content_name: &'static str) -> Result<Self, BadRequest> {
        let mut found = Self::default();
        let wrong = |error| syntax_error(body, error);
        let mut members = Members::of_document(body).map_err(wrong)?;
        while let Some(member) = members.next_member().map_err(wrong)? {
            found.said.note(&member);
            let (place, name) = match &*member.key {
                b"model" => (&mut found.model, "model"),
                key if key == content_name.as_bytes() => (&mut found.content, content_name),
                b"stream" => (&mut found.stream, "stream"),
                b"stream_options" => (&mut found.stream_options, "stream_options"),
                name => {
                    found.needed.note(name, &member.value);
                    found.ties.note(name, &member.value);
                    continue;
                }
            };
            // Two readers may choose differently between duplicates: what was allowed here must be what is run there.
            if place.replace(member.value).is_some() {
                return Err(refuse(&format!("'{name}' is given twice; give it once"), Some(name)));
            }
        }
        Ok(found)
    }
}

fn refuse(message: &str, param: Option<&'static str>) -> BadRequest {
    BadRequest {
        message: message.into(),
        param: param.map(Cow::Borrowed),
    }
}

pub(crate) fn syntax_error(body: &[u8], error: SyntaxError) -> BadRequest {
    let before = body.get(..error.at).unwrap_or(body);
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let column = error.at - memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1) + 1;
    let problem = error.problem;
    refuse(
        &format!("the request body is not valid JSON at line {line}, column {column}: {problem}"),
        None,
    )
}

fn required<'a>(value: Option<Value<'a>>, name: &'static str, advice: &str) -> Result<Value<'a>, BadRequest> {
    value.ok_or_else(|| refuse(&format!("'{name}' is missing; {advice}"), Some(name)))
}

fn wrong_kind(name: &str, param: &'static str, expected: &str, value: Value<'_>) -> BadRequest {
    refuse(
        &format!("'{name}' must be {expected}, not {}", value.kind.name()),
        Some(param),
    )
}

fn read_model(value: Value<'_>) -> Result<Box<str>, BadRequest> {
    if value.kind != Kind::String {
        return Err(wrong_kind("model", "model", "a string", value));
    }
    let Some(model) = value.string() else {
        return Err(refuse("'model' holds an escape that is no character", Some("model")));
    };
    check_model(&model)
}

fn check_model(model: &str) -> Result<Box<str>, BadRequest> {
    if model.is_empty() {
        return Err(refuse("'model' is empty; name the model to answer", Some("model")));
    }
    if model.len() > LONGEST_MODEL {
        return Err(refuse(
            "'model' is longer than 128 bytes; no model has such a name",
            Some("model"),
        ));
    }
    Ok(model.into())
}

const fn content_name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::OpenaiChat | Dialect::AnthropicMessages => "messages",
        Dialect::OpenaiResponses | Dialect::OpenaiEmbeddings => "input",
        Dialect::OpenaiCompletions => "prompt",
        Dialect::GeminiGenerate => "contents",
        Dialect::GeminiEmbed => "content",
        Dialect::GeminiBatchEmbed => "requests",
        // Not read here: it goes to its provider as it is.
        Dialect::Native(_) => "body",
    }
}

/// Where the content is; checked as far as all providers of the dialect agree.
fn content_place(dialect: Dialect, value: Option<Value<'_>>, name: &'static str) -> Result<Range<usize>, BadRequest> {
    let advice = match dialect {
        Dialect::OpenaiChat | Dialect::AnthropicMessages | Dialect::GeminiGenerate => "send at least one message",
        Dialect::OpenaiCompletions => "send the text to complete",
        Dialect::OpenaiEmbeddings | Dialect::GeminiEmbed | Dialect::GeminiBatchEmbed => "send the text to embed",
        Dialect::Native(_) => "send what the provider asks for",
        // It may be in a stored prompt or an earlier response.
        Dialect::OpenaiResponses => return Ok(value.map_or(0..0, |value| value.start..value.end())),
    };
    let value = required(value, name, advice)?;
    match dialect {
        Dialect::OpenaiChat | Dialect::AnthropicMessages | Dialect::GeminiGenerate | Dialect::GeminiBatchEmbed => {
            if value.kind != Kind::Array {
                return Err(wrong_kind(name, name, "an array", value));
            }
            if value.is_empty() {
                return Err(refuse(&format!("'{name}' is empty; {advice}"), Some(name)));
            }
        }
        Dialect::OpenaiCompletions
        | Dialect::OpenaiEmbeddings
        | Dialect::OpenaiResponses
        | Dialect::GeminiEmbed
        | Dialect::Native(_) => {}
    }
    Ok(value.start..value.end())
}

fn read_flag(value: Option<Value<'_>>, name: &str, param: &'static str) -> Result<bool, BadRequest> {
    match value.map(|value| (value.kind, value)) {
        Some((Kind::True, _)) => Ok(true),
        None | Some((Kind::False | Kind::Null, _)) => Ok(false),
        Some((_, value)) => Err(wrong_kind(name, param, "a boolean", value)),
    }
}

fn object_start(body: &[u8]) -> usize {
    memchr::memchr(b'{', body).unwrap_or_default() + 1
}

/// `first_member` is where a member can be put in front of all others.
fn read_usage_option(options: Option<Value<'_>>, first_member: usize) -> Result<UsageOption, BadRequest> {
    const PARAM: &str = "stream_options";
    const MEMBER: &[u8] = br#""stream_options":{"include_usage":true},"#;
    let edit = |at, text| {
        Ok(UsageOption::NotAsked(Edit {
            at,
            text: Bytes::from_static(text),
        }))
    };
    // The body has other members, the model at least: hence the comma.
    let Some(options) = options else {
        return edit(first_member..first_member, MEMBER);
    };
    match options.kind {
        Kind::Object => {}
        Kind::Null => return edit(options.start..options.end(), br#"{"include_usage":true}"#),
        Kind::Array | Kind::String | Kind::Number | Kind::True | Kind::False => {
            return Err(wrong_kind(PARAM, PARAM, "an object", options));
        }
    }
    let mut include = None;
    let mut members = options.members();
    while let Ok(Some(member)) = members.next_member() {
        if &*member.key == b"include_usage" && include.replace(member.value).is_some() {
            return Err(refuse(
                "'stream_options.include_usage' is given twice; give it once",
                Some(PARAM),
            ));
        }
    }
    if read_flag(include, "stream_options.include_usage", PARAM)? {
        return Ok(UsageOption::Asked);
    }
    let inside = options.start + 1;
    match include {
        Some(value) => edit(options.start + value.start..options.start + value.end(), b"true"),
        None if options.is_empty() => edit(inside..inside, br#""include_usage":true"#),
        None => edit(inside..inside, br#""include_usage":true,"#),
    }
}

pub(crate) fn quoted(text: &str) -> Bytes {
    serde_json::to_vec(text)
        .expect("a text can always be written as JSON")
        .into()
}

#[cfg(test)]
mod tests;
