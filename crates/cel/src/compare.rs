//! Equality and order. Numbers compare by what they are worth, whatever their types; any other values of different types
//! are unequal and have no order.

use std::cmp::Ordering;

use crate::cost::Budget;
use crate::failed::Failed;
use crate::value::{List, Map, Value};

pub(crate) fn equal(left: &Value<'_>, right: &Value<'_>, budget: &mut Budget) -> Result<bool, Failed> {
    match (left, right) {
        (Value::String(left), Value::String(right)) => {
            budget.spend_text(left.len().min(right.len()))?;
            Ok(left == right)
        }
        (Value::Bytes(left), Value::Bytes(right)) => {
            budget.spend_text(left.len().min(right.len()))?;
            Ok(left == right)
        }
        (Value::List(left), Value::List(right)) => lists(left, right, budget),
        (Value::Map(left), Value::Map(right)) => maps(left, right, budget),
        _ => Ok(same(left, right)),
    }
}

/// Equality of what is neither a list nor a map, such as keys.
pub(crate) fn same(left: &Value<'_>, right: &Value<'_>) -> bool {
    match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Bytes(left), Value::Bytes(right)) => left == right,
        (Value::Type(left), Value::Type(right)) => left == right,
        _ => order(left, right) == Some(Ordering::Equal),
    }
}

fn lists(left: &List<'_>, right: &List<'_>, budget: &mut Budget) -> Result<bool, Failed> {
    if left.length() != right.length() {
        return Ok(false);
    }
    for (left, right) in left.iter().zip(right.iter()) {
        budget.spend(1)?;
        if !equal(&left, &right, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn maps(left: &Map<'_>, right: &Map<'_>, budget: &mut Budget) -> Result<bool, Failed> {
    if left.length() != right.length() {
        return Ok(false);
    }
    for key in left.keys() {
        budget.spend(left.steps_to_find() + right.steps_to_find())?;
        let (Some(left), Some(right)) = (left.find(&key), right.find(&key)) else {
            return Ok(false);
        };
        if !equal(&left, &right, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `None` for what has no order, and for a double that is not a number.
pub(crate) fn order(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    Some(match (left, right) {
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Int(left), Value::Int(right)) => left.cmp(right),
        (Value::Uint(left), Value::Uint(right)) => left.cmp(right),
        (Value::Double(left), Value::Double(right)) => return left.partial_cmp(right),
        (Value::Int(left), Value::Uint(right)) => i128::from(*left).cmp(&i128::from(*right)),
        (Value::Uint(left), Value::Int(right)) => i128::from(*left).cmp(&i128::from(*right)),
        (Value::Int(left), Value::Double(right)) => return whole_with_double((*left).into(), *right),
        (Value::Uint(left), Value::Double(right)) => return whole_with_double((*left).into(), *right),
        (Value::Double(left), Value::Int(right)) => {
            return whole_with_double((*right).into(), *left).map(Ordering::reverse);
        }
        (Value::Double(left), Value::Uint(right)) => {
            return whole_with_double((*right).into(), *left).map(Ordering::reverse);
        }
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Bytes(left), Value::Bytes(right)) => left.cmp(right),
        (Value::Timestamp(left), Value::Timestamp(right)) => left.cmp(right),
        (Value::Duration(left), Value::Duration(right)) => left.cmp(right),
        _ => return None,
    })
}

/// Exact, which a conversion to double is not.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a double out of the range of i128 becomes the nearest one, which is past every 64-bit number, too"
)]
fn whole_with_double(whole: i128, double: f64) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    let below = double.floor();
    let fraction = if double > below {
        Ordering::Less
    } else {
        Ordering::Equal
    };
    Some(whole.cmp(&(below as i128)).then(fraction))
}

impl PartialEq for Value<'_> {
    /// What is too large to be compared within the steps of an evaluation is unequal.
    fn eq(&self, other: &Self) -> bool {
        equal(self, other, &mut Budget::new()).unwrap_or(false)
    }
}
