//! Tokens to a tree, by precedence climbing.

use std::mem;

use crate::lexer::{Placed, Token, tokens};
use crate::limits;
use crate::problem::Mistake;
use crate::syntax::{Binary, Call, Form, Part};
use crate::value::Value;

const RESERVED: [&str; 18] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
    "in",
];

/// How strongly operators bind, weakest first. `?:` is weaker than all of them.
const OR: u8 = 1;
const AND: u8 = 2;
const RELATION: u8 = 3;
const SUM: u8 = 4;
const PRODUCT: u8 = 5;

enum Operator {
    And,
    Or,
    Binary(Binary),
}

pub(crate) fn parse(source: &str) -> Result<Part, Mistake> {
    if source.len() > limits::SOURCE_BYTES {
        let message = format!("the expression is longer than {} bytes", limits::SOURCE_BYTES);
        return Err(Mistake::new(0, message));
    }
    let mut parser = Parser {
        tokens: tokens(source)?,
        next: 0,
        nodes: 0,
        open: 0,
    };
    let part = parser.expression()?;
    match parser.token() {
        Token::End => Ok(part),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

struct Parser {
    tokens: Vec<Placed>,
    next: usize,
    nodes: usize,
    /// How many calls of `expression` and `unary` are under way: the depth of this program's own stack.
    open: usize,
}

impl Parser {
    fn token(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |placed| &placed.token)
    }

    fn start(&self) -> u32 {
        self.tokens.get(self.next).map_or(0, |placed| placed.start)
    }

    /// Where the last token taken ends.
    fn end(&self) -> u32 {
        let last = self.next.checked_sub(1).and_then(|last| self.tokens.get(last));
        last.map_or(0, |placed| placed.end)
    }

    /// Takes the token, but for the end, which stays.
    fn take(&mut self) -> Token {
        let Some(placed) = self
            .tokens
            .get_mut(self.next)
            .filter(|placed| placed.token != Token::End)
        else {
            return Token::End;
        };
        self.next += 1;
        mem::replace(&mut placed.token, Token::End)
    }

    fn take_mark(&mut self, mark: &'static str) -> bool {
        let found = *self.token() == Token::Mark(mark);
        if found {
            self.take();
        }
        found
    }

    fn expect(&mut self, mark: &'static str) -> Result<(), Mistake> {
        if self.take_mark(mark) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{mark}`")))
        }
    }

    fn unexpected(&self, wanted: &str) -> Mistake {
        let found = match self.token() {
            Token::Name(name) => format!("`{name}`"),
            Token::Quoted(name) => format!("`{name}` between backticks"),
            Token::Int(_) | Token::Uint(_) | Token::Double(_) => "a number".to_owned(),
            Token::String(_) => "a string".to_owned(),
            Token::Bytes(_) => "bytes".to_owned(),
            Token::Mark(mark) => format!("`{mark}`"),
            Token::End => "the end".to_owned(),
        };
        Mistake::new(self.start(), format!("found {found} where {wanted} should be"))
    }

    fn part(&mut self, form: Form, at: u32, start: u32) -> Result<Part, Mistake> {
        self.nodes += 1;
        if self.nodes > limits::NODES {
            let message = format!("the expression has more than {} parts", limits::NODES);
            return Err(Mistake::new(at, message));
        }
        let depth = 1 + depth_below(&form);
        if depth > limits::DEPTH {
            return Err(too_deep(at));
        }
        let end = self.end();
        Ok(Part {
            form,
            at,
            start,
            end,
            depth,
        })
    }

    fn nested(&mut self, parse: impl FnOnce(&mut Self) -> Result<Part, Mistake>) -> Result<Part, Mistake> {
        self.open += 1;
        if self.open > limits::DEPTH {
            return Err(too_deep(self.start()));
        }
        let part = parse(self)?;
        self.open -= 1;
        Ok(part)
    }

    fn expression(&mut self) -> Result<Part, Mistake> {
        self.nested(|parser| {
            let start = parser.start();
            let condition = parser.operation(OR)?;
            let at = parser.start();
            if !parser.take_mark("?") {
                return Ok(condition);
            }
            let then = parser.operation(OR)?;
            parser.expect(":")?;
            let otherwise = parser.expression()?;
            let form = Form::Choose(Box::new(condition), Box::new(then), Box::new(otherwise));
            parser.part(form, at, start)
        })
    }

    fn operator(&self) -> Option<(Operator, u8)> {
        let (operator, strength) = match self.token() {
            Token::Name(name) if name == "in" => (Binary::In, RELATION),
            Token::Mark(mark) => match *mark {
                "||" => return Some((Operator::Or, OR)),
                "&&" => return Some((Operator::And, AND)),
                "==" => (Binary::Equal, RELATION),
                "!=" => (Binary::Unequal, RELATION),
                "<" => (Binary::Less, RELATION),
                "<=" => (Binary::AtMost, RELATION),
                ">" => (Binary::Greater, RELATION),
                ">=" => (Binary::AtLeast, RELATION),
                "+" => (Binary::Add, SUM),
                "-" => (Binary::Subtract, SUM),
                "*" => (Binary::Multiply, PRODUCT),
                "/" => (Binary::Divide, PRODUCT),
                "%" => (Binary::Remainder, PRODUCT),
                _ => return None,
            },
            _ => return None,
        };
        Some((Operator::Binary(operator), strength))
    }

    /// Operators at least that strong; all of them group to the left.
    fn operation(&mut self, weakest: u8) -> Result<Part, Mistake> {
        let start = self.start();
        let mut left = self.unary()?;
        while let Some((operator, strength)) = self.operator().filter(|(_, strength)| *strength >= weakest) {
            let at = self.start();
            left = match operator {
                Operator::And | Operator::Or => {
                    let mut parts = vec![left];
                    while self.operator().is_some_and(|(_, next)| next == strength) {
                        self.take();
                        parts.push(self.operation(strength + 1)?);
                    }
                    let form = if strength == AND {
                        Form::And(parts)
                    } else {
                        Form::Or(parts)
                    };
                    self.part(form, at, start)?
                }
                Operator::Binary(operator) => {
                    self.take();
                    let right = self.operation(strength + 1)?;
                    self.part(Form::Binary(operator, Box::new(left), Box::new(right)), at, start)?
                }
            };
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Part, Mistake> {
        let start = self.start();
        if self.take_mark("!") {
            let inner = self.nested(Self::unary)?;
            return self.part(Form::Not(Box::new(inner)), start, start);
        }
        if *self.token() != Token::Mark("-") {
            return self.member();
        }
        self.take();
        match *self.token() {
            Token::Int(number) => {
                let Some(number) = 0_i64.checked_sub_unsigned(number) else {
                    return Err(Mistake::new(start, format!("-{number} is out of the range of int")));
                };
                self.take();
                let literal = self.part(Form::Literal(Value::Int(number)), start, start)?;
                self.members_of(literal)
            }
            Token::Double(number) => {
                self.take();
                let literal = self.part(Form::Literal(Value::Double(-number)), start, start)?;
                self.members_of(literal)
            }
            _ => {
                let inner = self.nested(Self::unary)?;
                self.part(Form::Negate(Box::new(inner)), start, start)
            }
        }
    }

    fn member(&mut self) -> Result<Part, Mistake> {
        let primary = self.primary()?;
        self.members_of(primary)
    }

    /// What follows a value: `.field`, `.call(…)`, `[index]`.
    fn members_of(&mut self, value: Part) -> Result<Part, Mistake> {
        let start = value.start;
        let mut value = value;
        loop {
            let bracket = self.start();
            if self.take_mark(".") {
                let at = self.start();
                let name = match self.take() {
                    Token::Name(name) if name != "in" => name,
                    Token::Quoted(name) => {
                        value = self.part(Form::Select(Box::new(value), name), at, start)?;
                        continue;
                    }
                    _ => return Err(Mistake::new(at, "the name of a field or a function should be here")),
                };
                let form = if self.take_mark("(") {
                    Form::Call(Call {
                        target: Some(Box::new(value)),
                        name,
                        arguments: self.list(")")?,
                    })
                } else {
                    Form::Select(Box::new(value), name)
                };
                value = self.part(form, at, start)?;
            } else if self.take_mark("[") {
                let index = self.expression()?;
                self.expect("]")?;
                value = self.part(Form::Index(Box::new(value), Box::new(index)), bracket, start)?;
            } else if *self.token() == Token::Mark("{") {
                return Err(Mistake::new(
                    bracket,
                    "messages cannot be made here, only maps: {\"key\": value}",
                ));
            } else {
                return Ok(value);
            }
        }
    }

    fn primary(&mut self) -> Result<Part, Mistake> {
        let start = self.start();
        // A name that begins with a dot is one of the outermost scope, and there is no other here.
        if *self.token() == Token::Mark(".") {
            self.take();
            if !matches!(self.token(), Token::Name(_)) {
                return Err(self.unexpected("a name"));
            }
        }
        let value = match self.token() {
            Token::Name(_) => return self.name(start),
            Token::Mark("(") => {
                self.take();
                let inner = self.expression()?;
                self.expect(")")?;
                return Ok(Part {
                    start,
                    end: self.end(),
                    ..inner
                });
            }
            Token::Mark("[") => {
                self.take();
                let elements = self.list("]")?;
                return self.part(Form::List(elements), start, start);
            }
            Token::Mark("{") => return self.map(start),
            Token::Int(number) => match i64::try_from(*number) {
                Ok(number) => Value::Int(number),
                Err(_) => return Err(Mistake::new(start, format!("{number} is out of the range of int"))),
            },
            Token::Uint(number) => Value::Uint(*number),
            Token::Double(number) => Value::Double(*number),
            Token::String(text) => Value::from(text.clone()),
            Token::Bytes(bytes) => Value::Bytes(bytes.clone().into()),
            Token::Quoted(_) | Token::Mark(_) | Token::End => return Err(self.unexpected("a value")),
        };
        self.take();
        self.part(Form::Literal(value), start, start)
    }

    fn name(&mut self, start: u32) -> Result<Part, Mistake> {
        let at = self.start();
        let Token::Name(name) = self.take() else {
            return Err(self.unexpected("a name"));
        };
        let form = match name.as_str() {
            "true" => Form::Literal(Value::Bool(true)),
            "false" => Form::Literal(Value::Bool(false)),
            "null" => Form::Literal(Value::Null),
            reserved if RESERVED.contains(&reserved) => {
                return Err(Mistake::new(
                    at,
                    format!("`{name}` is a word of the language and no name"),
                ));
            }
            _ if self.take_mark("(") => Form::Call(Call {
                target: None,
                name,
                arguments: self.list(")")?,
            }),
            _ => Form::Name(name),
        };
        self.part(form, at, start)
    }

    /// Expressions up to the closing bracket; a comma may follow the last.
    fn list(&mut self, closing: &'static str) -> Result<Vec<Part>, Mistake> {
        let mut parts = Vec::new();
        while !self.take_mark(closing) {
            parts.push(self.expression()?);
            if *self.token() != Token::Mark(closing) && !self.take_mark(",") {
                return Err(self.unexpected(&format!("`,` or `{closing}`")));
            }
        }
        Ok(parts)
    }

    fn map(&mut self, start: u32) -> Result<Part, Mistake> {
        self.take();
        let mut entries = Vec::new();
        while !self.take_mark("}") {
            let key = self.expression()?;
            self.expect(":")?;
            entries.push((key, self.expression()?));
            if *self.token() != Token::Mark("}") && !self.take_mark(",") {
                return Err(self.unexpected("`,` or `}`"));
            }
        }
        self.part(Form::Map(entries), start, start)
    }
}

fn depth_below(form: &Form) -> usize {
    let deepest = |parts: &[Part]| parts.iter().map(|part| part.depth).max().unwrap_or(0);
    match form {
        Form::Literal(_) | Form::Name(_) => 0,
        Form::Select(inner, _) | Form::Not(inner) | Form::Negate(inner) => inner.depth,
        Form::Index(left, right) | Form::Binary(_, left, right) => left.depth.max(right.depth),
        Form::Call(call) => deepest(&call.arguments).max(call.target.as_ref().map_or(0, |target| target.depth)),
        Form::List(parts) | Form::And(parts) | Form::Or(parts) => deepest(parts),
        Form::Map(entries) => {
            let entry = |(key, value): &(Part, Part)| key.depth.max(value.depth);
            entries.iter().map(entry).max().unwrap_or(0)
        }
        Form::Choose(condition, then, otherwise) => condition.depth.max(then.depth).max(otherwise.depth),
    }
}

fn too_deep(at: u32) -> Mistake {
    Mistake::new(at, format!("the expression nests deeper than {} levels", limits::DEPTH))
}
