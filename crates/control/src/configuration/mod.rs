//! The configuration file: reading and checking documents, telling what differs from what is there, doing it, and
//! writing down what is there as a document. Applying is one transaction for the whole of a document.

mod apply;
mod assertions;
mod bootstrap;
mod caps;
mod caps_diff;
mod coherence;
mod current;
mod diff;
mod document;
mod entries;
mod export;
mod export_caps;
mod keys;
mod named;
mod offline;
mod people;
mod providers;
mod secrets;
mod units;

pub(crate) use apply::{apply, plan};
pub use assertions::{assertions_schema, check_assertions, failures};
pub use bootstrap::{BootstrapError, bootstrap};
pub(crate) use current::all;
pub use document::{check_document, document_schema};
pub(crate) use export::export;
pub(crate) use offline::UNNAMED_KEY;
pub use offline::{Compiled, SampleError, check_sample, compile_document};
pub use secrets::{SecretReader, UnreadableSecret, resolve_secrets};
