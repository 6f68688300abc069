//! Reads a request for embeddings. The inputs stay where they are in the body until somebody needs them.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;

use super::vector::Encoding;
use super::wanted::{Item, Names, Task, Wanted};
use crate::BadRequest;
use crate::dialect::Unsupported;
use crate::dialect::read::{Field, document};
use crate::json::{Kind, Value};
use crate::request::{Edit, LONGEST_MODEL, Segments, quoted};

/// A checked request: the body as it was sent, and where its members lie.
#[derive(Debug, Clone)]
pub struct EmbedRequest {
    body: Bytes,
    model: Box<str>,
    model_at: Range<usize>,
    input_at: Range<usize>,
    inputs: Inputs,
    encoding: Encoding,
    encoding_at: Option<Range<usize>>,
    dimensions: Option<u64>,
    /// `search_query` and the like, which some vendors want to know.
    input_type: Option<Box<str>>,
    /// Members that only OpenAI's dialect may know.
    unheld: Vec<Box<str>>,
}

/// What is to be embedded, and how many of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inputs {
    Texts(usize),
    /// Lists of tokens, which mean something to one model only.
    Tokens(usize),
}

#[derive(Default)]
struct Found {
    model: Option<(Box<str>, Range<usize>)>,
    input: Option<(Inputs, Range<usize>)>,
    encoding: Option<(Encoding, Range<usize>)>,
    dimensions: Option<u64>,
    input_type: Option<Box<str>>,
    unheld: Vec<Box<str>>,
}

impl EmbedRequest {
    pub fn parse(body: Bytes) -> Result<Self, BadRequest> {
        let mut found = Found::default();
        document(&body, |name, member| found.member(&body, name, &member))?;
        let missing = |name: &'static str, advice| BadRequest::at(name, format!("'{name}' is missing; {advice}"));
        let (model, model_at) = found.model.ok_or_else(|| missing("model", "name the model to use"))?;
        let (inputs, input_at) = found.input.ok_or_else(|| missing("input", "send a text"))?;
        let (encoding, encoding_at) = found.encoding.unzip();
        Ok(Self {
            model,
            model_at,
            input_at,
            inputs,
            encoding: encoding.unwrap_or_default(),
            encoding_at,
            dimensions: found.dimensions,
            input_type: found.input_type,
            unheld: found.unheld,
            body,
        })
    }

    /// The name the caller asked for.
    pub fn model(&self) -> &str {
        &self.model
    }

    pub fn inputs(&self) -> Inputs {
        self.inputs
    }

    /// How the caller wants the numbers written.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body for a provider of this dialect: the model under its name there. Where the provider can only write
    /// numbers as `encoding`, it is asked for that, and the answer has to be written anew.
    pub fn forward(&self, upstream_model: &str, encoding: Encoding) -> Segments {
        let model = (upstream_model != &*self.model).then(|| Edit {
            at: self.model_at.clone(),
            text: quoted(upstream_model),
        });
        let encoding = match &self.encoding_at {
            Some(at) if self.encoding != encoding => Some(Edit {
                at: at.clone(),
                text: quoted(encoding.as_str()),
            }),
            // Numbers are the habit of the dialect, and base64 is only asked for where the caller asked for it.
            Some(_) | None => None,
        };
        Segments::edited(&self.body, [model, encoding])
    }

