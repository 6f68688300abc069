//! Runs that price requests anew. A run goes through its requests in the order of their identifiers, a portion at a time:
//! adjustments, sums, budgets and how far it is are one transaction, conditional on how far it was, so that a run that is
//! taken up again, or by two nodes at once, adjusts no request twice. A dry run goes the same way and adds nothing.

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_contract::{Budget, BudgetShare, Revision};
use gatewright_types::api::{
    AuditOutcome, Dialect, LineItem, NewReprice, Outcome, Reprice, RepriceState, RepriceSums, ServedTier,
};
use gatewright_types::{Nanos, OrganizationId, Page, PageQuery, RepriceId, RequestId, Slug, UpstreamModel};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait as _, IntoActiveModel as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, Select,
};
use uuid::Uuid;

use crate::adjustments;
use crate::audit;
use crate::db::Db;
use crate::entity::reprice::{Column, Entity, Model};
use crate::entity::{config_unit, usage, usage_adjustment};
use crate::error::{DatabaseError, ListError, WriteError};
use crate::ledger::openings;
use crate::page::Part;
use crate::rollup::Adjusted;
use crate::scope::Scope;
use crate::system::System;
use crate::usage::{MINTED_WITHIN, OUTCOMES, first_id_of, minted_at, served_tier};
use crate::usage_parts::{hold_removal, usage_from};
use crate::write::{Actor, Change, WriteTx};
use crate::{budget_spend, rollup, stored};

/// Whoever works on a run says so for this long: after it, another one takes over.
const TAKEN_FOR: TimeDelta = TimeDelta::seconds(10);
/// To the release before, which knows no dry runs, they are somebody else's for ever. The last second that all databases
/// sort behind all others.
const NEVER_FREE: DateTime<Utc> = DateTime::from_timestamp(253_402_300_799, 0).expect("the end of the year 9999");
/// How long it is known what a dry run told.
const DRY_RUNS_KEPT: TimeDelta = TimeDelta::days(30);
/// What decides prices, beside the catalogue.
const OF_PRICES: [&str; 2] = ["price", "overlay"];

/// Which requests are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepriceRange {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub provider: Option<Slug>,
    pub model: Option<UpstreamModel>,
}

/// A run under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepriceRun {
    pub id: RepriceId,
    pub organization: OrganizationId,
    pub dry_run: bool,
    pub range: RepriceRange,
    pub priced_at: Option<DateTime<Utc>>,
    /// That of the prices when it began.
    pub revision: Revision,
    /// The last request that was looked at.
    pub position: RequestId,
    pub sums: RepriceSums,
}

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
    row: usage::Model,
}

/// What a request costs now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    pub request: ChargedRequest,
    pub cost: Nanos,
    pub lines: Vec<LineItem>,
}

/// How a run went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepriceStep {
    Done,
    /// Somebody else did it, or ended the run.
    Lost,
}

impl Scope<'_> {
    pub async fn reprices(&self, query: &PageQuery) -> Result<Page<Reprice>, ListError> {
        let part = Part::asked(query)?;
        let rows = part.of(ours(self.id), Column::Id).all(&self.connection).await?;
        part.page(rows, |row| row.id, read)
    }

    pub async fn reprice(&self, id: RepriceId) -> Result<Option<Reprice>, DatabaseError> {
        let row = ours(self.id)
            .filter(Column::Id.eq(id.uuid()))
            .one(&self.connection)
            .await?;
        Ok(row.map(read).transpose()?)
    }

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

    /// Changes with each change of what decides prices.
    pub async fn price_revision(&self) -> Result<Revision, DatabaseError> {
        use config_unit::Column;
        let own = Condition::all()
            .add(Column::Organization.eq(self.id.uuid()))
            .add(Column::Kind.is_in(OF_PRICES));
        let catalog = Condition::all()
            .add(Column::Organization.eq(OrganizationId::INSTALLATION.uuid()))
            .add(Column::Kind.eq("catalog"));
        let newest = config_unit::Entity::find()
            .filter(Condition::any().add(own).add(catalog))
            .order_by_desc(Column::Revision)
            .one(&self.connection)
            .await?;
        Ok(Revision(newest.map_or(0, |newest| stored::count(newest.revision))))
    }
}

