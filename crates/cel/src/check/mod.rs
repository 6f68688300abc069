//! From what is written to what is evaluated: resolves names, checks types, computes what is constant.

mod calls;
mod macros;
mod operators;

use crate::evaluate::{Run, Scope};
use crate::failed::Failed;
use crate::names::Names;
use crate::plan::{Index, Step};
use crate::problem::{Mistake, suggestion};
use crate::syntax::{Form, Part};
use crate::types::{Declarations, Type};
use crate::value::{Kind, Value};

/// A part of an expression with what is known about it.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) step: Step,
    pub(crate) of: Type,
}

pub(crate) struct Checker<'c> {
    source: &'c str,
    declared: &'c Declarations,
    /// The variables of the macros around, outermost first.
    locals: Vec<(&'c str, Type)>,
    reads: Vec<Box<str>>,
}

/// What stands for a constant has no names.
struct Nothing;

impl Names for Nothing {
    fn find<'a>(&'a self, _path: &str) -> Option<Value<'a>> {
        None
    }
}

/// The plan with the paths that it reads.
pub(crate) fn check(source: &str, part: &Part, declared: &Declarations) -> Result<(Checked, Vec<Box<str>>), Mistake> {
    let mut checker = Checker {
        source,
        declared,
        locals: Vec::new(),
        reads: Vec::new(),
    };
    let checked = checker.part(part)?;
    Ok((checked, checker.reads))
}

impl Checked {
    fn new(step: Step, of: Type) -> Self {
        Self { step, of }
    }

    fn constant(value: Value<'static>, of: Type) -> Self {
        Self::new(Step::Constant(value), of)
    }

    /// Whether a value of that kind could come out.
    fn can_be(&self, kind: Kind) -> bool {
        self.of.kind().is_none_or(|of| of == kind)
    }
}

impl<'c> Checker<'c> {
    fn part(&mut self, part: &'c Part) -> Result<Checked, Mistake> {
        match &part.form {
            Form::Literal(value) => Ok(literal(value)),
            Form::Name(name) => self.name(part, name),
            Form::Select(of, field) => self.select(part, of, field),
            Form::Index(of, key) => self.index(part, of, key),
            Form::Call(call) => self.call(part, call),
            Form::List(elements) => self.list(elements),
            Form::Map(entries) => self.map(part, entries),
            Form::Not(inner) => {
                let inner = self.condition(inner, "`!` takes")?;
                Ok(Checked::new(Step::Not(Box::new(inner.step)), Type::Bool))
            }
            Form::Negate(inner) => self.negate(part, inner),
            Form::Binary(operator, left, right) => self.binary(part, *operator, left, right),
            Form::And(parts) => self.logic(parts, "`&&` takes", Step::And),
            Form::Or(parts) => self.logic(parts, "`||` takes", Step::Or),
            Form::Choose(condition, then, otherwise) => {
                let condition = self.condition(condition, "`?` takes")?;
                let (then, otherwise) = (self.part(then)?, self.part(otherwise)?);
                let of = then.of.or(otherwise.of);
                let parts = Box::new((condition.step, then.step, otherwise.step));
                Ok(Checked::new(Step::Choose(parts), of))
            }
        }
    }

    /// A part that has to be a bool; the message begins with who wants it to.
    fn condition(&mut self, part: &'c Part, who: &str) -> Result<Checked, Mistake> {
        let checked = self.part(part)?;
        if checked.can_be(Kind::Bool) {
            return Ok(checked);
        }
        Err(Mistake::new(
            part.start,
            format!("{who} a bool, and this is {}", checked.of),
        ))
    }

    fn logic(
        &mut self,
        parts: &'c [Part],
        who: &str,
        step: impl FnOnce(Box<[Step]>) -> Step,
    ) -> Result<Checked, Mistake> {
        let mut steps = Vec::with_capacity(parts.len());
        for part in parts {
            steps.push(self.condition(part, who)?.step);
        }
        Ok(Checked::new(step(steps.into()), Type::Bool))
    }

