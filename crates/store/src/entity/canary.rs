//! Canaries of models' routes.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "canary")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub model: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub place: String,
    pub organization: Uuid,
    pub spec: Vec<u8>,
    pub percent: i16,
    pub state: String,
    pub round: i64,
    pub since: DateTimeUtc,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
