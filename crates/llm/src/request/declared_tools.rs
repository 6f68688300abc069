//! The tools a request declares, by name, whatever its dialect: each has its own place for them, and none of these means
//! something else in another one. A member that is there twice counts twice, and in whichever case it is written: it is
//! the provider who chooses.

use crate::json::{Kind, Member, Members, Value};

/// The names of all tools that a body declares; `None` when it is no JSON object. A tool that a provider has itself goes by
/// its type without a date (`web_search`), and one without any name by an empty one.
pub fn declared_tools(body: &[u8]) -> Option<Vec<String>> {
    let mut members = Members::of_document(body).ok()?;
    let mut names = Vec::new();
    while let Some(Member { key, value, .. }) = members.next_member().ok()? {
        match &*key.to_ascii_lowercase() {
            b"tools" | b"functions" => tools(&value, &mut names),
            // Bedrock's Converse.
            b"toolconfig" => each_member(&value, |key, value| {
                if key.eq_ignore_ascii_case(b"tools") {
                    tools(value, &mut names);
                }
            }),
            b"mcp_servers" if !value.is_empty() => names.push("mcp".to_owned()),
            b"web_search_options" if value.kind != Kind::Null => names.push("web_search".to_owned()),
            _ => {}
        }
    }
    Some(names)
}

fn tools(list: &Value<'_>, names: &mut Vec<String>) {
    for tool in list.elements() {
        let known = names.len();
        let found = Tool::read(&tool);
        names.extend(found.builtin.iter().map(|kind| undated(kind).to_owned()));
        if found.is_own || found.builtin.is_empty() {
            names.extend(found.names);
        }
        if found.is_gemini {
            names.extend(found.others);
        }
        if names.len() == known && !found.is_mark {
            names.push(String::new());
        }
    }
}

#[derive(Default)]
struct Tool {
    /// What it says it is, where that is something a provider has.
    builtin: Vec<String>,
    /// It says that it is the caller's own.
    is_own: bool,
    names: Vec<String>,
    /// Its other members, which in Gemini's dialect are tools of its own.
    others: Vec<String>,
    is_gemini: bool,
    /// It is no tool: it ends a prefix that is to be kept.
    is_mark: bool,
}

impl Tool {
    fn read(tool: &Value<'_>) -> Self {
        let (mut found, mut is_flat) = (Self::default(), false);
        each_member(tool, |key, value| match &*key.to_ascii_lowercase() {
            b"type" => match value.string() {
                Some(kind) if kind == "function" || kind == "custom" => (found.is_own, is_flat) = (true, true),
                Some(kind) => {
                    found.builtin.push(kind.into_owned());
                    is_flat = true;
                }
                None => {}
            },
            b"name" => {
                found.names.extend(value.string().map(Into::into));
                is_flat = true;
            }
            b"function" | b"custom" | b"toolspec" | b"systemtool" => {
                found.names.extend(name_of(value));
                is_flat = true;
            }
            b"functiondeclarations" | b"function_declarations" => {
                let declared = value.elements();
                found
                    .names
                    .extend(declared.map(|one| name_of(&one).unwrap_or_default()));
            }
            b"cachepoint" => found.is_mark = true,
            _ if value.kind != Kind::Null => found.others.push(snake(key)),
            _ => {}
        });
        found.is_gemini = !is_flat && !found.is_mark;
        found
    }
}

fn name_of(value: &Value<'_>) -> Option<String> {
    let mut name = None;
    each_member(value, |key, value| {
        if key.eq_ignore_ascii_case(b"name") {
            name = value.string().map(Into::into);
        }
    });
    name
}

fn each_member(value: &Value<'_>, mut visit: impl FnMut(&[u8], &Value<'_>)) {
    if value.kind != Kind::Object {
        return;
    }
    let mut members = value.members();
    while let Ok(Some(member)) = members.next_member() {
        visit(&member.key, &member.value);
    }
}

/// `web_search_20250305` and `web_search_preview_2025_03_11` without their dates.
fn undated(kind: &str) -> &str {
    let end = kind.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
    let digits = kind.len() - end.len();
    if digits >= 8 { end } else { kind }
}

/// `googleSearch` as `google_search`.
fn snake(key: &[u8]) -> String {
    let mut name = String::new();
    for c in String::from_utf8_lossy(key).chars() {
        if c.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_found_wherever_a_dialect_puts_them() {
        for (body, expected) in [
            (r#"{"model":"m","messages":[]}"#, &[] as &[&str]),
            (
                r#"{"tools":[{"type":"function","function":{"name":"look"}}]}"#,
                &["look"],
            ),
            (
                r#"{"t\u006fols":[{"type":"function","function":{"name":"look"}}]}"#,
                &["look"],
            ),
            (
                r#"{"tools":[],"tools":[{"type":"custom","custom":{"name":"sh"}}]}"#,
                &["sh"],
            ),
            (r#"{"Tools":[{"Type":"function","Function":{"Name":"Go"}}]}"#, &["Go"]),
            (r#"{"functions":[{"name":"old","parameters":{}}]}"#, &["old"]),
            (
                r#"{"tools":[{"type":"function","name":"flat"},{"type":"web_search"},{"type":"mcp","server_label":"x"}]}"#,
                &["flat", "web_search", "mcp"],
            ),
            (
                r#"{"tools":[{"type":"web_search_preview_2025_03_11"}]}"#,
                &["web_search_preview"],
            ),
            (
                r#"{"tools":[{"name":"mine","input_schema":{}},{"type":"text_editor_20250728","name":"edit"}]}"#,
                &["mine", "text_editor"],
            ),
            (r#"{"mcp_servers":[{"type":"url","name":"x"}],"tools":null}"#, &["mcp"]),
            (r#"{"web_search_options":{}}"#, &["web_search"]),
            (
                r#"{"tools":[{"functionDeclarations":[{"name":"a"},{"name":"b"}],"googleSearch":{}},{"code_execution":{}}]}"#,
                &["a", "b", "google_search", "code_execution"],
            ),
            (
                r#"{"toolConfig":{"tools":[{"toolSpec":{"name":"spec"}},{"cachePoint":{"type":"default"}}]}}"#,
                &["spec"],
            ),
            (r#"{"toolConfig":{"functionCallingConfig":{"mode":"ANY"}}}"#, &[]),
            (
                r#"{"tools":[{"type":"function","function":{"name":"good"},"name":"bad"}]}"#,
                &["good", "bad"],
            ),
            (r#"{"tools":[{"type":"function"},7]}"#, &["", ""]),
        ] {
            assert_eq!(
                declared_tools(body.as_bytes()).as_deref(),
                Some(
                    expected
                        .iter()
                        .map(|name| (*name).to_owned())
                        .collect::<Vec<_>>()
                        .as_slice()
                ),
                "{body}"
            );
        }
        assert_eq!(declared_tools(b"not json"), None);
        assert_eq!(declared_tools(b"[]"), None);
    }
}
