//! Editions of the catalogue: brought in, approved or rejected, published to all nodes. They belong to the installation.
//!
//! An approval is for exactly what was shown: it is refused when another edition was approved since. Requests under way
//! are priced by what was in force when they began, so a few editions before the newest one stay published.

use chrono::{DateTime, Utc};
use gatewright_contract::{CatalogUnit, UnitBody, UnitId};
use gatewright_types::api::{CatalogDiff, CatalogRefresh, CatalogRefreshDetail, RefreshState};
use gatewright_types::{CatalogRefreshId, OrganizationId, Page, PageQuery};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use uuid::Uuid;

use crate::entity::catalog_refresh::{Column, Entity, Model};
use crate::error::{DatabaseError, ListError, WriteError};
use crate::page::Part;
use crate::stored;
use crate::system::System;
use crate::write::WriteTx;

/// How many editions in force before or at this moment stay published.
const KEPT: usize = 3;

/// A catalogue that waits for its approval.
#[derive(Debug)]
pub struct CatalogRefreshInsert {
    pub id: CatalogRefreshId,
    pub version: String,
    pub origin: String,
    /// In force from then on, or from its approval on, whichever is later.
    pub effective_from: DateTime<Utc>,
    pub document: String,
    /// Against the catalogue as it was after this approval.
    pub diff: CatalogDiff,
    pub based_on: Option<CatalogRefreshId>,
    pub created_by: String,
}

/// An edition that was brought in before, with what a decision on it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRefresh {
    pub id: CatalogRefreshId,
    pub state: RefreshState,
    pub version: String,
    pub effective_from: DateTime<Utc>,
    pub based_on: Option<CatalogRefreshId>,
}

/// An edition as the nodes have it.
#[derive(Debug)]
pub struct PublishedCatalog {
    pub id: CatalogRefreshId,
    pub version: String,
    pub effective_from: DateTime<Utc>,
    pub document: String,
}

impl System<'_> {
    /// Which editions are published, in the order in which they come into force.
    pub async fn published_catalogs(&self) -> Result<Vec<CatalogRefreshId>, DatabaseError> {
        let ids: Vec<Uuid> = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::Published.eq(true))
            .order_by_asc(Column::EffectiveFrom)
            .into_tuple()
            .all(&self.db.read)
            .await?;
        Ok(ids.into_iter().map(CatalogRefreshId::from_uuid).collect())
    }

    pub async fn published_catalog(&self, id: CatalogRefreshId) -> Result<Option<PublishedCatalog>, DatabaseError> {
        let row = Entity::find_by_id(id.uuid()).one(&self.db.read).await?;
        Ok(row.filter(|row| row.published).and_then(|row| {
            Some(PublishedCatalog {
                id,
                version: row.version,
                effective_from: row.effective_from,
                document: row.document?,
            })
        }))
    }

    /// The edition approved last.
    pub async fn approved_catalog(&self) -> Result<Option<CatalogRefreshId>, DatabaseError> {
        Ok(approved_last(&self.db.read).await?.map(CatalogRefreshId::from_uuid))
    }

    /// What became of a version the last time it was brought in.
    pub async fn known_catalog(&self, version: &str) -> Result<Option<KnownRefresh>, DatabaseError> {
        Ok(known(&self.db.read, version).await?)
    }

    pub async fn catalog_refreshes(&self, query: &PageQuery) -> Result<Page<CatalogRefresh>, ListError> {
        let part = Part::asked(query)?;
        let rows = part.of(Entity::find(), Column::Id).all(&self.db.read).await?;
        part.page(rows, |row| row.id, |row| detail(&row).map(|detail| detail.refresh))
    }

    pub async fn catalog_refresh(&self, id: CatalogRefreshId) -> Result<Option<CatalogRefreshDetail>, DatabaseError> {
        let row = Entity::find_by_id(id.uuid()).one(&self.db.read).await?;
        Ok(row.as_ref().map(detail).transpose()?)
    }
}

impl WriteTx {
    pub async fn create_catalog_refresh(
        &mut self,
        refresh: CatalogRefreshInsert,
    ) -> Result<CatalogRefreshDetail, WriteError> {
        let row = Model {
            id: refresh.id.uuid(),
            state: RefreshState::Pending.as_str().to_owned(),
            version: refresh.version,
            origin: refresh.origin,
            effective_from: stored::time(refresh.effective_from),
            based_on: refresh.based_on.map(CatalogRefreshId::uuid),
            document: Some(refresh.document),
            diff: stored::to_json(&refresh.diff),
            published: false,
            created_at: self.at,
            created_by: refresh.created_by,
            decided_at: None,
            decided_by: None,
        };
        stored::insert(&self.transaction, row.clone()).await?;
        Ok(detail(&row)?)
    }

    /// What became of a version the last time it was brought in, within this transaction.
    pub async fn known_catalog(&self, version: &str) -> Result<Option<KnownRefresh>, WriteError> {
        Ok(known(&self.transaction, version).await?)
    }

    /// Editions that somebody brought in and nobody decided on.
    pub async fn waiting_catalogs_by(&self, creator: &str) -> Result<Vec<KnownRefresh>, WriteError> {
        let rows = Entity::find()
            .filter(Column::State.eq(RefreshState::Pending.as_str()))
            .filter(Column::CreatedBy.eq(creator))
            .all(&self.transaction)
            .await?;
        Ok(rows.into_iter().map(outline).collect::<Result<_, _>>()?)
    }

