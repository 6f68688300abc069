//! Control-plane tokens. They configure, and are not published: no node of the data plane knows them.

use chrono::{DateTime, Utc};
use gatewright_contract::Digest;
use gatewright_types::api::{Organization, Token};
use gatewright_types::{DisplayName, OrganizationId, Page, PageQuery, Role, TokenId};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _, Select};

use crate::entity::token::{Column, Entity, Model};
use crate::error::{DatabaseError, ListError, WriteError};
use crate::page::Part;
use crate::scope::Scope;
use crate::system::System;
use crate::write::WriteTx;
use crate::{members, organizations, stored};

#[derive(Debug, Clone)]
pub struct TokenInsert {
    pub id: TokenId,
    pub name: DisplayName,
    pub role: Role,
    pub digest: Digest,
    pub hint: String,
    pub expires_at: Option<DateTime<Utc>>,
}

/// A token and the one organization it opens. May have expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenHolder {
    pub token: Token,
    pub organization: Organization,
}

impl System<'_> {
    pub async fn token_by_digest(&self, digest: &Digest) -> Result<Option<TokenHolder>, DatabaseError> {
        let known = Column::Digest.eq(digest.as_bytes().to_vec());
        let Some(row) = Entity::find().filter(known).one(&self.db.read).await? else {
            return Ok(None);
        };
        let organization = OrganizationId::from_uuid(row.organization);
        let Some(organization) = organizations::by_id(&self.db.read, organization).await? else {
            return Ok(None);
        };
        Ok(Some(TokenHolder {
            token: read(row)?,
            organization,
        }))
    }
}

impl Scope<'_> {
    pub async fn tokens(&self, query: &PageQuery) -> Result<Page<Token>, ListError> {
        let part = Part::asked(query)?;
        let rows = part.of(ours(self.id), Column::Id).all(&self.connection).await?;
        part.page(rows, |row| row.id, read)
    }

    pub async fn token(&self, id: TokenId) -> Result<Option<Token>, DatabaseError> {
        let row = ours(self.id)
            .filter(Column::Id.eq(id.uuid()))
            .one(&self.connection)
            .await?;
        Ok(row.map(read).transpose()?)
    }

    pub async fn token_by_name(&self, name: &DisplayName) -> Result<Option<Token>, DatabaseError> {
        let row = ours(self.id)
            .filter(Column::Name.eq(name.as_str()))
            .one(&self.connection)
            .await?;
        Ok(row.map(read).transpose()?)
    }

    /// To tell whether an imported secret is the one that is there.
    pub async fn token_digest(&self, id: TokenId) -> Result<Option<Digest>, DatabaseError> {
        let row = ours(self.id)
            .filter(Column::Id.eq(id.uuid()))
            .one(&self.connection)
            .await?;
        Ok(row.map(|row| stored::digest(&row.digest)).transpose()?)
    }
}

impl WriteTx {
    pub async fn create_token(
        &mut self,
        organization: OrganizationId,
        token: &TokenInsert,
    ) -> Result<Token, WriteError> {
        let row = Model {
            id: token.id.uuid(),
            organization: organization.uuid(),
            name: token.name.as_str().to_owned(),
            role: token.role.as_str().to_owned(),
            digest: token.digest.as_bytes().to_vec(),
            hint: token.hint.clone(),
            created_at: self.at,
            expires_at: token.expires_at.map(stored::time),
        };
        stored::insert(&self.transaction, row.clone()).await?;
        Ok(read(row)?)
    }

    pub async fn change_token_role(
        &mut self,
        organization: OrganizationId,
        id: TokenId,
        role: Role,
    ) -> Result<Token, WriteError> {
        Entity::update_many()
            .col_expr(Column::Role, Expr::value(role.as_str()))
            .filter(Column::Organization.eq(organization.uuid()))
            .filter(Column::Id.eq(id.uuid()))
            .exec(&self.transaction)
            .await?;
        self.organization(organization)
            .token(id)
            .await?
            .ok_or(WriteError::NotFound)
    }

    pub async fn delete_token(&mut self, organization: OrganizationId, id: TokenId) -> Result<(), WriteError> {
        let deleted = Entity::delete_many()
            .filter(Column::Organization.eq(organization.uuid()))
            .filter(Column::Id.eq(id.uuid()))
            .exec(&self.transaction)
            .await?;
        stored::there(deleted.rows_affected)
    }
}

fn ours(organization: OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::Organization.eq(organization.uuid()))
}

fn read(row: Model) -> Result<Token, DbErr> {
    Ok(Token {
        id: TokenId::from_uuid(row.id),
        name: stored::parsed("name", &row.name)?,
        role: members::role(&row.role)?,
        hint: row.hint,
        created_at: row.created_at,
        expires_at: row.expires_at,
    })
}