impl WriteTx {
    /// Begins a run. A conflict while another one of the organization runs, and where prices are no longer those of the
    /// dry run that it is to do as.
    pub async fn create_reprice(
        &mut self,
        organization: OrganizationId,
        id: RepriceId,
        new: &NewReprice,
        revision: Revision,
    ) -> Result<Reprice, WriteError> {
        if let Some(running) = running(&self.transaction, organization, Condition::all()).await? {
            return Err(WriteError::conflict(
                "reprice",
                format!("{running} is running: wait until it is done, or cancel it"),
            ));
        }
        if let Some(told_by) = new.as_told_by {
            self.check_told(organization, told_by, new, revision).await?;
        }
        let locked = self.organization(organization).locked_months(new.from, new.to).await?;
        if let Some(month) = locked.first() {
            let message = format!("{month} is locked: what it cost stays; take a range without it, or unlock it");
            return Err(WriteError::conflict("from", message));
        }
        let row = Model {
            id: id.uuid(),
            organization: organization.uuid(),
            from_at: stored::time(new.from),
            to_at: stored::time(new.to),
            provider: new.provider.as_ref().map(|name| name.as_str().to_owned()),
            model: new.model.as_ref().map(|name| name.as_str().to_owned()),
            priced_at: new.priced_at.map(stored::time),
            reason: new.reason.clone(),
            created_by: self.actor_label(),
            created_at: self.at,
            revision: stored::number(revision.0),
            position: Uuid::nil(),
            busy_until: new.dry_run.then_some(NEVER_FREE),
            requests: 0,
            changed: 0,
            unpriceable: 0,
            before_nanos: 0,
            after_nanos: 0,
            parts: stored::to_json(&RepriceSums::default().parts),
            finished_at: None,
            failure: None,
            dry_run: new.dry_run,
            taken_until: None,
            cancelled_by: None,
        };
        Entity::delete_many()
            .filter(Column::Organization.eq(organization.uuid()))
            .filter(Column::DryRun.eq(true))
            .filter(Column::FinishedAt.lt(self.at - DRY_RUNS_KEPT))
            .exec(&self.transaction)
            .await?;
        stored::insert(&self.transaction, row.clone()).await?;
        Ok(read(row)?)
    }

    async fn check_told(
        &self,
        organization: OrganizationId,
        told_by: RepriceId,
        new: &NewReprice,
        revision: Revision,
    ) -> Result<(), WriteError> {
        let dry_run = ours(organization)
            .filter(Column::Id.eq(told_by.uuid()))
            .filter(Column::DryRun.eq(true));
        let conflict = |what: String| Err(WriteError::conflict("as_told_by", what));
        match dry_run.one(&self.transaction).await? {
            None => conflict(format!(
                "{told_by} is no dry run of this organization, or is no longer known"
            )),
            Some(row) if row.finished_at.is_none() || row.failure.is_some() => {
                conflict(format!("{told_by} has not told all of it"))
            }
            Some(row) if row.revision != stored::number(revision.0) => {
                conflict(format!("prices have changed since {told_by}: make another dry run"))
            }
            Some(row) => {
                let told = (row.from_at, row.to_at, provider(&row)?, model(&row)?, row.priced_at);
                let (from, to) = (stored::time(new.from), stored::time(new.to));
                let priced_at = new.priced_at.map(stored::time);
                match told == (from, to, new.provider.clone(), new.model.clone(), priced_at) {
                    true => Ok(()),
                    false => conflict(format!("{told_by} told of other requests")),
                }
            }
        }
    }

    /// Ends a run before its time; what it has added stays.
    pub async fn cancel_reprice(&mut self, organization: OrganizationId, id: RepriceId) -> Result<(), WriteError> {
        let by = self.actor_label();
        let cancelled = Entity::update_many()
            .col_expr(Column::FinishedAt, Expr::value(self.at))
            .col_expr(Column::TakenUntil, Expr::value(None::<DateTime<Utc>>))
            .col_expr(Column::Failure, Expr::value(format!("{by} cancelled it")))
            .col_expr(Column::CancelledBy, Expr::value(by))
            .filter(Column::Organization.eq(organization.uuid()))
            .filter(Column::Id.eq(id.uuid()))
            .filter(Column::FinishedAt.is_null())
            .exec(&self.transaction)
            .await?;
        match cancelled.rows_affected {
            0 => Err(WriteError::conflict("reprice", format!("{id} is over already"))),
            _ => Ok(()),
        }
    }
}

