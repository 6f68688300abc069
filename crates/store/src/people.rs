//! People with an account. They belong to the installation, not to an organization; memberships say where they may go.

use chrono::{DateTime, Utc};
use gatewright_types::{DisplayName, Email, PersonId};
use sea_orm::{ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _};

use crate::entity::person::{Column, Entity, Model};
use crate::error::{DatabaseError, WriteError};
use crate::stored;
use crate::system::System;
use crate::write::WriteTx;

/// Somebody who can sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    pub id: PersonId,
    pub email: Email,
    pub name: DisplayName,
    /// PHC string; none for somebody who cannot sign in by password.
    pub password: Option<String>,
    /// Wrong passwords in a row.
    pub failed_count: u32,
    pub locked_until: Option<DateTime<Utc>>,
}

#[derive(Clone)]
pub struct NewPerson {
    pub id: PersonId,
    pub email: Email,
    pub name: DisplayName,
    /// PHC string.
    pub password: Option<String>,
}

impl System<'_> {
    pub async fn person(&self, id: PersonId) -> Result<Option<Person>, DatabaseError> {
        let row = Entity::find_by_id(id.uuid()).one(&self.db.read).await?;
        Ok(row.map(read).transpose()?)
    }

    pub async fn person_by_email(&self, email: &Email) -> Result<Option<Person>, DatabaseError> {
        Ok(by_email(&self.db.read, email).await?)
    }
}

impl WriteTx {
    /// An e-mail address that has an account is a conflict.
    pub async fn create_person(&mut self, person: &NewPerson) -> Result<Person, WriteError> {
        let row = Model {
            id: person.id.uuid(),
            email: person.email.as_str().to_owned(),
            name: person.name.as_str().to_owned(),
            password: person.password.clone(),
            failed_count: 0,
            locked_until: None,
            created_at: self.at,
        };
        stored::insert(&self.transaction, row.clone()).await?;
        Ok(read(row)?)
    }

    pub async fn person_by_email(&self, email: &Email) -> Result<Option<Person>, DatabaseError> {
        Ok(by_email(&self.transaction, email).await?)
    }
}

async fn by_email(connection: &impl ConnectionTrait, email: &Email) -> Result<Option<Person>, DbErr> {
    Entity::find()
        .filter(Column::Email.eq(email.as_str()))
        .one(connection)
        .await?
        .map(read)
        .transpose()
}

fn read(row: Model) -> Result<Person, DbErr> {
    Ok(Person {
        id: PersonId::from_uuid(row.id),
        email: stored::parsed("email", &row.email)?,
        name: stored::parsed("name", &row.name)?,
        password: row.password,
        failed_count: stored::count_u32(row.failed_count),
        locked_until: row.locked_until,
    })
}

/// A password's hash and an address are nothing for a log.
impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person {}", self.id)
    }
}

impl std::fmt::Debug for NewPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewPerson {}", self.id)
    }
}
