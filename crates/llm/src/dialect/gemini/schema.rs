//! Google's own form of schema, made into a JSON schema: types in upper case, `nullable`, numbers in quotes, members in
//! either spelling. What is JSON schema already passes as it is.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::key::camel;
use crate::BadRequest;
use crate::chat::Json;
use crate::dialect::read::Field;
use crate::json::Kind;

/// One schema, its members as JSON texts.
#[derive(Debug, Default)]
struct Converted {
    /// The name of the type, or a list of names as JSON.
    kind: Option<Type>,
    nullable: bool,
    values: Option<String>,
    any_of: Option<Vec<String>>,
    properties: Option<Vec<(Box<str>, String)>>,
    order: Vec<Box<str>>,
    others: Vec<(Box<str>, String)>,
}

#[derive(Debug)]
enum Type {
    Name(String),
    List(String),
}

pub(super) fn read(field: Field<'_, '_>) -> Result<Json, BadRequest> {
    let text = convert(field)?;
    Json::parse(&text).ok_or_else(|| field.refuse("is no schema"))
}

fn convert(field: Field<'_, '_>) -> Result<String, BadRequest> {
    let mut converted = Converted::default();
    field.members(|key, member| converted.member(key, member))?;
    Ok(converted.into_text())
}

/// Schemas stand where an object does; a boolean there is JSON schema.
fn convert_or_keep(field: Field<'_, '_>) -> Result<String, BadRequest> {
    if field.kind() == Kind::Object {
        convert(field)
    } else {
        as_it_is(field)
    }
}

fn as_it_is(field: Field<'_, '_>) -> Result<String, BadRequest> {
    Ok(field.json()?.text().to_owned())
}

impl Converted {
    fn member(&mut self, key: &str, field: Field<'_, '_>) -> Result<(), BadRequest> {
        let name = camel(key);
        let (name, text) = match &*name {
            "type" => {
                self.kind = read_type(field)?;
                return Ok(());
            }
            "nullable" => {
                self.nullable = field.flag()?;
                return Ok(());
            }
            "enum" => {
                self.values = Some(as_it_is(field)?);
                return Ok(());
            }
            "anyOf" => {
                self.any_of = Some(list(field)?);
                return Ok(());
            }
            "properties" => {
                self.properties = Some(named(field)?);
                return Ok(());
            }
            "propertyOrdering" => {
                return field.elements(|name| {
                    self.order.push(name.boxed()?);
                    Ok(())
                });
            }
            // Says only that there are an enum's values.
            "format" if field.text().is_ok_and(|format| format == "enum") => return Ok(()),
            "items" | "additionalProperties" | "not" => (&*name, convert_or_keep(field)?),
            "oneOf" | "allOf" | "prefixItems" => (&*name, array(&list(field)?)),
            "defs" | "$defs" => ("$defs", object(&named(field)?)),
            "ref" | "$ref" => ("$ref", quoted(&field.text()?.replacen("#/defs/", "#/$defs/", 1))),
            "example" => ("examples", array(&[as_it_is(field)?])),
            "minItems" | "maxItems" | "minLength" | "maxLength" | "minProperties" | "maxProperties" => {
                (&*name, number(field)?)
            }
            _ => (key, as_it_is(field)?),
        };
        self.others.push((name.into(), text));
        Ok(())
    }

