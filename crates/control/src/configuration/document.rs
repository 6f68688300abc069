//! Documents as data: their schema, and the check that finds all mistakes at once.

use gatewright_types::api::Document;
use schemars::Schema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::coherence::contradictions;
use crate::check::{FieldProblem, Shape};

pub(crate) const VERSION: u32 = 1;

/// The JSON Schema of a configuration document.
pub fn document_schema() -> Schema {
    SchemaSettings::draft2020_12()
        .for_deserialize()
        .into_generator()
        .into_root_schema_for::<Document>()
}

/// Reads a document, or tells everything that is wrong with it as far as it can be told from the document alone.
pub fn check_document(value: &Value) -> Result<Document, Vec<FieldProblem>> {
    let document: Document = Shape::of::<Document>().read(value)?;
    let mut problems = contradictions(&document);
    if document.version != VERSION {
        let message = format!("must be {VERSION}, the version this release reads");
        problems.push(FieldProblem {
            path: "version".to_owned(),
            message,
        });
    }
    if problems.is_empty() {
        Ok(document)
    } else {
        Err(problems)
    }
}
