//! How far each node's journal has come.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "usage_ack")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub node: Uuid,
    pub acked: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
