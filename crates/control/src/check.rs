//! Checks a JSON value against the schema of the type it is to become, and reports everything wrong with it at once,
//! each with its path: unknown fields with the nearest known one, missing fields, wrong types, names no parser takes.
//! serde stops at the first mistake; people fixing a file or a form want all of them.

use std::cell::OnceCell;
use std::str::FromStr;

use gatewright_types::api::KeyOwner;
use gatewright_types::{
    ApiVersion, BudgetId, BudgetRequestId, CostCentre, CredentialId, Deployment, DisplayName, Email, HeaderName,
    HeaderText, HumanDuration, IncreaseId, InvitationId, IpRange, KeyId, LimitId, ModelId, ModelName, Month, Nanos,
    OrganizationId, PersonId, PriceId, Project, ProviderId, Region, ServiceAccountId, SessionId, Slug, TagName, Target,
    TeamId, TokenId, ToolPattern, UnitPrice, UpstreamModel, ZoneName, nearest,
};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// One thing wrong with a document, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// `models[1].route.target`; empty for the document as a whole.
    pub path: String,
    pub message: String,
}

/// The schema of one input type, made for the first call and used for every other: all of them together are megabytes.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    make: fn() -> Value,
    root: OnceCell<Value>,
}

impl Shape {
    pub(crate) fn of<T: JsonSchema>() -> Self {
        Self {
            make: || {
                let generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
                generator.into_root_schema_for::<T>().to_value()
            },
            root: OnceCell::new(),
        }
    }

    fn root(&self) -> &Value {
        self.root.get_or_init(self.make)
    }

    /// Reads a value as the type this shape was made of.
    pub(crate) fn read<T: DeserializeOwned>(&self, value: &Value) -> Result<T, Vec<FieldProblem>> {
        let mut problems = Vec::new();
        self.walk(self.root(), value, &Path::Root, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        // What no schema can say is found on the way into the type itself.
        serde_path_to_error::deserialize(value).map_err(|error| {
            let path = match error.path().to_string() {
                root if root == "." => String::new(),
                path => path,
            };
            vec![FieldProblem {
                path,
                message: error.into_inner().to_string(),
            }]
        })
    }

    /// Turns texts of a query string into the numbers and booleans the shape asks for; what does not turn stays text.
    pub(crate) fn typed(&self, pairs: Vec<(String, String)>) -> Map<String, Value> {
        let properties = self.resolve(self.root()).get("properties");
        let typed = |name: &str, text: String| match properties.and_then(|all| all.get(name)).map(kinds) {
            Some(kinds) if kinds.contains(&"integer") => text.parse::<i64>().map_or(Value::String(text), Value::from),
            Some(kinds) if kinds.contains(&"boolean") => text.parse::<bool>().map_or(Value::String(text), Value::from),
            Some(_) | None => Value::String(text),
        };
        pairs
            .into_iter()
            .map(|(name, text)| (name.clone(), typed(&name, text)))
            .collect()
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let name = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|path| path.strip_prefix("#/$defs/"));
        name.and_then(|name| self.root().get("$defs").and_then(|all| all.get(name)))
            .unwrap_or(schema)
    }

