//! The catalogue on the control plane: the one in force, an organization's view of it, and signed documents that may
//! take its place.

mod document;
mod fetcher;
mod in_force;
mod keys;
mod scheduled;
mod view;

pub(crate) use document::{Received, receive};
pub use fetcher::CatalogFetcher;
pub(crate) use in_force::InForce;
pub use keys::{CatalogKeys, CatalogKeysError};
pub(crate) use scheduled::make_try;
pub(crate) use view::View;
