//! `has`, and the macros that go over lists and the keys of maps.

use super::{Checked, Checker, field_type};
use crate::plan::{Quantifier, Step, Transform};
use crate::problem::Mistake;
use crate::syntax::{Call, Form, Part};
use crate::types::Type;

pub(super) const NAMES: [&str; 6] = ["has", "all", "exists", "exists_one", "filter", "map"];

impl<'c> Checker<'c> {
    /// What a call stands for, where it is one of a macro.
    pub(super) fn expanded(&mut self, part: &Part, call: &'c Call) -> Result<Option<Checked>, Mistake> {
        let wrong = |usage: &str| Err(Mistake::new(part.at, format!("this is how to use it: {usage}")));
        let Some(target) = &call.target else {
            return match (call.name.as_str(), &*call.arguments) {
                ("has", [field]) => self.has(field).map(Some),
                ("has", _) => wrong("has(a.b)"),
                _ => Ok(None),
            };
        };
        match (call.name.as_str(), &*call.arguments) {
            ("all", [variable, test]) => self.quantify(Quantifier::All, target, variable, test).map(Some),
            ("exists", [variable, test]) => self.quantify(Quantifier::Exists, target, variable, test).map(Some),
            ("exists_one" | "existsOne", [variable, test]) => {
                self.quantify(Quantifier::ExistsOne, target, variable, test).map(Some)
            }
            ("filter", [variable, test]) => self.transform(target, variable, Some(test), None).map(Some),
            ("map", [variable, to]) => self.transform(target, variable, None, Some(to)).map(Some),
            ("map", [variable, test, to]) => self.transform(target, variable, Some(test), Some(to)).map(Some),
            ("all" | "exists" | "exists_one" | "existsOne" | "filter", _) => {
                wrong(&format!("list.{}(x, x == 1)", call.name))
            }
            ("map", _) => wrong("list.map(x, x + 1)"),
            _ => Ok(None),
        }
    }

    fn has(&mut self, part: &'c Part) -> Result<Checked, Mistake> {
        let Form::Select(of, field) = &part.form else {
            let message = "`has` takes a field: has(a.b); `in` tells whether a map has another key: \"x\" in a.b";
            return Err(Mistake::new(part.start, message));
        };
        if let Some((path, _)) = self.path(part)? {
            let path: Box<str> = path.into();
            if !self.reads.contains(&path) {
                self.reads.push(path.clone());
            }
            return Ok(Checked::new(Step::HasPath(path), Type::Bool));
        }
        let of = self.part(of)?;
        field_type(&of, self.text(part), field, part.at)?;
        Ok(Checked::new(
            Step::Has(Box::new(of.step), field.as_str().into()),
            Type::Bool,
        ))
    }

    /// The list or map with the type of what the variable stands for.
    fn range(&mut self, target: &'c Part) -> Result<(Checked, Type), Mistake> {
        let over = self.part(target)?;
        let element = match over.of {
            Type::List(element) => *element,
            Type::Map(_) | Type::Object(_) => Type::String,
            Type::Any => Type::Any,
            other => return Err(Mistake::new(target.start, format!("{other} has no elements"))),
        };
        Ok((over, element))
    }

    fn inside(
        &mut self,
        variable: &'c Part,
        of: Type,
        check: impl FnOnce(&mut Self) -> Result<Checked, Mistake>,
    ) -> Result<Checked, Mistake> {
        let Form::Name(name) = &variable.form else {
            return Err(Mistake::new(variable.start, "a name for the element should be here"));
        };
        self.locals.push((name, of));
        let checked = check(self);
        self.locals.pop();
        checked
    }

    fn quantify(
        &mut self,
        quantifier: Quantifier,
        target: &'c Part,
        variable: &'c Part,
        test: &'c Part,
    ) -> Result<Checked, Mistake> {
        let (over, element) = self.range(target)?;
        let test = self.inside(variable, element, |checker| checker.condition(test, "the test is"))?;
        let parts = Box::new((over.step, test.step));
        Ok(Checked::new(Step::Quantify(quantifier, parts), Type::Bool))
    }

    fn transform(
        &mut self,
        target: &'c Part,
        variable: &'c Part,
        only: Option<&'c Part>,
        to: Option<&'c Part>,
    ) -> Result<Checked, Mistake> {
        let (over, element) = self.range(target)?;
        let only = only.map(|test| self.inside(variable, element, |checker| checker.condition(test, "the test is")));
        let only = only.transpose()?;
        let to = to.map(|to| self.inside(variable, element, |checker| checker.part(to)));
        let to = to.transpose()?;
        let of = to.as_ref().map_or(element, |to| to.of);
        let transform = Transform {
            over: over.step,
            only: only.map(|only| only.step),
            to: to.map(|to| to.step),
        };
        let of = match over.of {
            // An element whose type cannot be written stays known if the list stays what it is.
            Type::List(same) if *same == of => Type::List(same),
            _ => Type::List(of.lasting()),
        };
        Ok(Checked::new(Step::Transform(Box::new(transform)), of))
    }
}
