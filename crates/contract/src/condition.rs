//! What conditions of routes are written over.

use gatewright_cel::{Declarations, Type};

const TEXTS: Type = Type::Map(&Type::String);

/// Members that a request does not have are missing: `has()` tells.
const REQUEST: Type = Type::Object(&[
    ("model", Type::String),
    ("stream", Type::Bool),
    // As in the API: `openai_chat`.
    ("dialect", Type::String),
    // By their names in lower case; what proves who calls is not among them.
    ("headers", TEXTS),
    ("user", Type::String),
    ("session", Type::String),
    ("task", Type::String),
    ("metadata", TEXTS),
    ("max_tokens", Type::Int),
    // About how many.
    ("input_tokens", Type::Int),
    ("has_tools", Type::Bool),
    ("has_schema", Type::Bool),
    ("has_images", Type::Bool),
    ("has_documents", Type::Bool),
    ("has_audio", Type::Bool),
    ("wants_reasoning", Type::Bool),
]);

const KEY: Type = Type::Object(&[("id", Type::String), ("name", Type::String), ("team", Type::String)]);
const TEAM: Type = Type::Object(&[("id", Type::String), ("name", Type::String)]);
const ORGANIZATION: Type = Type::Object(&[("id", Type::String), ("slug", Type::String)]);
/// By `provider/model`, of deployments that were called from this node.
const HEALTH: Type = Type::Map(&Type::Object(&[
    ("healthy", Type::Bool),
    ("latency_ms", Type::Int),
    ("in_flight", Type::Int),
]));

/// What a request used, or is expected to use.
const TOKENS: Type = Type::Object(&[
    ("input", Type::Double),
    ("cache_read", Type::Double),
    ("cache_write", Type::Double),
    ("output", Type::Double),
    ("reasoning", Type::Double),
]);

/// What a request's units are written over.
pub(crate) fn unit_declarations() -> Declarations {
    Declarations::new()
        .variable("request", REQUEST)
        .variable("key", KEY)
        .variable("team", TEAM)
        .variable("organization", ORGANIZATION)
        .variable("tokens", TOKENS)
}

pub(crate) fn declarations() -> Declarations {
    Declarations::new()
        .variable("request", REQUEST)
        .variable("key", KEY)
        .variable("team", TEAM)
        .variable("organization", ORGANIZATION)
        .variable("now", Type::Timestamp)
        .variable("health", HEALTH)
}
