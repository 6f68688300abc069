//! Secrets of keys from before their rotations.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "former_secret")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization: Uuid,
    pub key: Uuid,
    pub digest: Vec<u8>,
    pub hint: String,
    pub replaced_at: DateTimeUtc,
    pub ends_at: DateTimeUtc,
    /// When nodes were told that it is over.
    pub ended_at: Option<DateTimeUtc>,
    /// Under which the rotation that replaced it may be repeated.
    pub idempotency_key: Option<String>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