    /// What is wanted, for a provider of another dialect.
    pub fn read(&self) -> Result<Wanted<'_>, Unsupported> {
        if let Inputs::Tokens(_) = self.inputs {
            let message = "tokens mean something to OpenAI's models only; send texts";
            return Err(Unsupported::new("input", message));
        }
        let item = |text| Item { text, title: None };
        Ok(Wanted {
            items: self.texts().into_iter().map(item).collect(),
            dimensions: self.dimensions,
            task: self.input_type.as_deref().map(|word| Task::Cohere(word.into())),
            names: Names {
                texts: "input",
                dimensions: "dimensions",
            },
            unheld: self.unheld.clone(),
        })
    }

    /// The texts, in their order; none of a request that has tokens.
    fn texts(&self) -> Vec<Cow<'_, str>> {
        let text = self.body.get(self.input_at.clone()).unwrap_or_default();
        let value = |kind| Value { kind, text, start: 0 };
        match text.first() {
            Some(b'"') => value(Kind::String).string().into_iter().collect(),
            _ => value(Kind::Array)
                .elements()
                .filter_map(|element| element.string())
                .collect(),
        }
    }
}

impl Inputs {
    pub fn count(self) -> usize {
        match self {
            Self::Texts(count) | Self::Tokens(count) => count,
        }
    }
}

impl Found {
    fn member(&mut self, body: &[u8], name: &str, member: &Field<'_, '_>) -> Result<(), BadRequest> {
        match name {
            "model" => self.model = Some((read_model(member)?, place(body, member))),
            "input" => self.input = Some((read_input(member)?, place(body, member))),
            "encoding_format" => self.encoding = Some((read_encoding(member)?, place(body, member))),
            "dimensions" => match member.count()? {
                0 => return Err(member.refuse("must be at least 1")),
                count => self.dimensions = Some(count),
            },
            "input_type" => self.input_type = Some(member.boxed()?),
            other => self.unheld.push(other.into()),
        }
        Ok(())
    }
}

/// Where a member's value lies in the body it was read from.
pub(super) fn place(body: &[u8], member: &Field<'_, '_>) -> Range<usize> {
    let raw = member.raw();
    let start = raw.as_ptr().addr() - body.as_ptr().addr();
    start..start + raw.len()
}

fn read_model(model: &Field<'_, '_>) -> Result<Box<str>, BadRequest> {
    let name = model.boxed()?;
    if name.is_empty() {
        return Err(model.refuse("is empty; name the model to use"));
    }
    if name.len() > LONGEST_MODEL {
        return Err(model.refuse("is longer than 128 bytes; no model has such a name"));
    }
    Ok(name)
}

fn read_encoding(encoding: &Field<'_, '_>) -> Result<Encoding, BadRequest> {
    match &*encoding.text()? {
        "float" => Ok(Encoding::Float),
        "base64" => Ok(Encoding::Base64),
        _ => Err(encoding.refuse("must be 'float' or 'base64'")),
    }
}

fn read_input(input: &Field<'_, '_>) -> Result<Inputs, BadRequest> {
    const EXPECTED: &str = "a text, a list of texts, a list of tokens or a list of such lists";
    match input.kind() {
        Kind::String => {
            check_text(input)?;
            return Ok(Inputs::Texts(1));
        }
        Kind::Array => {}
        Kind::Object | Kind::Number | Kind::True | Kind::False | Kind::Null => return Err(input.expected(EXPECTED)),
    }
    let mut first = None;
    let mut count = 0;
    input.elements(|element| {
        count += 1;
        if *first.get_or_insert(element.kind()) != element.kind() {
            return Err(element.refuse("is of another kind than the elements before it"));
        }
        match element.kind() {
            Kind::String => check_text(&element),
            Kind::Number => element.count().map(drop),
            Kind::Array => element.elements(|token| token.count().map(drop)),
            Kind::Object | Kind::True | Kind::False | Kind::Null => Err(element.expected("a text or tokens")),
        }
    })?;
    match first {
        Some(Kind::String) => Ok(Inputs::Texts(count)),
        Some(Kind::Number) => Ok(Inputs::Tokens(1)),
        Some(_) => Ok(Inputs::Tokens(count)),
        None => Err(input.refuse("is empty; send a text")),
    }
}

fn check_text(text: &Field<'_, '_>) -> Result<(), BadRequest> {
    if text.text()?.is_empty() {
        return Err(text.refuse("is an empty text"));
    }
    Ok(())
}
