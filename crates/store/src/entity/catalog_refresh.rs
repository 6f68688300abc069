//! Catalogues that were brought in, with what became of them.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "catalog_refresh")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub state: String,
    pub version: String,
    pub origin: String,
    pub effective_from: DateTimeUtc,
    pub based_on: Option<Uuid>,
    pub document: Option<String>,
    pub diff: String,
    pub published: bool,
    pub created_at: DateTimeUtc,
    pub created_by: String,
    pub decided_at: Option<DateTimeUtc>,
    pub decided_by: Option<String>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
