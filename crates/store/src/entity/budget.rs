//! Budgets.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "budget")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization: Uuid,
    pub kind: String,
    pub subject: String,
    pub subject_id: Option<Uuid>,
    pub scope: String,
    pub window: String,
    pub amount: i64,
    pub downgrade: Option<String>,
    pub spec: String,
    pub created_at: DateTimeUtc,
    pub created_by: String,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
