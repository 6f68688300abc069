//! Published units: what the write path puts down, and what the configuration feed reads. A unit has one row; a newer
//! body or a tombstone takes the place of the older one.

use std::collections::BTreeMap;

use gatewright_contract::{Digest, Revision, Unit, UnitBody, UnitId};
use gatewright_types::OrganizationId;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait as _, IntoActiveModel as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, Select,
};
use uuid::Uuid;

use crate::entity::config_unit::{Column, Entity, Model};
use crate::entity::installation;
use crate::error::DatabaseError;
use crate::scope::Scope;
use crate::stored;
use crate::system::System;

/// What compiles together; keys do not.
const COMPILED_KINDS: [&str; 8] = [
    "organization",
    "team",
    "provider",
    "model",
    "price",
    "overlay",
    "budget",
    "limit",
];
/// The kinds this release knows. Those of a later one stay where they are.
const KINDS: [&str; 11] = [
    "organization",
    "team",
    "provider",
    "model",
    "price",
    "overlay",
    "budget",
    "limit",
    "cache_purges",
    KEY_KIND,
    "catalog",
];
const KEY_KIND: &str = "key";

/// A place in the order of all published units: several units may share a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    revision: Revision,
    unit: Option<(OrganizationId, UnitId)>,
}

impl Place {
    /// After everything published at `revision` or before.
    pub fn after_revision(revision: Revision) -> Self {
        Self { revision, unit: None }
    }

    /// Right after this unit.
    pub fn after_unit(unit: &Unit) -> Self {
        Self {
            revision: unit.revision,
            unit: Some((unit.organization, unit.id)),
        }
    }
}

impl Scope<'_> {
    /// All units of the organization that compile together.
    pub async fn compiled_units(&self) -> Result<BTreeMap<UnitId, UnitBody>, DatabaseError> {
        Ok(compiled_together(&self.connection, self.id).await?)
    }
}

impl System<'_> {
    pub async fn revision(&self) -> Result<Revision, DatabaseError> {
        Ok(Revision(stored::count(self.installation().await?.revision)))
    }

    /// Names this database: a feed that another one filled is worthless.
    pub async fn installation_id(&self) -> Result<Uuid, DatabaseError> {
        Ok(self.installation().await?.id)
    }

    /// Units after a place, tombstones too, in the order of revision, organization and unit.
    /// Go on with `Place::after_unit` of the last one while a full page comes.
    pub async fn units_since(&self, after: Place, limit: u32) -> Result<Vec<Unit>, DatabaseError> {
        let rows = since(after, limit).all(&self.db.read).await?;
        Ok(rows.into_iter().map(unit).collect::<Result<_, _>>()?)
    }

    /// The unit of a key that is active.
    pub async fn key_unit(&self, digest: &Digest) -> Result<Option<Unit>, DatabaseError> {
        let Some(key) = self.key_of_secret(digest).await? else {
            return Ok(None);
        };
        let name = UnitId::Key(*digest).to_string();
        let row = Entity::find_by_id((key.organization.uuid(), KEY_KIND.to_owned(), name))
            .one(&self.db.read)
            .await?;
        Ok(row.map(unit).transpose()?.filter(|unit| unit.body.is_some()))
    }

    async fn installation(&self) -> Result<installation::Model, DatabaseError> {
        let row = installation::Entity::find().one(&self.db.read).await?;
        Ok(row.ok_or_else(|| DbErr::RecordNotFound("the installation has no row".to_owned()))?)
    }
}

pub(crate) fn since(after: Place, limit: u32) -> Select<Entity> {
    let revision = stored::number(after.revision.0);
    let later = match after.unit {
        None => Column::Revision.gt(revision),
        Some((organization, unit)) => {
            let place = [Column::Revision, Column::Organization, Column::Unit].map(Expr::col);
            Expr::tuple(place).gt(Expr::tuple([
                Expr::val(revision),
                Expr::val(organization.uuid()),
                Expr::val(unit.to_string()),
            ]))
        }
    };
    Entity::find()
        .filter(later)
        .filter(Column::Kind.is_in(KINDS))
        .order_by_asc(Column::Revision)
        .order_by_asc(Column::Organization)
        .order_by_asc(Column::Unit)
        .limit(u64::from(limit))
}

pub(crate) async fn put(
    transaction: &DatabaseTransaction,
    organization: OrganizationId,
    unit: UnitId,
    revision: Revision,
    body: Option<String>,
) -> Result<(), DbErr> {
    let row = Model {
        organization: organization.uuid(),
        kind: kind(unit).to_owned(),
        unit: unit.to_string(),
        revision: stored::number(revision.0),
        body,
    };
    let replace = OnConflict::columns([Column::Organization, Column::Kind, Column::Unit])
        .update_columns([Column::Revision, Column::Body])
        .to_owned();
    Entity::insert(row.into_active_model())
        .on_conflict(replace)
        .exec_without_returning(transaction)
        .await?;
    Ok(())
}

/// What is published of one unit.
pub(crate) async fn body(
    transaction: &DatabaseTransaction,
    organization: OrganizationId,
    id: UnitId,
) -> Result<Option<UnitBody>, DbErr> {
    let row = Entity::find_by_id((organization.uuid(), kind(id).to_owned(), id.to_string()))
        .one(transaction)
        .await?;
    Ok(row.map(unit).transpose()?.and_then(|unit| unit.body))
}

pub(crate) async fn tombstone_all(
    transaction: &DatabaseTransaction,
    organization: OrganizationId,
    revision: Revision,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Body, Expr::val(None::<String>))
        .col_expr(Column::Revision, Expr::val(stored::number(revision.0)))
        .filter(Column::Organization.eq(organization.uuid()))
        .filter(Column::Body.is_not_null())
        .exec(transaction)
        .await?;
    Ok(())
}

/// All units of an organization that compile together.
pub(crate) async fn compiled_together(
    connection: &impl ConnectionTrait,
    organization: OrganizationId,
) -> Result<BTreeMap<UnitId, UnitBody>, DbErr> {
    let rows = Entity::find()
        .filter(Column::Organization.eq(organization.uuid()))
        .filter(Column::Kind.is_in(COMPILED_KINDS))
        .filter(Column::Body.is_not_null())
        .all(connection)
        .await?;
    let mut units = BTreeMap::new();
    for row in rows {
        let unit = unit(row)?;
        if let Some(body) = unit.body {
            units.insert(unit.id, body);
        }
    }
    Ok(units)
}

fn unit(row: Model) -> Result<Unit, DbErr> {
    Ok(Unit {
        organization: OrganizationId::from_uuid(row.organization),
        id: stored::parsed("unit", &row.unit)?,
        revision: Revision(stored::count(row.revision)),
        body: row.body.map(|body| stored::json("unit", &body)).transpose()?,
    })
}

const fn kind(unit: UnitId) -> &'static str {
    match unit {
        UnitId::Organization => "organization",
        UnitId::Team(_) => "team",
        UnitId::Provider(_) => "provider",
        UnitId::Model(_) => "model",
        UnitId::Price(_) => "price",
        UnitId::Overlay(_) => "overlay",
        UnitId::CachePurges => "cache_purges",
        UnitId::Budget(_) => "budget",
        UnitId::Limit(_) => "limit",
        UnitId::Catalog(_) => "catalog",
        UnitId::Key(_) => KEY_KIND,
    }
}
