//! Tools whose input is a text and not JSON, as OpenAI has them under the type `custom`. For every provider they are
//! functions with one text as their argument; callers are told of calls as they know them. A grammar for the text can
//! only be told to the model, and not enforced.

mod unwrapping;

pub(crate) use unwrapping::Unwrapping;

use serde_json::json;

use crate::chat::{Freeform, Json, Tool};

/// The name of the one argument.
const INPUT: &str = "input";

/// What is known of a grammar.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grammar<'a> {
    /// `lark` or `regex`.
    pub(crate) syntax: &'a str,
    pub(crate) definition: &'a str,
}

/// The function that stands for it.
pub(crate) fn function(freeform: &Freeform, grammar: Option<Grammar<'_>>) -> Tool {
    let mut description = freeform.description.as_deref().unwrap_or_default().to_owned();
    if let Some(Grammar { syntax, definition }) = grammar {
        if !description.is_empty() {
            description.push_str("\n\n");
        }
        let told = format!("'{INPUT}' is that text. It has to follow this grammar, written in {syntax}:\n{definition}");
        description.push_str(&told);
    }
    let parameters = json!({
        "type": "object",
        "properties": {INPUT: {"type": "string", "description": "The tool's whole input, as plain text."}},
        "required": [INPUT],
        "additionalProperties": false,
    });
    Tool {
        name: freeform.name.clone(),
        description: (!description.is_empty()).then(|| description.into()),
        parameters: Json::parse(&parameters.to_string()),
        strict: None,
        cache: None,
    }
}

/// The arguments of the function, for a call of the tool.
pub(crate) fn arguments(input: &str) -> Box<str> {
    json!({INPUT: input}).to_string().into()
}

/// The tool's input, from the function's arguments.
pub(crate) fn input(arguments: &str) -> String {
    let mut unwrapping = Unwrapping::default();
    let mut input = unwrapping.push(arguments);
    input.push_str(&unwrapping.finish());
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grammar_is_told_behind_the_description() {
        let freeform = Freeform {
            name: "sql".into(),
            description: Some("Runs a query.".into()),
            format: None,
        };
        let grammar = Grammar {
            syntax: "lark",
            definition: "start: \"SELECT\"",
        };

        let tool = function(&freeform, Some(grammar));

        assert_eq!(
            tool.description.as_deref(),
            Some(
                "Runs a query.\n\n'input' is that text. It has to follow this grammar, written in lark:\nstart: \"SELECT\""
            )
        );
        let plain = function(&freeform, None);
        assert_eq!(plain.description.as_deref(), Some("Runs a query."));
        assert_eq!(plain.parameters, tool.parameters);
    }

    #[test]
    fn an_input_comes_back_as_it_was() {
        for text in ["", "ls -l", "*** Begin\n+\t\"é\" \\ 😀\u{1}\n"] {
            assert_eq!(input(&arguments(text)), text);
        }
    }
}
