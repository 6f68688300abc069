//! Writes requests for embeddings in providers' dialects: Google's `batchEmbedContents` and `predict`, Cohere's embed,
//! version 2, and what Bedrock makes of that, Amazon's Titan, and OpenAI's for callers who speak another one. More texts
//! than a vendor takes at once become several requests.

use bytes::Bytes;
use serde::Serialize;

use super::EmbedDialect;
use super::contents::resource_name;
use super::wanted::{Item, Task, Wanted};
use crate::dialect::{Dropped, Unsupported};

/// Texts that each takes at once.
const MOST_OF_OPENAI: usize = 2_048;
const MOST_OF_COHERE: usize = 96;
pub(super) const MOST_OF_GEMINI: usize = 100;
const MOST_OF_VERTEX: usize = 250;
/// Texts of one request of a caller's, however many requests become of it: as many as OpenAI takes.
const MOST: usize = MOST_OF_OPENAI;
/// What Cohere assumes of texts when nobody says: that they are to be found, not to find others.
const USUAL_INPUT_TYPE: &str = "search_document";

/// One or several requests that ask for all of it together.
#[derive(Debug, Clone, PartialEq)]
pub struct Shares {
    /// In the order of the texts: each body, and how many vectors its answer has to have.
    pub bodies: Vec<(Bytes, usize)>,
    pub dropped: Dropped,
}

#[derive(Serialize)]
struct Plain<'a> {
    model: &'a str,
    input: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<u64>,
}

#[derive(Serialize)]
struct Batch<'a> {
    requests: Vec<Embed<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Embed<'a> {
    model: &'a str,
    content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimensionality: Option<u64>,
}

#[derive(Serialize)]
struct Content<'a> {
    parts: [Text<'a>; 1],
}

#[derive(Serialize)]
struct Text<'a> {
    text: &'a str,
}

#[derive(Serialize)]
struct Instances<'a> {
    instances: Vec<Instance<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Parameters>,
}

#[derive(Serialize)]
struct Instance<'a> {
    content: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    output_dimensionality: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OneText<'a> {
    input_text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<u64>,
}

#[derive(Serialize)]
struct Texts<'a> {
    /// Absent where the address names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    input_type: &'a str,
    texts: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimension: Option<u64>,
    embedding_types: [&'static str; 1],
}

impl EmbedDialect {
    /// Texts that the vendor takes at once.
    pub fn most(self, model: &str) -> usize {
        match self {
            Self::Openai => MOST_OF_OPENAI,
            Self::Gemini => MOST_OF_GEMINI,
            Self::Vertex if model.starts_with("gemini-") => 1,
            Self::Vertex => MOST_OF_VERTEX,
            Self::Cohere | Self::CohereOnBedrock => MOST_OF_COHERE,
            Self::Titan => 1,
        }
    }

    pub fn write(self, wanted: &Wanted<'_>, model: &str) -> Result<Shares, Unsupported> {
        if wanted.count() > MOST {
            let message = format!("more than {MOST} texts cannot be embedded by one request; send several requests");
            return Err(Unsupported::new(wanted.names.texts, message));
        }
        let mut dropped = wanted.dropped();
        let task = wanted.task.as_ref();
        let written = match self {
            Self::Openai | Self::Titan => None,
            Self::Gemini | Self::Vertex => task.and_then(Task::for_google),
            Self::Cohere | Self::CohereOnBedrock => task.and_then(Task::for_cohere),
        };
        if let (Some(task), None) = (task, written) {
            dropped.add(task.name());
        }
        dropped.add_if(
            wanted.has_titles() && !matches!(self, Self::Gemini | Self::Vertex),
            "title",
        );
        let dimensions = wanted.dimensions.filter(|_| self.has_lengths(model));
        if dimensions != wanted.dimensions {
            dropped.add(wanted.names.dimensions);
        }
        let call = Call {
            model,
            task: written,
            dimensions,
        };
        let share = |items: &[Item<'_>]| (self.body(items, &call), items.len());
        Ok(Shares {
            bodies: wanted.items.chunks(self.most(model)).map(share).collect(),
            dropped,
        })
    }

    /// Of Titan only the second version has vectors of several lengths, and refuses nothing else.
    fn has_lengths(self, model: &str) -> bool {
        self != Self::Titan || model.contains("text-v2")
    }

    fn body(self, items: &[Item<'_>], call: &Call<'_>) -> Bytes {
        let texts = || items.iter().map(|item| &*item.text).collect();
        match self {
            Self::Openai => json(&Plain {
                model: call.model,
                input: texts(),
                dimensions: call.dimensions,
            }),
            Self::Gemini => {
                let model = resource_name(call.model);
                let requests = items.iter().map(|item| call.embed(item, &model)).collect();
                json(&Batch { requests })
            }
            Self::Vertex => json(&Instances {
                instances: items.iter().map(|item| call.instance(item)).collect(),
                parameters: call
                    .dimensions
                    .map(|output_dimensionality| Parameters { output_dimensionality }),
            }),
            Self::Cohere => json(&call.cohere(texts(), Some(call.model))),
            Self::CohereOnBedrock => json(&call.cohere(texts(), None)),
            Self::Titan => json(&OneText {
                input_text: items.first().map_or("", |item| &*item.text),
                dimensions: call.dimensions,
            }),
        }
    }
}

/// What all requests of one have in common.
struct Call<'a> {
    model: &'a str,
    /// In the vendor's words.
    task: Option<&'a str>,
    dimensions: Option<u64>,
}

impl<'a> Call<'a> {
    fn embed(&self, item: &'a Item<'_>, model: &'a str) -> Embed<'a> {
        Embed {
            model,
            content: Content {
                parts: [Text { text: &item.text }],
            },
            task_type: self.task,
            title: item.title.as_deref(),
            output_dimensionality: self.dimensions,
        }
    }

    fn instance(&self, item: &'a Item<'_>) -> Instance<'a> {
        Instance {
            content: &item.text,
            task_type: self.task,
            title: item.title.as_deref(),
        }
    }

    fn cohere(&self, texts: Vec<&'a str>, model: Option<&'a str>) -> Texts<'a> {
        Texts {
            model,
            input_type: self.task.unwrap_or(USUAL_INPUT_TYPE),
            texts,
            output_dimension: self.dimensions,
            embedding_types: ["float"],
        }
    }
}

fn json(request: &impl Serialize) -> Bytes {
    serde_json::to_vec(request)
        .expect("texts and numbers can always be written as JSON")
        .into()
}
