//! The arguments of a call: an object in Gemini's dialect, any text in others.

use serde::Serialize;

use crate::chat::Json;

/// What a model wrote that is no object, where only an object is allowed.
#[derive(Serialize)]
struct Raw<'a> {
    #[serde(rename = "_raw")]
    raw: &'a str,
}

/// Always an object, on one line: it may have to stand in the line of an event.
pub(super) fn object(arguments: &str) -> Json {
    let text = arguments.trim();
    let object = if text.is_empty() {
        Json::parse("{}")
    } else if text.starts_with('{') {
        Json::parse(text).and_then(|json| Json::parse(&compact(json.text())))
    } else {
        None
    };
    object.unwrap_or_else(|| {
        let raw = serde_json::to_string(&Raw { raw: arguments }).expect("a text can always be written as JSON");
        Json::parse(&raw).expect("what was written as JSON is JSON")
    })
}

/// JSON without the space between its tokens: Google's whole answers are indented.
pub(super) fn compact(json: &str) -> String {
    let mut compacted = String::with_capacity(json.len());
    let mut in_string = false;
    let mut escaped = false;
    for c in json.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c.is_ascii_whitespace() {
            continue;
        } else {
            in_string = c == '"';
        }
        compacted.push(c);
    }
    compacted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_an_object_on_one_line_whatever_the_model_wrote() {
        let check = |arguments: &str, expected: &str| assert_eq!(object(arguments).text(), expected);

        check("{\n \"a b\" : [1, \"x \\\" {\" ] }\n", r#"{"a b":[1,"x \" {"]}"#);
        check("  ", "{}");
        check("[1]", r#"{"_raw":"[1]"}"#);
        check("{\"a\":", r#"{"_raw":"{\"a\":"}"#);
        check(r#"{"a":"\\"} "#, r#"{"a":"\\"}"#);
    }
}
