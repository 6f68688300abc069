//! OpenAI's Responses API, in both directions, from recorded shapes.

mod answers;
mod continued;
mod fixtures;
mod hostile;
mod requests;
mod sent;
mod streams;
mod told;
