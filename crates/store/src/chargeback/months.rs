//! The months in which anything was used, the newest first. Those that are open are told by the sums of days, which are kept
//! for ever.

use std::collections::BTreeMap;

use chrono::DateTime;
use gatewright_types::api::ChargebackMonth;
use gatewright_types::{Money, Month, Nanos, Page, PageQuery};
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, DbErr, EntityTrait as _, QueryFilter as _, QueryResult};

use super::groups::Sums;
use super::lock::{self, lockable_from};
use super::locking;
use crate::entity::chargeback_month;
use crate::error::ListError;
use crate::rollup::DAY;
use crate::scope::Scope;
use crate::stored;

impl Scope<'_> {
    pub async fn chargeback_months(&self, query: &PageQuery) -> Result<Page<ChargebackMonth>, ListError> {
        let before: Option<Month> = match &query.cursor {
            Some(cursor) => Some(cursor.parse().map_err(|_| ListError::BadCursor)?),
            None => None,
        };
        let mut months = self.used_months().await?;
        let mut locks = BTreeMap::new();
        let rows = chargeback_month::Entity::find()
            .filter(chargeback_month::Column::Organization.eq(self.id.uuid()))
            .all(&self.connection)
            .await?;
        let late = self.late_by_month().await?;
        let mut under_way = locking::under_way(&self.connection, self.id).await?;
        for row in &rows {
            let month: Month = stored::parsed("month", &row.month)?;
            let lock = lock::read(row, late.get(&month).copied().unwrap_or_default())?;
            months.insert(month, lock.sums);
            locks.insert(month, lock.told);
        }
        let size = usize::from(query.size());
        let is_asked = |month: &Month| before.is_none_or(|before| *month < before);
        let mut items: Vec<_> = months
            .into_iter()
            .rev()
            .filter(|(month, _)| is_asked(month))
            .take(size + 1)
            .map(|(month, sums)| ChargebackMonth {
                month,
                lock: locks.remove(&month),
                locking: under_way.remove(&month.to_string()),
                lockable_from: lockable_from(month),
                requests: stored::count(sums.requests),
                unpriced: stored::count(sums.unpriced),
                total: Money::from(Nanos::new(sums.cost_nanos)),
            })
            .collect();
        let more = items.len() > size;
        items.truncate(size);
        let next_cursor = items.last().filter(|_| more).map(|last| last.month.to_string());
        Ok(Page { items, next_cursor })
    }

    /// By the sums of days, late requests moved to where they count.
    async fn used_months(&self) -> Result<BTreeMap<Month, Sums>, DbErr> {
        let days = format!(
            r#"SELECT "start", CAST(SUM(requests) AS BIGINT), CAST(SUM(unpriced) AS BIGINT),
                CAST(SUM(input_tokens) AS BIGINT), CAST(SUM(output_tokens) AS BIGINT), CAST(SUM(cost_nanos) AS BIGINT)
            FROM usage_rollup WHERE organization = ?1 AND granularity_seconds = {DAY} GROUP BY "start""#
        );
        let mut months: BTreeMap<Month, Sums> = BTreeMap::new();
        for row in self.read_all(&days).await? {
            let start = row.try_get_by_index(0)?;
            let start = DateTime::from_timestamp(start, 0);
            let start = start.ok_or_else(|| DbErr::Type("a sum of a day is of no time".to_owned()))?;
            months.entry(Month::of(start)).or_default().add(&Sums::read(&row, 1)?);
        }
        let late = "SELECT usage_late.month, usage_late.counted_in, CAST(COUNT(*) AS BIGINT), \
             CAST(SUM(CASE WHEN usage.provider IS NOT NULL AND usage.cost_nanos IS NULL THEN 1 ELSE 0 END) AS BIGINT), \
             CAST(SUM(usage.input_tokens) AS BIGINT), CAST(SUM(usage.output_tokens) AS BIGINT), \
             CAST(COALESCE(SUM(usage.cost_nanos), 0) AS BIGINT) FROM usage_late \
             JOIN usage ON usage.organization = usage_late.organization AND usage.id = usage_late.request \
             WHERE usage_late.organization = ?1 GROUP BY usage_late.month, usage_late.counted_in";
        for row in self.read_all(late).await? {
            let month =
                |at: usize| -> Result<Month, DbErr> { stored::parsed("month", &row.try_get_by_index::<String>(at)?) };
            let sums = Sums::read(&row, 2)?;
            months.entry(month(1)?).or_default().add(&sums);
            months.entry(month(0)?).or_default().add(&sums.negated());
        }
        Ok(months)
    }

    async fn late_by_month(&self) -> Result<BTreeMap<Month, u64>, DbErr> {
        let sql = "SELECT month, COUNT(*) FROM usage_late WHERE organization = ?1 GROUP BY month";
        let mut late = BTreeMap::new();
        for row in self.read_all(sql).await? {
            let month: String = row.try_get_by_index(0)?;
            late.insert(
                stored::parsed("month", &month)?,
                stored::count(row.try_get_by_index(1)?),
            );
        }
        Ok(late)
    }

    async fn read_all(&self, sql: &str) -> Result<Vec<QueryResult>, DbErr> {
        let own = [self.id.uuid().into()];
        let statement = stored::statement(self.connection.get_database_backend(), sql, own);
        self.connection.query_all_raw(statement).await
    }
}
