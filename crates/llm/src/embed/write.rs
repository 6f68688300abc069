//! Writes requests for embeddings in other dialects: Gemini's `batchEmbedContents` and Cohere's embed, version 2.

use std::borrow::Cow;

use serde::Serialize;

use super::request::{EmbedRequest, Inputs};
use crate::dialect::{Dropped, Unsupported, Written};

/// Texts that Cohere takes at once.
const MOST_OF_COHERE: usize = 96;
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
struct Texts<'a> {
    model: &'a str,
    input_type: &'a str,
    texts: Vec<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimension: Option<u64>,
    embedding_types: [&'static str; 1],
}

impl EmbedRequest {
    /// For `models/{model}:batchEmbedContents` of Gemini.
    pub fn write_gemini(&self, model: &str) -> Result<Written, Unsupported> {
        let texts = self.texts_or_refuse()?;
        let mut dropped = self.dropped();
        dropped.add_if(self.input_type.is_some(), "input_type");
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
        Ok(written(&batch, dropped))
    }

    /// For `/v2/embed` of Cohere.
    pub fn write_cohere(&self, model: &str) -> Result<Written, Unsupported> {
        let texts = self.texts_or_refuse()?;
        if texts.len() > MOST_OF_COHERE {
            let message = "the model you named embeds 96 texts at once at most; send several requests";
            return Err(Unsupported::new("input", message));
        }
        let request = Texts {
            model,
            input_type: self.input_type.as_deref().unwrap_or(USUAL_INPUT_TYPE),
            texts,
            output_dimension: self.dimensions,
            embedding_types: ["float"],
        };
        Ok(written(&request, self.dropped()))
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
