//! A request to a language model in nobody's dialect: what a caller's request is read into when the provider speaks
//! another dialect, and what the provider's request is written from. Only translated calls pay for it.

mod caching;
mod json;
mod reasoning;

use serde::{Serialize, Serializer};

pub(crate) use caching::SHORTEST_CACHED_BYTES;
pub use json::Json;
pub use reasoning::{Amount, Effort, Maker, Reasoning, Signature, Thinking};

/// A conversation and what is asked about it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Chat {
    /// The name the caller asked for; the target has its own.
    pub model: Box<str>,
    pub stream: bool,
    /// System and developer messages, wherever the dialect puts them.
    pub instructions: Vec<Text>,
    /// Neighbours have different roles: readers join what follows each other.
    pub turns: Vec<Turn>,
    pub tools: Vec<Tool>,
    /// Those of the tools that the caller has in a namespace, which no other dialect knows.
    pub namespaced: Vec<Namespaced>,
    /// Those of the tools that take a text and not JSON, which OpenAI alone knows: here they are functions of one text.
    pub freeform: Vec<Freeform>,
    pub tool_choice: ToolChoice,
    /// Whether several tools may be called at once; the model's own habit when absent.
    pub parallel_tools: Option<bool>,
    pub format: Format,
    pub reasoning: Option<Reasoning>,
    pub sampling: Sampling,
    /// Who uses the application, in its own words.
    pub user: Option<Box<str>>,
    /// The stored response that this request continues, which the answer repeats. What was said there is in the turns.
    pub continues: Option<Box<str>>,
    /// Members of the caller's request that have no place here, by their names: once each, and so many as anybody reads.
    pub unheld: Vec<Box<str>>,
}

/// How the answer is chosen and where it ends. Numbers keep the caller's own notation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sampling {
    pub max_tokens: Option<u64>,
    pub temperature: Option<serde_json::Number>,
    pub top_p: Option<serde_json::Number>,
    pub top_k: Option<u64>,
    pub frequency_penalty: Option<serde_json::Number>,
    pub presence_penalty: Option<serde_json::Number>,
    pub seed: Option<i64>,
    pub stop: Vec<Box<str>>,
    /// How many answers are wanted; one when absent.
    pub choices: Option<u64>,
    /// `Some(n)`: log probabilities, with the `n` likeliest alternatives of each token.
    pub top_logprobs: Option<u64>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    pub role: Role,
    pub parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The user and, in the name of tools, the application: tool results are here.
    User,
    Assistant,
}

/// A piece of a turn or of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    Text(Text),
    Media(Media),
    ToolCall(ToolCall),
    ToolResult(ToolResult),
    Thinking(Thinking),
    /// The model's refusal, where the dialect tells it from text.
    Refusal(Box<str>),
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Text {
    pub text: Box<str>,
    pub cache: Option<CacheMark>,
}

/// The caller wants the provider to cache the prompt up to here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheMark {
    FiveMinutes,
    OneHour,
}

/// An image, a sound, a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Media {
    pub kind: MediaKind,
    pub source: Source,
    /// `image/png`, where the caller said so. [`Source::Base64`] always has one.
    pub media_type: Option<Box<str>>,
    /// A document's file name or title.
    pub name: Option<Box<str>>,
    /// OpenAI's `low`, `high`, `auto` for images.
    pub detail: Option<Box<str>>,
    pub cache: Option<CacheMark>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    Image,
    Audio,
    Document,
    Video,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    Base64(Box<str>),
    Url(Box<str>),
    /// A document in plain text.
    Plain(Box<str>),
    /// An identifier that means something to one provider only.
    File(Box<str>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    /// Unique in the conversation; dialects without identifiers make them up.
    pub id: Box<str>,
    pub name: Box<str>,
    /// JSON text. Readers write `{}` for a call without arguments; a model may have written anything else.
    pub arguments: Box<str>,
    /// What Gemini wants to have back together with the call.
    pub signature: Option<Signature>,
    pub cache: Option<CacheMark>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ToolResult {
    /// The identifier of the call.
    pub call: Box<str>,
    /// The tool's name, where the dialect repeats it; the call has it otherwise.
    pub name: Option<Box<str>>,
    /// Texts and media.
    pub parts: Vec<Part>,
    pub failed: bool,
    pub cache: Option<CacheMark>,
}

/// A function the model may call.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    pub name: Box<str>,
    pub description: Option<Box<str>>,
    /// A JSON schema; a function without parameters when absent.
    pub parameters: Option<Json>,
    pub strict: Option<bool>,
    pub cache: Option<CacheMark>,
}

