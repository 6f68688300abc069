//! Assertions beside a configuration file: run by `validate` and `plan` before anything else is done with it.

use std::path::{Path, PathBuf};

use gatewright_control::failures;
use gatewright_types::api::Document;

use crate::documents::{self, DocumentsError};

/// Checks what the documents are held to, and tells how many assertions those are: the file that is named, or else the one
/// that lies beside the configuration as `NAME.assertions.yaml`, if there is one.
pub(super) fn check(file: &Path, named: Option<&PathBuf>, documents: &[Document]) -> Result<usize, DocumentsError> {
    let beside = beside(file);
    let place = match named {
        Some(named) => named,
        None if beside.exists() => &beside,
        None => return Ok(0),
    };
    let assertions = documents::read_assertions(place)?;
    let failed = failures(documents, &assertions, chrono::Utc::now());
    match failed.is_empty() {
        true => Ok(assertions.assertions.len()),
        false => Err(documents::wrong(place, &failed)),
    }
}

fn beside(file: &Path) -> PathBuf {
    file.with_extension("assertions.yaml")
}
