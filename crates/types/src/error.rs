//! The control API's error envelope: `{"error": {"code", "message", "fields", "request_id"}}`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The reason of a refusal, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// The body, the query or a part of the address cannot be read.
    BadRequest,
    /// No session, no token, or one that has ended.
    Unauthenticated,
    /// The e-mail address and the password do not belong together.
    WrongCredentials,
    /// Too many wrong passwords; the message says when to try again.
    LockedOut,
    /// A changing call by session cookie came without its CSRF token, or from another origin.
    CsrfRejected,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    /// The name is taken, or the state changed meanwhile.
    Conflict,
    PayloadTooLarge,
    /// Some fields are wrong; `fields` says which.
    Invalid,
    RateLimited,
    Internal,
    /// Something this call needs is away for the moment.
    Unavailable,
}

/// What went wrong, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Problem {
    pub code: ProblemCode,
    pub message: String,
    /// `path.to.field` → what is wrong with it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    pub request_id: String,
}

/// The body of every error answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Envelope {
    pub error: Problem,
}
