//! The requests of a range, a portion at a time, with all that pricing them anew takes.

use chrono::{DateTime, Utc};
use gatewright_types::api::{Dialect, LineItem, Outcome, ServedTier};
use gatewright_types::{Nanos, RequestId, Slug, UpstreamModel};
use sea_orm::sea_query::ExprTrait as _;
use sea_orm::{
    ColumnTrait as _, Condition, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::RepriceRange;
use crate::adjustments;
use crate::entity::{usage, usage_adjustment};
use crate::error::DatabaseError;
use crate::scope::Scope;
use crate::stored;
use crate::usage::{MINTED_WITHIN, OUTCOMES, first_id_of, served_tier};
use crate::usage_parts::usage_from;

/// A request with all that pricing it anew takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargedRequest {
    pub id: RequestId,
    pub started_at: DateTime<Utc>,
    pub provider: Slug,
    pub model: Option<UpstreamModel>,
    pub dialect: Dialect,
    pub outcome: Outcome,
    pub attempts: u32,
    pub estimated: bool,
    pub served: Option<ServedTier>,
    pub lines: Vec<LineItem>,
    /// With what was added to it; nothing when unpriced.
    pub cost: Option<Nanos>,
    pub(super) row: usage::Model,
}

impl Scope<'_> {
    /// Requests of a range after one, in the order of their identifiers.
    pub async fn charged(
        &self,
        range: &RepriceRange,
        after: Option<RequestId>,
        limit: u64,
    ) -> Result<Vec<ChargedRequest>, DatabaseError> {
        use usage::Column;
        let mut earliest = first_id_of(range.from - MINTED_WITHIN);
        if let Some(from) = usage_from(&self.connection).await? {
            // What is being removed is no longer priced.
            earliest = Ord::max(earliest, first_id_of(from));
        }
        let of_provider = match &range.provider {
            Some(provider) => Column::Provider.eq(provider.as_str()),
            None => Column::Provider.is_not_null(),
        };
        let of_model = range
            .model
            .as_ref()
            .map(|model| Column::UpstreamModel.eq(model.as_str()));
        let rows = usage::Entity::find()
            .filter(Column::Organization.eq(self.id.uuid()))
            .filter(Column::Id.gt(after.map_or(earliest, |after| Ord::max(after.uuid(), earliest))))
            .filter(Column::Id.lt(first_id_of(range.to + MINTED_WITHIN)))
            .filter(Column::StartedAt.gte(range.from))
            .filter(Column::StartedAt.lt(range.to))
            .filter(of_provider)
            .filter(Condition::all().add_option(of_model))
            .order_by_asc(Column::Id)
            .limit(limit)
            .all(&self.connection)
            .await?;
        let Some((first, last)) = rows.first().zip(rows.last()) else {
            return Ok(Vec::new());
        };
        let request = usage_adjustment::Column::Request;
        let of_these = request.gte(first.id).and(adjustments::up_to(last.id));
        let adjustments = adjustments::of(&self.connection, self.id, of_these).await?;
        let charged = rows.into_iter().map(|row| {
            let adjustments = adjustments.get(&row.id).map_or(&[][..], Vec::as_slice);
            let cost = adjustments::with(row.cost_nanos, adjustments);
            charged(row, cost)
        });
        Ok(charged.collect::<Result<_, _>>()?)
    }
}

fn charged(row: usage::Model, cost: Option<i64>) -> Result<ChargedRequest, DbErr> {
    Ok(ChargedRequest {
        id: RequestId::from_uuid(row.id),
        started_at: row.started_at,
        provider: stored::parsed("provider", row.provider.as_deref().unwrap_or_default())?,
        model: row
            .upstream_model
            .as_deref()
            .map(|name| stored::parsed("upstream model", name))
            .transpose()?,
        dialect: stored::one_of("dialect", &row.dialect, &Dialect::ALL, Dialect::as_str)?,
        outcome: stored::one_of("outcome", &row.outcome, &OUTCOMES, Outcome::as_str)?,
        attempts: stored::count_u32(row.attempts),
        estimated: row.estimated,
        served: row.service_tier.as_deref().map(served_tier),
        lines: stored::json("line items", &row.lines)?,
        cost: cost.map(Nanos::new),
        row,
    })
}
