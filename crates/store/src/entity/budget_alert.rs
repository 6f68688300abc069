//! What was reached of budgets.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "budget_alert")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub budget: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub from_ms: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub step: i16,
    pub organization: Uuid,
    pub cap: i64,
    pub spent: i64,
    pub at: DateTimeUtc,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
