//! The one row that says when a newer catalogue is fetched by itself.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "catalog_schedule")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub singleton: i16,
    pub url: String,
    pub every_ms: i64,
    pub approval: String,
    pub next_try_at: DateTimeUtc,
    pub tried_at: Option<DateTimeUtc>,
    pub outcome: Option<String>,
    pub version: Option<String>,
    pub error: Option<String>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
