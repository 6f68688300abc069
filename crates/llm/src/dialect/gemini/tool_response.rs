//! The result of a call: an object in Gemini's dialect, of which Google knows the members `output` and `error` and its
//! SDK writes `result` and `error`; a text that failed or did not in others.

use serde_json::value::RawValue;

use super::arguments::compact;
use crate::chat::Json;
use crate::json::{Kind, Value};

const RESULT: &str = "result";
const ERROR: &str = "error";

/// An object stays as it is, unless it could be taken for our own wrapping.
pub(super) fn write(text: &str, failed: bool) -> Json {
    let object = Json::parse(text).filter(|json| json.text().starts_with('{'));
    if let Some(object) = &object
        && !failed
        && wrapped(object.text()).is_none()
    {
        return object.clone();
    }
    let content = match object {
        Some(object) => object,
        None => {
            let quoted = serde_json::to_string(text).expect("a text can always be written as JSON");
            Json::parse(&quoted).expect("what was written as JSON is JSON")
        }
    };
    let name = if failed { ERROR } else { RESULT };
    Json::parse(&format!("{{\"{name}\":{}}}", content.text())).expect("JSON in an object is JSON")
}

/// The text, and whether it tells of a failure.
pub(super) fn read(response: &str) -> (String, bool) {
    match wrapped(response) {
        Some((content, failed)) => (content, failed),
        None => (compact(response), false),
    }
}

/// What is in the one member that says result or error.
fn wrapped(object: &str) -> Option<(String, bool)> {
    let value = Value {
        kind: Kind::Object,
        text: object.as_bytes(),
        start: 0,
    };
    let mut members = value.members();
    let only = members.next_member().ok()??;
    if members.next_member().ok()?.is_some() {
        return None;
    }
    let failed = match &*only.key {
        b"result" | b"output" => false,
        b"error" => true,
        _ => return None,
    };
    let text = match only.value.kind {
        Kind::String => only.value.string()?.into_owned(),
        Kind::Object | Kind::Array | Kind::Number | Kind::True | Kind::False | Kind::Null => {
            let content: &RawValue = serde_json::from_slice(only.value.text).ok()?;
            compact(content.get())
        }
    };
    Some((text, failed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_back_as_they_were() {
        let check = |text: &str, failed: bool, response: &str| {
            let written = write(text, failed);
            assert_eq!(written.text(), response);
            assert_eq!(read(written.text()), (text.to_owned(), failed));
        };

        check("18 °C", false, r#"{"result":"18 °C"}"#);
        check("", false, r#"{"result":""}"#);
        check("no such city", true, r#"{"error":"no such city"}"#);
        check(r#"{"degrees":18}"#, false, r#"{"degrees":18}"#);
        check(r#"{"degrees":18}"#, true, r#"{"error":{"degrees":18}}"#);
        check(r#"{"error":"x"}"#, false, r#"{"result":{"error":"x"}}"#);
        check("[1,2]", false, r#"{"result":"[1,2]"}"#);
    }

    #[test]
    fn responses_of_callers_are_read_by_their_meaning() {
        let check = |response: &str, text: &str, failed: bool| {
            assert_eq!(read(response), (text.to_owned(), failed));
        };

        check(r#"{ "output" : "fine" }"#, "fine", false);
        check(r#"{"result": {"a": [1, 2]}}"#, r#"{"a":[1,2]}"#, false);
        check(r#"{"error": "x", "code": 5}"#, r#"{"error":"x","code":5}"#, false);
        check("{}", "{}", false);
    }
}
