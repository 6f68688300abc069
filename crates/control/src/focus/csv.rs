//! Values of a CSV: RFC 4180, nothing for null, decimal numbers that are exact.

use std::fmt::{self, Write as _};

/// The decimals of a pico-dollar.
const DECIMALS: usize = 12;

/// A value of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Null,
    Text(&'a str),
    Written(String),
    Number(u64),
    /// Dollars, in pico-dollars.
    Picos(i128),
}

impl Value<'_> {
    pub(super) fn write(&self, line: &mut String) {
        match self {
            Self::Null => Ok(()),
            Self::Text(text) => quoted(text, line),
            Self::Written(text) => quoted(text, line),
            Self::Number(number) => write!(line, "{number}"),
            Self::Picos(picos) => decimal(*picos, line),
        }
        .expect("a text takes all that is written to it");
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Written(text)
    }
}

impl<'a, T: Into<Self>> From<Option<T>> for Value<'a>
where
    Self: 'a,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

fn quoted(text: &str, line: &mut String) -> fmt::Result {
    if !text.contains(['"', ',', '\r', '\n']) {
        return line.write_str(text);
    }
    write!(line, "\"{}\"", text.replace('"', "\"\""))
}

fn decimal(picos: i128, line: &mut String) -> fmt::Result {
    let digits = format!("{:0>width$}", picos.unsigned_abs(), width = DECIMALS + 1);
    let (whole, fraction) = digits.split_at(digits.len() - DECIMALS);
    let fraction = fraction.trim_end_matches('0');
    let sign = if picos < 0 { "-" } else { "" };
    match fraction.is_empty() {
        true => write!(line, "{sign}{whole}"),
        false => write!(line, "{sign}{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &Value<'_>) -> String {
        let mut line = String::new();
        value.write(&mut line);
        line
    }

    #[test]
    fn amounts_are_exact() {
        for (picos, expected) in [
            (0, "0"),
            (1, "0.000000000001"),
            (-150_000, "-0.00000015"),
            (1_000_000_000_000, "1"),
            (12_500_000_000_000, "12.5"),
            (i128::from(i64::MAX) * 1_000, "9223372036.854775807"),
        ] {
            assert_eq!(written(&Value::Picos(picos)), expected);
        }
    }

    #[test]
    fn what_would_end_a_value_is_quoted_and_nothing_is_null() {
        assert_eq!(written(&Value::from("plain")), "plain");
        assert_eq!(written(&Value::from("a, \"b\"\n")), "\"a, \"\"b\"\"\n\"");
        assert_eq!(written(&Value::from(None::<&str>)), "");
    }
}
