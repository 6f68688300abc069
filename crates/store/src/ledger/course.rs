//! What was spent of a budget's scope in the course of its window: by the sums of usage where they know the scope, else by
//! the newest rows, of which a bounded number is read, and what was kept of those that were removed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_contract::Budget;
use gatewright_types::api::{BudgetCourse, CourseBucket, LimitScope, UsageGroup, UsageSeriesQuery};
use gatewright_types::{KeyId, Nanos, TeamId};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DbBackend, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QueryResult, QuerySelect as _, QueryTrait as _,
};
use uuid::Uuid;

use super::openings::{of_rows, sums_of};
use super::{counting, kept};
use crate::adjustments::adjusted_cost;
use crate::buckets::Buckets;
use crate::entity::usage::{Column, Entity};
use crate::error::DatabaseError;
use crate::scope::Scope;
use crate::stored;
use crate::usage::{MINTED_WITHIN, first_id_of, minted_at};

/// How far back the course of what counts for ever goes.
const LONGEST: TimeDelta = TimeDelta::days(90);
/// Rows of the organization that are read for one course.
const MOST_ROWS: u64 = 250_000;
const MOST_GROUPS: usize = 50;

/// By when a bucket begins, and by group.
type Spent = BTreeMap<(i64, Option<String>), (i64, i64)>;

impl Scope<'_> {
    pub async fn budget_course(
        &self,
        budget: &Budget,
        by: UsageGroup,
        now: DateTime<Utc>,
    ) -> Result<BudgetCourse, DatabaseError> {
        self.course(budget, by, now, MOST_ROWS).await
    }

    pub(crate) async fn course(
        &self,
        budget: &Budget,
        by: UsageGroup,
        now: DateTime<Utc>,
        most_rows: u64,
    ) -> Result<BudgetCourse, DatabaseError> {
        let from = Ord::max(budget.counting(now).since(now), now - LONGEST);
        if sums_of(&budget.scope).is_some() {
            return self.course_by_sums(budget, by, from, now).await;
        }
        let buckets = Buckets::of(from.timestamp(), now.timestamp(), now.timestamp());
        let known = counting::of(&self.connection, self.id, budget).await?;
        let mut known_from = known.and_then(|known| known.known_from).filter(|known| from < *known);
        let mut after = first_id_of(from - MINTED_WITHIN);
        if let Some(oldest) = self.newest_but(most_rows, after).await? {
            after = oldest;
            known_from = known_from.max(minted_at(oldest));
        }
        let since = known_from.unwrap_or(from);
        let mut spent = self.spent_by_buckets(budget, by, buckets, (since, after)).await?;
        for row in kept::of(&self.connection, self.id, budget.id, since).await? {
            let start = (row.from_ms / 1_000).max(buckets.first);
            let sums = spent
                .entry((start - start.rem_euclid(buckets.length), None))
                .or_default();
            sums.0 = sums.0.saturating_add(row.cost_nanos);
            sums.1 += row.requests;
        }
        let bucket = |((start, group), (cost_nanos, requests)): ((i64, Option<String>), (i64, i64))| CourseBucket {
            start: DateTime::from_timestamp(start, 0).unwrap_or_default(),
            group,
            cost: Nanos::new(cost_nanos),
            requests: stored::count(requests),
        };
        Ok(BudgetCourse {
            from,
            to: now,
            known_from,
            bucket_seconds: u32::try_from(buckets.length).unwrap_or(u32::MAX),
            buckets: of_few_groups(spent).into_iter().map(bucket).collect(),
        })
    }

    async fn course_by_sums(
        &self,
        budget: &Budget,
        by: UsageGroup,
        from: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<BudgetCourse, DatabaseError> {
        let mut query = UsageSeriesQuery::new(from, now, by);
        match &budget.scope {
            LimitScope::Team(team) => query.team = Some(*team),
            LimitScope::Key(key) => query.key = Some(*key),
            LimitScope::Model(model) => query.model = Some(model.clone()),
            LimitScope::Provider(provider) => query.provider = Some(provider.clone()),
            LimitScope::Organization
            | LimitScope::User(_)
            | LimitScope::EndUser(_)
            | LimitScope::Tag(_)
            | LimitScope::Credential(_) => {}
        }
        let series = self.usage_series(&query).await?;
        let buckets = series.buckets.into_iter().filter(|bucket| bucket.totals.requests > 0);
        Ok(BudgetCourse {
            from,
            to: now,
            known_from: None,
            bucket_seconds: series.bucket_seconds,
            buckets: buckets
                .map(|bucket| CourseBucket {
                    start: bucket.start,
                    group: bucket.group,
                    cost: bucket.totals.cost,
                    requests: bucket.totals.requests,
                })
                .collect(),
        })
    }

    /// The newest request of the organization that has so many after it; nothing where there are not so many.
    async fn newest_but(&self, rows: u64, after: Uuid) -> Result<Option<Uuid>, DbErr> {
        Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::Organization.eq(self.id.uuid()))
            .filter(Column::Id.gt(after))
            .order_by_desc(Column::Id)
            .offset(rows)
            .limit(1)
            .into_tuple()
            .one(&self.connection)
            .await
    }

    async fn spent_by_buckets(
        &self,
        budget: &Budget,
        by: UsageGroup,
        buckets: Buckets,
        (since, after): (DateTime<Utc>, Uuid),
    ) -> Result<Spent, DbErr> {
        let backend = self.connection.get_database_backend();
        let length = buckets.length;
        let start = match backend {
            DbBackend::Postgres => {
                format!("CAST(FLOOR(EXTRACT(EPOCH FROM usage.started_at) / {length}) * {length} AS BIGINT)")
            }
            _ => format!("CAST(strftime('%s', usage.started_at) AS INTEGER) / {length} * {length}"),
        };
        let group = match by {
            UsageGroup::None => "CAST(NULL AS text)",
            UsageGroup::Model => "usage.model",
            UsageGroup::Provider => "usage.provider",
            UsageGroup::Team => "usage.team",
            UsageGroup::Key => r#"usage."key""#,
        };
        let cost = format!("CAST(SUM({}) AS BIGINT)", adjusted_cost("usage"));
        let query = Entity::find()
            .select_only()
            .expr_as(Expr::cust(start), "start_of_bucket")
            .expr_as(Expr::cust(group), "group_of_bucket")
            .expr_as(Expr::cust(cost), "cost_of_bucket")
            .expr_as(Expr::cust("CAST(COUNT(*) AS BIGINT)"), "requests_of_bucket")
            .filter(Column::Organization.eq(self.id.uuid()))
            .filter(Column::Id.gt(after))
            .filter(Column::StartedAt.gte(since))
            .filter(of_rows(&budget.scope, backend))
            .group_by(Expr::cust("1"))
            .group_by(Expr::cust("2"));
        let rows = self.connection.query_all(&query.into_query()).await?;
        let mut spent = Spent::new();
        for row in &rows {
            let key = (row.try_get_by_index(0)?, group_of(by, row)?);
            spent.insert(key, (row.try_get_by_index(2)?, row.try_get_by_index(3)?));
        }
        Ok(spent)
    }
}

