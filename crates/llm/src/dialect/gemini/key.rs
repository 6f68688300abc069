//! The two spellings of a member: Google's servers take camelCase and snake_case alike, and its own SDK mixes them.

use std::borrow::Cow;

/// The key in camelCase, whichever way it is spelled.
pub(crate) fn camel(key: &str) -> Cow<'_, str> {
    if !key.contains('_') {
        return Cow::Borrowed(key);
    }
    let mut spelled = String::with_capacity(key.len());
    let mut raised = false;
    for c in key.chars() {
        if c == '_' {
            raised = !spelled.is_empty();
        } else if raised {
            spelled.push(c.to_ascii_uppercase());
            raised = false;
        } else {
            spelled.push(c);
        }
    }
    Cow::Owned(spelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_the_same_key() {
        for key in [
            "parametersJsonSchema",
            "parameters_json_schema",
            "parameters_jsonSchema",
        ] {
            assert_eq!(camel(key), "parametersJsonSchema");
        }
        assert_eq!(camel("top_p"), "topP");
        assert_eq!(camel("_raw_"), "raw");
        assert_eq!(camel("größe_x"), "größeX");
    }
}
