//! What is wrong with a text, and where.

use std::fmt;

/// How many letters a name may be off to be taken for another one.
const LETTERS_APART: usize = 3;

/// Why an expression does not compile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problem {
    /// Counts from one.
    pub line: u32,
    /// Counts characters from one.
    pub column: u32,
    pub message: String,
}

/// A problem that does not know its text yet.
#[derive(Debug)]
pub(crate) struct Mistake {
    /// Offset in bytes.
    pub(crate) at: u32,
    pub(crate) message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl Mistake {
    pub(crate) fn new(at: u32, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
        }
    }

    pub(crate) fn in_source(self, source: &str) -> Problem {
        let before = source.get(..self.at as usize).unwrap_or(source);
        let line = before.rsplit('\n').next().unwrap_or_default();
        // A source is bounded far below what a u32 holds.
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).saturating_add(1);
        Problem {
            line: count(before.matches('\n').count()),
            column: count(line.chars().count()),
            message: self.message,
        }
    }
}

/// `; did you mean NAME?` where a known name is close, else the known names.
pub(crate) fn suggestion<'a>(wrong: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let hint = nearest(wrong, known.clone());
    if !hint.is_empty() {
        return hint;
    }
    let known: Vec<&str> = known.collect();
    match known.as_slice() {
        [] => String::new(),
        names => format!("; there are {}", names.join(", ")),
    }
}

/// `; did you mean NAME?` where a known name is close.
pub(crate) fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> String {
    let allowed = LETTERS_APART.min(wrong.chars().count() / 2);
    let apart = known.map(|name| (strsim::damerau_levenshtein(name, wrong), name));
    let nearest = apart
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance);
    nearest.map_or_else(String::new, |(_, name)| format!("; did you mean `{name}`?"))
}
