//! What budgets have spent in windows, by the ledger: for those who keep counters of it.

use std::collections::BTreeSet;

use gatewright_contract::{Budget, BudgetUnit};
use gatewright_types::{BudgetId, OrganizationId};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DbErr, EntityTrait as _, QueryFilter as _, QuerySelect as _, Value,
};

use crate::budget_spend::{BudgetSpend, read};
use crate::entity::{budget, rate_limit};
use crate::error::DatabaseError;
use crate::scope::Scope;
use crate::stored;
use crate::system::System;

impl System<'_> {
    /// Those with anything that is counted.
    pub async fn organizations_that_count(&self) -> Result<BTreeSet<OrganizationId>, DatabaseError> {
        let budgets = budget::Entity::find()
            .select_only()
            .column(budget::Column::Organization)
            .distinct()
            .into_tuple()
            .all(&self.db.read);
        let limits = rate_limit::Entity::find()
            .select_only()
            .column(rate_limit::Column::Organization)
            .distinct()
            .into_tuple()
            .all(&self.db.read);
        let (budgets, limits) = (budgets.await?, limits.await?);
        Ok(budgets
            .into_iter()
            .chain(limits)
            .map(OrganizationId::from_uuid)
            .collect())
    }
}

impl Scope<'_> {
    /// All budgets of the organization as nodes count by them.
    pub async fn counted_budgets(&self) -> Result<Vec<Budget>, DatabaseError> {
        Ok(self.all_budgets().await?)
    }

    pub(crate) async fn all_budgets(&self) -> Result<Vec<Budget>, DbErr> {
        let rows = budget::Entity::find()
            .filter(budget::Column::Organization.eq(self.id.uuid()))
            .all(&self.connection)
            .await?;
        let mut budgets = Vec::with_capacity(rows.len());
        for row in rows {
            let unit = BudgetUnit {
                scope: stored::json("scope", &row.scope)?,
                spec: stored::json("budget", &row.spec)?,
                increases: Vec::new(),
                since: Some(row.created_at),
            };
            budgets.extend(Budget::compiled(BudgetId::from_uuid(row.id), &unit));
        }
        Ok(budgets)
    }

    /// All that counts in windows that begin at these moments, openings included.
    pub async fn spent_in(&self, beginnings: &BTreeSet<i64>) -> Result<Vec<BudgetSpend>, DatabaseError> {
        if beginnings.is_empty() {
            return Ok(Vec::new());
        }
        let among: Vec<_> = beginnings.iter().map(i64::to_string).collect();
        let of = |table: &str| {
            format!(
                "SELECT budget, from_ms, name, cost_nanos, requests FROM {table} \
                 WHERE organization = ?1 AND from_ms IN ({})",
                among.join(", ")
            )
        };
        let sql = format!(
            "SELECT budget, from_ms, name, CAST(SUM(cost_nanos) AS BIGINT), CAST(SUM(requests) AS BIGINT) \
             FROM ({} UNION ALL {}) counted GROUP BY budget, from_ms, name",
            of("budget_spend"),
            of("budget_opening")
        );
        let own: [Value; 1] = [self.id.uuid().into()];
        let statement = stored::statement(self.connection.get_database_backend(), &sql, own);
        let rows = self.connection.query_all_raw(statement).await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }
}
