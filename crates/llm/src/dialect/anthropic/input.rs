//! The arguments of a tool call where Anthropic wants an object, whatever text a model wrote.

use crate::chat::Json;

/// The object that Anthropic's documentation gives for arguments that are no JSON: the model sees what it did.
#[derive(serde::Serialize)]
struct Invalid<'a> {
    #[serde(rename = "INVALID_JSON")]
    text: &'a str,
}

pub(super) fn object(arguments: &str) -> Json {
    let text = arguments.trim();
    let text = if text.is_empty() { "{}" } else { text };
    let object = Some(text).filter(|text| text.starts_with('{')).and_then(Json::parse);
    object.unwrap_or_else(|| {
        let wrapped =
            serde_json::to_string(&Invalid { text: arguments }).expect("a text can always be written as JSON");
        Json::parse(&wrapped).expect("it was written as JSON")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_become_an_object_whatever_they_are() {
        let check = |arguments: &str, expected: &str| assert_eq!(object(arguments).text(), expected);

        check(r#"{"b":1,"a":2}"#, r#"{"b":1,"a":2}"#);
        check("", "{}");
        check("[1]", r#"{"INVALID_JSON":"[1]"}"#);
        check(r#"{"a":"#, r#"{"INVALID_JSON":"{\"a\":"}"#);
    }
}
