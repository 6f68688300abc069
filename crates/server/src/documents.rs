//! Reads configuration files: YAML or JSON, several documents in one, secrets taken from where this process runs.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use gatewright_control::{
    FieldProblem, SecretReader, UnreadableSecret, check_assertions, check_document, check_sample, resolve_secrets,
};
use gatewright_types::api::{Assertions, Document, SampleRequest};
use serde::Deserialize as _;
use serde_json::Value;

use crate::env;

/// Stands for standard input.
const STANDARD_INPUT: &str = "-";

/// Why a file holds no configuration.
#[derive(Debug, thiserror::Error)]
pub enum DocumentsError {
    #[error("{file} cannot be read: {source}")]
    Unreadable { file: String, source: std::io::Error },
    #[error("{file} holds no document")]
    Empty { file: String },
    /// Everything that is wrong, each on its line.
    #[error("{}", .problems.join("\n"))]
    Wrong { problems: Vec<String> },
}

/// What is done about secrets that a document names instead of holding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrets {
    /// Replaced by their values.
    Resolved,
    /// Left as references: only the form of the document matters.
    Left,
}

/// Reads all documents of a file, or everything that is wrong with them.
pub(crate) fn read(file: &Path, secrets: Secrets) -> Result<Vec<Document>, DocumentsError> {
    let text = text_of(file)?;
    let beside = file.parent().map(Path::to_path_buf).unwrap_or_default();
    parse(&text, &file.display().to_string(), &Here { beside }, secrets)
}

/// Reads a request that is to be explained.
pub(crate) fn read_sample(file: &Path) -> Result<SampleRequest, DocumentsError> {
    check_sample(&value_of(file)?).map_err(|problems| wrong(file, &problems))
}

/// Reads what a configuration is held to.
pub(crate) fn read_assertions(file: &Path) -> Result<Assertions, DocumentsError> {
    check_assertions(&value_of(file)?).map_err(|problems| wrong(file, &problems))
}

/// What is wrong in a file.
pub(crate) fn wrong(file: &Path, problems: &[FieldProblem]) -> DocumentsError {
    let place = file.display().to_string();
    DocumentsError::Wrong {
        problems: problems.iter().map(|problem| line(&place, problem)).collect(),
    }
}

/// The one value of a file. JSON is YAML, too.
fn value_of(file: &Path) -> Result<Value, DocumentsError> {
    serde_yaml_ng::from_str(&text_of(file)?).map_err(|error| DocumentsError::Wrong {
        problems: vec![format!("{}: {error}", file.display())],
    })
}

fn text_of(file: &Path) -> Result<String, DocumentsError> {
    let name = file.display().to_string();
    let text = match name.as_str() {
        STANDARD_INPUT => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        }
        _ => std::fs::read_to_string(file),
    };
    text.map_err(|source| DocumentsError::Unreadable { file: name, source })
}

fn parse(text: &str, name: &str, reader: &Here, secrets: Secrets) -> Result<Vec<Document>, DocumentsError> {
    let mut values = Vec::new();
    for part in serde_yaml_ng::Deserializer::from_str(text) {
        match Value::deserialize(part) {
            Ok(Value::Null) => {}
            Ok(value) => values.push(value),
            Err(error) => {
                return Err(DocumentsError::Wrong {
                    problems: vec![format!("{name}: {error}")],
                });
            }
        }
    }
    if values.is_empty() {
        return Err(DocumentsError::Empty { file: name.to_owned() });
    }

    let several = values.len() > 1;
    let (mut documents, mut problems) = (Vec::new(), Vec::new());
    for (number, value) in values.iter().enumerate() {
        let document = check_document(value).and_then(|mut document| {
            match secrets {
                Secrets::Resolved => resolve_secrets(&mut document, reader)?,
                Secrets::Left => {}
            }
            Ok(document)
        });
        match document {
            Ok(document) => documents.push(document),
            Err(found) => {
                let place = if several {
                    format!("{name}, document {}", number + 1)
                } else {
                    name.to_owned()
                };
                problems.extend(found.iter().map(|problem| line(&place, problem)));
            }
        }
    }
    if problems.is_empty() {
        Ok(documents)
    } else {
        Err(DocumentsError::Wrong { problems })
    }
}

fn line(place: &str, FieldProblem { path, message }: &FieldProblem) -> String {
    match path.is_empty() {
        true => format!("{place}: {message}"),
        false => format!("{place}: {path}: {message}"),
    }
}

/// Reads secrets on this machine; paths are relative to the configuration file.
struct Here {
    beside: PathBuf,
}

impl SecretReader for Here {
    fn env(&self, name: &str) -> Result<String, UnreadableSecret> {
        env::named_secret(name).ok_or_else(|| UnreadableSecret(format!("the environment variable {name} is not set")))
    }

    fn file(&self, path: &str) -> Result<String, UnreadableSecret> {
        std::fs::read_to_string(self.beside.join(path))
            .map_err(|error| UnreadableSecret(format!("the file {path} cannot be read: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(beside: &Path) -> Here {
        Here {
            beside: beside.to_owned(),
        }
    }

    #[test]
    fn a_file_may_hold_several_documents_in_yaml_or_json() {
        let text = "version: 1\norganization: acme\n---\n{\"version\": 1, \"organization\": \"beta\"}\n---\n";

        let documents = parse(text, "f", &here(Path::new(".")), Secrets::Resolved).expect("two documents");

        let names: Vec<_> = documents
            .iter()
            .map(|document| document.organization.as_str())
            .collect();
        assert_eq!(names, ["acme", "beta"]);
    }

    #[test]
    fn all_problems_of_all_documents_are_told_with_their_place() {
        let text = "version: 1\norganisation: acme\n---\nversion: 1\norganization: b\nmodels: [{name: x}]\n";

        let Err(DocumentsError::Wrong { problems }) = parse(text, "f.yaml", &here(Path::new(".")), Secrets::Left)
        else {
            panic!("it was accepted")
        };

        assert!(
            problems
                .iter()
                .any(|line| line.starts_with("f.yaml, document 1: organisation: ")),
            "{problems:?}"
        );
        assert!(
            problems
                .iter()
                .any(|line| line.starts_with("f.yaml, document 2: models[0]")),
            "{problems:?}"
        );
    }

    #[test]
    fn a_secret_in_a_file_is_looked_for_beside_the_document() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("token"), "gwt-imported-0123456789\n").expect("written");
        let text = "{version: 1, organization: acme, tokens: [{name: ci, role: admin, secret: {file: token}}]}";

        let documents = parse(text, "f", &here(directory.path()), Secrets::Resolved).expect("a document");
        let left = parse(text, "f", &here(Path::new("/nowhere")), Secrets::Left).expect("a document");

        assert!(
            serde_json::to_string(&documents)
                .expect("JSON")
                .contains(r#"{"value":"gwt-imported-0123456789"}"#)
        );
        assert!(
            serde_json::to_string(&left)
                .expect("JSON")
                .contains(r#"{"file":"token"}"#)
        );
        assert!(parse(text, "f", &here(Path::new("/nowhere")), Secrets::Resolved).is_err());
    }

    #[test]
    fn an_empty_file_is_a_mistake() {
        let refused = parse("# nothing\n", "f", &here(Path::new(".")), Secrets::Left);

        assert!(matches!(refused, Err(DocumentsError::Empty { .. })), "{refused:?}");
    }
}