fn group_of(by: UsageGroup, row: &QueryResult) -> Result<Option<String>, DbErr> {
    let id = || row.try_get_by_index::<Option<Uuid>>(1);
    Ok(match by {
        UsageGroup::None => None,
        UsageGroup::Model | UsageGroup::Provider => row.try_get_by_index(1)?,
        UsageGroup::Team => id()?.map(|id| TeamId::from_uuid(id).to_string()),
        UsageGroup::Key => id()?.map(|id| KeyId::from_uuid(id).to_string()),
    })
}

/// Callers may name models that are none, and endless ones.
fn of_few_groups(spent: Spent) -> Spent {
    let mut of_groups: HashMap<&Option<String>, i64> = HashMap::new();
    for ((_, group), (cost_nanos, _)) in &spent {
        let sum = of_groups.entry(group).or_default();
        *sum = sum.saturating_add(*cost_nanos);
    }
    if of_groups.len() <= MOST_GROUPS {
        return spent;
    }
    let mut groups: Vec<_> = of_groups.into_iter().collect();
    groups.sort_by_key(|(group, cost_nanos)| (Reverse(*cost_nanos), (*group).clone()));
    let most: HashSet<_> = groups
        .into_iter()
        .take(MOST_GROUPS)
        .map(|(group, _)| group.clone())
        .collect();
    let mut few = Spent::new();
    for ((start, group), (cost_nanos, requests)) in spent {
        let sums = few
            .entry((start, group.filter(|group| most.contains(&Some(group.clone())))))
            .or_default();
        sums.0 = sums.0.saturating_add(cost_nanos);
        sums.1 += requests;
    }
    few
}
