//! Embeddings: requests are read in OpenAI's or Gemini's dialect and passed on with only the model's name changed, or
//! written in the dialects of OpenAI, Google, Cohere and Amazon; answers are written with the numbers in the notation the
//! caller asked for. No bit of a number is lost between the notations.

mod answer;
mod batch;
mod contents;
mod gemini_answer;
mod request;
mod vector;
mod vendor;
mod wanted;
mod write;

pub use answer::{EmbedAnswer, notation};
pub use batch::Batch;
pub use contents::{Amount, EmbedContents};
pub use request::{EmbedRequest, Inputs};
pub use vector::Encoding;
pub use vendor::{EmbedDialect, embeds};
pub use wanted::Wanted;
pub use write::Shares;

#[cfg(test)]
mod tests;
