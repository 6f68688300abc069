//! Requests, answers and streams of language models, and what they mean: which model was asked for, what was used, what
//! it costs, what went wrong. Pure functions over bytes: no I/O, no clock, no runtime.

mod answer;
mod catalog;
pub mod chat;
mod chunk;
mod count;
mod decimal;
pub mod dialect;
pub mod embed;
mod estimate;
pub mod event;
mod failure;
mod files;
mod flow;
mod json;
mod model_id;
mod naming;
mod native;
mod price;
mod prompt_cache;
mod request;
mod retelling;
mod sandbox;
pub mod sigv4;
mod spoken;
mod sse;
mod stream;
mod terms;
mod tokens;
mod translated;
mod unwrapped;
mod wire;

pub use answer::{AnswerFacts, NotAnAnswer, read_answer};
pub use catalog::{
    Capabilities, Catalog, CatalogModel, CatalogPrice, Edition, EditionError, Listed, bill_for, diff, most_for,
    only_adds, rates_for,
};
pub use count::{CountPut, CountRequest};
pub use estimate::{BYTES_PER_TOKEN, Delivered, Uncounted, count_request, delivered};
pub use failure::{Failure, FailureKind, classify, unexpected};
pub use files::{Wanted, WrongFile, written_bytes};
pub use flow::Flow;
pub use model_id::path_segment;
pub use naming::Naming;
pub use native::{Named, Native, NativeWatch, Purpose, Watched};
pub use price::{Bill, at_most, bill, is_us_only, unpriced};
pub use prompt_cache::{CachedBy, with_key};
pub use request::{BadRequest, Boundless, ModelLimits, Most, Needs, Question, Request, Segments, declared_tools};
pub use retelling::{Form, KeptAnswer, is_over, retell};
pub use sandbox::{Script, Step, sandbox};
pub use spoken::{Endpoint, Enveloped, Family, Spoken, spoken};
pub use stream::{Ended, PassedStream, Seen, UsageChunk};
pub use terms::{Terms, served_tier};
pub use tokens::Tokens;
pub use translated::TranslatedStream;
pub use unwrapped::UnwrappedStream;
pub use wire::{error_body, error_event};
