//! Walks a plan. Every part costs a step.

mod macros;

use std::cmp::Ordering;
use std::sync::Arc;

use regex::Regex;

use crate::arithmetic::{calculate, negate, refusal};
use crate::compare::{equal, order};
use crate::cost::Budget;
use crate::failed::Failed;
use crate::functions::Function;
use crate::names::Names;
use crate::plan::{Call, Index, Step};
use crate::syntax::Binary;
use crate::value::{List, Map, Value};

/// No function takes more, besides its subject.
const ARGUMENTS: usize = 2;

pub(crate) struct Run<'a> {
    names: &'a dyn Names,
    budget: Budget,
}

/// The variables of the macros around a part. They live on the stack, so that a macro needs no memory.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'s, 'a> {
    innermost: Option<&'s Variable<'s, 'a>>,
}

struct Variable<'s, 'a> {
    value: &'s Value<'a>,
    outer: Scope<'s, 'a>,
}

impl<'s, 'a> Scope<'s, 'a> {
    pub(crate) const EMPTY: Self = Self { innermost: None };

    fn variable(self, distance: usize) -> Option<&'s Value<'a>> {
        let mut variable = self.innermost?;
        for _ in 0..distance {
            variable = variable.outer.innermost?;
        }
        Some(variable.value)
    }
}

impl<'s, 'a> Variable<'s, 'a> {
    fn scope(&'s self) -> Scope<'s, 'a> {
        Scope { innermost: Some(self) }
    }
}

impl<'a> Run<'a> {
    pub(crate) fn new(names: &'a dyn Names) -> Self {
        Self {
            names,
            budget: Budget::new(),
        }
    }

    pub(crate) fn value(&mut self, step: &'a Step, scope: Scope<'_, 'a>) -> Result<Value<'a>, Failed> {
        self.budget.spend(1)?;
        match step {
            Step::Constant(value) => Ok(value.lend()),
            Step::Path(path) => self.names.find(path).ok_or_else(|| Failed::Missing(path.clone())),
            Step::Local(distance) => {
                // The checker gives numbers only to variables that there are.
                let value = scope
                    .variable(*distance)
                    .ok_or_else(|| Failed::types("a variable has no value"))?;
                self.budget.spend_copy(value)?;
                Ok(value.clone())
            }
            Step::Index(index) => self.index(index, scope),
            Step::Call(call) => self.call(call, scope),
            Step::List(elements) => self.list(elements, scope),
            Step::Map(entries) => self.map(entries, scope),
            Step::Negate(inner) => negate(&self.value(inner, scope)?),
            Step::Choose(parts) => {
                let (condition, then, otherwise) = &**parts;
                let chosen = if self.truth(condition, scope)? { then } else { otherwise };
                self.value(chosen, scope)
            }
            Step::Binary(operator, operands) => {
                let left = self.value(&operands.0, scope)?;
                let right = self.value(&operands.1, scope)?;
                self.binary(*operator, left, right)
            }
            Step::Transform(transform) => self.transform(transform, scope),
            Step::HasPath(path) => Ok(Value::Bool(self.names.find(path).is_some())),
            Step::Has(of, key) => self.has(of, key, scope).map(Value::Bool),
            Step::Matches(subject, pattern) => self.matches(subject, pattern, scope).map(Value::Bool),
            Step::Not(inner) => Ok(Value::Bool(!self.truth(inner, scope)?)),
            Step::And(parts) => {
                let all = self.unless(false, parts.iter(), |run, part| run.truth(part, scope));
                all.map(Value::Bool)
            }
            Step::Or(parts) => {
                let any = self.unless(true, parts.iter(), |run, part| run.truth(part, scope));
                any.map(Value::Bool)
            }
            Step::Quantify(quantifier, parts) => self.quantify(*quantifier, &parts.0, &parts.1, scope).map(Value::Bool),
        }
    }

    /// A part that has to be a bool.
    pub(crate) fn truth(&mut self, step: &'a Step, scope: Scope<'_, 'a>) -> Result<bool, Failed> {
        match self.value(step, scope)? {
            Value::Bool(value) => Ok(value),
            other => Err(Failed::types(format!("a condition is a bool, not {}", other.kind()))),
        }
    }

    fn has(&mut self, of: &'a Step, key: &'a str, scope: Scope<'_, 'a>) -> Result<bool, Failed> {
        match self.value(of, scope)? {
            Value::Map(map) => {
                self.budget.spend(map.steps_to_find())?;
                Ok(map.find(&Value::from(key)).is_some())
            }
            other => Err(Failed::types(format!("{} has no fields", other.kind()))),
        }
    }

    fn matches(&mut self, subject: &'a Step, pattern: &Regex, scope: Scope<'_, 'a>) -> Result<bool, Failed> {
        match self.value(subject, scope)? {
            Value::String(text) => {
                self.budget.spend_search(text.len(), pattern.as_str().len())?;
                Ok(pattern.is_match(&text))
            }
            other => Err(Function::Matches.refusal(&other)),
        }
    }

    /// `decisive` if one of the parts is, whatever the others are: even a failure of another part does not count then.
    fn unless<T>(
        &mut self,
        decisive: bool,
        parts: impl Iterator<Item = T>,
        mut test: impl FnMut(&mut Self, T) -> Result<bool, Failed>,
    ) -> Result<bool, Failed> {
        let mut failed = None;
        for part in parts {
            match test(self, part) {
                Ok(value) if value == decisive => return Ok(decisive),
                Ok(_) => {}
                Err(Failed::Cost) => return Err(Failed::Cost),
                Err(failure) => failed = failed.or(Some(failure)),
            }
        }
        failed.map_or(Ok(!decisive), Err)
    }

    fn binary(&mut self, operator: Binary, left: Value<'a>, right: Value<'a>) -> Result<Value<'a>, Failed> {
        let holds = match operator {
            Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Remainder => {
                return calculate(operator, left, right, &mut self.budget);
            }
            Binary::Equal => equal(&left, &right, &mut self.budget),
            Binary::Unequal => equal(&left, &right, &mut self.budget).map(|equal| !equal),
            Binary::In => self.contains(&left, &right),
            Binary::Less => self.ordered(operator, &left, &right, Ordering::is_lt),
            Binary::AtMost => self.ordered(operator, &left, &right, Ordering::is_le),
            Binary::Greater => self.ordered(operator, &left, &right, Ordering::is_gt),
            Binary::AtLeast => self.ordered(operator, &left, &right, Ordering::is_ge),
        };
        holds.map(Value::Bool)
    }