    fn into_text(self) -> String {
        let mut members: Vec<(Box<str>, String)> = Vec::new();
        match self.kind {
            Some(Type::Name(name)) if self.nullable => {
                members.push(("type".into(), array(&[quoted(&name), quoted("null")])));
            }
            Some(Type::Name(name)) => members.push(("type".into(), quoted(&name))),
            Some(Type::List(list)) => members.push(("type".into(), list)),
            None => {}
        }
        members.extend(self.others);
        if let Some(mut any_of) = self.any_of {
            if self.nullable {
                any_of.push(r#"{"type":"null"}"#.to_owned());
            }
            members.push(("anyOf".into(), array(&any_of)));
        }
        if let Some(mut values) = self.values {
            if self.nullable && values.ends_with(']') {
                values.pop();
                values.push_str(",null]");
            }
            members.push(("enum".into(), values));
        }
        if let Some(mut properties) = self.properties {
            // The order of a JSON schema's properties is the one in which models write them.
            let places: HashMap<_, _> = self.order.iter().enumerate().map(|(at, name)| (name, at)).collect();
            properties.sort_by_key(|(name, _)| places.get(name).copied().unwrap_or(usize::MAX));
            members.push(("properties".into(), object(&properties)));
        }
        object(&members)
    }
}

fn read_type(field: Field<'_, '_>) -> Result<Option<Type>, BadRequest> {
    if field.kind() == Kind::Array {
        return Ok(Some(Type::List(as_it_is(field)?)));
    }
    let name = field.text()?.to_ascii_lowercase();
    Ok((name != "type_unspecified").then_some(Type::Name(name)))
}

/// Whole numbers of 64 bits are strings in Google's JSON.
fn number(field: Field<'_, '_>) -> Result<String, BadRequest> {
    if field.kind() != Kind::String {
        return Ok(field.count()?.to_string());
    }
    let number: Result<u64, _> = field.text()?.parse();
    match number {
        Ok(number) => Ok(number.to_string()),
        Err(_) => Err(field.expected("a whole number")),
    }
}

fn list(field: Field<'_, '_>) -> Result<Vec<String>, BadRequest> {
    let mut schemas = Vec::new();
    field.elements(|element| {
        schemas.push(convert_or_keep(element)?);
        Ok(())
    })?;
    Ok(schemas)
}

/// Schemas by names of the caller's own.
fn named(field: Field<'_, '_>) -> Result<Vec<(Box<str>, String)>, BadRequest> {
    let mut schemas = Vec::new();
    field.members(|name, member| {
        schemas.push((name.into(), convert_or_keep(member)?));
        Ok(())
    })?;
    Ok(schemas)
}

fn array(elements: &[String]) -> String {
    format!("[{}]", elements.join(","))
}

fn object(members: &[(Box<str>, String)]) -> String {
    let mut text = String::from("{");
    for (place, (name, value)) in members.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        write!(text, "{comma}{}:{value}", quoted(name)).expect("a string takes all that is written");
    }
    text.push('}');
    text
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text can always be written as JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::read::document;

    fn check(schema: &str, expected: &str) {
        let mut converted = None;
        document(format!(r#"{{"schema":{schema}}}"#).as_bytes(), |_, field| {
            converted = Some(read(field)?);
            Ok(())
        })
        .expect(schema);
        assert_eq!(converted.expect(schema).text(), expected);
    }

    #[test]
    fn googles_schema_becomes_a_json_schema() {
        check(
            r#"{"type":"OBJECT","propertyOrdering":["b","a_b"],"required":["a_b"],"properties":{
                "a_b":{"type":"STRING","nullable":true,"format":"enum","enum":["x","y"]},
                "b":{"type":"ARRAY","items":{"type":"INTEGER"},"min_items":"1","maxItems":5}}}"#,
            concat!(
                r#"{"type":"object","required":["a_b"],"properties":{"#,
                r#""b":{"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":5},"#,
                r#""a_b":{"type":["string","null"],"enum":["x","y",null]}}}"#
            ),
        );
        check(
            r##"{"any_of":[{"ref":"#/defs/Pet"},{"type":"NUMBER"}],"nullable":true,"defs":{"Pet":{"type":"STRING","example":"Rex"}}}"##,
            concat!(
                r##"{"$defs":{"Pet":{"type":"string","examples":["Rex"]}},"##,
                r##""anyOf":[{"$ref":"#/$defs/Pet"},{"type":"number"},{"type":"null"}]}"##
            ),
        );
    }

    #[test]
    fn a_json_schema_stays_one() {
        let schema = r#"{"type":"object","additionalProperties":false,"properties":{"type":{"type":["string","null"],"format":"date"}}}"#;
        check(
            schema,
            r#"{"type":"object","additionalProperties":false,"properties":{"type":{"type":["string","null"],"format":"date"}}}"#,
        );
        check("{}", "{}");
    }
}
