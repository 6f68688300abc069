//! Documents applied at start, by the server itself: organizations that are missing are made.

use gatewright_store::Actor;
use gatewright_types::api::{ApplyReport, Document};
use gatewright_types::{OrganizationId, RequestId, Role, Slug};

use super::apply::{Subject, carry_out, differences};
use super::people::{Accounts, Hashing};
use crate::control::Control;
use crate::error::{ApiError, chain};

/// Why documents could not be applied: one line for each thing that is wrong.
#[derive(Debug, thiserror::Error)]
#[error("the configuration of organization {organization} was not applied: {}", .problems.join("; "))]
pub struct BootstrapError {
    pub organization: Slug,
    pub problems: Vec<String>,
}

/// Applies documents whose secrets were resolved, in order. Applying them again changes nothing.
pub async fn bootstrap(control: &Control, documents: Vec<Document>) -> Result<Vec<ApplyReport>, BootstrapError> {
    let mut reports = Vec::with_capacity(documents.len());
    for document in documents {
        let mut applied = Box::pin(one(control, &document)).await;
        // Another node that starts at the same time may have been first; then there is nothing left to do.
        if matches!(applied, Err(ApiError::Conflict { .. })) {
            applied = Box::pin(one(control, &document)).await;
        }
        reports.push(applied.map_err(|error| BootstrapError {
            organization: document.organization.clone(),
            problems: problems(&error),
        })?);
    }
    Ok(reports)
}

async fn one(control: &Control, document: &Document) -> Result<ApplyReport, ApiError> {
    let actor = Actor::system(RequestId::mint().to_string());
    let there = control.db.system().organization_by_slug(&document.organization).await?;
    let id = there.as_ref().map(|organization| organization.id);
    if let Some(organization) = &there {
        let accounts = Accounts::read(control, id, document, Hashing::Skip).await?;
        let plan = differences(control, organization, document, &accounts, &actor.label).await?;
        if plan.steps.is_empty() {
            let (organization, changes) = (document.organization.clone(), Vec::new());
            return Ok(ApplyReport {
                organization,
                changes,
                minted: plan.minted,
            });
        }
    }
    let accounts = Accounts::read(control, id, document, Hashing::Do).await?;
    let subject = there.map_or_else(|| Subject::New(OrganizationId::mint()), Subject::There);
    carry_out(control, &actor, Role::Owner, subject, document, &accounts).await
}

fn problems(error: &ApiError) -> Vec<String> {
    match error {
        ApiError::Invalid(fields) => fields
            .iter()
            .map(|(path, message)| format!("{path}: {message}"))
            .collect(),
        other => vec![chain(other)],
    }
}
