//! Reads the embeddings that a provider answered with, and writes them as OpenAI does.

use gatewright_types::UsageUnit;
use serde::Serialize;

use super::EmbedDialect;
use super::vector::{self, Encoding};
use crate::dialect::cohere;
use crate::json::{Kind, Members, SyntaxError, Value};
use crate::wire::ToldError;
use crate::{Failure, FailureKind, NotAnAnswer, Tokens};

/// Embeddings, in the order of what was embedded.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbedAnswer {
    pub vectors: Vec<Vec<f32>>,
    pub model: Option<Box<str>>,
    pub usage: Option<Tokens>,
}

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Embedding<'a>>,
    model: &'a str,
    usage: Usage,
}

#[derive(Serialize)]
struct Embedding<'a> {
    object: &'static str,
    index: usize,
    embedding: WrittenVector<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum WrittenVector<'a> {
    Float(&'a [f32]),
    Base64(String),
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: u64,
    total_tokens: u64,
}

/// The members of a body that say what the answer is; the rest is read by the dialect.
#[derive(Default)]
struct Body<'a> {
    model: Option<Box<str>>,
    /// `data` of OpenAI, `predictions` of Vertex, `embedding` of Titan, `embeddings` of the others.
    vectors: Option<Value<'a>>,
    /// `usage`, `usageMetadata`, `meta`, `inputTextTokenCount`.
    usage: Option<Value<'a>>,
    error: Option<ToldError>,
}

impl EmbedAnswer {
    /// Of a provider that speaks OpenAI's dialect, in either notation. `inputs` is how many vectors there have to be.
    pub fn read_openai(body: &[u8], inputs: usize) -> Result<Self, Failure> {
        let body = Body::read(body)?;
        let mut placed = Vec::new();
        for (position, entry) in body.vectors.iter().flat_map(Value::elements).enumerate() {
            placed.push(read_entry(&entry, position).ok_or_else(no_vectors)?);
        }
        placed.sort_by_key(|(index, _)| *index);
        let vectors = placed.into_iter().map(|(_, vector)| vector).collect();
        let usage = body.usage.as_ref().and_then(Tokens::read);
        Self::checked(vectors, body.model, usage, inputs)
    }

    /// Of Gemini's `batchEmbedContents`.
    pub fn read_gemini(body: &[u8], inputs: usize) -> Result<Self, Failure> {
        let body = Body::read(body)?;
        let entries = body.vectors.iter().flat_map(Value::elements);
        let vectors = entries.map(|entry| vector::read(&member(&entry, "values")?));
        let vectors = vectors.collect::<Option<_>>().ok_or_else(no_vectors)?;
        let usage = body.usage.as_ref().and_then(used_of_gemini);
        Self::checked(vectors, body.model, usage, inputs)
    }

    /// Of Vertex's `predict`, where each vector tells of its own tokens.
    pub fn read_vertex(body: &[u8], inputs: usize) -> Result<Self, Failure> {
        let body = Body::read(body)?;
        let predictions = body.vectors.iter().flat_map(Value::elements);
        let values = predictions.map(|prediction| member(&member(&prediction, "embeddings")?, "values"));
        let vectors = values.map(|values| vector::read(&values?)).collect::<Option<_>>();
        let usage = body.vectors.as_ref().and_then(used_of_vertex);
        Self::checked(vectors.ok_or_else(no_vectors)?, body.model, usage, inputs)
    }

    /// Of Amazon's Titan, which embeds one text at a time.
    pub fn read_titan(body: &[u8], inputs: usize) -> Result<Self, Failure> {
        let body = Body::read(body)?;
        let vector = body
            .vectors
            .and_then(|values| vector::read(&values))
            .ok_or_else(no_vectors)?;
        let usage = body.usage.and_then(|count| read_count(&count));
        Self::checked(vec![vector], body.model, usage.map(input_tokens), inputs)
    }

    /// Of Cohere's embed.
    pub fn read_cohere(body: &[u8], inputs: usize) -> Result<Self, Failure> {
        let body = Body::read(body)?;
        let floats = body.vectors.and_then(|vectors| member(&vectors, "float"));
        let vectors = floats
            .iter()
            .flat_map(Value::elements)
            .map(|entry| vector::read(&entry));
        let vectors = vectors.collect::<Option<_>>().ok_or_else(no_vectors)?;
        let usage = body.usage.as_ref().and_then(cohere::usage::read);
        Self::checked(vectors, body.model, usage, inputs)
    }

    /// As OpenAI writes it. `model` is the provider's name for the model, when its answer did not tell.
    pub fn write(&self, encoding: Encoding, model: &str) -> Vec<u8> {
        let used = self.usage.as_ref().map_or(0, Tokens::total_input);
        let list = List {
            object: "list",
            data: self
                .vectors
                .iter()
                .enumerate()
                .map(|(index, vector)| Embedding {
                    object: "embedding",
                    index,
                    embedding: match encoding {
                        Encoding::Float => WrittenVector::Float(vector),
                        Encoding::Base64 => WrittenVector::Base64(vector::to_base64(vector)),
                    },
                })
                .collect(),
            model: self.model.as_deref().unwrap_or(model),
            usage: Usage {
                prompt_tokens: used,
                total_tokens: used,
            },
        };
        serde_json::to_vec(&list).expect("finite numbers and texts can always be written as JSON")
    }

