//! Writes embeddings as Gemini does: numbers are always numbers, and how many tokens were used is told where it is known.

use serde::Serialize;

use super::EmbedAnswer;
use super::contents::Amount;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    embedding: Option<Vector<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    embeddings: Option<Vec<Vector<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_metadata: Option<Usage>,
}

#[derive(Serialize)]
struct Vector<'a> {
    values: &'a [f32],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    prompt_token_count: u64,
}

impl EmbedAnswer {
    /// For `embedContent` or `batchEmbedContents`.
    pub fn write_gemini(&self, amount: Amount) -> Vec<u8> {
        let mut vectors = self.vectors.iter().map(|values| Vector { values });
        let (embedding, embeddings) = match amount {
            Amount::One => (vectors.next(), None),
            Amount::Several => (None, Some(vectors.collect())),
        };
        let usage = self.usage.as_ref().map(crate::Tokens::total_input);
        let body = Body {
            embedding,
            embeddings,
            usage_metadata: usage.map(|prompt_token_count| Usage { prompt_token_count }),
        };
        serde_json::to_vec(&body).expect("finite numbers can always be written as JSON")
    }
}