/// Where a caller has a tool. Everywhere else both names are in one, which is that of the tool and of calls of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespaced {
    pub whole: Box<str>,
    pub namespace: Box<str>,
    pub name: Box<str>,
}

/// A tool that takes a text, as its caller has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Freeform {
    /// That of the function that stands for it.
    pub name: Box<str>,
    pub description: Option<Box<str>>,
    /// The grammar of the text, in the caller's notation.
    pub format: Option<Json>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub enum ToolChoice {
    #[default]
    Auto,
    None,
    /// Some tool, whichever.
    Required,
    Named(Box<str>),
}

/// What the answer's text has to be.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Format {
    #[default]
    Text,
    /// Some JSON object.
    Json,
    Schema(Schema),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    pub name: Box<str>,
    pub description: Option<Box<str>>,
    pub schema: Json,
    pub strict: Option<bool>,
}

impl Chat {
    /// The tool of this name, if it takes a text and not JSON.
    pub(crate) fn freeform(&self, name: &str) -> Option<&Freeform> {
        self.freeform.iter().find(|freeform| &*freeform.name == name)
    }

    /// Adds to the last turn when it is of this role, else begins one.
    pub(crate) fn add(&mut self, role: Role, parts: impl IntoIterator<Item = Part>) {
        match self.turns.last_mut() {
            Some(turn) if turn.role == role => turn.parts.extend(parts),
            _ => {
                let parts: Vec<_> = parts.into_iter().collect();
                if !parts.is_empty() {
                    self.turns.push(Turn { role, parts });
                }
            }
        }
    }
}

/// Adds a name that is not there yet. A body made of nothing but names would be compared with itself name by name, and
/// nobody reads so many: what is beyond the bound is left out.
pub(crate) fn note(names: &mut Vec<Box<str>>, name: &str) {
    const MOST: usize = 256;
    if names.len() < MOST && !names.iter().any(|known| &**known == name) {
        names.push(name.into());
    }
}

impl Namespaced {
    pub(crate) fn new(namespace: Box<str>, name: Box<str>) -> Self {
        Self {
            whole: Self::whole(&namespace, &name),
            namespace,
            name,
        }
    }

    /// Made of nothing but what the names of functions may be made of.
    pub(crate) fn whole(namespace: &str, name: &str) -> Box<str> {
        format!("{namespace}__{name}").into()
    }
}

impl Text {
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self {
            text: text.into(),
            cache: None,
        }
    }
}

impl Part {
    /// Where its mark is, if it can have one.
    pub(crate) fn cache_mark(&mut self) -> Option<&mut Option<CacheMark>> {
        match self {
            Self::Text(text) => Some(&mut text.cache),
            Self::Media(media) => Some(&mut media.cache),
            Self::ToolCall(call) => Some(&mut call.cache),
            Self::ToolResult(result) => Some(&mut result.cache),
            Self::Thinking(_) | Self::Refusal(_) => None,
        }
    }

    pub fn text(text: impl Into<Box<str>>) -> Self {
        Self::Text(Text::new(text))
    }
}

/// Anthropic's notation, which others have taken over.
impl Serialize for CacheMark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written {
            #[serde(rename = "type")]
            kind: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            ttl: Option<&'static str>,
        }
        let ttl = match self {
            Self::FiveMinutes => None,
            Self::OneHour => Some("1h"),
        };
        Written { kind: "ephemeral", ttl }.serialize(serializer)
    }
}
