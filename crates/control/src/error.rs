//! Why a call was refused or failed, and the one place that turns that into an answer. Answers to failures of ours
//! say nothing internal: they carry the request id, under which the cause is logged once.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use gatewright_contract::{CompileProblem, CredentialError};
use gatewright_coord::CoordError;
use gatewright_store::{DatabaseError, ListError, WriteError};
use gatewright_types::{Envelope, Problem, ProblemCode, RequestId};

use crate::auth::PasswordError;
use crate::check::FieldProblem;
use crate::ledger::reconciler::ReconcileError;

/// `path.to.field` → what is wrong with it.
pub(crate) type Fields = BTreeMap<String, String>;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("{0}")]
    BadRequest(String),
    #[error("sign in, or send a control-plane token")]
    Unauthenticated,
    #[error("the e-mail address and the password do not belong together")]
    WrongCredentials,
    #[error("too many wrong passwords; try again in {}", whole_seconds(*.0))]
    LockedOut(Duration),
    #[error("the call came from another page, or without the session's CSRF token in the header x-gw-csrf")]
    CsrfRejected,
    #[error("{0}")]
    Forbidden(&'static str),
    #[error("there is no such thing")]
    NotFound,
    #[error("this address does not take this method")]
    MethodNotAllowed,
    #[error("{message}")]
    Conflict { message: String, fields: Fields },
    #[error("the body is larger than {} MiB", .0 >> 20)]
    PayloadTooLarge(usize),
    #[error("some fields are wrong")]
    Invalid(Fields),
    #[error("too many sign-ins at once; try again in a moment")]
    Busy,
    #[error("too many calls of strangers at once; try again in {}", whole_seconds(*.0))]
    TooMany(Duration),
    #[error("the database failed")]
    Database(#[from] DatabaseError),
    #[error("a password could not be handled")]
    Password(#[source] PasswordError),
    #[error("what nodes share cannot be reached")]
    Shared(#[from] CoordError),
    #[error("a provider's secret could not be opened")]
    Secret(#[from] CredentialError),
}

impl ApiError {
    pub(crate) fn invalid(problems: Vec<FieldProblem>) -> Self {
        let mut fields = Fields::new();
        for FieldProblem { path, message } in problems {
            add(
                &mut fields,
                if path.is_empty() { "body".to_owned() } else { path },
                &message,
            );
        }
        Self::Invalid(fields)
    }

    pub(crate) fn from_problems(problems: &[CompileProblem]) -> Self {
        let mut fields = Fields::new();
        for CompileProblem { field, message, .. } in problems {
            add(&mut fields, field.clone(), message);
        }
        Self::Invalid(fields)
    }

    pub(crate) fn field(path: &str, message: &impl ToString) -> Self {
        Self::Invalid(Fields::from([(path.to_owned(), message.to_string())]))
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::Conflict {
            message: message.into(),
            fields: Fields::new(),
        }
    }

    fn code(&self) -> ProblemCode {
        match self {
            Self::BadRequest(_) => ProblemCode::BadRequest,
            Self::Unauthenticated => ProblemCode::Unauthenticated,
            Self::WrongCredentials => ProblemCode::WrongCredentials,
            Self::LockedOut(_) => ProblemCode::LockedOut,
            Self::CsrfRejected => ProblemCode::CsrfRejected,
            Self::Forbidden(_) => ProblemCode::Forbidden,
            Self::NotFound => ProblemCode::NotFound,
            Self::MethodNotAllowed => ProblemCode::MethodNotAllowed,
            Self::Conflict { .. } => ProblemCode::Conflict,
            Self::PayloadTooLarge(_) => ProblemCode::PayloadTooLarge,
            Self::Invalid(_) => ProblemCode::Invalid,
            Self::Busy | Self::TooMany(_) => ProblemCode::RateLimited,
            Self::Database(error) if error.is_away() => ProblemCode::Unavailable,
            Self::Shared(_) => ProblemCode::Unavailable,
            Self::Database(_) | Self::Password(_) | Self::Secret(_) => ProblemCode::Internal,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthenticated | Self::WrongCredentials => StatusCode::UNAUTHORIZED,
            Self::LockedOut(_) | Self::Busy | Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::CsrfRejected | Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict { .. } => StatusCode::CONFLICT,
            Self::PayloadTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Database(error) if error.is_away() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Shared(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Database(_) | Self::Password(_) | Self::Secret(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer. Logs what is ours to mend.
    pub(crate) fn respond(self, request: RequestId) -> HttpResponse {
        let (status, code) = (self.status(), self.code());
        if status.is_server_error() {
            tracing::error!(request.id = %request, error = %chain(&self), "a control API call failed: {}", chain(&self));
        } else {
            tracing::debug!(request.id = %request, status = status.as_u16(), "a control API call was refused");
        }
        let mut response = HttpResponse::build(status);
        if let Self::LockedOut(left) | Self::TooMany(left) = &self {
            response.insert_header((RETRY_AFTER, left.as_secs().max(1).to_string()));
        }
        let message = if let Self::Shared(_) = &self {
            "redis is away for the moment; try again shortly".to_owned()
        } else if status == StatusCode::SERVICE_UNAVAILABLE {
            "the database is away for the moment; try again shortly".to_owned()
        } else if status.is_server_error() {
            "something went wrong on our side; the log has the cause under this request id".to_owned()
        } else {
            self.to_string()
        };
        let fields = match self {
            Self::Invalid(fields) | Self::Conflict { fields, .. } => fields,
            _ => Fields::new(),
        };
        response.json(Envelope {
            error: Problem {
                code,
                message,
                fields,
                request_id: request.to_string(),
            },
        })
    }
}

impl From<ReconcileError> for ApiError {
    fn from(error: ReconcileError) -> Self {
        match error {
            ReconcileError::Ledger(error) => error.into(),
            ReconcileError::Counters(error) => error.into(),
        }
    }
}

impl From<WriteError> for ApiError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Conflict { field, message } => {
                let fields = Fields::from([(field.to_owned(), message.clone())]);
                Self::Conflict {
                    message: format!("{field}: {message}"),
                    fields,
                }
            }
            WriteError::Invalid { field, message } => Self::field(field, &message),
            WriteError::NotFound => Self::NotFound,
            WriteError::DoesNotCompile(problems) => Self::from_problems(&problems),
            WriteError::Database(error) => Self::Database(error),
        }
    }
}

impl From<ListError> for ApiError {
    fn from(error: ListError) -> Self {
        match error {
            ListError::BadCursor => Self::field("cursor", &ListError::BadCursor),
            ListError::Database(error) => Self::Database(error),
        }
    }
}

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::Busy,
            other => Self::Password(other),
        }
    }
}

fn add(fields: &mut Fields, path: String, message: &str) {
    let said = fields.entry(path).or_default();
    if !said.is_empty() {
        said.push_str("; ");
    }
    said.push_str(message);
}

fn whole_seconds(time: Duration) -> String {
    match time.as_millis().div_ceil(1_000) {
        1 => "1 second".to_owned(),
        seconds if seconds < 120 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}

/// The error and all its causes in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(text, ": {error}").expect("writing to a text cannot fail");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_says_when_to_try_again() {
        for (millis, words) in [
            (200, "1 second"),
            (1_000, "1 second"),
            (1_001, "2 seconds"),
            (900_000, "15 minutes"),
        ] {
            assert_eq!(whole_seconds(Duration::from_millis(millis)), words);
        }
    }

    #[test]
    fn several_problems_of_one_field_are_all_told() {
        let problem = |message: &str| FieldProblem {
            path: "name".to_owned(),
            message: message.to_owned(),
        };

        let ApiError::Invalid(fields) = ApiError::invalid(vec![problem("is long"), problem("is odd")]) else {
            panic!("field problems are invalid input");
        };

        assert_eq!(fields.get("name").map(String::as_str), Some("is long; is odd"));
    }
}
