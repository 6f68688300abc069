//! The configuration file: reading and checking documents, telling what differs from what is there, doing it, and
//! writing down what is there as a document. Applying is one transaction for the whole of a document.

mod apply;
mod bootstrap;
mod coherence;
mod current;
mod diff;
mod document;
mod entries;
mod export;
mod people;
mod providers;
mod secrets;

pub(crate) use apply::{apply, plan};
pub use bootstrap::{BootstrapError, bootstrap};
pub(crate) use current::all;
pub use document::{check_document, document_schema};
pub(crate) use export::export;
pub use secrets::{SecretReader, UnreadableSecret, resolve_secrets};