    /// The answers to the calls that one request was shared out among, in their order. What was used is known when each
    /// of them tells it.
    pub fn joined(answers: Vec<Self>) -> Self {
        let mut joined = Self {
            vectors: Vec::with_capacity(answers.iter().map(|answer| answer.vectors.len()).sum()),
            model: None,
            usage: Some(Tokens::default()),
        };
        for answer in answers {
            joined.vectors.extend(answer.vectors);
            joined.model = joined.model.or(answer.model);
            joined.usage = joined.usage.zip(answer.usage).map(|(sum, more)| both(sum, &more));
        }
        joined
    }

    fn checked(
        vectors: Vec<Vec<f32>>,
        model: Option<Box<str>>,
        usage: Option<Tokens>,
        inputs: usize,
    ) -> Result<Self, Failure> {
        if vectors.len() != inputs {
            return Err(no_vectors());
        }
        Ok(Self { vectors, model, usage })
    }
}

fn both(mut sum: Tokens, more: &Tokens) -> Tokens {
    for (unit, count) in more.iter() {
        sum.set(unit, sum.get(unit).saturating_add(count));
    }
    sum
}

fn no_vectors() -> Failure {
    Failure::new(
        FailureKind::Malformed,
        "the provider's answer does not have an embedding for each input",
    )
}

fn input_tokens(count: u64) -> Tokens {
    let mut tokens = Tokens::default();
    tokens.set(UsageUnit::InputUncached, count);
    tokens
}

impl EmbedDialect {
    /// What an answer says was used, whatever else is in it.
    pub(crate) fn used(self, body: &[u8]) -> Option<Tokens> {
        let body = Body::read(body).ok()?;
        match self {
            Self::Openai => Tokens::read(&body.usage?),
            Self::Gemini => used_of_gemini(&body.usage?),
            Self::Vertex => used_of_vertex(&body.vectors?),
            Self::Cohere | Self::CohereOnBedrock => cohere::usage::read(&body.usage?),
            Self::Titan => used_of_titan(&body.usage?),
        }
    }
}

fn used_of_gemini(usage: &Value<'_>) -> Option<Tokens> {
    read_count(&member(usage, "promptTokenCount")?).map(input_tokens)
}

/// The sum over all predictions, when each of them tells.
fn used_of_vertex(predictions: &Value<'_>) -> Option<Tokens> {
    let told = |prediction| {
        read_count(&member(
            &member(&member(&prediction, "embeddings")?, "statistics")?,
            "token_count",
        )?)
    };
    let counts = predictions.elements().map(told).collect::<Option<Vec<_>>>()?;
    let sum = counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
    (!counts.is_empty()).then(|| input_tokens(sum))
}

fn used_of_titan(count: &Value<'_>) -> Option<Tokens> {
    read_count(count).map(input_tokens)
}

/// Google writes whole numbers as such, or with a point.
fn read_count(count: &Value<'_>) -> Option<u64> {
    crate::tokens::count(count, &mut false)
}

/// How the numbers of an answer in OpenAI's dialect are written; `None` when there are none.
pub fn notation(body: &[u8]) -> Option<Encoding> {
    let mut members = Members::of_document(body).ok()?;
    while let Some(found) = members.next_member().ok()? {
        if &*found.key == b"data" {
            let first = found.value.elements().next()?;
            return match member(&first, "embedding")?.kind {
                Kind::String => Some(Encoding::Base64),
                Kind::Array => Some(Encoding::Float),
                Kind::Object | Kind::Number | Kind::True | Kind::False | Kind::Null => None,
            };
        }
    }
    None
}

/// One of OpenAI's entries: where it belongs, and its vector.
fn read_entry(entry: &Value<'_>, position: usize) -> Option<(usize, Vec<f32>)> {
    let index = match member(entry, "index") {
        Some(index) => std::str::from_utf8(index.text).ok()?.parse().ok()?,
        None => position,
    };
    Some((index, vector::read(&member(entry, "embedding")?)?))
}

fn member<'a>(value: &Value<'a>, name: &str) -> Option<Value<'a>> {
    let mut members = value.members();
    while let Ok(Some(member)) = members.next_member() {
        if &*member.key == name.as_bytes() {
            return Some(member.value);
        }
    }
    None
}

impl<'a> Body<'a> {
    fn read(text: &'a [u8]) -> Result<Self, Failure> {
        let not_json = |_: SyntaxError| NotAnAnswer::NotJson.into_failure();
        if std::str::from_utf8(text).is_err() {
            return Err(NotAnAnswer::NotJson.into_failure());
        }
        let mut body = Self::default();
        let mut members = Members::of_document(text).map_err(not_json)?;
        while let Some(member) = members.next_member().map_err(not_json)? {
            let value = member.value;
            match &*member.key {
                b"model" if value.kind == Kind::String => body.model = value.string().map(Into::into),
                b"data" | b"predictions" | b"embedding" | b"embeddings" => body.vectors = Some(value),
                b"usage" | b"usageMetadata" | b"meta" | b"inputTextTokenCount" => body.usage = Some(value),
                b"error" => body.error = ToldError::read(&value),
                _ => {}
            }
        }
        let told = match (&body.error, body.vectors) {
            (Some(_), _) => body.error.take(),
            (None, Some(_)) => None,
            (None, None) => ToldError::read_body(text),
        };
        told.map_or(Ok(body), |told| Err(Failure::told(&told)))
    }
}
