//! One try to take over a newer catalogue without a person: fetched and believed as one that a person brings in, then
//! put in force as far as the schedule allows it, else left to wait. It never goes back, and trying twice is trying once.

use chrono::{DateTime, NaiveTime, Utc};
use gatewright_contract::{Catalog, diff, only_adds};
use gatewright_store::{Actor, CatalogRefreshInsert, CatalogTurn, Change, KnownRefresh, WriteError, WriteTx};
use gatewright_types::CatalogRefreshId;
use gatewright_types::api::{
    AutomaticApproval, CatalogDiff, CatalogTry, CatalogTryOutcome, NewCatalogSchedule, NewRefresh, RefreshState,
};
use serde_json::json;

use super::{Received, receive};
use crate::control::Control;
use crate::error::ApiError;

/// Who brings in and approves, in lists and in the audit log.
const BY: &str = "the schedule";

/// A catalogue that is newer than the one in force.
struct Newer {
    received: Received,
    diff: CatalogDiff,
    /// The edition approved last when the difference was made.
    based_on: Option<CatalogRefreshId>,
    approval: Approval,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Approval {
    Automatic,
    ByAPerson,
}

/// Makes the try of a turn. An error means that the database failed, or that somebody approved another catalogue at the
/// same moment: nothing was done, and another try is due.
pub(crate) async fn make_try(control: &Control, turn: &CatalogTurn) -> Result<CatalogTry, WriteError> {
    let at = Utc::now();
    let address = NewRefresh::Url(turn.setting.url.clone());
    let received = receive(&control.settings.catalog_keys, &control.catalog_fetcher, address).await;
    let received = match received {
        Ok(received) => received,
        Err(error) => return failed(control, &turn.setting, at, None, told(&error)).await,
    };
    let version = received.version.clone();
    let system = control.db.system();
    // Before the catalogue is read, so that an approval in between is noticed.
    let based_on = system.approved_catalog().await?;
    let in_force = control.catalog().await?;
    if let Some(newest) = in_force.newest_beside(&received.edition)
        && received.edition.as_of() < newest
    {
        let of = received.edition.as_of();
        let problem = format!("the document is of {of}, which is older than the one in force, of {newest}");
        return failed(control, &turn.setting, at, Some(version), problem).await;
    }
    let ended = |outcome| CatalogTry {
        at,
        outcome,
        version: Some(version.clone()),
        error: None,
    };
    let newer = Newer::of(received, based_on, &in_force, turn.setting.approval);
    if newer.diff == CatalogDiff::default() {
        return Ok(ended(CatalogTryOutcome::Unchanged));
    }
    match system.known_catalog(&version).await? {
        Some(known) if known.state != RefreshState::Pending => Ok(ended(CatalogTryOutcome::Unchanged)),
        Some(known) if known.based_on == based_on && newer.approval == Approval::ByAPerson => {
            Ok(ended(CatalogTryOutcome::Waiting))
        }
        known => take_over(control, newer, known).await.map(ended),
    }
}

impl Newer {
    fn of(
        received: Received,
        based_on: Option<CatalogRefreshId>,
        in_force: &Catalog,
        approval: AutomaticApproval,
    ) -> Self {
        let edition = &received.edition;
        let from = edition.effective_from().max(Utc::now());
        let diff = diff(in_force, edition, from);
        let approved = match approval {
            AutomaticApproval::Never => false,
            AutomaticApproval::Additions => only_adds(in_force, edition, &diff, from),
            AutomaticApproval::Always => true,
        };
        let approval = match approved {
            true => Approval::Automatic,
            false => Approval::ByAPerson,
        };
        Self {
            received,
            diff,
            based_on,
            approval,
        }
    }
}

/// Brings it in, in place of everything the schedule brought in before that still waits.
async fn take_over(
    control: &Control,
    newer: Newer,
    seen: Option<KnownRefresh>,
) -> Result<CatalogTryOutcome, WriteError> {
    let id = CatalogRefreshId::mint();
    let actor = Actor::system(id.to_string());
    let counts = newer.diff.counts();
    let (version, approval) = (newer.received.version.clone(), newer.approval);
    let detail = json!({"version": version, "origin": newer.received.origin, "counts": counts, "by": BY});
    let brought_in = change(control, "catalog.bring_in", id, detail).await?;
    let approved = change(
        control,
        "catalog.approve",
        id,
        json!({"version": version, "counts": counts, "by": BY}),
    )
    .await?;
    control
        .write(&actor, brought_in, async |tx| {
            // Another node may have been as quick.
            if tx.known_catalog(&version).await? != seen {
                return Err(WriteError::Conflict {
                    field: "version",
                    message: "was brought in by somebody else at the same moment".to_owned(),
                });
            }
            reject_older(tx, &newer).await?;
            tx.create_catalog_refresh(CatalogRefreshInsert {
                id,
                effective_from: newer.received.edition.effective_from(),
                diff: newer.diff,
                based_on: newer.based_on,
                document: newer.received.text,
                version: newer.received.version,
                origin: newer.received.origin,
                created_by: BY.to_owned(),
            })
            .await?;
            match approval {
                Approval::ByAPerson => Ok(CatalogTryOutcome::Waiting),
                Approval::Automatic => {
                    tx.audit(approved).await?;
                    tx.approve_catalog_refresh(id, BY).await?;
                    Ok(CatalogTryOutcome::Approved)
                }
            }
        })
        .await
}

/// What waits and is newer than this one stays: somebody shows an old document again.
async fn reject_older(tx: &mut WriteTx, newer: &Newer) -> Result<(), WriteError> {
    let day = newer.received.edition.as_of().and_time(NaiveTime::MIN).and_utc();
    for waiting in tx.waiting_catalogs_by(BY).await? {
        if waiting.effective_from <= day {
            tx.reject_catalog_refresh(waiting.id, BY).await?;
        }
    }
    Ok(())
}

async fn failed(
    control: &Control,
    setting: &NewCatalogSchedule,
    at: DateTime<Utc>,
    version: Option<String>,
    problem: String,
) -> Result<CatalogTry, WriteError> {
    tracing::warn!(
        url = setting.url,
        problem,
        "the scheduled catalogue was not taken over; the one in force stays"
    );
    let actor = Actor::system(CatalogRefreshId::mint().to_string());
    let detail = json!({"url": setting.url, "version": version, "error": problem});
    let attempt = change(control, "catalog.fetch", "catalogue", detail).await?;
    control.db.system().audit_refused(&actor, &attempt).await?;
    Ok(CatalogTry {
        at,
        outcome: CatalogTryOutcome::Failed,
        version,
        error: Some(problem),
    })
}

/// An action in the log of the organization that runs the installation.
async fn change(
    control: &Control,
    action: &'static str,
    target: impl ToString,
    detail: serde_json::Value,
) -> Result<Change, WriteError> {
    let organization = control.db.system().first_organization().await?;
    Ok(Change {
        organization: organization.map(|organization| organization.id),
        action,
        target: Some(target.to_string()),
        detail,
    })
}

/// What is wrong, without the names of fields that nobody filled in.
fn told(error: &ApiError) -> String {
    match error {
        ApiError::Invalid(fields) => fields.values().cloned().collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}
