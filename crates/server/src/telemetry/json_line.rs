//! Formats one event as a line of JSON, in the same shape as the general log's lines, without allocating for each.

use std::fmt::{self, Write as _};

use chrono::{DateTime, SecondsFormat, Utc};
use tracing::Event;
use tracing::field::{Field, Visit};

/// Appends the event and a line break.
pub(super) fn append(line: &mut String, event: &Event<'_>, now: DateTime<Utc>) {
    let metadata = event.metadata();
    line.push_str("{\"timestamp\":\"");
    line.push_str(&now.to_rfc3339_opts(SecondsFormat::Micros, true));
    line.push_str("\",\"level\":\"");
    line.push_str(metadata.level().as_str());
    line.push_str("\",\"target\":\"");
    line.push_str(metadata.target());
    line.push('"');
    event.record(&mut Members { line });
    line.push_str("}\n");
}

/// Appends `,"name":value` for each field.
struct Members<'a> {
    line: &'a mut String,
}

/// Escapes what is written through it.
struct Escaped<'a>(&'a mut String);

impl Members<'_> {
    fn name(&mut self, field: &Field) {
        self.line.push_str(",\"");
        self.line.push_str(field.name());
        self.line.push_str("\":");
    }

    fn plain(&mut self, field: &Field, value: impl fmt::Display) {
        self.name(field);
        write!(self.line, "{value}").expect("a string takes all that is written to it");
    }
}

impl Visit for Members<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.name(field);
        self.line.push('"');
        Escaped(self.line)
            .write_str(value)
            .expect("a string takes all that is written to it");
        self.line.push('"');
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        match value.is_finite() {
            true => self.plain(field, value),
            false => self.plain(field, "null"),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.name(field);
        self.line.push('"');
        write!(Escaped(self.line), "{value:?}").expect("a string takes all that is written to it");
        self.line.push('"');
    }
}

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest
            .bytes()
            .position(|byte| byte < b' ' || matches!(byte, b'"' | b'\\'))
        {
            let (plain, special) = rest.split_at(at);
            self.0.push_str(plain);
            let mut special = special.chars();
            match special.next() {
                Some('"') => self.0.push_str("\\\""),
                Some('\\') => self.0.push_str("\\\\"),
                Some('\n') => self.0.push_str("\\n"),
                Some(control) => write!(self.0, "\\u{:04x}", u32::from(control))?,
                None => {}
            }
            rest = special.as_str();
        }
        self.0.push_str(rest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_forbids_in_a_text_is_escaped() {
        let mut line = String::new();

        Escaped(&mut line).write_str("a \"b\" \\ \n\u{1} é").expect("written");

        assert_eq!(line, "a \\\"b\\\" \\\\ \\n\\u0001 é");
    }
}
