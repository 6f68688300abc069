//! The list of requests, newest first. An identifier tells the time it was minted at, so a span of time narrows the
//! list by its own key. Requests of a key, those of a model and unusual outcomes have an index each, in the order of the
//! list.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_contract::BudgetShare;
use gatewright_types::api::{CacheStatus, Dialect, LineItem, Outcome, ServedTier, UsageBudget, UsageQuery, UsageRow};
use gatewright_types::{
    CredentialId, KeyId, Money, Nanos, OrganizationId, Page, PageQuery, PersonId, RequestId, TeamId,
};
use sea_orm::sea_query::{Expr, Func};
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, DbBackend, DbErr, EntityTrait as _, QueryFilter as _, Select};
use uuid::Uuid;

use crate::adjustments;
use crate::entity::usage::{Column, Entity, Model};
use crate::entity::usage_adjustment;
use crate::error::{DatabaseError, ListError};
use crate::ingest::outcome_name;
use crate::page::Part;
use crate::scope::Scope;
use crate::stored;

pub(crate) const OUTCOMES: [Outcome; 5] = [
    Outcome::Complete,
    Outcome::Refused,
    Outcome::Failed,
    Outcome::Cut,
    Outcome::ClientGone,
];
/// Requests that did not go as nearly all do.
const UNUSUAL: &str = "outcome <> 'complete'";
/// A request's identifier is minted close to its start, not at the very moment.
pub(crate) const MINTED_WITHIN: TimeDelta = TimeDelta::minutes(1);

impl Scope<'_> {
    pub async fn usage(&self, query: &UsageQuery) -> Result<Page<UsageRow>, ListError> {
        let part = Part::asked(&PageQuery {
            limit: query.limit,
            cursor: query.cursor.clone(),
        })?;
        let backend = self.connection.get_database_backend();
        let rows = listed(self.id, query, part, backend).all(&self.connection).await?;
        let listed = usage_adjustment::Column::Request.is_in(rows.iter().map(|row| row.id));
        let mut adjustments = adjustments::of(&self.connection, self.id, listed).await?;
        let runs = adjustments::runs_of(&self.connection, self.id, adjustments.values().flatten()).await?;
        part.page(
            rows,
            |row| row.id,
            |row| {
                let adjustments = adjustments.remove(&row.id).unwrap_or_default();
                read(row, &adjustments, &runs)
            },
        )
    }

    /// One request; nothing when it was not counted, or is another organization's.
    pub async fn usage_row(&self, request: RequestId) -> Result<Option<UsageRow>, DatabaseError> {
        let ours = Entity::find()
            .filter(Column::Id.eq(request.uuid()))
            .filter(Column::Organization.eq(self.id.uuid()));
        let Some(row) = ours.one(&self.connection).await? else {
            return Ok(None);
        };
        let of_this = usage_adjustment::Column::Request.eq(row.id);
        let adjustments = adjustments::of(&self.connection, self.id, of_this).await?;
        let adjustments = adjustments.get(&row.id).map_or(&[][..], Vec::as_slice);
        let runs = adjustments::runs_of(&self.connection, self.id, adjustments.iter()).await?;
        Ok(Some(read(row, adjustments, &runs)?))
    }
}

pub(crate) fn listed(
    organization: OrganizationId,
    query: &UsageQuery,
    part: Part,
    backend: DbBackend,
) -> Select<Entity> {
    let rare = |is: Expr| rarely(is, backend);
    // Without statistics SQLite may read every failure of a month for those of one key or model.
    let goes_by_other = backend == DbBackend::Sqlite && (query.key.is_some() || query.model.is_some());
    let mut ours = Entity::find().filter(Column::Organization.eq(organization.uuid()));
    if let Some(key) = query.key {
        ours = ours.filter(rare(Column::Key.eq(key.uuid())));
    }
    if let Some(model) = &query.model {
        ours = ours.filter(rare(Column::Model.eq(model.as_str())));
    }
    if let Some(outcome) = query.outcome {
        let is = Column::Outcome.eq(outcome_name(outcome));
        ours = match outcome {
            Outcome::Complete => ours.filter(is),
            // What the partial index is of, in so many words: a planner sees no value of a parameter.
            Outcome::Refused | Outcome::Failed | Outcome::Cut | Outcome::ClientGone => match goes_by_other {
                true => ours.filter(is),
                false => ours.filter(rare(is)).filter(Expr::cust(UNUSUAL)),
            },
        };
    }
    if let Some(from) = query.from {
        ours = ours.filter(Column::StartedAt.gte(from));
        if let Some(earliest) = from.checked_sub_signed(MINTED_WITHIN) {
            ours = ours.filter(Column::Id.gte(first_id_of(earliest)));
        }
    }
    if let Some(to) = query.to {
        ours = ours.filter(Column::StartedAt.lt(to));
        if let Some(latest) = to.checked_add_signed(MINTED_WITHIN) {
            ours = ours.filter(Column::Id.lt(first_id_of(latest)));
        }
    }
    part.of(ours, Column::Id)
}

