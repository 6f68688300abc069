//! Which types operators take, and what comes out.

use super::{Checked, Checker, folded};
use crate::plan::Step;
use crate::problem::Mistake;
use crate::syntax::{Binary, Part};
use crate::types::Type;
use crate::value::Kind;

/// Operands of arithmetic with the type of the result.
const ARITHMETIC: [(&[Binary], Kind, Kind, Type); 11] = [
    (WHOLE, Kind::Int, Kind::Int, Type::Int),
    (WHOLE, Kind::Uint, Kind::Uint, Type::Uint),
    (FRACTIONAL, Kind::Double, Kind::Double, Type::Double),
    (&[Binary::Add], Kind::String, Kind::String, Type::String),
    (&[Binary::Add], Kind::Bytes, Kind::Bytes, Type::Bytes),
    (&[Binary::Add], Kind::List, Kind::List, Type::List(&Type::Any)),
    (&[Binary::Add], Kind::Duration, Kind::Timestamp, Type::Timestamp),
    (ALONG, Kind::Timestamp, Kind::Duration, Type::Timestamp),
    (ALONG, Kind::Duration, Kind::Duration, Type::Duration),
    (&[Binary::Subtract], Kind::Timestamp, Kind::Timestamp, Type::Duration),
    (&[Binary::Remainder], Kind::Uint, Kind::Uint, Type::Uint),
];

const WHOLE: &[Binary] = &[
    Binary::Add,
    Binary::Subtract,
    Binary::Multiply,
    Binary::Divide,
    Binary::Remainder,
];
const FRACTIONAL: &[Binary] = &[Binary::Add, Binary::Subtract, Binary::Multiply, Binary::Divide];
const ALONG: &[Binary] = &[Binary::Add, Binary::Subtract];

impl<'c> Checker<'c> {
    pub(super) fn binary(
        &mut self,
        part: &Part,
        operator: Binary,
        left: &'c Part,
        right: &'c Part,
    ) -> Result<Checked, Mistake> {
        let (left, right) = (self.part(left)?, self.part(right)?);
        let of = result(operator, left.of, right.of).map_err(|message| Mistake::new(part.at, message))?;
        let constant = left.step.constant().is_some() && right.step.constant().is_some();
        let step = Step::Binary(operator, Box::new((left.step, right.step)));
        Ok(folded(Checked::new(step, of), constant))
    }

    pub(super) fn negate(&mut self, part: &Part, inner: &'c Part) -> Result<Checked, Mistake> {
        let inner = self.part(inner)?;
        if !inner.can_be(Kind::Int) && !inner.can_be(Kind::Double) {
            return Err(Mistake::new(part.at, format!("`-` does not take {}", inner.of)));
        }
        let constant = inner.step.constant().is_some();
        Ok(folded(
            Checked::new(Step::Negate(Box::new(inner.step)), inner.of),
            constant,
        ))
    }
}

fn result(operator: Binary, left: Type, right: Type) -> Result<Type, String> {
    match operator {
        Binary::Equal | Binary::Unequal => equality(left, right).map(|()| Type::Bool),
        Binary::Less | Binary::AtMost | Binary::Greater | Binary::AtLeast => {
            ordering(operator, left, right).map(|()| Type::Bool)
        }
        Binary::In => membership(left, right).map(|()| Type::Bool),
        Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Remainder => {
            arithmetic(operator, left, right)
        }
    }
}

fn arithmetic(operator: Binary, left: Type, right: Type) -> Result<Type, String> {
    let fits = |of: Type, kind: Kind| of.kind().is_none_or(|of| of == kind);
    if operator == Binary::Add
        && let (Type::List(_), Type::List(_)) = (left, right)
    {
        return Ok(if left == right { left } else { Type::List(&Type::Any) });
    }
    let rows = ARITHMETIC.iter().filter(|(operators, first, second, _)| {
        operators.contains(&operator) && fits(left, *first) && fits(right, *second)
    });
    let result = rows.map(|(.., result)| *result).reduce(Type::or);
    result.ok_or_else(|| {
        let numbers = |of: Type| of.kind().is_some_and(Kind::is_number);
        let hint = if left != right && numbers(left) && numbers(right) {
            "; convert one with int(), uint() or double()"
        } else {
            ""
        };
        format!("`{}` does not take {left} and {right}{hint}", operator.sign())
    })
}

/// `None` where one of them is not known.
fn kinds(left: Type, right: Type) -> Option<(Kind, Kind)> {
    left.kind().zip(right.kind())
}

fn equality(left: Type, right: Type) -> Result<(), String> {
    match kinds(left, right) {
        Some((Kind::Null, other) | (other, Kind::Null)) if other != Kind::Null => {
            Err(format!("{other} is never null; has() tells whether there is a value"))
        }
        Some((first, second)) if !first.is_comparable(second) => Err(format!("{left} is never equal to {right}")),
        _ => Ok(()),
    }
}

fn ordering(operator: Binary, left: Type, right: Type) -> Result<(), String> {
    let unordered = |of: Type| of.kind().is_some_and(|kind| !kind.is_ordered());
    let apart = kinds(left, right).is_some_and(|(left, right)| !left.is_comparable(right));
    if unordered(left) || unordered(right) || apart {
        return Err(format!("`{}` does not take {left} and {right}", operator.sign()));
    }
    Ok(())
}

fn membership(left: Type, right: Type) -> Result<(), String> {
    match right {
        Type::List(element) => equality(left, *element),
        Type::Map(_) | Type::Object(_) if left.kind().is_some_and(|kind| kind != Kind::String) => {
            Err(format!("the keys of this map are strings, never {left}"))
        }
        Type::Map(_) | Type::Object(_) | Type::Any => Ok(()),
        other => Err(format!("`in` looks into a list or a map, not {other}")),
    }
}
