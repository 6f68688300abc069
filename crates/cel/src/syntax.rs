//! An expression as it is written.

use crate::value::Value;

#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) form: Form,
    /// Where messages point: the operator of an operation, the field of a selection, else the beginning.
    pub(crate) at: u32,
    /// Where it begins and ends.
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// Of the tree below, counted from one.
    pub(crate) depth: usize,
}

#[derive(Debug)]
pub(crate) enum Form {
    Literal(Value<'static>),
    Name(String),
    Select(Box<Part>, String),
    Index(Box<Part>, Box<Part>),
    Call(Call),
    List(Vec<Part>),
    Map(Vec<(Part, Part)>),
    Not(Box<Part>),
    Negate(Box<Part>),
    Binary(Binary, Box<Part>, Box<Part>),
    /// `a && b && c` is one part with three below it, so that long rules are not deep ones.
    And(Vec<Part>),
    Or(Vec<Part>),
    Choose(Box<Part>, Box<Part>, Box<Part>),
}

#[derive(Debug)]
pub(crate) struct Call {
    /// Of `target.name(…)`.
    pub(crate) target: Option<Box<Part>>,
    pub(crate) name: String,
    pub(crate) arguments: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    In,
}

impl Binary {
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::In => "in",
        }
    }
}
