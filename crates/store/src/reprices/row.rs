//! A run's row, as whoever works on it and whoever asks about it know it.

use chrono::{DateTime, Utc};
use gatewright_contract::Revision;
use gatewright_types::api::{Reprice, RepriceState, RepriceSums};
use gatewright_types::{Nanos, OrganizationId, RepriceId, RequestId, Slug, UpstreamModel};
use sea_orm::DbErr;

use crate::entity::reprice::Model;
use crate::stored;
use crate::usage::minted_at;

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

pub(super) fn run(row: &Model) -> Result<RepriceRun, DbErr> {
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

pub(super) fn read(row: Model) -> Result<Reprice, DbErr> {
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

pub(super) fn provider(row: &Model) -> Result<Option<Slug>, DbErr> {
    let name = row.provider.as_deref();
    name.map(|name| stored::parsed("provider", name)).transpose()
}

pub(super) fn model(row: &Model) -> Result<Option<UpstreamModel>, DbErr> {
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
