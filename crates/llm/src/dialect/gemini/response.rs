//! Reads a GenerateContentResponse in place: a whole answer is one, and so is each event of a stream. Only the first
//! candidate counts; more are never asked for.

use std::borrow::Cow;

use gatewright_types::UsageUnit;

use super::usage;
use crate::AnswerFacts;
use crate::json::{Elements, Kind, Members, SyntaxError, Value};
use crate::wire::ToldError;

#[derive(Debug, Default)]
pub(super) struct Response<'a> {
    pub(super) error: Option<ToldError>,
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) model: Option<Cow<'a, str>>,
    pub(super) facts: AnswerFacts,
    /// Why the answer ended, when it did.
    pub(super) finish: Option<Cow<'a, str>>,
    /// The prompt was refused, and why.
    pub(super) blocked: Option<Blocked<'a>>,
    pub(super) has_candidate: bool,
    /// What was asked of Google's search.
    queries: u64,
    parts: Option<Value<'a>>,
}

#[derive(Debug)]
pub(super) struct Blocked<'a> {
    pub(super) message: Option<Cow<'a, str>>,
}

/// A part of the answer.
#[derive(Debug, Default)]
pub(super) struct Piece<'a> {
    pub(super) text: Option<Cow<'a, str>>,
    pub(super) thought: bool,
    pub(super) signature: Option<Cow<'a, str>>,
    pub(super) call: Option<Call<'a>>,
    pub(super) inline: Option<Inline<'a>>,
}

#[derive(Debug, Default)]
pub(super) struct Call<'a> {
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) name: Cow<'a, str>,
    /// The text of an object.
    pub(super) arguments: Option<&'a str>,
}

#[derive(Debug, Default)]
pub(super) struct Inline<'a> {
    pub(super) media_type: Cow<'a, str>,
    pub(super) data: Cow<'a, str>,
}

impl<'a> Response<'a> {
    /// Checks the syntax of the whole text.
    pub(super) fn read(text: &'a [u8]) -> Result<Self, SyntaxError> {
        if let Err(error) = std::str::from_utf8(text) {
            return Err(SyntaxError {
                at: error.valid_up_to(),
                problem: "it is not UTF-8",
            });
        }
        let mut response = Self::default();
        let mut members = Members::of_document(text)?;
        while let Some(member) = members.next_member()? {
            let value = member.value;
            match &*member.key {
                b"error" => response.error = ToldError::read(&value),
                b"responseId" => response.id = value.string(),
                b"modelVersion" => response.model = value.string(),
                b"usageMetadata" => response.facts = usage::read(&value),
                b"promptFeedback" => response.blocked = Blocked::read(&value),
                b"candidates" => {
                    if let Some(candidate) = value.elements().next() {
                        response.has_candidate = true;
                        response.read_candidate(&candidate);
                    }
                }
                _ => {}
            }
        }
        let searches = response.searches();
        if let Some(tokens) = &mut response.facts.usage {
            tokens.set(UsageUnit::WebSearch, searches);
        }
        Ok(response)
    }

    /// Models before the third generation are paid for each prompt that was searched for, all others for each query.
    fn searches(&self) -> u64 {
        let model = self.model.as_deref().unwrap_or_default();
        let by_prompt = ["gemini-1.", "gemini-2."].iter().any(|name| model.contains(name));
        if by_prompt { self.queries.min(1) } else { self.queries }
    }

    pub(super) fn pieces(&self) -> impl Iterator<Item = Piece<'a>> + use<'a> {
        self.elements().map(|part| Piece::read(&part))
    }

    /// Whether there is more than ceremony in it.
    pub(super) fn has_content(&self) -> bool {
        self.elements().any(|part| {
            let mut members = part.members();
            while let Ok(Some(member)) = members.next_member() {
                let holds_something = match member.value.kind {
                    Kind::String | Kind::Object => !member.value.is_empty(),
                    Kind::Array | Kind::Number | Kind::True | Kind::False | Kind::Null => false,
                };
                if holds_something && &*member.key != b"thoughtSignature" {
                    return true;
                }
            }
            false
        })
    }

    fn elements(&self) -> Elements<'a> {
        let none = Value {
            kind: Kind::Null,
            text: b"",
            start: 0,
        };
        self.parts.unwrap_or(none).elements()
    }

    fn read_candidate(&mut self, candidate: &Value<'a>) {
        let mut members = candidate.members();
        while let Ok(Some(member)) = members.next_member() {
            match &*member.key {
                b"finishReason" => self.finish = member.value.string(),
                b"groundingMetadata" => {
                    let queries = member.value.member("webSearchQueries");
                    self.queries = queries.map_or(0, |queries| queries.elements().count() as u64);
                }
                b"content" => {
                    let mut content = member.value.members();
                    while let Ok(Some(member)) = content.next_member() {
                        if &*member.key == b"parts" {
                            self.parts = Some(member.value);
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

impl<'a> Blocked<'a> {
    fn read(feedback: &Value<'a>) -> Option<Self> {
        let mut message = None;
        let mut blocked = false;
        let mut members = feedback.members();
        while let Ok(Some(member)) = members.next_member() {
            match &*member.key {
                b"blockReason" => blocked = member.value.kind == Kind::String,
                b"blockReasonMessage" => message = member.value.string(),
                _ => {}
            }
        }
        blocked.then_some(Self { message })
    }
}

impl<'a> Piece<'a> {
    fn read(part: &Value<'a>) -> Self {
        let mut piece = Self::default();
        let mut members = part.members();
        while let Ok(Some(member)) = members.next_member() {
            let value = member.value;
            match &*member.key {
                b"text" => piece.text = value.string(),
                b"thought" => piece.thought = value.kind == Kind::True,
                b"thoughtSignature" => piece.signature = value.string(),
                b"functionCall" => piece.call = Call::read(&value),
                b"inlineData" => piece.inline = Inline::read(&value),
                _ => {}
            }
        }
        piece
    }
}

impl<'a> Call<'a> {
    fn read(call: &Value<'a>) -> Option<Self> {
        let mut read = Self::default();
        let mut members = call.members();
        while let Ok(Some(member)) = members.next_member() {
            let value = member.value;
            match &*member.key {
                b"id" => read.id = value.string().filter(|id| !id.is_empty()),
                b"name" => read.name = value.string().unwrap_or_default(),
                b"args" if value.kind == Kind::Object => read.arguments = std::str::from_utf8(value.text).ok(),
                _ => {}
            }
        }
        (!read.name.is_empty()).then_some(read)
    }
}

impl<'a> Inline<'a> {
    fn read(data: &Value<'a>) -> Option<Self> {
        let mut read = Self::default();
        let mut members = data.members();
        while let Ok(Some(member)) = members.next_member() {
            let text = member.value.string().unwrap_or_default();
            match &*member.key {
                b"mimeType" => read.media_type = text,
                b"data" => read.data = text,
                _ => {}
            }
        }
        (!read.data.is_empty() && !read.media_type.is_empty()).then_some(read)
    }
}