    /// The path of a declared name, or of a member of one, with its type.
    fn path(&self, part: &Part) -> Result<Option<(String, Type)>, Mistake> {
        let (of, field) = match &part.form {
            Form::Name(name) => {
                let local = self.locals.iter().any(|(local, _)| local == name);
                let declared = self.declared.find(name).filter(|_| !local);
                return Ok(declared.map(|of| (name.clone(), of)));
            }
            Form::Select(of, field) => (of, field.as_str()),
            Form::Index(of, key) => match &key.form {
                Form::Literal(Value::String(field)) => (of, &**field),
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        match self.path(of)? {
            Some((path, Type::Object(members))) => {
                let member = member(&path, members, field, part.at)?;
                Ok(Some((format!("{path}.{field}"), member)))
            }
            _ => Ok(None),
        }
    }

    /// A name that the caller gives a value to.
    fn read(&mut self, part: &Part) -> Result<Option<Checked>, Mistake> {
        let Some((path, of)) = self.path(part)? else {
            return Ok(None);
        };
        if let Type::Object(members) = of {
            let names: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
            return Err(Mistake::new(
                part.start,
                format!("`{path}` is a group of names: use one of {}", names.join(", ")),
            ));
        }
        let path: Box<str> = path.into();
        if !self.reads.contains(&path) {
            self.reads.push(path.clone());
        }
        Ok(Some(Checked::new(Step::Path(path), of)))
    }

    fn name(&mut self, part: &Part, name: &str) -> Result<Checked, Mistake> {
        let found = self
            .locals
            .iter()
            .rev()
            .enumerate()
            .find(|(_, (local, _))| *local == name);
        if let Some((distance, (_, of))) = found {
            return Ok(Checked::new(Step::Local(distance), *of));
        }
        if let Some(read) = self.read(part)? {
            return Ok(read);
        }
        if let Some(kind) = Kind::named(name) {
            return Ok(Checked::constant(Value::Type(kind), Type::Type));
        }
        let hint = self.declared.suggestion(name);
        Err(Mistake::new(part.at, format!("there is no name `{name}`{hint}")))
    }

    fn select(&mut self, part: &'c Part, of: &'c Part, field: &str) -> Result<Checked, Mistake> {
        if let Some(read) = self.read(part)? {
            return Ok(read);
        }
        let written = self.text(part);
        if let Some(kind) = Kind::named(written).filter(|_| self.path(root(part)).is_ok_and(|path| path.is_none())) {
            return Ok(Checked::constant(Value::Type(kind), Type::Type));
        }
        let of = self.part(of)?;
        let field_of = field_type(&of, self.text(part), field, part.at)?;
        let key = Step::Constant(Value::from(field.to_owned()));
        Ok(self.keyed(part, of, key, field_of))
    }

    fn index(&mut self, part: &'c Part, of: &'c Part, key: &'c Part) -> Result<Checked, Mistake> {
        if let Some(read) = self.read(part)? {
            return Ok(read);
        }
        let (of, checked_key) = (self.part(of)?, self.part(key)?);
        let wanted = |kinds: &[Kind], what: &str| {
            if kinds.iter().any(|kind| checked_key.can_be(*kind)) {
                return Ok(());
            }
            let message = format!("{what}, and this is {}", checked_key.of);
            Err(Mistake::new(key.start, message))
        };
        let element = match of.of {
            Type::List(element) => {
                wanted(&[Kind::Int, Kind::Uint], "the place in a list is an int")?;
                *element
            }
            Type::Map(value) => {
                wanted(&[Kind::String], "the keys of this map are strings")?;
                *value
            }
            Type::Object(members) => match checked_key.step.constant() {
                Some(Value::String(field)) => member(self.text(part), members, field, key.start)?,
                _ => {
                    wanted(&[Kind::String], "the keys of this map are strings")?;
                    Type::Any
                }
            },
            Type::Any => Type::Any,
            other => return Err(Mistake::new(part.at, format!("{other} has no elements"))),
        };
        Ok(self.keyed(part, of, checked_key.step, element))
    }

    fn keyed(&self, part: &Part, of: Checked, key: Step, element: Type) -> Checked {
        let constant = of.step.constant().is_some() && key.constant().is_some();
        let index = Index {
            of: of.step,
            key,
            text: self.text(part).into(),
        };
        folded(Checked::new(Step::Index(Box::new(index)), element), constant)
    }

    fn list(&mut self, elements: &'c [Part]) -> Result<Checked, Mistake> {
        let mut steps = Vec::with_capacity(elements.len());
        let mut of: Option<Type> = None;
        for element in elements {
            let element = self.part(element)?;
            of = Some(of.map_or(element.of, |of| of.or(element.of)));
            steps.push(element.step);
        }
        let constant = steps.iter().all(|step| step.constant().is_some());
        let of = Type::List(of.unwrap_or(Type::Any).lasting());
        Ok(folded(Checked::new(Step::List(steps.into()), of), constant))
    }

    fn map(&mut self, part: &Part, entries: &'c [(Part, Part)]) -> Result<Checked, Mistake> {
        let mut steps = Vec::with_capacity(entries.len());
        let mut of: Option<Type> = None;
        let mut strings = true;
        for (key, value) in entries {
            let checked_key = self.part(key)?;
            if ![Kind::String, Kind::Int, Kind::Uint, Kind::Bool]
                .into_iter()
                .any(|kind| checked_key.can_be(kind))
            {
                let message = format!("{} cannot be a key of a map", checked_key.of);
                return Err(Mistake::new(key.start, message));
            }
            strings &= checked_key.of == Type::String;
            let value = self.part(value)?;
            of = Some(of.map_or(value.of, |of| of.or(value.of)));
            steps.push((checked_key.step, value.step));
        }
        let constant = steps
            .iter()
            .all(|(key, value)| key.constant().is_some() && value.constant().is_some());
        let of = match of {
            Some(of) if strings => Type::Map(of.lasting()),
            _ => Type::Any,
        };
        let map = Checked::new(Step::Map(steps.into()), of);
        if !constant {
            return Ok(map);
        }
        fold(&map).map_err(|failed| Mistake::new(part.at, failed.to_string()))
    }

    fn text(&self, part: &Part) -> &'c str {
        self.source
            .get(part.start as usize..part.end as usize)
            .unwrap_or_default()
    }
}

fn root(part: &Part) -> &Part {
    match &part.form {
        Form::Select(of, _) => root(of),
        _ => part,
    }
}

fn literal(value: &Value<'static>) -> Checked {
    let of = match value {
        Value::Null => Type::Null,
        Value::Bool(_) => Type::Bool,
        Value::Int(_) => Type::Int,
        Value::Uint(_) => Type::Uint,
        Value::Double(_) => Type::Double,
        Value::String(_) => Type::String,
        Value::Bytes(_) => Type::Bytes,
        // The parser makes no others.
        Value::Timestamp(_) | Value::Duration(_) | Value::List(_) | Value::Map(_) | Value::Type(_) => Type::Any,
    };
    Checked::constant(value.clone(), of)
}

fn member(path: &str, members: &[(&'static str, Type)], field: &str, at: u32) -> Result<Type, Mistake> {
    let found = members.iter().find(|(name, _)| *name == field);
    found.map(|(_, of)| *of).ok_or_else(|| {
        let hint = suggestion(field, members.iter().map(|(name, _)| *name));
        Mistake::new(at, format!("`{path}` has no `{field}`{hint}"))
    })
}

fn field_type(of: &Checked, written: &str, field: &str, at: u32) -> Result<Type, Mistake> {
    match of.of {
        Type::Any => Ok(Type::Any),
        Type::Map(value) => Ok(*value),
        Type::Object(members) => {
            let before = written.strip_suffix(field).unwrap_or(written).trim_end_matches('.');
            member(before, members, field, at)
        }
        other => Err(Mistake::new(at, format!("{other} has no field `{field}`"))),
    }
}

/// The value of what has only constants below it.
fn fold(checked: &Checked) -> Result<Checked, Failed> {
    let value = Run::new(&Nothing).value(&checked.step, Scope::EMPTY)?.into_owned();
    Ok(Checked::constant(value, checked.of))
}

/// The same where it has a value; what fails keeps failing when it is evaluated, as `||` may make up for it.
fn folded(checked: Checked, constant: bool) -> Checked {
    if !constant {
        return checked;
    }
    fold(&checked).unwrap_or(checked)
}
