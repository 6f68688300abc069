//! Writes values as maps and lists without brackets, in the order that they are in.

use super::scalar;

/// What is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Yaml {
    Text(String),
    /// A number, a word or nothing, as JSON has it.
    Plain(String),
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
}

pub(crate) fn write(value: &Yaml) -> String {
    let mut out = String::new();
    put(value, 0, Start::Line, &mut out);
    out
}

/// Where the value begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// On a line of its own that is indented already.
    Line,
    AfterKey,
}

fn put(value: &Yaml, indent: usize, start: Start, out: &mut String) {
    match value {
        Yaml::List(items) if !items.is_empty() => {
            // A list stands right below its key.
            let indent = if start == Start::AfterKey { indent - 2 } else { indent };
            for (index, item) in items.iter().enumerate() {
                next_line(start, index, indent, out);
                out.push_str("- ");
                put(item, indent + 2, Start::Line, out);
            }
        }
        Yaml::Map(entries) if !entries.is_empty() => {
            for (index, (key, value)) in entries.iter().enumerate() {
                next_line(start, index, indent, out);
                out.push_str(&in_line(key));
                out.push(':');
                put(value, indent + 2, Start::AfterKey, out);
            }
        }
        value => {
            if start == Start::AfterKey {
                out.push(' ');
            }
            match value {
                Yaml::Text(text) => put_text(text, indent, out),
                Yaml::Plain(word) => out.push_str(word),
                Yaml::List(_) => out.push_str("[]"),
                Yaml::Map(_) => out.push_str("{}"),
            }
            out.push('\n');
        }
    }
}

/// The first part of what begins on a line that is there already needs no other.
fn next_line(start: Start, index: usize, indent: usize, out: &mut String) {
    if start == Start::AfterKey && index == 0 {
        out.push('\n');
    }
    if start == Start::AfterKey || index > 0 {
        push_spaces(indent, out);
    }
}

fn put_text(text: &str, indent: usize, out: &mut String) {
    let is_plain_lines = text.chars().all(|char| char == '\n' || scalar::is_printable(char));
    if !text.contains('\n') || !is_plain_lines || text.starts_with([' ', '\t', '\n']) {
        out.push_str(&in_line(text));
        return;
    }
    let body = text.strip_suffix('\n');
    out.push_str(match body {
        None => "|-",
        Some(body) if body.ends_with('\n') => "|+",
        Some(_) => "|",
    });
    for line in body.unwrap_or(text).split('\n') {
        out.push('\n');
        if !line.is_empty() {
            // Whatever it is in, more than that.
            push_spaces(indent.max(2), out);
            out.push_str(line);
        }
    }
}

/// Plain where that is the same text, else in the quotes that it needs.
fn in_line(text: &str) -> String {
    if !text.chars().all(scalar::is_printable) {
        return double_quoted(text);
    }
    let is_plain_inside =
        !text.contains(": ") && !text.contains(":\t") && !text.contains(" #") && !text.contains("\t#");
    let starts_plain =
        text.starts_with(|char: char| char.is_alphanumeric() || matches!(char, '/' | '.' | '_' | '(' | '$'));
    let ends_plain = !text.ends_with([':', ' ', '\t']);
    let is_number = text.parse::<f64>().is_ok();
    if starts_plain && is_plain_inside && ends_plain && !is_number && !text.starts_with("...") && scalar::is_text(text)
    {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "''"))
}

fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            _ if scalar::is_printable(char) => out.push(char),
            _ => out.push_str(&format!("\\u{:04x}", u32::from(char))),
        }
    }
    out.push('"');
    out
}

fn push_spaces(count: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', count));
}

impl From<serde_json::Value> for Yaml {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::String(text) => Self::Text(text),
            serde_json::Value::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            serde_json::Value::Object(entries) => Self::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| (key, Self::from(value)))
                    .collect(),
            ),
            word => Self::Plain(word.to_string()),
        }
    }
}
