//! What can go wrong between a caller and the database. Violated constraints become conflicts here, once, for both
//! databases; everything else that a database reports stays a `DatabaseError`.

use gatewright_contract::CompileProblem;
use sea_orm::{DbErr, RuntimeErr, SqlErr, SqlxError};

/// The database failed, or holds what this release cannot read.
#[derive(Debug, thiserror::Error)]
#[error("the database failed")]
pub struct DatabaseError(#[from] DbErr);

impl DatabaseError {
    /// The database could not be reached or left in the middle: trying again later is right.
    pub fn is_away(&self) -> bool {
        match &self.0 {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
            DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
                is_lost(error) || is_shutting_down(error)
            }
            _ => false,
        }
    }
}

fn is_lost(error: &SqlxError) -> bool {
    matches!(
        error,
        SqlxError::Io(_) | SqlxError::PoolTimedOut | SqlxError::PoolClosed | SqlxError::WorkerCrashed
    )
}

/// PostgreSQL's class 57P: an administrator stops or starts it.
fn is_shutting_down(error: &SqlxError) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code.starts_with("57P"))
}

/// Why a page of a list could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    #[error("the cursor is not one that this list gave out")]
    BadCursor,
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The name is taken, or the state forbids it. Reads as a sentence about the field.
    #[error("{field}: {message}")]
    Conflict { field: &'static str, message: String },
    /// A field names something that is not there. Reads as a sentence about the field.
    #[error("{field}: {message}")]
    Invalid { field: &'static str, message: String },
    #[error("there is no such thing in this organization")]
    NotFound,
    #[error("the configuration would not compile")]
    DoesNotCompile(Vec<CompileProblem>),
    #[error(transparent)]
    Database(DatabaseError),
}

impl WriteError {
    pub(crate) fn conflict(field: &'static str, message: impl Into<String>) -> Self {
        Self::Conflict {
            field,
            message: message.into(),
        }
    }

    pub(crate) fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            message: message.into(),
        }
    }
}

impl From<DbErr> for WriteError {
    fn from(error: DbErr) -> Self {
        let taken = match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(message)) => taken_field(&message),
            _ => None,
        };
        match taken {
            Some(field) => Self::conflict(field, "is taken"),
            None => Self::Database(DatabaseError(error)),
        }
    }
}

impl From<DatabaseError> for WriteError {
    fn from(error: DatabaseError) -> Self {
        Self::from(error.0)
    }
}

impl From<ListError> for WriteError {
    fn from(error: ListError) -> Self {
        match error {
            ListError::BadCursor => Self::invalid("cursor", "is not one that this list gave out"),
            ListError::Database(error) => error.into(),
        }
    }
}

impl From<DbErr> for ListError {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}

/// The field a violated unique index stands for. PostgreSQL names the index (`unique__team__name`), SQLite its columns
/// (`team.organization, team.name`), of which the last is the one that matters.
fn taken_field(message: &str) -> Option<&'static str> {
    let name = match message.split_once("unique__") {
        Some((_, index)) => index.split('"').next()?.rsplit("__").next()?,
        None => message.rsplit('.').next()?,
    };
    match name {
        "slug" => Some("slug"),
        "email" => Some("email"),
        "name" => Some("name"),
        "model" => Some("model"),
        "secret" | "digest" => Some("secret"),
        "effective_from" => Some("effective_from"),
        "window" => Some("window"),
        "scope" | "shadow" => Some("scope"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::taken_field;

    #[test]
    fn both_databases_name_the_field_that_is_taken() {
        let check = |message, field| assert_eq!(taken_field(message), field, "{message}");

        check("UNIQUE constraint failed: team.organization, team.name", Some("name"));
        check("UNIQUE constraint failed: key.digest", Some("secret"));
        check(
            r#"duplicate key value violates unique constraint "unique__team__name""#,
            Some("name"),
        );
        check(
            r#"duplicate key value violates unique constraint "unique__price__effective_from""#,
            Some("effective_from"),
        );
        check(r#"duplicate key value violates unique constraint "team_pkey""#, None);
        check("UNIQUE constraint failed: team.id", None);
    }
}