    fn ordered(
        &mut self,
        operator: Binary,
        left: &Value<'a>,
        right: &Value<'a>,
        holds: impl FnOnce(Ordering) -> bool,
    ) -> Result<bool, Failed> {
        let (kind, other) = (left.kind(), right.kind());
        if !kind.is_comparable(other) || !kind.is_ordered() {
            return Err(refusal(operator, left, right));
        }
        if let (Value::String(left), Value::String(right)) = (left, right) {
            self.budget.spend_text(left.len().min(right.len()))?;
        }
        // A double that is not a number is neither less nor greater than another.
        Ok(order(left, right).is_some_and(holds))
    }

    fn contains(&mut self, wanted: &Value<'a>, within: &Value<'a>) -> Result<bool, Failed> {
        match within {
            Value::List(list) => {
                for value in list.iter() {
                    self.budget.spend(1)?;
                    if equal(wanted, &value, &mut self.budget)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Value::Map(map) => {
                self.budget.spend(map.steps_to_find())?;
                Ok(map.find(wanted).is_some())
            }
            other => Err(refusal(Binary::In, wanted, other)),
        }
    }

    fn index(&mut self, index: &'a Index, scope: Scope<'_, 'a>) -> Result<Value<'a>, Failed> {
        let of = self.value(&index.of, scope)?;
        let key = self.value(&index.key, scope)?;
        let found = match (&of, &key) {
            (Value::Map(map), _) => {
                self.budget.spend(map.steps_to_find())?;
                map.find(&key)
            }
            (Value::List(list), Value::Int(place)) => usize::try_from(*place).ok().and_then(|place| list.at(place)),
            (Value::List(list), Value::Uint(place)) => usize::try_from(*place).ok().and_then(|place| list.at(place)),
            (Value::List(_), other) => {
                return Err(Failed::types(format!(
                    "the place in a list is an int, not {}",
                    other.kind()
                )));
            }
            (other, _) => {
                return Err(Failed::types(format!(
                    "`{}`: {} has no fields",
                    index.text,
                    other.kind()
                )));
            }
        };
        let found = found.ok_or_else(|| Failed::Missing(index.text.clone()))?;
        self.budget.spend_copy(&found)?;
        Ok(found)
    }

    fn call(&mut self, call: &'a Call, scope: Scope<'_, 'a>) -> Result<Value<'a>, Failed> {
        let subject = self.value(&call.subject, scope)?;
        let mut values = [const { Value::Null }; ARGUMENTS];
        for (value, argument) in values.iter_mut().zip(&call.arguments) {
            *value = self.value(argument, scope)?;
        }
        let arguments = values.get(..call.arguments.len()).unwrap_or_default();
        call.function.call(subject, arguments, &mut self.budget)
    }

    fn list(&mut self, elements: &'a [Step], scope: Scope<'_, 'a>) -> Result<Value<'a>, Failed> {
        let mut values = Vec::with_capacity(elements.len());
        for element in elements {
            let value = self.value(element, scope)?;
            self.budget.spend_whole(&value)?;
            values.push(value);
        }
        Ok(Value::List(List::Made(Arc::from(values))))
    }

    fn map(&mut self, entries: &'a [(Step, Step)], scope: Scope<'_, 'a>) -> Result<Value<'a>, Failed> {
        let mut made: Vec<(Value<'a>, Value<'a>)> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let key = self.value(key, scope)?;
            if !matches!(key, Value::String(_) | Value::Int(_) | Value::Uint(_) | Value::Bool(_)) {
                return Err(Failed::types(format!("{} cannot be a key of a map", key.kind())));
            }
            self.budget.spend(made.len())?;
            if Map::Slice(&made).find(&key).is_some() {
                return Err(Failed::types("a map has a key twice"));
            }
            let value = self.value(value, scope)?;
            self.budget.spend_whole(&key)?;
            self.budget.spend_whole(&value)?;
            made.push((key, value));
        }
        Ok(Value::Map(Map::Made(Arc::from(made))))
    }
}
