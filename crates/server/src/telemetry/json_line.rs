//! Formats one event as a line of JSON, in the same shape as the general log's lines, without allocating for each.

use std::fmt::{self, Write as _};

use chrono::{DateTime, Datelike as _, Timelike as _, Utc};
use tracing::Event;
use tracing::field::{Field, Visit};

/// Appends the event and a line break.
pub(super) fn append(line: &mut String, event: &Event<'_>, now: DateTime<Utc>) {
    let metadata = event.metadata();
    line.push_str("{\"timestamp\":\"");
    append_time(line, now);
    line.push_str("\",\"level\":\"");
    line.push_str(metadata.level().as_str());
    line.push_str("\",\"target\":\"");
    line.push_str(metadata.target());
    line.push('"');
    event.record(&mut Members { line });
    line.push_str("}\n");
}

/// RFC 3339 with microseconds.
fn append_time(line: &mut String, now: DateTime<Utc>) {
    let (date, time) = (now.date_naive(), now.time());
    let micros = time.nanosecond() / 1_000 % 1_000_000;
    let parts = [
        (date.year_ce().1, 4, "-"),
        (date.month(), 2, "-"),
        (date.day(), 2, "T"),
        (time.hour(), 2, ":"),
        (time.minute(), 2, ":"),
        (time.second(), 2, "."),
        (micros, 6, "Z"),
    ];
    for (number, digits, mark) in parts {
        let mut text = itoa::Buffer::new();
        let text = text.format(number);
        line.push_str("000000".get(text.len()..digits).unwrap_or_default());
        line.push_str(text);
        line.push_str(mark);
    }
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

    fn integer(&mut self, field: &Field, value: impl itoa::Integer) {
        self.name(field);
        self.line.push_str(itoa::Buffer::new().format(value));
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
        self.integer(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.integer(field, value);
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
        // Most have nothing to escape, which is faster found out without an end in the middle.
        if !text.bytes().fold(false, |found, byte| found | is_special(byte)) {
            self.0.push_str(text);
            return Ok(());
        }
        let mut rest = text;
        while let Some(at) = rest.bytes().position(is_special) {
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

/// Whether JSON forbids it in a text.
const fn is_special(byte: u8) -> bool {
    byte < b' ' || matches!(byte, b'"' | b'\\')
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;

    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339() {
        for text in [
            "2026-01-02T03:04:05.000006Z",
            "1970-12-31T23:59:59.999999Z",
            "2026-10-20T10:00:00.120000Z",
        ] {
            let time: DateTime<Utc> = text.parse().expect("a time");
            let mut line = String::new();

            append_time(&mut line, time);

            assert_eq!(line, time.to_rfc3339_opts(SecondsFormat::Micros, true));
        }
    }

    #[test]
    fn what_json_forbids_in_a_text_is_escaped() {
        let mut line = String::new();

        Escaped(&mut line).write_str("a \"b\" \\ \n\u{1} é").expect("written");

        assert_eq!(line, "a \\\"b\\\" \\\\ \\n\\u0001 é");
    }
}
