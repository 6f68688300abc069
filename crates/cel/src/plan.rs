//! An expression as it is evaluated: names are resolved, what is constant is computed, patterns are compiled.

use regex::Regex;

use crate::functions::Function;
use crate::syntax::Binary;
use crate::value::Value;

#[derive(Debug)]
pub(crate) enum Step {
    Constant(Value<'static>),
    /// A value of the caller's, by its whole path.
    Path(Box<str>),
    HasPath(Box<str>),
    /// The variable of a macro: of the one around it for 0, of the next outer one for 1.
    Local(usize),
    /// `of.key`, too.
    Index(Box<Index>),
    Has(Box<Step>, Box<str>),
    Call(Box<Call>),
    Matches(Box<Step>, Box<Regex>),
    List(Box<[Step]>),
    Map(Box<[(Step, Step)]>),
    Not(Box<Step>),
    Negate(Box<Step>),
    Binary(Binary, Box<(Step, Step)>),
    And(Box<[Step]>),
    Or(Box<[Step]>),
    Choose(Box<(Step, Step, Step)>),
    Quantify(Quantifier, Box<(Step, Step)>),
    Transform(Box<Transform>),
}

#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) of: Step,
    pub(crate) key: Step,
    /// As it is written, to name it when it is missing.
    pub(crate) text: Box<str>,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) function: Function,
    /// What stands before the dot, or the first argument.
    pub(crate) subject: Step,
    pub(crate) arguments: Box<[Step]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantifier {
    All,
    Exists,
    ExistsOne,
}

/// `filter` and `map`.
#[derive(Debug)]
pub(crate) struct Transform {
    pub(crate) over: Step,
    pub(crate) only: Option<Step>,
    /// `None` keeps the element.
    pub(crate) to: Option<Step>,
}

impl Step {
    pub(crate) fn constant(&self) -> Option<&Value<'static>> {
        match self {
            Self::Constant(value) => Some(value),
            _ => None,
        }
    }
}