impl System<'_> {
    /// Runs that nobody works on, each said to be worked on from now.
    pub async fn take_up_reprices(&self) -> Result<Vec<RepriceRun>, DatabaseError> {
        let now = stored::now();
        let idle = Condition::all().add(Column::FinishedAt.is_null()).add(
            Condition::any()
                .add(Column::TakenUntil.is_null())
                .add(Column::TakenUntil.lt(now)),
        );
        if Entity::find().filter(idle.clone()).one(&self.db.read).await?.is_none() {
            return Ok(Vec::new());
        }
        let taken = Entity::update_many()
            .col_expr(Column::TakenUntil, Expr::value(now + TAKEN_FOR))
            .filter(idle)
            .exec_with_returning(&self.db.write)
            .await?;
        Ok(taken.iter().map(run).collect::<Result<_, _>>()?)
    }

    /// Lets others take up a run at once.
    pub async fn put_down_reprice(&self, run: &RepriceRun) -> Result<(), DatabaseError> {
        Entity::update_many()
            .col_expr(Column::TakenUntil, Expr::value(None::<DateTime<Utc>>))
            .filter(there(run))
            .exec(&self.db.write)
            .await?;
        Ok(())
    }
}

impl Db {
    /// Adds a portion's adjustments to everything that their requests count in, and moves the run on to its last request.
    /// `after` are the run's sums with this portion.
    pub async fn adjust(
        &self,
        run: &RepriceRun,
        adjustments: &[Adjustment],
        budgets: &[Budget],
        position: RequestId,
        after: &RepriceSums,
    ) -> Result<RepriceStep, DatabaseError> {
        let transaction = self.begin().await?;
        let usage_from = hold_removal(&transaction).await?.map(first_id_of);
        let is_gone = |adjustment: &Adjustment| usage_from.is_some_and(|from| adjustment.request.row.id < from);
        if adjustments.iter().any(is_gone) {
            // Removed since they were read, with what they cost then. Whoever takes up the run begins after them.
            transaction.rollback().await?;
            return Ok(RepriceStep::Lost);
        }
        let now = stored::now();
        let moved = Entity::update_many()
            .col_expr(Column::Position, Expr::value(position.uuid()))
            .col_expr(Column::TakenUntil, Expr::value(now + TAKEN_FOR))
            .col_expr(Column::Requests, Expr::value(stored::number(after.requests)))
            .col_expr(Column::Changed, Expr::value(stored::number(after.changed)))
            .col_expr(Column::Unpriceable, Expr::value(stored::number(after.unpriceable)))
            .col_expr(Column::BeforeNanos, Expr::value(after.before.get()))
            .col_expr(Column::AfterNanos, Expr::value(after.after.get()))
            .col_expr(Column::Parts, Expr::value(stored::to_json(&after.parts)))
            .filter(there(run))
            .exec(&transaction)
            .await?;
        if moved.rows_affected == 0 {
            transaction.rollback().await?;
            return Ok(RepriceStep::Lost);
        }
        if !run.dry_run {
            add(&transaction, run, adjustments, budgets, now).await?;
        }
        transaction.commit().await?;
        Ok(RepriceStep::Done)
    }

    /// Ends a run, which the audit log tells.
    pub async fn end_reprice(&self, run: &RepriceRun, failure: Option<&str>) -> Result<RepriceStep, DatabaseError> {
        let transaction = self.begin().await?;
        let now = stored::now();
        let ended = Entity::update_many()
            .col_expr(Column::FinishedAt, Expr::value(now))
            .col_expr(Column::TakenUntil, Expr::value(None::<DateTime<Utc>>))
            .col_expr(Column::Failure, Expr::value(failure.map(str::to_owned)))
            .filter(there(run))
            .exec(&transaction)
            .await?;
        if ended.rows_affected == 0 {
            transaction.rollback().await?;
            return Ok(RepriceStep::Lost);
        }
        // A dry run changed nothing.
        if !run.dry_run {
            tell_end(&transaction, run, failure, now).await?;
        }
        transaction.commit().await?;
        Ok(RepriceStep::Done)
    }
}

async fn tell_end(
    transaction: &DatabaseTransaction,
    run: &RepriceRun,
    failure: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let RepriceSums {
        requests,
        changed,
        unpriceable,
        before,
        after,
        parts: _,
    } = &run.sums;
    let detail = serde_json::json!({
        "requests": requests, "changed": changed, "unpriceable": unpriceable, "before": before, "after": after,
        "failure": failure,
    });
    let change = Change::new(run.organization, "reprice.end", run.id, detail);
    let row = audit::row(&Actor::system(run.id.to_string()), &change, AuditOutcome::Done, now);
    stored::insert(transaction, row).await
}

/// The run as far as somebody knows it.
fn there(run: &RepriceRun) -> Condition {
    Condition::all()
        .add(Column::Id.eq(run.id.uuid()))
        .add(Column::Position.eq(run.position.uuid()))
        .add(Column::FinishedAt.is_null())
}

