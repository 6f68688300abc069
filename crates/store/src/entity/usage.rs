//! Requests.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "usage")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub started_at: DateTimeUtc,
    pub key: Uuid,
    pub team: Option<Uuid>,
    pub dialect: String,
    pub model: Option<String>,
    pub provider: Option<String>,
    pub upstream_model: Option<String>,
    pub stream: bool,
    pub outcome: String,
    pub status: i16,
    pub code: Option<String>,
    pub attempts: i64,
    pub lines: String,
    pub estimated: bool,
    pub cost_nanos: Option<i64>,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub duration_us: i64,
    pub first_token_us: Option<i64>,
    pub overhead_us: i64,
    pub service_tier: Option<String>,
    pub provider_cost_nanos: Option<i64>,
    pub cache: Option<String>,
    pub saved_nanos: Option<i64>,
    pub owner: Option<Uuid>,
    pub end_user: Option<String>,
    pub tags: Option<String>,
    pub budgets: Option<String>,
    pub credential: Option<Uuid>,
    pub downgraded_to: Option<String>,
    pub over: Option<String>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
