//! What requests' own rows say that was spent of a budget.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use chrono::{DateTime, TimeDelta};
use gatewright_contract::BudgetShare;
use gatewright_types::api::SpentByRequests;
use gatewright_types::{BudgetId, DisplayName, Nanos};
use sea_orm::{ConnectionTrait as _, DbBackend, Value};
use uuid::Uuid;

use crate::adjustments::adjusted_cost;
use crate::error::DatabaseError;
use crate::scope::Scope;
use crate::stored;
use crate::usage::first_id_of;

const PAGE: u64 = 5_000;
/// A request counts where it was let through, which is after it began: it may have waited.
const BEGAN_WITHIN: TimeDelta = TimeDelta::minutes(10);

impl Scope<'_> {
    /// By those whom a budget is for, over its windows, or parts of one, that begin within these times.
    pub async fn spent_by_requests(
        &self,
        budget: BudgetId,
        windows_ms: RangeInclusive<i64>,
    ) -> Result<BTreeMap<Option<DisplayName>, SpentByRequests>, DatabaseError> {
        let backend = self.connection.get_database_backend();
        let place = match backend {
            DbBackend::Postgres => "strpos",
            _ => "instr",
        };
        let sql = format!(
            "SELECT id, budgets, {} FROM usage WHERE organization = ?1 AND id > ?2 AND {place}(budgets, ?3) > 0 \
             ORDER BY id LIMIT {PAGE}",
            adjusted_cost("usage")
        );
        let first = DateTime::from_timestamp_millis(*windows_ms.start()).unwrap_or_default();
        let mut after = first_id_of(first.checked_sub_signed(BEGAN_WITHIN).unwrap_or(first));
        let mut spent: BTreeMap<Option<DisplayName>, SpentByRequests> = BTreeMap::new();
        loop {
            let values: [Value; 3] = [self.id.uuid().into(), after.into(), budget.to_string().into()];
            let rows = self
                .connection
                .query_all_raw(stored::statement(backend, &sql, values))
                .await?;
            let Some(last) = rows.last() else { return Ok(spent) };
            after = last.try_get_by_index::<Uuid>(0)?;
            for row in &rows {
                let shares: Vec<BudgetShare> = stored::json("budgets", &row.try_get_by_index::<String>(1)?)?;
                let cost = Nanos::new(row.try_get_by_index(2)?);
                let counted = |share: &BudgetShare| share.budget == budget && windows_ms.contains(&share.from_ms);
                for share in shares.into_iter().filter(counted) {
                    let sums = spent.entry(share.name).or_default();
                    sums.requests += 1;
                    sums.cost = sums.cost.saturating_add(cost);
                    sums.dearest = sums.dearest.max(cost);
                }
            }
        }
    }
}
