//! Values: borrowed from the caller or the expression where that is possible, made where it is not.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::compare::same;
use crate::names::{Mapping, Sequence};

/// What a part of an expression evaluates to.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
    Timestamp(DateTime<Utc>),
    Duration(TimeDelta),
    List(List<'a>),
    Map(Map<'a>),
    Type(Kind),
}

#[derive(Clone)]
pub enum List<'a> {
    /// The caller's own.
    Lent(&'a dyn Sequence),
    Slice(&'a [Value<'a>]),
    Made(Arc<[Value<'a>]>),
}

#[derive(Clone)]
pub enum Map<'a> {
    /// The caller's own.
    Lent(&'a dyn Mapping),
    Slice(&'a [(Value<'a>, Value<'a>)]),
    Made(Arc<[(Value<'a>, Value<'a>)]>),
}

/// The type of a value at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Null,
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Timestamp,
    Duration,
    List,
    Map,
    Type,
}

impl<'a> Value<'a> {
    pub fn list(list: &'a dyn Sequence) -> Self {
        Self::List(List::Lent(list))
    }

    pub fn map(map: &'a dyn Mapping) -> Self {
        Self::Map(Map::Lent(map))
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_) => Kind::Int,
            Self::Uint(_) => Kind::Uint,
            Self::Double(_) => Kind::Double,
            Self::String(_) => Kind::String,
            Self::Bytes(_) => Kind::Bytes,
            Self::Timestamp(_) => Kind::Timestamp,
            Self::Duration(_) => Kind::Duration,
            Self::List(_) => Kind::List,
            Self::Map(_) => Kind::Map,
            Self::Type(_) => Kind::Type,
        }
    }

    /// The same value, borrowed.
    pub(crate) fn lend(&'a self) -> Self {
        match self {
            Self::Null => Self::Null,
            Self::Bool(value) => Self::Bool(*value),
            Self::Int(value) => Self::Int(*value),
            Self::Uint(value) => Self::Uint(*value),
            Self::Double(value) => Self::Double(*value),
            Self::String(text) => Self::String(Cow::Borrowed(text)),
            Self::Bytes(bytes) => Self::Bytes(Cow::Borrowed(bytes)),
            Self::Timestamp(value) => Self::Timestamp(*value),
            Self::Duration(value) => Self::Duration(*value),
            Self::List(List::Made(values)) => Self::List(List::Slice(values)),
            Self::List(list) => Self::List(list.clone()),
            Self::Map(Map::Made(entries)) => Self::Map(Map::Slice(entries)),
            Self::Map(map) => Self::Map(map.clone()),
            Self::Type(kind) => Self::Type(*kind),
        }
    }

    /// A copy that outlives whom this was borrowed from.
    pub(crate) fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Uint(value) => Value::Uint(value),
            Self::Double(value) => Value::Double(value),
            Self::String(text) => Value::String(Cow::Owned(text.into_owned())),
            Self::Bytes(bytes) => Value::Bytes(Cow::Owned(bytes.into_owned())),
            Self::Timestamp(value) => Value::Timestamp(value),
            Self::Duration(value) => Value::Duration(value),
            Self::List(list) => Value::List(List::Made(list.iter().map(Value::into_owned).collect())),
            Self::Map(map) => {
                let entries = map.keys().map(|key| {
                    let value = map.find(&key).map_or(Value::Null, Value::into_owned);
                    (key.into_owned(), value)
                });
                Value::Map(Map::Made(entries.collect()))
            }
            Self::Type(kind) => Value::Type(kind),
        }
    }
}

impl List<'_> {
    pub fn length(&self) -> usize {
        match self {
            Self::Lent(list) => list.length(),
            Self::Slice(values) => values.len(),
            Self::Made(values) => values.len(),
        }
    }
}

impl<'a> List<'a> {
    pub fn at(&self, index: usize) -> Option<Value<'a>> {
        match self {
            Self::Lent(list) => list.at(index),
            Self::Slice(values) => values.get(index).map(Value::lend),
            Self::Made(values) => values.get(index).cloned(),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = Value<'a>> {
        (0..self.length()).map_while(|index| self.at(index))
    }
}

impl<'a> Map<'a> {
    pub fn length(&self) -> usize {
        match self {
            Self::Lent(map) => map.length(),
            Self::Slice(entries) => entries.len(),
            Self::Made(entries) => entries.len(),
        }
    }

    /// A map that is written in an expression is short and has no index.
    pub(crate) fn steps_to_find(&self) -> usize {
        match self {
            Self::Lent(_) => 1,
            Self::Slice(entries) => entries.len(),
            Self::Made(entries) => entries.len(),
        }
    }

    pub fn find(&self, key: &Value<'_>) -> Option<Value<'a>> {
        match self {
            Self::Lent(map) => match key {
                Value::String(key) => map.find(key),
                _ => None,
            },
            Self::Slice(entries) => {
                let entry = entries.iter().find(|(known, _)| same(known, key));
                entry.map(|(_, value)| value.lend())
            }
            Self::Made(entries) => {
                let entry = entries.iter().find(|(known, _)| same(known, key));
                entry.map(|(_, value)| value.clone())
            }
        }
    }

    pub fn keys(&self) -> Box<dyn Iterator<Item = Value<'a>> + '_> {
        match self {
            Self::Lent(map) => Box::new(map.keys().map(Value::from)),
            Self::Slice(entries) => Box::new(entries.iter().map(|(key, _)| key.lend())),
            Self::Made(entries) => Box::new(entries.iter().map(|(key, _)| key.clone())),
        }
    }
}

impl Kind {
    /// As expressions call it: `type(x) == string`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Timestamp => "google.protobuf.Timestamp",
            Self::Duration => "google.protobuf.Duration",
            Self::List => "list",
            Self::Map => "map",
            Self::Type => "type",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        const ALL: [Kind; 12] = [
            Kind::Null,
            Kind::Bool,
            Kind::Int,
            Kind::Uint,
            Kind::Double,
            Kind::String,
            Kind::Bytes,
            Kind::Timestamp,
            Kind::Duration,
            Kind::List,
            Kind::Map,
            Kind::Type,
        ];
        ALL.into_iter().find(|kind| kind.name() == name)
    }

    pub(crate) fn is_ordered(self) -> bool {
        !matches!(self, Self::Null | Self::List | Self::Map | Self::Type)
    }

    /// Whether values of the two kinds can be equal.
    pub(crate) fn is_comparable(self, other: Self) -> bool {
        self == other || self.is_number() && other.is_number()
    }

    pub(crate) fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Uint | Self::Double)
    }
}

/// With its article, for messages.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool => "a bool",
            Self::Int => "an int",
            Self::Uint => "a uint",
            Self::Double => "a double",
            Self::String => "a string",
            Self::Bytes => "bytes",
            Self::Timestamp => "a timestamp",
            Self::Duration => "a duration",
            Self::List => "a list",
            Self::Map => "a map",
            Self::Type => "a type",
        })
    }
}

impl fmt::Debug for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Debug for Map<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.keys().map(|key| {
            let value = self.find(&key);
            (key, value)
        });
        f.debug_map().entries(entries).finish()
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::String(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::String(Cow::Owned(text))
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u64> for Value<'_> {
    fn from(value: u64) -> Self {
        Self::Uint(value)
    }
}

impl From<f64> for Value<'_> {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}

impl From<DateTime<Utc>> for Value<'_> {
    fn from(value: DateTime<Utc>) -> Self {
        Self::Timestamp(value)
    }
}

impl From<TimeDelta> for Value<'_> {
    fn from(value: TimeDelta) -> Self {
        Self::Duration(value)
    }
}
