//! The front door: text in, results out.

use std::fmt;
use std::sync::Arc;

use crate::check::check;
use crate::evaluate::{Run, Scope};
use crate::failed::Failed;
use crate::keys::Keys;
use crate::names::Names;
use crate::parser::parse;
use crate::plan::Step;
use crate::problem::{Mistake, Problem};
use crate::types::{Declarations, Type};
use crate::value::{Kind, Value};

/// A checked expression. Two are equal when they are written the same.
#[derive(Clone)]
pub struct Expression {
    compiled: Arc<Compiled>,
}

struct Compiled {
    source: Box<str>,
    plan: Step,
    of: Type,
    reads: Box<[Box<str>]>,
}

impl Expression {
    /// An expression with a result of any type.
    pub fn compile(source: &str, declared: &Declarations) -> Result<Self, Problem> {
        Self::checked(source, declared, |_| Ok(()))
    }

    /// An expression that can be true or false.
    pub fn compile_condition(source: &str, declared: &Declarations) -> Result<Self, Problem> {
        Self::checked(source, declared, |of| match of.kind() {
            None | Some(Kind::Bool) => Ok(()),
            Some(_) => Err(format!("a condition is a bool, and this is {of}")),
        })
    }

    /// An expression whose result can be a number.
    pub fn compile_number(source: &str, declared: &Declarations) -> Result<Self, Problem> {
        Self::checked(source, declared, |of| match of.kind() {
            Some(kind) if !kind.is_number() => Err(format!("a number is needed, and this is {of}")),
            _ => Ok(()),
        })
    }

    fn checked(
        source: &str,
        declared: &Declarations,
        accepts: impl FnOnce(Type) -> Result<(), String>,
    ) -> Result<Self, Problem> {
        let compiled = || {
            let part = parse(source)?;
            let (checked, reads) = check(source, &part, declared)?;
            accepts(checked.of).map_err(|message| Mistake::new(part.start, message))?;
            Ok(Compiled {
                source: source.into(),
                plan: checked.step,
                of: checked.of,
                reads: reads.into(),
            })
        };
        let compiled = compiled().map_err(|mistake: Mistake| mistake.in_source(source))?;
        Ok(Self {
            compiled: Arc::new(compiled),
        })
    }

    pub fn source(&self) -> &str {
        &self.compiled.source
    }

    /// The type of the result, as far as it is known.
    pub fn result(&self) -> Type {
        self.compiled.of
    }

    /// Whether an evaluation may ask for this path or for one below it: `request` for one that reads `request.headers`.
    pub fn reads(&self, path: &str) -> bool {
        let below = |read: &str| {
            read.strip_prefix(path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.compiled.reads.iter().any(|read| below(read))
    }

    /// Which keys of the map at this path an evaluation may ask for.
    pub fn keys_of(&self, path: &str) -> Keys {
        let mut keys = Keys::default();
        keys.gather(&self.compiled.plan, path);
        keys
    }

    pub fn condition(&self, names: &dyn Names) -> Result<bool, Failed> {
        Run::new(names).truth(&self.compiled.plan, Scope::EMPTY)
    }

    pub fn evaluate<'a>(&'a self, names: &'a dyn Names) -> Result<Value<'a>, Failed> {
        Run::new(names).value(&self.compiled.plan, Scope::EMPTY)
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.compiled.source == other.compiled.source
    }
}

impl Eq for Expression {}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.source()).finish()
    }
}
