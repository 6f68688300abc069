//! Macros that go over the elements of a list or the keys of a map.

use std::sync::Arc;

use super::{Run, Scope, Variable};
use crate::failed::Failed;
use crate::plan::{Quantifier, Step, Transform};
use crate::value::{List, Value};

/// What a macro goes over.
enum Elements<'o, 'a> {
    List(&'o List<'a>, usize),
    Keys(Box<dyn Iterator<Item = Value<'a>> + 'o>),
}

impl<'o, 'a> Elements<'o, 'a> {
    fn of(value: &'o Value<'a>) -> Result<Self, Failed> {
        match value {
            Value::List(list) => Ok(Self::List(list, 0)),
            Value::Map(map) => Ok(Self::Keys(map.keys())),
            other => Err(Failed::types(format!("{} has no elements", other.kind()))),
        }
    }
}

impl<'a> Iterator for Elements<'_, 'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        match self {
            Self::List(list, next) => {
                *next += 1;
                list.at(*next - 1)
            }
            Self::Keys(keys) => keys.next(),
        }
    }
}

impl<'a> Run<'a> {
    pub(super) fn quantify(
        &mut self,
        quantifier: Quantifier,
        over: &'a Step,
        each: &'a Step,
        scope: Scope<'_, 'a>,
    ) -> Result<bool, Failed> {
        let over = self.value(over, scope)?;
        let elements = Elements::of(&over)?;
        let test = |run: &mut Self, value: Value<'a>| {
            run.budget.spend_copy(&value)?;
            let variable = Variable {
                value: &value,
                outer: scope,
            };
            run.truth(each, variable.scope())
        };
        match quantifier {
            Quantifier::All => self.unless(false, elements, test),
            Quantifier::Exists => self.unless(true, elements, test),
            Quantifier::ExistsOne => {
                let mut found = 0_usize;
                for value in elements {
                    found += usize::from(test(self, value)?);
                }
                Ok(found == 1)
            }
        }
    }

    pub(super) fn transform(&mut self, transform: &'a Transform, scope: Scope<'_, 'a>) -> Result<Value<'a>, Failed> {
        let over = self.value(&transform.over, scope)?;
        let mut values = Vec::new();
        for value in Elements::of(&over)? {
            self.budget.spend(1)?;
            self.budget.spend_copy(&value)?;
            let variable = Variable {
                value: &value,
                outer: scope,
            };
            if let Some(only) = &transform.only
                && !self.truth(only, variable.scope())?
            {
                continue;
            }
            let value = match &transform.to {
                Some(to) => self.value(to, variable.scope())?,
                None => value,
            };
            self.budget.spend_whole(&value)?;
            values.push(value);
        }
        Ok(Value::List(List::Made(Arc::from(values))))
    }
}
