//! What had been spent in windows before their budgets counted in them.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "budget_opening")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub budget: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub from_ms: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub cost_nanos: i64,
    pub requests: i64,
    pub settled: bool,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
