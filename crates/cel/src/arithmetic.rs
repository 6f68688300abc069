//! `+ - * / %` and the sign. Nothing wraps around or is converted: what does not fit is an error.

use std::sync::Arc;

use crate::cost::Budget;
use crate::failed::Failed;
use crate::syntax::Binary;
use crate::time::{checked, checked_duration};
use crate::value::{List, Value};

pub(crate) fn calculate<'a>(
    operator: Binary,
    left: Value<'a>,
    right: Value<'a>,
    budget: &mut Budget,
) -> Result<Value<'a>, Failed> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => int(operator, left, right).map(Value::Int),
        (Value::Uint(left), Value::Uint(right)) => uint(operator, left, right).map(Value::Uint),
        (Value::Double(left), Value::Double(right)) => match operator {
            Binary::Add => Ok(Value::Double(left + right)),
            Binary::Subtract => Ok(Value::Double(left - right)),
            Binary::Multiply => Ok(Value::Double(left * right)),
            Binary::Divide => Ok(Value::Double(left / right)),
            _ => Err(refusal(operator, &Value::Double(left), &Value::Double(right))),
        },
        (left, right) => match operator {
            Binary::Add => add(left, right, budget),
            Binary::Subtract => subtract(&left, &right),
            _ => Err(refusal(operator, &left, &right)),
        },
    }
}

fn int(operator: Binary, left: i64, right: i64) -> Result<i64, Failed> {
    let result = match operator {
        Binary::Add => left.checked_add(right),
        Binary::Subtract => left.checked_sub(right),
        Binary::Multiply => left.checked_mul(right),
        Binary::Divide | Binary::Remainder if right == 0 => return Err(by_zero()),
        Binary::Divide => left.checked_div(right),
        Binary::Remainder => left.checked_rem(right),
        _ => return Err(refusal(operator, &Value::Int(left), &Value::Int(right))),
    };
    result.ok_or_else(|| Failed::range(format!("{left} {} {right} is out of the range of int", operator.sign())))
}

fn uint(operator: Binary, left: u64, right: u64) -> Result<u64, Failed> {
    let result = match operator {
        Binary::Add => left.checked_add(right),
        Binary::Subtract => left.checked_sub(right),
        Binary::Multiply => left.checked_mul(right),
        Binary::Divide | Binary::Remainder if right == 0 => return Err(by_zero()),
        Binary::Divide => left.checked_div(right),
        Binary::Remainder => left.checked_rem(right),
        _ => return Err(refusal(operator, &Value::Uint(left), &Value::Uint(right))),
    };
    result.ok_or_else(|| {
        Failed::range(format!(
            "{left}u {} {right}u is out of the range of uint",
            operator.sign()
        ))
    })
}

fn by_zero() -> Failed {
    Failed::range("a division by zero")
}

fn add<'a>(left: Value<'a>, right: Value<'a>, budget: &mut Budget) -> Result<Value<'a>, Failed> {
    Ok(match (left, right) {
        (Value::String(left), Value::String(right)) => {
            budget.spend_text(left.len() + right.len())?;
            Value::String(left + right)
        }
        (Value::Bytes(left), Value::Bytes(right)) => {
            budget.spend_text(left.len() + right.len())?;
            let mut bytes = left.into_owned();
            bytes.extend_from_slice(&right);
            Value::Bytes(bytes.into())
        }
        (Value::List(left), Value::List(right)) => {
            budget.spend(left.length() + right.length())?;
            let mut values = Vec::with_capacity(left.length() + right.length());
            for value in left.iter().chain(right.iter()) {
                budget.spend_whole(&value)?;
                values.push(value);
            }
            Value::List(List::Made(Arc::from(values)))
        }
        (Value::Timestamp(time), Value::Duration(duration)) | (Value::Duration(duration), Value::Timestamp(time)) => {
            checked(time.checked_add_signed(duration))?.into()
        }
        (Value::Duration(left), Value::Duration(right)) => checked_duration(left.checked_add(&right))?.into(),
        (left, right) => return Err(refusal(Binary::Add, &left, &right)),
    })
}

fn subtract<'a>(left: &Value<'a>, right: &Value<'a>) -> Result<Value<'a>, Failed> {
    Ok(match (left, right) {
        (Value::Timestamp(left), Value::Timestamp(right)) => left.signed_duration_since(right).into(),
        (Value::Timestamp(time), Value::Duration(duration)) => checked(time.checked_sub_signed(*duration))?.into(),
        (Value::Duration(left), Value::Duration(right)) => checked_duration(left.checked_sub(right))?.into(),
        (left, right) => return Err(refusal(Binary::Subtract, left, right)),
    })
}

pub(crate) fn negate<'a>(value: &Value<'_>) -> Result<Value<'a>, Failed> {
    match value {
        Value::Int(number) => {
            let negative = number.checked_neg();
            let past = || Failed::range(format!("-({number}) is out of the range of int"));
            negative.map(Value::Int).ok_or_else(past)
        }
        Value::Double(number) => Ok(Value::Double(-number)),
        other => Err(Failed::types(format!("`-` does not take {}", other.kind()))),
    }
}

pub(crate) fn refusal(operator: Binary, left: &Value<'_>, right: &Value<'_>) -> Failed {
    let (sign, left, right) = (operator.sign(), left.kind(), right.kind());
    Failed::types(format!("`{sign}` does not take {left} and {right}"))
}
