//! What is added to requests' costs afterwards.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "usage_adjustment")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub request: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub reprice: Uuid,
    pub started_at: DateTimeUtc,
    pub delta_nanos: i64,
    pub cost_nanos: i64,
    pub priced: bool,
    pub lines: String,
    pub created_at: DateTimeUtc,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
