//! Who wants a budget raised.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "budget_request")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization: Uuid,
    pub budget: Uuid,
    pub asked_in_ms: Option<i64>,
    pub amount: Option<i64>,
    pub reason: String,
    pub state: String,
    pub increase: Option<Uuid>,
    pub created_at: DateTimeUtc,
    pub created_by: String,
    pub decided_at: Option<DateTimeUtc>,
    pub decided_by: Option<String>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
