//! Calls of functions.

use regex::RegexBuilder;

use super::{Checked, Checker, fold};
use crate::functions::{Function, SIGNATURES, Signature, Style};
use crate::limits;
use crate::plan::{Call as Planned, Step};
use crate::problem::{Mistake, nearest, suggestion};
use crate::syntax::{Call, Part};
use crate::time::{self, Zone};
use crate::types::Type;
use crate::value::{Kind, Value};

impl<'c> Checker<'c> {
    pub(super) fn call(&mut self, part: &'c Part, call: &'c Call) -> Result<Checked, Mistake> {
        if let Some(expanded) = self.expanded(part, call)? {
            return Ok(expanded);
        }
        let named = SIGNATURES.iter().find(|signature| signature.name == call.name);
        let Some(signature) = named else {
            let known = SIGNATURES.iter().map(|signature| signature.name);
            let hint = suggestion(&call.name, known.chain(super::macros::NAMES));
            return Err(Mistake::new(
                part.at,
                format!("there is no function `{}`{hint}", call.name),
            ));
        };
        let (subject, arguments) = match (&call.target, signature.style, call.arguments.split_first()) {
            (Some(target), Style::Method | Style::Either, _) => (&**target, &*call.arguments),
            (None, Style::Global | Style::Either, Some((subject, arguments))) => (subject, arguments),
            (Some(_), Style::Global, _) | (None, Style::Global | Style::Either, None) => {
                let message = format!("`{0}` takes what it works on between its brackets: {0}(…)", call.name);
                return Err(Mistake::new(part.at, message));
            }
            (None, Style::Method, _) => {
                let message = format!("`{0}` follows what it works on: ….{0}(…)", call.name);
                return Err(Mistake::new(part.at, message));
            }
        };
        if !(signature.required..=signature.arguments.len()).contains(&arguments.len()) {
            return Err(Mistake::new(part.at, count(signature, call.target.is_some())));
        }
        let subjects = match signature.function {
            // Durations have no time zone.
            Function::Time(_) if !arguments.is_empty() => &[Kind::Timestamp],
            _ => signature.subject,
        };
        let subject = self.argument(signature, subject, subjects)?;
        let mut checked = Vec::with_capacity(arguments.len());
        for (argument, kind) in arguments.iter().zip(signature.arguments) {
            checked.push((argument, self.argument(signature, argument, &[*kind])?));
        }
        if signature.function == Function::Matches {
            return matches(subject, checked);
        }
        planned(signature, part, subject, checked)
    }

    fn argument(&mut self, signature: &Signature, part: &'c Part, kinds: &[Kind]) -> Result<Checked, Mistake> {
        let checked = self.part(part)?;
        if kinds.is_empty() || kinds.iter().any(|kind| checked.can_be(*kind)) {
            return Ok(checked);
        }
        let message = format!("`{}` does not take {}", signature.name, checked.of);
        Err(Mistake::new(part.start, message))
    }
}

fn count(signature: &Signature, method: bool) -> String {
    let subject = usize::from(!method);
    let (least, most) = (signature.required + subject, signature.arguments.len() + subject);
    let many = if most == 1 { "argument" } else { "arguments" };
    let number = if least == most {
        most.to_string()
    } else {
        format!("{least} or {most}")
    };
    format!("`{}` takes {number} {many}", signature.name)
}

/// A call of constants happens here, and what is wrong with them is wrong with the text.
fn planned(
    signature: &Signature,
    part: &Part,
    subject: Checked,
    arguments: Vec<(&Part, Checked)>,
) -> Result<Checked, Mistake> {
    if let Function::Time(_) = signature.function {
        for (zone, checked) in &arguments {
            if let Some(Value::String(name)) = checked.step.constant() {
                Zone::named(name).map_err(|failed| {
                    let hint = nearest(name, time::names());
                    Mistake::new(zone.start, format!("{failed}{hint}"))
                })?;
            }
        }
    }
    let steps: Box<[Step]> = arguments.into_iter().map(|(_, checked)| checked.step).collect();
    let constant = subject.step.constant().is_some() && steps.iter().all(|step| step.constant().is_some());
    let call = Planned {
        function: signature.function,
        subject: subject.step,
        arguments: steps,
    };
    let call = Checked::new(Step::Call(Box::new(call)), signature.result);
    if !constant {
        return Ok(call);
    }
    fold(&call).map_err(|failed| Mistake::new(part.at, failed.to_string()))
}

fn matches(subject: Checked, arguments: Vec<(&Part, Checked)>) -> Result<Checked, Mistake> {
    let Some((part, pattern)) = arguments.into_iter().next() else {
        return Ok(subject);
    };
    let Some(Value::String(text)) = pattern.step.constant() else {
        return Err(Mistake::new(part.start, "the pattern of `matches` has to be constant"));
    };
    let compiled = RegexBuilder::new(text).size_limit(limits::PATTERN_BYTES).build();
    let pattern = compiled.map_err(|error| Mistake::new(part.start, pattern_message(text, &error)))?;
    Ok(Checked::new(
        Step::Matches(Box::new(subject.step), Box::new(pattern)),
        Type::Bool,
    ))
}

fn pattern_message(pattern: &str, error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => format!("the pattern {pattern:?} is too large"),
        other => {
            // The library draws the pattern with an arrow under it; the last line has the reason.
            let text = other.to_string();
            let reason = text.lines().last().unwrap_or_default();
            let reason = reason.strip_prefix("error: ").unwrap_or(reason);
            format!("the pattern {pattern:?} does not work: {reason}")
        }
    }
}
