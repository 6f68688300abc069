//! Functions of strings. Places and lengths count characters, not bytes.

use std::borrow::Cow;

use super::Function;
use crate::cost::Budget;
use crate::failed::Failed;
use crate::value::{List, Value};

impl Function {
    pub(super) fn text<'a>(
        self,
        subject: Cow<'a, str>,
        arguments: &[Value<'a>],
        budget: &mut Budget,
    ) -> Result<Value<'a>, Failed> {
        Ok(match (self, arguments) {
            (Self::StartsWith, [Value::String(prefix)]) => subject.starts_with(&**prefix).into(),
            (Self::EndsWith, [Value::String(suffix)]) => subject.ends_with(&**suffix).into(),
            (Self::Contains, [Value::String(part)]) => subject.contains(&**part).into(),
            (Self::LowerAscii, []) => cased(subject, |byte| byte.is_ascii_uppercase(), str::make_ascii_lowercase),
            (Self::UpperAscii, []) => cased(subject, |byte| byte.is_ascii_lowercase(), str::make_ascii_uppercase),
            (Self::Trim, []) => part_of(subject, |text| Some(text.trim())),
            (Self::Split, [Value::String(between)]) => split(subject, between, budget)?,
            (Self::Replace, [Value::String(old), Value::String(new)]) => replace(&subject, old, new, budget)?,
            (Self::Substring, [Value::Int(from)]) => substring(subject, *from, None)?,
            (Self::Substring, [Value::Int(from), Value::Int(to)]) => substring(subject, *from, Some(*to))?,
            (Self::IndexOf, [Value::String(part)]) => index_of(&subject, part),
            (_, arguments) => {
                let wrong = arguments.iter().find(|value| !matches!(value, Value::String(_)));
                return Err(self.refusal(wrong.unwrap_or(&Value::String(subject))));
            }
        })
    }
}

/// Borrowed where the text has no letter to change.
fn cased<'a>(text: Cow<'a, str>, changes: impl Fn(&u8) -> bool, change: impl Fn(&mut str)) -> Value<'a> {
    if !text.as_bytes().iter().any(changes) {
        return Value::String(text);
    }
    let mut text = text.into_owned();
    change(&mut text);
    text.into()
}

fn part_of<'a>(text: Cow<'a, str>, part: impl Fn(&str) -> Option<&str>) -> Value<'a> {
    match text {
        Cow::Borrowed(text) => Value::from(part(text).unwrap_or_default()),
        Cow::Owned(text) => Value::from(part(&text).unwrap_or_default().to_owned()),
    }
}

fn split<'a>(text: Cow<'a, str>, between: &str, budget: &mut Budget) -> Result<Value<'a>, Failed> {
    let parts = if between.is_empty() {
        text.chars().count()
    } else {
        text.matches(between).count() + 1
    };
    budget.spend(parts)?;
    let list = match text {
        Cow::Borrowed(text) => pieces(text, between).into_iter().map(Value::from).collect(),
        Cow::Owned(text) => {
            let owned = pieces(&text, between).into_iter().map(str::to_owned);
            owned.map(Value::from).collect()
        }
    };
    Ok(Value::List(List::Made(list)))
}

fn pieces<'t>(text: &'t str, between: &str) -> Vec<&'t str> {
    if between.is_empty() {
        text.split("").filter(|piece| !piece.is_empty()).collect()
    } else {
        text.split(between).collect()
    }
}

pub(super) fn join(list: &List<'_>, between: &str, budget: &mut Budget) -> Result<Value<'static>, Failed> {
    let mut joined = String::new();
    for (index, value) in list.iter().enumerate() {
        let Value::String(text) = value else {
            return Err(Function::Join.refusal(&value));
        };
        budget.spend(1)?;
        budget.spend_text(between.len() + text.len())?;
        if index > 0 {
            joined.push_str(between);
        }
        joined.push_str(&text);
    }
    Ok(joined.into())
}

fn replace(text: &str, old: &str, new: &str, budget: &mut Budget) -> Result<Value<'static>, Failed> {
    let found = text.matches(old).count();
    budget.spend_text(text.len().saturating_add(found.saturating_mul(new.len())))?;
    Ok(text.replace(old, new).into())
}

fn substring(text: Cow<'_, str>, from: i64, to: Option<i64>) -> Result<Value<'_>, Failed> {
    let length = text.chars().count();
    let place = |index: i64| usize::try_from(index).ok().filter(|index| *index <= length);
    let range = place(from)
        .zip(to.map_or(Some(length), place))
        .filter(|(from, to)| from <= to);
    let Some((from, to)) = range else {
        let end = to.map_or_else(|| "the end".to_owned(), |to| to.to_string());
        return Err(Failed::range(format!(
            "there is no part from {from} to {end} of a text of {length} characters"
        )));
    };
    let offset = |text: &str, place| text.char_indices().nth(place).map_or(text.len(), |(offset, _)| offset);
    Ok(part_of(text, |text| text.get(offset(text, from)..offset(text, to))))
}

fn index_of(text: &str, part: &str) -> Value<'static> {
    let before = text.find(part).and_then(|offset| text.get(..offset));
    let index = before.and_then(|before| i64::try_from(before.chars().count()).ok());
    Value::Int(index.unwrap_or(-1))
}
