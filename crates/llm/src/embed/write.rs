//! Writes requests for embeddings in other dialects: Google's `batchEmbedContents` and `predict`, Cohere's embed, version
//! 2, and what Bedrock makes of that, and Amazon's Titan.

use std::borrow::Cow;

use serde::Serialize;

use super::request::{EmbedRequest, Inputs};
use crate::dialect::{Dropped, Unsupported, Written};

/// Texts that each takes at once.
const MOST_OF_COHERE: usize = 96;
const MOST_OF_GEMINI: usize = 100;
const MOST_OF_VERTEX: usize = 250;
/// What Cohere assumes of texts when nobody says: that they are to be found, not to find others.
const USUAL_INPUT_TYPE: &str = "search_document";

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
    output_dimensionality: Option<u64>,
}

#[derive(Serialize)]
struct Content<'a> {
    parts: [Text<'a>; 1],
}

#[derive(Serialize)]
struct Text<'a> {
    text: Cow<'a, str>,
}

#[derive(Serialize)]
struct Instances<'a> {
    instances: Vec<Instance<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Parameters>,
}

#[derive(Serialize)]
struct Instance<'a> {
    content: Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    output_dimensionality: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OneText<'a> {
    input_text: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<u64>,
}

#[derive(Serialize)]
struct Texts<'a> {
    /// Absent where the address names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    input_type: &'a str,
    texts: Vec<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimension: Option<u64>,
    embedding_types: [&'static str; 1],
}

impl EmbedRequest {
    /// For `models/{model}:batchEmbedContents` of Gemini.
    pub fn write_gemini(&self, model: &str) -> Result<Written, Unsupported> {
        let texts = self.at_most(MOST_OF_GEMINI)?;
        let model = match model.strip_prefix("models/") {
            Some(_) => model.to_owned(),
            None => format!("models/{model}"),
        };
        let request = |text| Embed {
            model: &model,
            content: Content { parts: [Text { text }] },
            output_dimensionality: self.dimensions,
        };
        let batch = Batch {
            requests: texts.into_iter().map(request).collect(),
        };
        Ok(written(&batch, self.dropped_with_type()))
    }

    /// For `publishers/google/models/{model}:predict` of Vertex.
    pub fn write_vertex(&self, model: &str) -> Result<Written, Unsupported> {
        let most = if model.starts_with("gemini-") {
            1
        } else {
            MOST_OF_VERTEX
        };
        let texts = self.at_most(most)?;
        let request = Instances {
            instances: texts.into_iter().map(|content| Instance { content }).collect(),
            parameters: self
                .dimensions
                .map(|output_dimensionality| Parameters { output_dimensionality }),
        };
        Ok(written(&request, self.dropped_with_type()))
    }

    /// For `/v2/embed` of Cohere.
    pub fn write_cohere(&self, model: &str) -> Result<Written, Unsupported> {
        self.cohere(Some(model))
    }

    /// For Cohere's models at `model/{model}/invoke` of Bedrock.
    pub fn write_cohere_on_bedrock(&self) -> Result<Written, Unsupported> {
        self.cohere(None)
    }

    /// For Amazon's models at `model/{model}/invoke` of Bedrock.
    pub fn write_titan(&self, model: &str) -> Result<Written, Unsupported> {
        let mut dropped = self.dropped_with_type();
        // Only the second version has vectors of several lengths, and refuses nothing else.
        let dimensions = self.dimensions.filter(|_| model.contains("text-v2"));
        dropped.add_if(dimensions != self.dimensions, "dimensions");
        let mut texts = self.at_most(1)?;
        let request = OneText {
            input_text: texts.pop().unwrap_or_default(),
            dimensions,
        };
        Ok(written(&request, dropped))
    }

    fn cohere(&self, model: Option<&str>) -> Result<Written, Unsupported> {
        let request = Texts {
            model,
            input_type: self.input_type.as_deref().unwrap_or(USUAL_INPUT_TYPE),
            texts: self.at_most(MOST_OF_COHERE)?,
            output_dimension: self.dimensions,
            embedding_types: ["float"],
        };
        Ok(written(&request, self.dropped()))
    }

    fn at_most(&self, most: usize) -> Result<Vec<Cow<'_, str>>, Unsupported> {
        let texts = self.texts_or_refuse()?;
        if texts.len() > most {
            let message = match most {
                1 => "the model you named embeds one text at once; send several requests".to_owned(),
                most => format!("the model you named embeds {most} texts at once at most; send several requests"),
            };
            return Err(Unsupported::new("input", message));
        }
        Ok(texts)
    }

    fn texts_or_refuse(&self) -> Result<Vec<Cow<'_, str>>, Unsupported> {
        match self.inputs() {
            Inputs::Texts(_) => Ok(self.texts()),
            Inputs::Tokens(_) => Err(Unsupported::new(
                "input",
                "tokens mean something to OpenAI's models only; send texts",
            )),
        }
    }

    /// What is lost where nobody asks what the texts are for.
    fn dropped_with_type(&self) -> Dropped {
        let mut dropped = self.dropped();
        dropped.add_if(self.input_type.is_some(), "input_type");
        dropped
    }

    fn dropped(&self) -> Dropped {
        let mut dropped = Dropped::default();
        for name in &self.unheld {
            dropped.add(name);
        }
        dropped.add_if(self.user.is_some(), "user");
        dropped
    }
}

fn written(request: &impl Serialize, dropped: Dropped) -> Written {
    let body = serde_json::to_vec(request).expect("texts and numbers can always be written as JSON");
    Written { body, dropped }
}
