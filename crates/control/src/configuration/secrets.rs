//! Secrets in documents: replacing references by what they name, where somebody can read that, and naming references
//! for an export. Reading is the caller's: this crate knows no environment.

use gatewright_types::api::{Document, SecretSource};

use crate::check::FieldProblem;

/// Why a reference gives nothing; reads as a sentence about the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableSecret(pub String);

/// Reads what references name.
pub trait SecretReader {
    /// The value of an environment variable.
    fn env(&self, name: &str) -> Result<String, UnreadableSecret>;
    /// The content of a file.
    fn file(&self, path: &str) -> Result<String, UnreadableSecret>;
}

/// Replaces every `env` and `file` by its `value`, or tells all that could not be read.
pub fn resolve_secrets(document: &mut Document, reader: &impl SecretReader) -> Result<(), Vec<FieldProblem>> {
    let mut problems = Vec::new();
    for_each(document, |path, source| {
        let read = match source {
            SecretSource::Env(name) => reader.env(name),
            SecretSource::File(name) => reader
                .file(name)
                .map(|text| text.trim_end_matches(['\r', '\n']).to_owned()),
            SecretSource::Value(_) => return,
        };
        match read {
            Ok(value) => *source = SecretSource::Value(value),
            Err(UnreadableSecret(message)) => problems.push(FieldProblem { path, message }),
        }
    });
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// The secret itself. A reference means nothing here: it names something on another machine.
pub(super) fn value(source: &SecretSource) -> Result<&str, String> {
    match source {
        SecretSource::Value(value) => Ok(value),
        SecretSource::Env(_) | SecretSource::File(_) => {
            Err("send {value: …}: references are read by the command line, not by the server".to_owned())
        }
    }
}

/// `GATEWRIGHT_SECRET_<PROVIDER>_<CREDENTIAL>`: where an exported document expects a credential's secret.
pub(super) fn reference(provider: &str, credential: &str) -> SecretSource {
    let upper = |text: &str| -> String {
        text.chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() {
                    c.to_ascii_uppercase()
                } else {
                    '_'
                }
            })
            .collect()
    };
    SecretSource::Env(format!("GATEWRIGHT_SECRET_{}_{}", upper(provider), upper(credential)))
}

fn for_each(document: &mut Document, mut visit: impl FnMut(String, &mut SecretSource)) {
    for (index, member) in document.members.iter_mut().flatten().enumerate() {
        if let Some(source) = &mut member.password {
            visit(format!("members[{index}].password"), source);
        }
    }
    for (index, provider) in document.providers.iter_mut().flatten().enumerate() {
        for (number, credential) in provider.credentials.iter_mut().enumerate() {
            visit(
                format!("providers[{index}].credentials[{number}].api_key"),
                &mut credential.api_key,
            );
        }
    }
    for (index, token) in document.tokens.iter_mut().flatten().enumerate() {
        if let Some(source) = &mut token.secret {
            visit(format!("tokens[{index}].secret"), source);
        }
    }
    for (index, key) in document.keys.iter_mut().flatten().enumerate() {
        if let Some(source) = &mut key.secret {
            visit(format!("keys[{index}].secret"), source);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::configuration::check_document;

    struct Fixed;

    impl SecretReader for Fixed {
        fn env(&self, name: &str) -> Result<String, UnreadableSecret> {
            match name {
                "THERE" => Ok("from-env".to_owned()),
                _ => Err(UnreadableSecret(format!("the environment variable {name} is not set"))),
            }
        }

        fn file(&self, _: &str) -> Result<String, UnreadableSecret> {
            Ok("from-file\n".to_owned())
        }
    }

    fn document(key: &serde_json::Value) -> Document {
        let value = json!({
            "version": 1, "organization": "acme",
            "providers": [{"name": "a", "kind": "openai", "credentials": [{"name": "x", "api_key": {"file": "f"}}]}],
            "keys": [{"name": "k", "secret": key}],
        });
        check_document(&value).expect("a document")
    }

    #[test]
    fn references_become_values() {
        let mut document = document(&json!({"env": "THERE"}));

        resolve_secrets(&mut document, &Fixed).expect("all can be read");

        let texts = json!(document).to_string();
        assert!(
            texts.contains(r#"{"value":"from-env"}"#) && texts.contains(r#"{"value":"from-file"}"#),
            "{texts}"
        );
    }

    #[test]
    fn a_reference_to_nothing_is_told_with_its_place() {
        let problems = resolve_secrets(&mut document(&json!({"env": "GONE"})), &Fixed).expect_err("it is not set");

        let expected = FieldProblem {
            path: "keys[0].secret".to_owned(),
            message: "the environment variable GONE is not set".to_owned(),
        };
        assert_eq!(problems, [expected]);
    }

    #[test]
    fn a_reference_is_named_after_its_place() {
        assert_eq!(
            reference("openai-main", "team a"),
            SecretSource::Env("GATEWRIGHT_SECRET_OPENAI_MAIN_TEAM_A".to_owned())
        );
    }
}