    fn walk(&self, schema: &Value, value: &Value, path: &Path<'_>, problems: &mut Vec<FieldProblem>) {
        if let (Some(name), Value::String(text)) = (reference(schema), value)
            && let Some(checked) = parsed(name, text)
        {
            problems.extend(checked.err().map(|message| path.problem(message)));
            return;
        }
        let schema = self.resolve(schema);
        if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
            return self.walk_optional(choices, value, path, problems);
        }
        // Choices beside other fields are those of an object's flattened part.
        let flattened = schema.get("properties").is_some();
        if let Some(variants) = schema.get("oneOf").and_then(Value::as_array).filter(|_| !flattened) {
            return self.walk_enum(variants, value, path, problems);
        }
        let kinds = kinds(schema);
        if !kinds.is_empty() && !kinds.iter().any(|kind| is_kind(kind, value)) {
            let expected = kinds.iter().map(|kind| words(kind)).collect::<Vec<_>>().join(" or ");
            problems.push(path.problem(format!("expected {expected}, found {}", found(value))));
            return;
        }
        match value {
            Value::Object(fields) => self.walk_object(schema, fields, path, problems),
            Value::Array(items) => {
                let Some(schema) = schema.get("items") else { return };
                for (index, item) in items.iter().enumerate() {
                    self.walk(schema, item, &Path::Item(path, index), problems);
                }
            }
            Value::String(text) => problems.extend(check_text(schema, text).map(|message| path.problem(message))),
            Value::Number(number) => {
                problems.extend(check_number(schema, number).map(|message| path.problem(message)));
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// `anyOf` is how an optional reference is written: the other choice is null. Where there are more, the value's own
    /// type tells which is meant, and the last one is for everything else.
    fn walk_optional(&self, choices: &[Value], value: &Value, path: &Path<'_>, problems: &mut Vec<FieldProblem>) {
        if value.is_null() && choices.iter().any(|choice| kinds(choice).contains(&"null")) {
            return;
        }
        let choices = || choices.iter().filter(|choice| !kinds(choice).contains(&"null"));
        let meant = choices().find(|choice| kinds(self.resolve(choice)).iter().any(|kind| is_kind(kind, value)));
        if let Some(choice) = meant.or_else(|| choices().next_back()) {
            self.walk(choice, value, path, problems);
        }
    }

    fn walk_enum(&self, variants: &[Value], value: &Value, path: &Path<'_>, problems: &mut Vec<FieldProblem>) {
        let names: Vec<&str> = variants.iter().flat_map(variant_names).collect();
        match value {
            Value::String(text) => {
                // A text where only maps are allowed may be a secret in the wrong place: it is not repeated.
                let words: Vec<&str> = variants
                    .iter()
                    .filter(|variant| !has_fields(variant))
                    .flat_map(variant_names)
                    .collect();
                if words.is_empty() {
                    problems.push(path.problem(format!("must be a map that holds one of {}", names.join(", "))));
                } else if !words.contains(&text.as_str()) {
                    problems.push(path.problem(unknown_choice(text, &words)));
                }
            }
            Value::Object(fields) => {
                for field in fields.keys().filter(|field| !names.contains(&field.as_str())) {
                    problems.push(Path::Field(path, field).problem(unknown_field(field, &names)));
                }
                let known: Vec<_> = fields
                    .iter()
                    .filter(|(field, _)| names.contains(&field.as_str()))
                    .collect();
                match known.as_slice() {
                    [(field, content)] => {
                        let schema = variants
                            .iter()
                            .find_map(|variant| variant.get("properties")?.get(field.as_str()));
                        if let Some(schema) = schema {
                            self.walk(schema, content, &Path::Field(path, field), problems);
                        }
                    }
                    [] if !fields.is_empty() => {}
                    _ => problems.push(path.problem(format!("must hold exactly one of {}", names.join(", ")))),
                }
            }
            other => {
                problems.push(path.problem(format!("expected one of {}, found {}", names.join(", "), found(other))))
            }
        }
    }

    fn walk_object(&self, schema: &Value, fields: &Map<String, Value>, path: &Path<'_>, out: &mut Vec<FieldProblem>) {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            let Some(content) = schema.get("additionalProperties").filter(|content| content.is_object()) else {
                return;
            };
            let names = schema.get("propertyNames").and_then(reference);
            for (field, value) in fields {
                let name = names.and_then(|name| parsed(name, field)).and_then(Result::err);
                match name {
                    Some(message) => out.push(Path::Field(path, &short(field)).problem(message)),
                    None => self.walk(content, value, &Path::Field(path, field), out),
                }
            }
            return;
        };
        let choices = schema
            .get("oneOf")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let of_choices: Vec<&str> = choices.iter().flat_map(variant_names).collect();
        let known: Vec<&str> = properties
            .keys()
            .map(String::as_str)
            .chain(of_choices.iter().copied())
            .collect();
        for (field, value) in fields {
            let chosen = || choices.iter().find_map(|choice| choice.get("properties")?.get(field));
            match properties.get(field).or_else(chosen) {
                Some(schema) => self.walk(schema, value, &Path::Field(path, field), out),
                None => out.push(Path::Field(path, field).problem(unknown_field(field, &known))),
            }
        }
        check_chosen(&of_choices, fields, path, out);
        let required = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        for field in required.filter(|field| !fields.contains_key(*field)) {
            out.push(Path::Field(path, field).problem("is required".to_owned()));
        }
    }
}

/// Exactly one of the choices must be there. Without any, the first one is said to be missing.
fn check_chosen(choices: &[&str], fields: &Map<String, Value>, path: &Path<'_>, out: &mut Vec<FieldProblem>) {
    let Some(usual) = choices.first() else { return };
    let mut chosen = choices.iter().filter(|choice| fields.contains_key(**choice));
    let Some(first) = chosen.next() else {
        out.push(Path::Field(path, usual).problem(format!("is required, or another of {}", choices.join(", "))));
        return;
    };
    for more in chosen {
        out.push(Path::Field(path, more).problem(format!("stands beside {first}: give only one of them")));
    }
}

/// The name of the type that a schema refers to.
fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.rsplit('/').next()
}

enum Path<'a> {
    Root,
    Field(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl Path<'_> {
    fn text(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Field(Self::Root, name) => (*name).to_owned(),
            Self::Field(parent, name) => format!("{}.{name}", parent.text()),
            Self::Item(parent, index) => format!("{}[{index}]", parent.text()),
        }
    }

    fn problem(&self, message: String) -> FieldProblem {
        FieldProblem {
            path: self.text(),
            message,
        }
    }
}