/// A run under way that adds to what requests of a time cost.
pub(crate) async fn running_within(
    connection: &impl ConnectionTrait,
    organization: OrganizationId,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Option<RepriceId>, DbErr> {
    let overlaps = Condition::all()
        .add(Column::DryRun.eq(false))
        .add(Column::FromAt.lt(stored::time(to)))
        .add(Column::ToAt.gt(stored::time(from)));
    running(connection, organization, overlaps).await
}

async fn running(
    connection: &impl ConnectionTrait,
    organization: OrganizationId,
    which: Condition,
) -> Result<Option<RepriceId>, DbErr> {
    let running = ours(organization).filter(Column::FinishedAt.is_null()).filter(which);
    Ok(running.one(connection).await?.map(|row| RepriceId::from_uuid(row.id)))
}

async fn add(
    transaction: &DatabaseTransaction,
    run: &RepriceRun,
    adjustments: &[Adjustment],
    budgets: &[Budget],
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let mut rows = Vec::with_capacity(adjustments.len());
    let mut of_rollups = Vec::with_capacity(adjustments.len());
    let mut of_openings = Vec::with_capacity(adjustments.len());
    let mut of_budgets = Vec::with_capacity(adjustments.len());
    for Adjustment { request, cost, lines } in adjustments {
        let delta_nanos = cost.saturating_sub(request.cost.unwrap_or_default()).get();
        let (row, priced) = (&request.row, request.cost.is_none());
        rows.push(
            usage_adjustment::Model {
                organization: row.organization,
                request: row.id,
                reprice: run.id.uuid(),
                started_at: row.started_at,
                delta_nanos,
                cost_nanos: cost.get(),
                priced,
                lines: stored::to_json(lines),
                created_at: now,
            }
            .into_active_model(),
        );
        of_rollups.push(Adjusted {
            row,
            delta_nanos,
            priced,
        });
        of_openings.push((row, delta_nanos));
        if let Some(shares) = &row.budgets {
            let shares: Vec<BudgetShare> = stored::json("budgets", shares)?;
            of_budgets.push((shares, delta_nanos));
        }
    }
    for portion in rows.chunks(100) {
        usage_adjustment::Entity::insert_many(portion.to_vec())
            .exec_without_returning(transaction)
            .await?;
    }
    // In the order in which requests that come in are added.
    rollup::adjust(transaction, &of_rollups).await?;
    budget_spend::adjust(transaction, run.organization, &of_budgets).await?;
    openings::adjust(transaction, run.organization, budgets, &of_openings).await
}

fn ours(organization: OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::Organization.eq(organization.uuid()))
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

fn run(row: &Model) -> Result<RepriceRun, DbErr> {
    Ok(RepriceRun {
        id: RepriceId::from_uuid(row.id),
        organization: OrganizationId::from_uuid(row.organization),
        dry_run: row.dry_run,
        range: RepriceRange {
            from: row.from_at,
            to: row.to_at,
            provider: provider(row)?,
            model: model(row)?,
        },
        priced_at: row.priced_at,
        revision: Revision(stored::count(row.revision)),
        position: RequestId::from_uuid(row.position),
        sums: sums(row)?,
    })
}

fn read(row: Model) -> Result<Reprice, DbErr> {
    let state = match (row.finished_at, &row.failure, &row.cancelled_by) {
        (None, ..) => RepriceState::Running,
        (Some(_), None, _) => RepriceState::Done,
        (Some(_), Some(_), None) => RepriceState::Failed,
        (Some(_), Some(_), Some(_)) => RepriceState::Cancelled,
    };
    Ok(Reprice {
        id: RepriceId::from_uuid(row.id),
        dry_run: row.dry_run,
        state,
        from: row.from_at,
        to: row.to_at,
        provider: provider(&row)?,
        model: model(&row)?,
        priced_at: row.priced_at,
        looked_up_to: (!row.position.is_nil()).then(|| minted_at(row.position)).flatten(),
        sums: sums(&row)?,
        reason: row.reason,
        created_at: row.created_at,
        created_by: row.created_by,
        finished_at: row.finished_at,
        failure: row.failure,
    })
}

fn provider(row: &Model) -> Result<Option<Slug>, DbErr> {
    let name = row.provider.as_deref();
    name.map(|name| stored::parsed("provider", name)).transpose()
}

fn model(row: &Model) -> Result<Option<UpstreamModel>, DbErr> {
    let name = row.model.as_deref();
    name.map(|name| stored::parsed("upstream model", name)).transpose()
}

fn sums(row: &Model) -> Result<RepriceSums, DbErr> {
    Ok(RepriceSums {
        requests: stored::count(row.requests),
        changed: stored::count(row.changed),
        unpriceable: stored::count(row.unpriceable),
        before: Nanos::new(row.before_nanos),
        after: Nanos::new(row.after_nanos),
        parts: stored::json("parts of a run", &row.parts)?,
    })
}
