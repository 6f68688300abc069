//! Runs that price requests anew.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reprice")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization: Uuid,
    pub from_at: DateTimeUtc,
    pub to_at: DateTimeUtc,
    pub provider: Option<String>,
    pub model: Option<String>,
    pub priced_at: Option<DateTimeUtc>,
    pub reason: String,
    pub created_by: String,
    pub created_at: DateTimeUtc,
    pub revision: i64,
    pub position: Uuid,
    pub busy_until: Option<DateTimeUtc>,
    pub requests: i64,
    pub changed: i64,
    pub unpriceable: i64,
    pub before_nanos: i64,
    pub after_nanos: i64,
    pub parts: String,
    pub finished_at: Option<DateTimeUtc>,
    pub failure: Option<String>,
    pub dry_run: bool,
    pub taken_until: Option<DateTimeUtc>,
    pub cancelled_by: Option<String>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