/// What the named type's own parser says; `None` for a type whose schema says all there is.
fn parsed(name: &str, text: &str) -> Option<Result<(), String>> {
    fn by<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<(), String> {
        text.parse::<T>().map(|_| ()).map_err(|error| error.to_string())
    }
    Some(match name {
        "Slug" => by::<Slug>(text),
        "DisplayName" => by::<DisplayName>(text),
        "ModelName" => by::<ModelName>(text),
        "UpstreamModel" => by::<UpstreamModel>(text),
        "Email" => by::<Email>(text),
        "Region" => by::<Region>(text),
        "IpRange" => by::<IpRange>(text),
        "ToolPattern" => by::<ToolPattern>(text),
        "TagName" => by::<TagName>(text),
        "KeyOwner" => by::<KeyOwner>(text),
        "ServiceAccountId" => by::<ServiceAccountId>(text),
        "Project" => by::<Project>(text),
        "ApiVersion" => by::<ApiVersion>(text),
        "Deployment" => by::<Deployment>(text),
        "HeaderName" => by::<HeaderName>(text),
        "HeaderText" => by::<HeaderText>(text),
        "Target" => by::<Target>(text),
        "Duration" => by::<HumanDuration>(text),
        "UnitPrice" => by::<UnitPrice>(text),
        "Nanos" => by::<Nanos>(text),
        "OrganizationId" => by::<OrganizationId>(text),
        "PersonId" => by::<PersonId>(text),
        "InvitationId" => by::<InvitationId>(text),
        "TeamId" => by::<TeamId>(text),
        "KeyId" => by::<KeyId>(text),
        "ProviderId" => by::<ProviderId>(text),
        "CredentialId" => by::<CredentialId>(text),
        "ModelId" => by::<ModelId>(text),
        "PriceId" => by::<PriceId>(text),
        "SessionId" => by::<SessionId>(text),
        "TokenId" => by::<TokenId>(text),
        "BudgetId" => by::<BudgetId>(text),
        "IncreaseId" => by::<IncreaseId>(text),
        "BudgetRequestId" => by::<BudgetRequestId>(text),
        "LimitId" => by::<LimitId>(text),
        "ZoneName" => by::<ZoneName>(text),
        "CostCentre" => by::<CostCentre>(text),
        "Month" => by::<Month>(text),
        _ => return None,
    })
}

fn check_text(schema: &Value, text: &str) -> Option<String> {
    if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
        let names: Vec<&str> = choices.iter().filter_map(Value::as_str).collect();
        return (!names.contains(&text)).then(|| unknown_choice(text, &names));
    }
    if schema.get("format").and_then(Value::as_str) == Some("date-time") {
        let wrong = chrono::DateTime::parse_from_rfc3339(text).is_err();
        return wrong.then(|| "expected a time like 2026-08-01T00:00:00Z".to_owned());
    }
    None
}

fn check_number(schema: &Value, number: &serde_json::Number) -> Option<String> {
    let most = match schema.get("format").and_then(Value::as_str) {
        Some("uint16") => i128::from(u16::MAX),
        Some("uint32") => i128::from(u32::MAX),
        Some(_) | None => i128::from(u64::MAX),
    };
    let least = schema
        .get("minimum")
        .and_then(Value::as_i64)
        .map_or(i128::from(i64::MIN), i128::from);
    let number = number.as_i128()?;
    (number < least || number > most).then(|| format!("must be from {least} to {most}"))
}

fn kinds(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is_kind(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

fn words(kind: &str) -> &str {
    match kind {
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "a text",
        "array" => "a list",
        "object" => "a map",
        other => other,
    }
}

fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

fn variant_names(variant: &Value) -> Vec<&str> {
    if let Some(name) = variant.get("const").and_then(Value::as_str) {
        return vec![name];
    }
    if let Some(names) = variant.get("enum").and_then(Value::as_array) {
        return names.iter().filter_map(Value::as_str).collect();
    }
    variant
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::keys)
        .map(String::as_str)
        .collect()
}

fn has_fields(variant: &Value) -> bool {
    variant.get("properties").is_some()
}

fn unknown_field(name: &str, known: &[&str]) -> String {
    let name = &short(name);
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("unknown field {name:?}; did you mean {near:?}?"),
        None => format!("unknown field {name:?}; known are {}", known.join(", ")),
    }
}

fn unknown_choice(text: &str, known: &[&str]) -> String {
    let text = &short(text);
    match nearest(text, known.iter().copied()) {
        Some(near) => format!("unknown value {text:?}; did you mean {near:?}?"),
        None => format!("unknown value {text:?}; known are {}", known.join(", ")),
    }
}

/// What somebody sent is repeated to them only so far.
fn short(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests;
