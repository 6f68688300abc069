//! Reads a caller's request member by member, with errors that say where: `messages[2].content[0].type`. A member that
//! is null counts as absent, as everywhere in these dialects.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use crate::BadRequest;
use crate::chat::Json;
use crate::json::{Kind, Members, Value};
use crate::request::syntax_error;

/// A value in a request and the way to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a, 'p> {
    value: Value<'a>,
    path: Path<'p>,
}

/// A way from the top, kept as links: it is only written out for an error.
#[derive(Debug, Clone, Copy)]
struct Path<'p> {
    above: Option<&'p Path<'p>>,
    step: Step<'p>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'p> {
    Member(&'p str),
    Element(usize),
}

/// Reads a text that has to be one JSON object. Duplicate members are refused: two readers may choose differently.
pub(crate) fn document<'a>(
    body: &'a [u8],
    mut each: impl FnMut(&str, Field<'a, '_>) -> Result<(), BadRequest>,
) -> Result<(), BadRequest> {
    if body.is_empty() {
        return Err(BadRequest::new("the request body is empty; send a JSON object"));
    }
    if let Err(error) = std::str::from_utf8(body) {
        let at = error.valid_up_to();
        return Err(BadRequest::new(format!(
            "the request body is not valid UTF-8 at byte {at}"
        )));
    }
    let wrong = |error| syntax_error(body, error);
    let mut members = Members::of_document(body).map_err(wrong)?;
    let mut seen = HashSet::new();
    while let Some(member) = members.next_member().map_err(wrong)? {
        let key = String::from_utf8_lossy(&member.key);
        if !seen.insert(member.key.clone()) {
            return Err(BadRequest::at(
                key.clone().into_owned(),
                format!("'{key}' is given twice; give it once"),
            ));
        }
        visit(None, &key, member.value, &mut each)?;
    }
    Ok(())
}

fn visit<'a>(
    above: Option<&Path<'_>>,
    key: &str,
    value: Value<'a>,
    each: &mut impl FnMut(&str, Field<'a, '_>) -> Result<(), BadRequest>,
) -> Result<(), BadRequest> {
    if value.kind == Kind::Null {
        return Ok(());
    }
    let path = Path {
        above,
        step: Step::Member(key),
    };
    each(key, Field { value, path })
}

impl<'a> Field<'a, '_> {
    pub(crate) fn kind(&self) -> Kind {
        self.value.kind
    }

    /// Its bytes as they were sent.
    pub(crate) fn raw(&self) -> &'a [u8] {
        self.value.text
    }

    pub(crate) fn text(&self) -> Result<Cow<'a, str>, BadRequest> {
        if self.value.kind != Kind::String {
            return Err(self.expected("a string"));
        }
        self.value
            .string()
            .ok_or_else(|| self.refuse("holds an escape that is no character"))
    }

    pub(crate) fn boxed(&self) -> Result<Box<str>, BadRequest> {
        Ok(self.text()?.into_owned().into_boxed_str())
    }

    pub(crate) fn flag(&self) -> Result<bool, BadRequest> {
        match self.value.kind {
            Kind::True => Ok(true),
            Kind::False => Ok(false),
            _ => Err(self.expected("a boolean")),
        }
    }

    pub(crate) fn number(&self) -> Result<serde_json::Number, BadRequest> {
        if self.value.kind != Kind::Number {
            return Err(self.expected("a number"));
        }
        serde_json::from_slice(self.value.text).map_err(|_| self.refuse("is a number that is too large"))
    }

    pub(crate) fn count(&self) -> Result<u64, BadRequest> {
        let number = self.number()?;
        let whole = number.as_u64().or_else(|| {
            // Some clients write whole numbers as `12.0`.
            let text = number.to_string();
            text.strip_suffix(".0").and_then(|whole| whole.parse().ok())
        });
        whole.ok_or_else(|| self.expected("a whole number that is not negative"))
    }

    pub(crate) fn integer(&self) -> Result<i64, BadRequest> {
        self.number()?.as_i64().ok_or_else(|| self.expected("a whole number"))
    }

    /// As it stands, for what is passed on unread.
    pub(crate) fn json(&self) -> Result<Json, BadRequest> {
        let text = std::str::from_utf8(self.value.text).ok();
        text.and_then(Json::parse).ok_or_else(|| self.refuse("is no JSON"))
    }

    /// The members of an object, nulls left out.
    pub(crate) fn members(
        &self,
        mut each: impl FnMut(&str, Field<'a, '_>) -> Result<(), BadRequest>,
    ) -> Result<(), BadRequest> {
        if self.value.kind != Kind::Object {
            return Err(self.expected("an object"));
        }
        let mut members = self.value.members();
        // The document's syntax was checked before.
        while let Ok(Some(member)) = members.next_member() {
            let key = String::from_utf8_lossy(&member.key);
            visit(Some(&self.path), &key, member.value, &mut each)?;
        }
        Ok(())
    }

    pub(crate) fn elements(
        &self,
        mut each: impl FnMut(Field<'a, '_>) -> Result<(), BadRequest>,
    ) -> Result<(), BadRequest> {
        if self.value.kind != Kind::Array {
            return Err(self.expected("an array"));
        }
        for (index, value) in self.value.elements().enumerate() {
            let path = Path {
                above: Some(&self.path),
                step: Step::Element(index),
            };
            each(Field { value, path })?;
        }
        Ok(())
    }

    /// The string member of this name, without reading the rest: `type`, which tells how to read it.
    pub(crate) fn member_text(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut members = self.value.members();
        while let Ok(Some(member)) = members.next_member() {
            if &*member.key == name.as_bytes() {
                return member.value.string();
            }
        }
        None
    }

    /// An error: the member's path, then what is wrong with it, as the rest of a sentence.
    pub(crate) fn refuse(&self, problem: &str) -> BadRequest {
        let path = self.path.to_string();
        let message = format!("'{path}' {problem}");
        BadRequest::at(path, message)
    }

    pub(crate) fn expected(&self, what: &str) -> BadRequest {
        self.refuse(&format!("must be {what}, not {}", self.value.kind.name()))
    }

    /// One of its members is missing.
    pub(crate) fn lacks(&self, name: &str) -> BadRequest {
        let path = format!("{}.{name}", self.path);
        let message = format!("'{path}' is missing");
        BadRequest::at(path, message)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(above) = self.above {
            above.fmt(f)?;
        }
        match (self.step, self.above) {
            (Step::Member(name), None) => f.write_str(name),
            (Step::Member(name), Some(_)) => write!(f, ".{name}"),
            (Step::Element(index), _) => write!(f, "[{index}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(body: &str, mut each: impl FnMut(Field<'_, '_>) -> Result<(), BadRequest>) -> (Option<String>, String) {
        let error = document(body.as_bytes(), |_, field| each(field)).expect_err("a bad request");
        (error.param.map(Cow::into_owned), error.message)
    }

    #[test]
    fn an_error_names_the_way_to_what_is_wrong() {
        let told = problem(
            r#"{"messages":[{"content":null},{"content":[{"text":7}]}]}"#,
            |messages| {
                messages.elements(|message| {
                    message.members(|_, content| content.elements(|part| part.members(|_, text| text.text().map(drop))))
                })
            },
        );

        let path = "messages[1].content[0].text";
        let message = format!("'{path}' must be a string, not a number");
        assert_eq!(told, (Some(path.to_owned()), message));
    }

    #[test]
    fn a_member_given_twice_is_refused() {
        let (param, _) = problem(r#"{"a":1,"a":2}"#, |_| Ok(()));

        assert_eq!(param.as_deref(), Some("a"));
    }
}
