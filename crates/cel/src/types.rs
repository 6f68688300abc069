//! What is known of values before there are any.

use std::fmt;

use crate::problem::suggestion;
use crate::value::Kind;

/// The type of a name or of a part of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Not known before evaluation: checked then.
    Any,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Timestamp,
    Duration,
    List(&'static Type),
    /// From strings.
    Map(&'static Type),
    /// A map whose keys are known. As a variable, or a member of one, it is a group of names rather than a value.
    Object(&'static [(&'static str, Type)]),
    /// The type of types: `type(1) == int`.
    Type,
}

/// The names that an expression may use.
#[derive(Clone, Debug, Default)]
pub struct Declarations {
    variables: Vec<(&'static str, Type)>,
}

impl Declarations {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn variable(mut self, name: &'static str, of: Type) -> Self {
        self.variables.push((name, of));
        self
    }

    pub(crate) fn find(&self, name: &str) -> Option<Type> {
        let found = self.variables.iter().rev().find(|(variable, _)| *variable == name);
        found.map(|(_, of)| *of)
    }

    pub(crate) fn suggestion(&self, wrong: &str) -> String {
        suggestion(wrong, self.variables.iter().map(|(name, _)| *name))
    }
}

impl Type {
    /// `None` where a value could be of any kind.
    pub(crate) fn kind(self) -> Option<Kind> {
        Some(match self {
            Self::Any => return None,
            Self::Null => Kind::Null,
            Self::Bool => Kind::Bool,
            Self::Int => Kind::Int,
            Self::Uint => Kind::Uint,
            Self::Double => Kind::Double,
            Self::String => Kind::String,
            Self::Bytes => Kind::Bytes,
            Self::Timestamp => Kind::Timestamp,
            Self::Duration => Kind::Duration,
            Self::List(_) => Kind::List,
            Self::Map(_) | Self::Object(_) => Kind::Map,
            Self::Type => Kind::Type,
        })
    }

    /// The type of a list's elements, or of a map's values, as part of another type. What cannot be written without
    /// making memory that stays is `Any`.
    pub(crate) fn lasting(self) -> &'static Self {
        match self {
            Self::Null => &Self::Null,
            Self::Bool => &Self::Bool,
            Self::Int => &Self::Int,
            Self::Uint => &Self::Uint,
            Self::Double => &Self::Double,
            Self::String => &Self::String,
            Self::Bytes => &Self::Bytes,
            Self::Timestamp => &Self::Timestamp,
            Self::Duration => &Self::Duration,
            Self::Any | Self::List(_) | Self::Map(_) | Self::Object(_) | Self::Type => &Self::Any,
        }
    }

    /// The type of what is one or the other.
    pub(crate) fn or(self, other: Self) -> Self {
        if self == other { self } else { Self::Any }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            Some(kind) => kind.fmt(f),
            None => f.write_str("a value of any type"),
        }
    }
}
