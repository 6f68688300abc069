//! Data-plane keys, revoked ones too.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "key")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization: Uuid,
    pub name: String,
    pub team: Option<Uuid>,
    pub digest: Vec<u8>,
    pub hint: String,
    pub models: Option<String>,
    pub expires_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub created_by: String,
    pub revoked_at: Option<DateTimeUtc>,
    pub owner: Option<Uuid>,
    pub service_account: Option<Uuid>,
    /// Tags, scopes, upkeep and whether it may ask for failures. Absent for most.
    pub settings: Option<String>,
    /// Since a rotation; since it was made when absent.
    pub secret_made_at: Option<DateTimeUtc>,
    pub last_used_at: Option<DateTimeUtc>,
    /// From when being idle counts besides its use; from when it was made when absent.
    pub idle_from: Option<DateTimeUtc>,
    pub disabled_at: Option<DateTimeUtc>,
    pub disabled_for: Option<String>,
    /// Of what was given notice, and the time the notice named.
    pub noticed: Option<String>,
    /// When there may be something to do about it. Absent for most.
    pub next_look_at: Option<DateTimeUtc>,
    pub cost_centre: Option<String>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
