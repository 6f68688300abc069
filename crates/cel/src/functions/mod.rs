//! The functions of the language: one table for the checker, one match for evaluation.

mod convert;
mod text;

use crate::cost::Budget;
use crate::failed::Failed;
use crate::time::{Field, Zone};
use crate::types::Type;
use crate::value::{Kind, Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Size,
    StartsWith,
    EndsWith,
    Contains,
    /// Becomes a step of its own, which has the compiled pattern.
    Matches,
    LowerAscii,
    UpperAscii,
    Trim,
    Split,
    Join,
    Replace,
    Substring,
    IndexOf,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Bool,
    Timestamp,
    Duration,
    Type,
    Dyn,
    Time(Field),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// `name(subject)`
    Global,
    /// `subject.name()`
    Method,
    Either,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Signature {
    pub(crate) name: &'static str,
    pub(crate) function: Function,
    pub(crate) style: Style,
    /// What the subject can be; empty for anything.
    pub(crate) subject: &'static [Kind],
    pub(crate) arguments: &'static [Kind],
    /// How many of the arguments cannot be left out.
    pub(crate) required: usize,
    pub(crate) result: Type,
}

const fn global(name: &'static str, function: Function, subject: &'static [Kind], result: Type) -> Signature {
    Signature {
        name,
        function,
        style: Style::Global,
        subject,
        arguments: &[],
        required: 0,
        result,
    }
}

const fn method(
    name: &'static str,
    function: Function,
    subject: &'static [Kind],
    arguments: &'static [Kind],
    result: Type,
) -> Signature {
    Signature {
        name,
        function,
        style: Style::Method,
        subject,
        arguments,
        required: arguments.len(),
        result,
    }
}

const fn either(signature: Signature) -> Signature {
    Signature {
        style: Style::Either,
        ..signature
    }
}

const fn with_optional_last(signature: Signature) -> Signature {
    Signature {
        required: signature.arguments.len() - 1,
        ..signature
    }
}

const fn time(name: &'static str, field: Field) -> Signature {
    with_optional_last(method(name, Function::Time(field), TIME, TEXT, Type::Int))
}

const fn time_or_duration(name: &'static str, field: Field) -> Signature {
    let subject = &[Kind::Timestamp, Kind::Duration];
    with_optional_last(method(name, Function::Time(field), subject, TEXT, Type::Int))
}

const TEXT: &[Kind] = &[Kind::String];
const TWO_TEXTS: &[Kind] = &[Kind::String, Kind::String];
const TIME: &[Kind] = &[Kind::Timestamp];
const SIZED: &[Kind] = &[Kind::String, Kind::Bytes, Kind::List, Kind::Map];
const NUMBERS: &[Kind] = &[Kind::Int, Kind::Uint, Kind::Double, Kind::String];
const INT: &[Kind] = &[Kind::Int, Kind::Uint, Kind::Double, Kind::String, Kind::Timestamp];
const PRINTED: &[Kind] = &[
    Kind::Int,
    Kind::Uint,
    Kind::Double,
    Kind::String,
    Kind::Bytes,
    Kind::Bool,
    Kind::Timestamp,
    Kind::Duration,
];

pub(crate) const SIGNATURES: [Signature; 33] = [
    either(global("size", Function::Size, SIZED, Type::Int)),
    method("startsWith", Function::StartsWith, TEXT, TEXT, Type::Bool),
    method("endsWith", Function::EndsWith, TEXT, TEXT, Type::Bool),
    method("contains", Function::Contains, TEXT, TEXT, Type::Bool),
    either(method("matches", Function::Matches, TEXT, TEXT, Type::Bool)),
    method("lowerAscii", Function::LowerAscii, TEXT, &[], Type::String),
    method("upperAscii", Function::UpperAscii, TEXT, &[], Type::String),
    method("trim", Function::Trim, TEXT, &[], Type::String),
    method("split", Function::Split, TEXT, TEXT, Type::List(&Type::String)),
    with_optional_last(method("join", Function::Join, &[Kind::List], TEXT, Type::String)),
    method("replace", Function::Replace, TEXT, TWO_TEXTS, Type::String),
    with_optional_last(method(
        "substring",
        Function::Substring,
        TEXT,
        &[Kind::Int, Kind::Int],
        Type::String,
    )),
    method("indexOf", Function::IndexOf, TEXT, TEXT, Type::Int),
    global("int", Function::Int, INT, Type::Int),
    global("uint", Function::Uint, NUMBERS, Type::Uint),
    global("double", Function::Double, NUMBERS, Type::Double),
    global("string", Function::String, PRINTED, Type::String),
    global("bytes", Function::Bytes, &[Kind::String, Kind::Bytes], Type::Bytes),
    global("bool", Function::Bool, &[Kind::Bool, Kind::String], Type::Bool),
    global(
        "timestamp",
        Function::Timestamp,
        &[Kind::String, Kind::Int, Kind::Timestamp],
        Type::Timestamp,
    ),
    global(
        "duration",
        Function::Duration,
        &[Kind::String, Kind::Duration],
        Type::Duration,
    ),
    global("type", Function::Type, &[], Type::Type),
    global("dyn", Function::Dyn, &[], Type::Any),
    time("getFullYear", Field::Year),
    time("getMonth", Field::Month),
    time("getDate", Field::Date),
    time("getDayOfMonth", Field::DayOfMonth),
    time("getDayOfWeek", Field::DayOfWeek),
    time("getDayOfYear", Field::DayOfYear),
    time_or_duration("getHours", Field::Hours),
    time_or_duration("getMinutes", Field::Minutes),
    time_or_duration("getSeconds", Field::Seconds),
    time_or_duration("getMilliseconds", Field::Milliseconds),
];

impl Function {
    pub(crate) fn name(self) -> &'static str {
        let signature = SIGNATURES.iter().find(|signature| signature.function == self);
        signature.map_or("", |signature| signature.name)
    }

    /// Arguments are as many as the signature has; their types are checked here once more, as values of any type pass the
    /// checker.
    pub(crate) fn call<'a>(
        self,
        subject: Value<'a>,
        arguments: &[Value<'a>],
        budget: &mut Budget,
    ) -> Result<Value<'a>, Failed> {
        for value in [&subject].into_iter().chain(arguments) {
            if let Value::String(text) = value {
                budget.spend_text(text.len())?;
            }
        }
        match (self, subject, arguments) {
            (Self::Dyn, subject, _) => Ok(subject),
            (Self::Type, subject, _) => Ok(Value::Type(subject.kind())),
            (Self::Size, subject, _) => self.size(&subject),
            (Self::Int, subject, _) => convert::int(&subject).ok_or_else(|| self.refusal(&subject))?,
            (Self::Uint, subject, _) => convert::uint(&subject).ok_or_else(|| self.refusal(&subject))?,
            (Self::Double, subject, _) => convert::double(&subject).ok_or_else(|| self.refusal(&subject))?,
            (Self::Bool, subject, _) => convert::bool(&subject).ok_or_else(|| self.refusal(&subject))?,
            (Self::Timestamp, subject, _) => convert::timestamp(&subject).ok_or_else(|| self.refusal(&subject))?,
            (Self::Duration, subject, _) => convert::duration(&subject).ok_or_else(|| self.refusal(&subject))?,
            (Self::String, subject, _) => {
                convert::string(subject).unwrap_or_else(|subject| Err(self.refusal(&subject)))
            }
            (Self::Bytes, subject, _) => convert::bytes(subject).map_err(|subject| self.refusal(&subject)),
            (Self::Time(field), subject, arguments) => self.time(field, &subject, arguments.first()),
            (Self::Join, Value::List(list), [Value::String(between)]) => text::join(&list, between, budget),
            (Self::Join, Value::List(list), []) => text::join(&list, "", budget),
            (_, Value::String(subject), arguments) => self.text(subject, arguments, budget),
            (_, subject, _) => Err(self.refusal(&subject)),
        }
    }

    fn size(self, subject: &Value<'_>) -> Result<Value<'static>, Failed> {
        let size = match subject {
            Value::String(text) => text.chars().count(),
            Value::Bytes(bytes) => bytes.len(),
            Value::List(list) => list.length(),
            Value::Map(map) => map.length(),
            other => return Err(self.refusal(other)),
        };
        Ok(Value::Int(i64::try_from(size).unwrap_or(i64::MAX)))
    }

    fn time(self, field: Field, subject: &Value<'_>, named: Option<&Value<'_>>) -> Result<Value<'static>, Failed> {
        let part = match (subject, named) {
            (Value::Timestamp(time), Some(Value::String(name))) => Some(field.of(&Zone::named(name)?.at(*time)?)),
            (Value::Timestamp(time), None) => Some(field.of(time)),
            (Value::Timestamp(_), Some(other)) => return Err(self.refusal(other)),
            (Value::Duration(duration), None) => field.of_duration(*duration),
            _ => None,
        };
        part.map(Value::Int).ok_or_else(|| self.refusal(subject))
    }

    pub(crate) fn refusal(self, value: &Value<'_>) -> Failed {
        Failed::types(format!("`{}` does not take {}", self.name(), value.kind()))
    }
}
