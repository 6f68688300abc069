//! Between rows and types: times, numbers, digests and JSON texts. A stored value this release cannot read is an error,
//! never a default.

use std::fmt::Display;
use std::str::FromStr;

use chrono::{DateTime, SubsecRound as _, Utc};
use gatewright_contract::Digest;
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, IntoActiveModel, ModelTrait, Statement, Value,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::WriteError;

/// The time as both databases keep it.
pub(crate) fn now() -> DateTime<Utc> {
    time(Utc::now())
}

/// PostgreSQL keeps microseconds; what is returned after a write must equal what is read later.
pub(crate) fn time(time: DateTime<Utc>) -> DateTime<Utc> {
    time.trunc_subsecs(6)
}

pub(crate) fn parsed<T>(what: &str, text: &str) -> Result<T, DbErr>
where
    T: FromStr<Err: Display>,
{
    text.parse().map_err(|error| unreadable(what, &error))
}

/// A text that may be absent.
pub(crate) fn parsed_or_none<T>(what: &str, text: Option<&str>) -> Result<Option<T>, DbErr>
where
    T: FromStr<Err: Display>,
{
    text.map(|text| parsed(what, text)).transpose()
}

/// One of a closed set by its text.
pub(crate) fn one_of<T: Copy>(what: &str, text: &str, all: &[T], name: fn(T) -> &'static str) -> Result<T, DbErr> {
    let found = all.iter().copied().find(|value| name(*value) == text);
    found.ok_or_else(|| unreadable(what, &format_args!("{text:?} is unknown to this release")))
}

pub(crate) fn json<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, DbErr> {
    serde_json::from_str(text).map_err(|error| unreadable(what, &error))
}

pub(crate) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("our own shapes have text keys and no failing parts")
}

pub(crate) fn digest(bytes: &[u8]) -> Result<Digest, DbErr> {
    let bytes = bytes.try_into().map_err(|error| unreadable("digest", &error))?;
    Ok(Digest::from_bytes(bytes))
}

/// Counts are stored signed; none is ever negative.
pub(crate) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(crate) fn count_u32(number: i64) -> u32 {
    u32::try_from(number.max(0)).unwrap_or(u32::MAX)
}

pub(crate) fn percent(number: i16) -> Result<u8, DbErr> {
    u8::try_from(number).map_err(|error| unreadable("percent", &error))
}

/// A count beyond the column's range stops at its end.
pub(crate) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Inserts a whole row.
pub(crate) async fn insert<M, A>(connection: &impl ConnectionTrait, row: M) -> Result<(), DbErr>
where
    M: ModelTrait + IntoActiveModel<A>,
    A: ActiveModelTrait<Entity = M::Entity>,
    M::Entity: EntityTrait<Model = M>,
{
    let insert = <M::Entity as EntityTrait>::insert(row.into_active_model());
    insert.exec_without_returning(connection).await.map(|_| ())
}

/// What was to be changed or taken away has to be there.
pub(crate) fn there(rows_affected: u64) -> Result<(), WriteError> {
    match rows_affected {
        0 => Err(WriteError::NotFound),
        _ => Ok(()),
    }
}

/// A statement written with `?1`, which PostgreSQL calls `$1`.
pub(crate) fn statement(backend: DbBackend, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    let sql = match backend {
        DbBackend::Postgres => sql.replace('?', "$"),
        _ => sql.to_owned(),
    };
    Statement::from_sql_and_values(backend, sql, values)
}

fn unreadable(what: &str, why: &dyn Display) -> DbErr {
    DbErr::Type(format!("the stored {what} cannot be read: {why}"))
}
