//! Invitations that were not accepted yet, known by the digest of their link's secret. One address has one invitation
//! to an organization at a time.

use chrono::{DateTime, Utc};
use gatewright_contract::Digest;
use gatewright_types::api::{Invitation, Organization};
use gatewright_types::{Email, InvitationId, OrganizationId, Page, PageQuery, Role};
use sea_orm::{ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _};

use crate::entity::invitation::{Column, Entity, Model};
use crate::error::{DatabaseError, ListError, WriteError};
use crate::page::Part;
use crate::scope::Scope;
use crate::system::System;
use crate::write::WriteTx;
use crate::{members, organizations, stored};

#[derive(Debug, Clone)]
pub struct NewInvitationRow {
    pub id: InvitationId,
    pub email: Email,
    pub role: Role,
    pub digest: Digest,
    pub invited_by: String,
    pub expires_at: DateTime<Utc>,
}

/// An invitation that was not accepted yet, and where it leads. May have expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingInvitation {
    pub invitation: Invitation,
    pub organization: Organization,
}

impl System<'_> {
    pub async fn invitation_by_digest(&self, digest: &Digest) -> Result<Option<PendingInvitation>, DatabaseError> {
        Ok(pending(&self.db.read, digest).await?)
    }
}

impl Scope<'_> {
    pub async fn invitations(&self, query: &PageQuery) -> Result<Page<Invitation>, ListError> {
        let part = Part::asked(query)?;
        let ours = Entity::find().filter(Column::Organization.eq(self.id.uuid()));
        let rows = part.of(ours, Column::Id).all(&self.connection).await?;
        part.page(rows, |row| row.id, read)
    }

    pub async fn invitation(&self, id: InvitationId) -> Result<Option<Invitation>, DatabaseError> {
        let ours = Entity::find_by_id(id.uuid()).filter(Column::Organization.eq(self.id.uuid()));
        Ok(ours.one(&self.connection).await?.map(read).transpose()?)
    }
}

impl WriteTx {
    /// Replaces an earlier invitation of the same address; a member's address is a conflict.
    pub async fn create_invitation(
        &mut self,
        organization: OrganizationId,
        invitation: &NewInvitationRow,
    ) -> Result<Invitation, WriteError> {
        if self
            .organization(organization)
            .member_by_email(&invitation.email)
            .await?
            .is_some()
        {
            return Err(WriteError::conflict("email", "is a member already"));
        }
        Entity::delete_many()
            .filter(Column::Organization.eq(organization.uuid()))
            .filter(Column::Email.eq(invitation.email.as_str()))
            .exec(&self.transaction)
            .await?;
        let row = Model {
            id: invitation.id.uuid(),
            organization: organization.uuid(),
            email: invitation.email.as_str().to_owned(),
            role: invitation.role.as_str().to_owned(),
            digest: invitation.digest.as_bytes().to_vec(),
            invited_by: invitation.invited_by.clone(),
            created_at: self.at,
            expires_at: stored::time(invitation.expires_at),
        };
        stored::insert(&self.transaction, row.clone()).await?;
        Ok(read(row)?)
    }

    pub async fn delete_invitation(
        &mut self,
        organization: OrganizationId,
        id: InvitationId,
    ) -> Result<(), WriteError> {
        let deleted = Entity::delete_many()
            .filter(Column::Organization.eq(organization.uuid()))
            .filter(Column::Id.eq(id.uuid()))
            .exec(&self.transaction)
            .await?;
        stored::there(deleted.rows_affected)
    }

    /// Takes the invitation out, so that it works once. Expiry is the caller's to check.
    pub async fn take_invitation(&mut self, digest: &Digest) -> Result<PendingInvitation, WriteError> {
        let pending = pending(&self.transaction, digest).await?.ok_or(WriteError::NotFound)?;
        Entity::delete_by_id(pending.invitation.id.uuid())
            .exec(&self.transaction)
            .await?;
        Ok(pending)
    }
}

async fn pending(connection: &impl ConnectionTrait, digest: &Digest) -> Result<Option<PendingInvitation>, DbErr> {
    let known = Column::Digest.eq(digest.as_bytes().to_vec());
    let Some(row) = Entity::find().filter(known).one(connection).await? else {
        return Ok(None);
    };
    let organization = OrganizationId::from_uuid(row.organization);
    let Some(organization) = organizations::by_id(connection, organization).await? else {
        return Ok(None);
    };
    Ok(Some(PendingInvitation {
        invitation: read(row)?,
        organization,
    }))
}

fn read(row: Model) -> Result<Invitation, DbErr> {
    Ok(Invitation {
        id: InvitationId::from_uuid(row.id),
        email: stored::parsed("email", &row.email)?,
        role: members::role(&row.role)?,
        invited_by: row.invited_by,
        created_at: row.created_at,
        expires_at: row.expires_at,
    })
}