    /// Puts the edition in force and publishes it.
    pub async fn approve_catalog_refresh(
        &mut self,
        id: CatalogRefreshId,
        by: &str,
    ) -> Result<CatalogRefreshDetail, WriteError> {
        let row = self.pending(id).await?;
        if approved_last(&self.transaction).await? != row.based_on {
            return Err(WriteError::conflict(
                "state",
                "another catalogue was approved since, so this is not what was shown: bring it in again",
            ));
        }
        let document = row
            .document
            .clone()
            .ok_or_else(|| DbErr::RecordNotFound("the document of a pending catalogue".to_owned()))?;
        let row = Model {
            state: RefreshState::Approved.as_str().to_owned(),
            effective_from: row.effective_from.max(self.at),
            published: true,
            ..row
        };
        let unit = CatalogUnit {
            version: row.version.clone(),
            effective_from: row.effective_from,
            document,
        };
        let decided = self.decide(row, by).await?;
        let place = (OrganizationId::INSTALLATION, UnitId::Catalog(id));
        self.publish(place.0, place.1, UnitBody::Catalog(unit)).await?;
        self.withdraw_old_catalogs().await?;
        Ok(decided)
    }

    pub async fn reject_catalog_refresh(
        &mut self,
        id: CatalogRefreshId,
        by: &str,
    ) -> Result<CatalogRefreshDetail, WriteError> {
        let row = Model {
            state: RefreshState::Rejected.as_str().to_owned(),
            document: None,
            ..self.pending(id).await?
        };
        self.decide(row, by).await
    }

    async fn pending(&self, id: CatalogRefreshId) -> Result<Model, WriteError> {
        let row = Entity::find_by_id(id.uuid()).one(&self.transaction).await?;
        let row = row.ok_or(WriteError::NotFound)?;
        if row.state != RefreshState::Pending.as_str() {
            return Err(WriteError::conflict("state", format!("is {} already", row.state)));
        }
        Ok(row)
    }

    async fn decide(&mut self, row: Model, by: &str) -> Result<CatalogRefreshDetail, WriteError> {
        let row = Model {
            decided_at: Some(self.at),
            decided_by: Some(by.to_owned()),
            ..row
        };
        Entity::update_many()
            .col_expr(Column::State, Expr::value(row.state.as_str()))
            .col_expr(Column::EffectiveFrom, Expr::value(row.effective_from))
            .col_expr(Column::Document, Expr::value(row.document.clone()))
            .col_expr(Column::Published, Expr::value(row.published))
            .col_expr(Column::DecidedAt, Expr::value(row.decided_at))
            .col_expr(Column::DecidedBy, Expr::value(row.decided_by.clone()))
            .filter(Column::Id.eq(row.id))
            .exec(&self.transaction)
            .await?;
        Ok(detail(&row)?)
    }

    /// Takes back editions that no request can be priced by any more.
    async fn withdraw_old_catalogs(&mut self) -> Result<(), WriteError> {
        let old: Vec<Uuid> = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::Published.eq(true))
            .filter(Column::EffectiveFrom.lte(self.at))
            .order_by_desc(Column::EffectiveFrom)
            .into_tuple()
            .all(&self.transaction)
            .await?;
        for id in old.into_iter().skip(KEPT) {
            Entity::update_many()
                .col_expr(Column::Published, Expr::value(false))
                .col_expr(Column::Document, Expr::value(None::<String>))
                .filter(Column::Id.eq(id))
                .exec(&self.transaction)
                .await?;
            let unit = UnitId::Catalog(CatalogRefreshId::from_uuid(id));
            self.tombstone(OrganizationId::INSTALLATION, unit).await?;
        }
        Ok(())
    }
}

async fn approved_last(connection: &impl ConnectionTrait) -> Result<Option<Uuid>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::State.eq(RefreshState::Approved.as_str()))
        .order_by_desc(Column::DecidedAt)
        .order_by_desc(Column::Id)
        .into_tuple()
        .one(connection)
        .await
}

async fn known(connection: &impl ConnectionTrait, version: &str) -> Result<Option<KnownRefresh>, DbErr> {
    let row = Entity::find()
        .filter(Column::Version.eq(version))
        .order_by_desc(Column::Id)
        .one(connection)
        .await?;
    row.map(outline).transpose()
}

fn outline(row: Model) -> Result<KnownRefresh, DbErr> {
    Ok(KnownRefresh {
        id: CatalogRefreshId::from_uuid(row.id),
        state: stored::one_of("state", &row.state, RefreshState::ALL, RefreshState::as_str)?,
        version: row.version,
        effective_from: row.effective_from,
        based_on: row.based_on.map(CatalogRefreshId::from_uuid),
    })
}

fn detail(row: &Model) -> Result<CatalogRefreshDetail, DbErr> {
    let diff: CatalogDiff = stored::json("diff", &row.diff)?;
    Ok(CatalogRefreshDetail {
        refresh: CatalogRefresh {
            id: CatalogRefreshId::from_uuid(row.id),
            state: stored::one_of("state", &row.state, RefreshState::ALL, RefreshState::as_str)?,
            version: row.version.clone(),
            origin: row.origin.clone(),
            effective_from: row.effective_from,
            counts: diff.counts(),
            created_at: row.created_at,
            created_by: row.created_by.clone(),
            decided_at: row.decided_at,
            decided_by: row.decided_by.clone(),
        },
        diff,
    })
}
