//! Embeddings: requests are read in OpenAI's dialect and passed on with only the model's name changed, or written in the
//! dialects of Google, Cohere and Amazon; answers are written with the numbers in the notation the caller asked for. No bit of a
//! number is lost between the notations.

mod answer;
mod request;
mod vector;
mod vendor;
mod write;

pub use answer::{EmbedAnswer, notation};
pub use request::{EmbedRequest, Inputs};
pub use vector::Encoding;
pub use vendor::{EmbedDialect, embeds};

#[cfg(test)]
mod tests;
