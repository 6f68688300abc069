//! Documents as data: their schema, and the check that finds all mistakes at once.

use gatewright_types::api::Document;
use schemars::Schema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::check::{FieldProblem, Shape};

pub(crate) const VERSION: u32 = 1;

/// The JSON Schema of a configuration document.
pub fn document_schema() -> Schema {
    SchemaSettings::draft2020_12()
        .for_deserialize()
        .into_generator()
        .into_root_schema_for::<Document>()
}

/// Reads a document, or tells everything that is wrong with its form.
pub fn check_document(value: &Value) -> Result<Document, Vec<FieldProblem>> {
    let document: Document = Shape::of::<Document>().read(value)?;
    if document.version == VERSION {
        return Ok(document);
    }
    let message = format!("must be {VERSION}, the version this release reads");
    Err(vec![FieldProblem {
        path: "version".to_owned(),
        message,
    }])
}