/// Few rows are meant, which has an index. SQLite has the rows in their key and no statistics: untold, it would rather
/// read all of an organization's than look each one up.
fn rarely(is: Expr, backend: DbBackend) -> Expr {
    match backend {
        DbBackend::Sqlite => Func::cust("unlikely").arg(is).into(),
        _ => is,
    }
}

/// Sorts before every identifier minted at that time or later: version 7 begins with 48 bits of milliseconds.
pub(crate) fn first_id_of(time: DateTime<Utc>) -> Uuid {
    const LAST: u128 = (1 << 48) - 1;
    let milliseconds = u128::try_from(time.timestamp_millis()).unwrap_or(0).min(LAST);
    Uuid::from_u128(milliseconds << 80)
}

/// When an identifier was.
pub(crate) fn minted_at(id: Uuid) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(i64::try_from(id.as_u128() >> 80).ok()?)
}

fn read(row: Model, adjustments: &[usage_adjustment::Model], runs: &adjustments::Runs) -> Result<UsageRow, DbErr> {
    let lines: Vec<LineItem> = stored::json("line items", &row.lines)?;
    let cost = row.cost_nanos.map(Nanos::new);
    let adjusted_cost = adjustments::with(row.cost_nanos, adjustments).map(Nanos::new);
    let provider_cost = row.provider_cost_nanos.map(Nanos::new);
    let difference = provider_cost
        .zip(adjusted_cost)
        .map(|(theirs, ours)| theirs.saturating_sub(ours));
    Ok(UsageRow {
        id: RequestId::from_uuid(row.id),
        started_at: row.started_at,
        key: Some(KeyId::from_uuid(row.key)),
        team: row.team.map(TeamId::from_uuid),
        dialect: stored::one_of("dialect", &row.dialect, &Dialect::ALL, Dialect::as_str)?,
        model: row.model,
        provider: row.provider.map(|name| stored::parsed("provider", &name)).transpose()?,
        upstream_model: row
            .upstream_model
            .map(|name| stored::parsed("upstream model", &name))
            .transpose()?,
        stream: row.stream,
        outcome: stored::one_of("outcome", &row.outcome, &OUTCOMES, outcome_name)?,
        status: u16::try_from(row.status).unwrap_or(0),
        code: row.code,
        attempts: stored::count_u32(row.attempts),
        cache: match &row.cache {
            Some(cache) => stored::one_of("cache", cache, &CacheStatus::ALL, CacheStatus::as_str)?,
            None => CacheStatus::Off,
        },
        saved: row.saved_nanos.map(Nanos::new).map(Money::from),
        adjustments: adjustments::read(&lines, adjustments, runs)?,
        lines,
        estimated: row.estimated,
        service_tier: row.service_tier.as_deref().map(served_tier),
        cost: cost.map(Money::from),
        adjusted_cost: adjusted_cost.map(Money::from),
        provider_cost: provider_cost.map(Money::from),
        cost_difference: difference.map(Money::from),
        duration_ms: stored::count(row.duration_us) / 1_000,
        first_token_ms: row.first_token_us.map(|us| stored::count(us) / 1_000),
        overhead_us: stored::count(row.overhead_us),
        credential: row.credential.map(CredentialId::from_uuid),
        owner: row.owner.map(PersonId::from_uuid),
        end_user: row.end_user.map(|name| stored::parsed("end user", &name)).transpose()?,
        tags: row
            .tags
            .map_or_else(|| Ok(BTreeMap::new()), |tags| stored::json("tags", &tags))?,
        budgets: row
            .budgets
            .map_or_else(|| Ok(Vec::new()), |budgets| counted_in(&budgets))?,
        downgraded_to: row
            .downgraded_to
            .map(|name| stored::parsed("model", &name))
            .transpose()?,
        over: row.over,
    })
}

fn counted_in(budgets: &str) -> Result<Vec<UsageBudget>, DbErr> {
    let shares: Vec<BudgetShare> = stored::json("budgets", budgets)?;
    let counted = |BudgetShare { budget, from_ms, name }| UsageBudget {
        budget,
        from: window_start(from_ms),
        name,
    };
    Ok(shares.into_iter().map(counted).collect())
}

/// Where a budget's window begins; nothing for one that is for ever.
pub(crate) fn window_start(from_ms: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(from_ms).filter(|_| from_ms != 0)
}

/// A later release may know more of them.
pub(crate) fn served_tier(text: &str) -> ServedTier {
    let mut all = ServedTier::ALL.into_iter();
    all.find(|tier| tier.as_str() == text).unwrap_or(ServedTier::Unknown)
}
