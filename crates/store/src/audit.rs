//! The audit log. The write path adds its own rows; here are those of attempts that were refused and of what needs no
//! write, and the reading.

use chrono::{DateTime, Utc};
use gatewright_types::api::{AuditEntry, AuditOutcome, AuditQuery};
use gatewright_types::{AuditId, OrganizationId, Page, PageQuery};
use sea_orm::{ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _, Select};

use crate::entity::audit::{Column, Entity, Model};
use crate::error::{DatabaseError, ListError};
use crate::page::Part;
use crate::scope::Scope;
use crate::stored;
use crate::system::System;
use crate::write::{Actor, ActorKind, Change};

impl Scope<'_> {
    pub async fn audit(&self, query: &AuditQuery) -> Result<Page<AuditEntry>, ListError> {
        let part = Part::asked(&PageQuery {
            limit: query.limit,
            cursor: query.cursor.clone(),
        })?;
        let rows = listed(self.id, query, part).all(&self.connection).await?;
        part.page(rows, |row| row.id, read)
    }
}

impl System<'_> {
    /// Records an attempt that was refused: there is no write to record it with.
    pub async fn audit_refused(&self, actor: &Actor, change: &Change) -> Result<(), DatabaseError> {
        Ok(stored::insert(&self.db.write, row(actor, change, AuditOutcome::Refused, stored::now())).await?)
    }

    /// Records what changes no configuration: signing in and out.
    pub async fn audit_done(&self, actor: &Actor, change: &Change) -> Result<(), DatabaseError> {
        Ok(stored::insert(&self.db.write, row(actor, change, AuditOutcome::Done, stored::now())).await?)
    }
}

pub(crate) fn listed(organization: OrganizationId, query: &AuditQuery, part: Part) -> Select<Entity> {
    let mut ours = Entity::find().filter(Column::Organization.eq(organization.uuid()));
    if let Some(action) = &query.action {
        ours = ours.filter(Column::Action.eq(action.as_str()));
    }
    part.of(ours, Column::Id)
}

pub(crate) fn row(actor: &Actor, change: &Change, outcome: AuditOutcome, at: DateTime<Utc>) -> Model {
    let (actor_kind, actor_id) = match actor.kind {
        ActorKind::Person(id) => ("person", Some(id.uuid())),
        ActorKind::Token(id) => ("token", Some(id.uuid())),
        ActorKind::System => ("system", None),
    };
    Model {
        id: AuditId::mint().uuid(),
        organization: change.organization.map(OrganizationId::uuid),
        at,
        actor_kind: actor_kind.to_owned(),
        actor_id,
        actor: actor.label.clone(),
        action: change.action.to_owned(),
        target: change.target.clone(),
        outcome: name(outcome).to_owned(),
        detail: change.detail.to_string(),
        address: actor.address.clone(),
        request_id: actor.request_id.clone(),
    }
}

const fn name(outcome: AuditOutcome) -> &'static str {
    match outcome {
        AuditOutcome::Done => "done",
        AuditOutcome::Refused => "refused",
    }
}

fn read(row: Model) -> Result<AuditEntry, DbErr> {
    Ok(AuditEntry {
        id: AuditId::from_uuid(row.id),
        at: row.at,
        actor: row.actor,
        action: row.action,
        target: row.target,
        outcome: stored::one_of(
            "outcome",
            &row.outcome,
            &[AuditOutcome::Done, AuditOutcome::Refused],
            name,
        )?,
        detail: stored::json("detail", &row.detail)?,
        address: row.address,
        request_id: row.request_id,
    })
}
