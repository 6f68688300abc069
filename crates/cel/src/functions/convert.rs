//! Conversions between types. `None`, or the value back, where there is none from that type.

use std::borrow::Cow;

use chrono::DateTime;

use crate::failed::Failed;
use crate::time;
use crate::value::Value;

type Converted = Result<Value<'static>, Failed>;

/// Two to the power of 63 and of 64: the first doubles past the integers.
const PAST_INT: f64 = 9_223_372_036_854_775_808.0;
const PAST_UINT: f64 = 18_446_744_073_709_551_616.0;

fn past(value: &dyn std::fmt::Display, name: &str) -> Failed {
    Failed::range(format!("{value} is out of the range of {name}"))
}

fn unreadable(text: &str, name: &str) -> Failed {
    Failed::conversion(format!("{text:?} is no {name}"))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked, and a fraction is to be cut off"
)]
pub(super) fn int(value: &Value<'_>) -> Option<Converted> {
    let converted = match value {
        Value::Int(number) => Ok(*number),
        Value::Uint(number) => i64::try_from(*number).map_err(|_| past(number, "int")),
        Value::Double(number) if *number >= -PAST_INT && *number < PAST_INT => Ok(*number as i64),
        Value::Double(number) => Err(past(number, "int")),
        Value::String(text) => text.parse().map_err(|_| unreadable(text, "int")),
        Value::Timestamp(time) => Ok(time.timestamp()),
        _ => return None,
    };
    Some(converted.map(Value::Int))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked, and a fraction is to be cut off"
)]
pub(super) fn uint(value: &Value<'_>) -> Option<Converted> {
    let converted = match value {
        Value::Uint(number) => Ok(*number),
        Value::Int(number) => u64::try_from(*number).map_err(|_| past(number, "uint")),
        Value::Double(number) if *number > -1.0 && *number < PAST_UINT => Ok(*number as u64),
        Value::Double(number) => Err(past(number, "uint")),
        Value::String(text) => text.parse().map_err(|_| unreadable(text, "uint")),
        _ => return None,
    };
    Some(converted.map(Value::Uint))
}

#[expect(clippy::cast_precision_loss, reason = "the nearest double is what is asked for")]
pub(super) fn double(value: &Value<'_>) -> Option<Converted> {
    let converted = match value {
        Value::Double(number) => Ok(*number),
        Value::Int(number) => Ok(*number as f64),
        Value::Uint(number) => Ok(*number as f64),
        Value::String(text) => text.parse().map_err(|_| unreadable(text, "double")),
        _ => return None,
    };
    Some(converted.map(Value::Double))
}

pub(super) fn bool(value: &Value<'_>) -> Option<Converted> {
    let converted = match value {
        Value::Bool(value) => Ok(*value),
        Value::String(text) => match &**text {
            "true" | "True" | "TRUE" | "t" | "1" => Ok(true),
            "false" | "False" | "FALSE" | "f" | "0" => Ok(false),
            _ => Err(unreadable(text, "bool")),
        },
        _ => return None,
    };
    Some(converted.map(Value::Bool))
}

pub(super) fn timestamp(value: &Value<'_>) -> Option<Converted> {
    let converted = match value {
        Value::Timestamp(time) => Ok(*time),
        Value::Int(seconds) => time::checked(DateTime::from_timestamp(*seconds, 0)),
        Value::String(text) => time::parse(text),
        _ => return None,
    };
    Some(converted.map(Value::Timestamp))
}

pub(super) fn duration(value: &Value<'_>) -> Option<Converted> {
    let converted = match value {
        Value::Duration(duration) => Ok(*duration),
        Value::String(text) => time::parse_duration(text),
        _ => return None,
    };
    Some(converted.map(Value::Duration))
}

pub(super) fn string(value: Value<'_>) -> Result<Result<Value<'_>, Failed>, Value<'_>> {
    let text = match value {
        Value::String(_) => return Ok(Ok(value)),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Timestamp(time) => time::print(time),
        Value::Duration(duration) => time::print_duration(duration),
        Value::Bytes(Cow::Borrowed(bytes)) => {
            let text = std::str::from_utf8(bytes).map_err(|_| Failed::conversion("the bytes are no UTF-8"));
            return Ok(text.map(Value::from));
        }
        Value::Bytes(Cow::Owned(bytes)) => {
            let text = String::from_utf8(bytes).map_err(|_| Failed::conversion("the bytes are no UTF-8"));
            return Ok(text.map(Value::from));
        }
        other => return Err(other),
    };
    Ok(Ok(text.into()))
}

pub(super) fn bytes(value: Value<'_>) -> Result<Value<'_>, Value<'_>> {
    match value {
        Value::Bytes(_) => Ok(value),
        Value::String(Cow::Borrowed(text)) => Ok(Value::Bytes(Cow::Borrowed(text.as_bytes()))),
        Value::String(Cow::Owned(text)) => Ok(Value::Bytes(Cow::Owned(text.into_bytes()))),
        other => Err(other),
    }
}
