//! Who belongs to an organization, and as what. There is always an owner.

use gatewright_types::api::{LimitScope, Member};
use gatewright_types::{Email, KeyId, OrganizationId, Page, PageQuery, PersonId, Role};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};

use crate::entity::membership::{Column, Entity, Model};
use crate::entity::person;
use crate::error::{DatabaseError, ListError, WriteError};
use crate::keys::KeysOfMember;
use crate::page::Part;
use crate::scope::Scope;
use crate::stored;
use crate::write::WriteTx;

impl Scope<'_> {
    pub async fn members(&self, query: &PageQuery) -> Result<Page<Member>, ListError> {
        let part = Part::asked(query)?;
        let ours = Entity::find().filter(Column::Organization.eq(self.id.uuid()));
        let rows = part.of(ours, Column::Person).all(&self.connection).await?;
        let ids = rows.iter().map(|row| row.person);
        let people = person::Entity::find()
            .filter(person::Column::Id.is_in(ids))
            .all(&self.connection)
            .await?;
        part.page(
            rows,
            |row| row.person,
            |row| {
                let person = people.iter().find(|person| person.id == row.person);
                let person = person.ok_or_else(|| DbErr::RecordNotFound("a member without a person".to_owned()))?;
                read(&row, person)
            },
        )
    }

    pub async fn member(&self, person: PersonId) -> Result<Option<Member>, DatabaseError> {
        Ok(member(&self.connection, self.id, person).await?)
    }

    pub async fn member_by_email(&self, email: &Email) -> Result<Option<Member>, DatabaseError> {
        let theirs = person::Column::Email.eq(email.as_str());
        let Some(person) = person::Entity::find().filter(theirs).one(&self.connection).await? else {
            return Ok(None);
        };
        let row = Entity::find_by_id((self.id.uuid(), person.id))
            .one(&self.connection)
            .await?;
        Ok(row.map(|row| read(&row, &person)).transpose()?)
    }

    /// Nothing for somebody who is no member.
    pub async fn role(&self, person: PersonId) -> Result<Option<Role>, DatabaseError> {
        let row = Entity::find_by_id((self.id.uuid(), person.uuid()))
            .one(&self.connection)
            .await?;
        Ok(row.map(|row| role(&row.role)).transpose()?)
    }
}

impl WriteTx {
    /// A member already is a conflict.
    pub async fn add_member(
        &mut self,
        organization: OrganizationId,
        person: PersonId,
        role: Role,
    ) -> Result<Member, WriteError> {
        if member(&self.transaction, organization, person).await?.is_some() {
            return Err(WriteError::conflict("email", "is a member already"));
        }
        let row = Model {
            organization: organization.uuid(),
            person: person.uuid(),
            role: role.as_str().to_owned(),
            joined_at: self.at,
        };
        stored::insert(&self.transaction, row).await?;
        member(&self.transaction, organization, person)
            .await?
            .ok_or(WriteError::NotFound)
    }

    /// The last owner stays owner: a conflict.
    pub async fn change_role(
        &mut self,
        organization: OrganizationId,
        person: PersonId,
        role: Role,
    ) -> Result<Member, WriteError> {
        let member = member(&self.transaction, organization, person)
            .await?
            .ok_or(WriteError::NotFound)?;
        if role != Role::Owner {
            self.keep_an_owner(organization, &member).await?;
        }
        Entity::update_many()
            .col_expr(Column::Role, Expr::value(role.as_str()))
            .filter(Column::Organization.eq(organization.uuid()))
            .filter(Column::Person.eq(person.uuid()))
            .exec(&self.transaction)
            .await?;
        Ok(Member { role, ..member })
    }

    /// The last owner stays: a conflict. Budgets and limits of the member go, too. Gives the keys of theirs that were revoked or handed over.
    pub async fn remove_member(
        &mut self,
        organization: OrganizationId,
        person: PersonId,
        keys: KeysOfMember,
    ) -> Result<Vec<KeyId>, WriteError> {
        let member = member(&self.transaction, organization, person)
            .await?
            .ok_or(WriteError::NotFound)?;
        self.keep_an_owner(organization, &member).await?;
        let settled = self.settle_keys_of(organization, person, keys).await?;
        Entity::delete_by_id((organization.uuid(), person.uuid()))
            .exec(&self.transaction)
            .await?;
        self.delete_caps_of(organization, &LimitScope::User(person)).await?;
        Ok(settled)
    }

    /// Refuses when the member is the only owner. All writes wait for each other at the revision, so the count holds.
    async fn keep_an_owner(&self, organization: OrganizationId, member: &Member) -> Result<(), WriteError> {
        if member.role != Role::Owner {
            return Ok(());
        }
        let owners = Entity::find()
            .filter(Column::Organization.eq(organization.uuid()))
            .filter(Column::Role.eq(Role::Owner.as_str()))
            .count(&self.transaction)
            .await?;
        if owners > 1 {
            return Ok(());
        }
        Err(WriteError::conflict(
            "role",
            "this is the only owner; make somebody else an owner first",
        ))
    }
}

pub(crate) fn role(text: &str) -> Result<Role, DbErr> {
    stored::one_of("role", text, &Role::ALL, Role::as_str)
}

async fn member(
    connection: &impl ConnectionTrait,
    organization: OrganizationId,
    person: PersonId,
) -> Result<Option<Member>, DbErr> {
    let row = Entity::find_by_id((organization.uuid(), person.uuid()))
        .one(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let person = person::Entity::find_by_id(row.person).one(connection).await?;
    person.map(|person| read(&row, &person)).transpose()
}

fn read(row: &Model, person: &person::Model) -> Result<Member, DbErr> {
    Ok(Member {
        id: PersonId::from_uuid(person.id),
        email: stored::parsed("email", &person.email)?,
        name: stored::parsed("name", &person.name)?,
        role: role(&row.role)?,
        joined_at: row.joined_at,
    })
}
