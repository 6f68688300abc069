//! OpenAI's Responses API, in both directions, from recorded shapes.

mod answers;
mod continued;
mod cuts;
mod fixtures;
mod namespaces;
mod replays;
mod requests;
mod sent;
mod streams;
mod told;
