//! The OpenAPI document, generated from the route table and the endpoints' own types; nothing in it is written twice.

use std::collections::BTreeMap;

use gatewright_types::Envelope;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::auth::{CSRF_HEADER, SESSION_COOKIE};
use crate::endpoint::Signature;
use crate::routes::{Access, Route, routes};

const DESCRIPTIONS_AT: &str = "/components/schemas";

/// The whole document.
pub fn openapi() -> Value {
    let settings =
        || SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = DESCRIPTIONS_AT.into());
    let mut schemas = Schemas {
        inputs: settings().for_deserialize().into_generator(),
        outputs: settings().for_serialize().into_generator(),
    };
    let problem = schemas.outputs.subschema_for::<Envelope>();
    let mut paths = BTreeMap::<String, Map<String, Value>>::new();
    for route in routes() {
        let operation = operation(&route, &mut schemas, problem.as_value());
        let path = paths.entry(format!("/api/v1{}", route.path)).or_default();
        path.insert(route.method.as_str().to_ascii_lowercase(), operation);
    }

    // A type that is both taken and given is described as it is taken: that form promises the least.
    let mut described = schemas.outputs.take_definitions(true);
    described.extend(schemas.inputs.take_definitions(true));
    let described: BTreeMap<_, _> = described.into_iter().collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Gatewright control API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Organizations, keys, providers, models, usage and configuration of a Gatewright installation.",
        },
        "paths": paths,
        "components": {
            "schemas": described,
            "securitySchemes": {
                "session": {
                    "type": "apiKey", "in": "cookie", "name": SESSION_COOKIE,
                    "description": format!("Changing calls also need the header {CSRF_HEADER}."),
                },
                "token": {"type": "http", "scheme": "bearer", "description": "A control-plane token, gwt-…"},
            },
        },
    })
}

struct Schemas {
    inputs: SchemaGenerator,
    outputs: SchemaGenerator,
}

fn operation(route: &Route, schemas: &mut Schemas, problem: &Value) -> Value {
    let signature = &route.signature;
    let mut operation = Map::new();
    operation.insert("operationId".to_owned(), operation_id(route).into());
    operation.insert("summary".to_owned(), route.summary.into());
    operation.insert("tags".to_owned(), json!([tag(route)]));
    let access = route.access();
    operation.insert("security".to_owned(), security(access));
    if let Access::Needs(permission) | Access::Installation(permission) = access {
        operation.insert("x-permission".to_owned(), json!(permission));
    }
    let parameters = parameters(route, signature, schemas);
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), parameters.into());
    }
    if let Some((schema_of, _)) = &signature.body {
        let schema = schema_of(&mut schemas.inputs);
        let body = json!({"required": true, "content": {"application/json": {"schema": schema}}});
        operation.insert("requestBody".to_owned(), body);
    }
    let mut success = Map::from_iter([("description".to_owned(), json!("done"))]);
    if let Some(schema_of) = signature.output {
        let schema = schema_of(&mut schemas.outputs);
        success.insert("content".to_owned(), json!({"application/json": {"schema": schema}}));
    }
    if let Some(media_type) = signature.media_type {
        success.insert(
            "content".to_owned(),
            json!({media_type: {"schema": {"type": "string"}}}),
        );
    }
    let mut responses = Map::from_iter([(signature.status.to_string(), success.into())]);
    let refused = json!({"description": "refused", "content": {"application/json": {"schema": problem}}});
    responses.insert("default".to_owned(), refused);
    operation.insert("responses".to_owned(), responses.into());
    operation.into()
}

fn security(access: Access) -> Value {
    match access {
        Access::Public => json!([]),
        Access::SignedIn => json!([{"session": []}]),
        Access::Known | Access::Needs(_) | Access::Installation(_) => json!([{"session": []}, {"token": []}]),
    }
}

fn parameters(route: &Route, signature: &Signature, schemas: &mut Schemas) -> Vec<Value> {
    let mut parameters = Vec::new();
    if route.path.contains("{organization}") {
        let schema = schemas.inputs.subschema_for::<gatewright_types::Slug>();
        parameters.push(json!({"name": "organization", "in": "path", "required": true, "schema": schema}));
    }
    for (name, schema_of) in route.parameters().iter().zip(&signature.path) {
        let schema = schema_of(&mut schemas.inputs);
        parameters.push(json!({"name": name, "in": "path", "required": true, "schema": schema}));
    }
    for (name, about) in &signature.headers {
        let schema = json!({"type": "string"});
        parameters
            .push(json!({"name": name, "in": "header", "required": false, "description": about, "schema": schema}));
    }
    let Some((schema_of, _)) = &signature.query else {
        return parameters;
    };
    // Query types stand in the document as single parameters, so their definition itself is taken out again.
    let schema = schema_of(&mut schemas.inputs).to_value();
    let name = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|path| path.rsplit('/').next());
    let Some(schema) = name.and_then(|name| schemas.inputs.definitions_mut().remove(name)) else {
        return parameters;
    };
    let required = schema
        .get("required")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    for (name, property) in schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let required = required.iter().any(|field| field == name);
        parameters.push(json!({"name": name, "in": "query", "required": required, "schema": property}));
    }
    parameters
}

/// What there is within an organization as well as outside of any.
const IN_BOTH: [&str; 2] = ["/catalog", "/catalog/entry"];

/// Within an organization `get …/keys/{key}` is `get_key` and `post …/keys` is `post_keys`; elsewhere every part of
/// the path counts.
fn operation_id(route: &Route) -> String {
    let method = route.method.as_str().to_ascii_lowercase();
    let words: Vec<&str> = match route.path.strip_prefix("/organizations/{organization}") {
        Some("") => vec!["organization"],
        Some(below) if IN_BOTH.contains(&below) => {
            let segments = below.split('/').skip(1);
            std::iter::once("organization").chain(segments).collect()
        }
        Some(below) => {
            let segments: Vec<&str> = below.split('/').skip(1).collect();
            let is_parameter = |segment: Option<&&str>| segment.is_some_and(|segment| segment.starts_with('{'));
            let kept = segments
                .iter()
                .enumerate()
                .filter(|(index, _)| !is_parameter(segments.get(index + 1)));
            kept.map(|(_, segment)| *segment).collect()
        }
        None => route.path.split('/').skip(1).collect(),
    };
    let words: Vec<&str> = words.iter().map(|word| word.trim_matches(['{', '}'])).collect();
    format!("{method}_{}", words.join("_"))
}

fn tag(route: &Route) -> &'static str {
    let path = route
        .path
        .strip_prefix("/organizations/{organization}/")
        .unwrap_or(route.path);
    path.trim_start_matches('/').split('/').next().unwrap_or_default()
}
