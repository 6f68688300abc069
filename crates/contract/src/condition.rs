//! What conditions of routes are written over.

use gatewright_cel::{Declarations, Expression, Problem, Type};

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

/// Of the budgets that the request's cost counts in, the one of which the least is left, as far as the node knows. In
/// dollars. Without a budget there is nothing but `remaining_percent`, which is 100.
const BUDGET: Type = Type::Object(&[
    ("remaining_percent", Type::Double),
    ("remaining", Type::Double),
    ("spent", Type::Double),
    ("amount", Type::Double),
]);

/// What a request used, or is expected to use. What was read from a prompt cache or written to one is not in `input`; of
/// `output`, `reasoning` is a part.
const TOKENS: Type = Type::Object(&[
    ("input", Type::Double),
    ("cache_read", Type::Double),
    ("cache_write", Type::Double),
    ("output", Type::Double),
    ("reasoning", Type::Double),
]);

/// What a request counts against limits of tokens.
pub fn unit_expression(written: &str) -> Result<Expression, Problem> {
    let declared = Declarations::new()
        .variable("request", REQUEST)
        .variable("key", KEY)
        .variable("team", TEAM)
        .variable("organization", ORGANIZATION)
        .variable("tokens", TOKENS);
    Expression::compile_number(written, &declared)
}

pub(crate) fn declarations() -> Declarations {
    Declarations::new()
        .variable("request", REQUEST)
        .variable("key", KEY)
        .variable("team", TEAM)
        .variable("organization", ORGANIZATION)
        .variable("now", Type::Timestamp)
        .variable("health", HEALTH)
        .variable("budget", BUDGET)
}
