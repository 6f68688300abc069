//! The way of a request at a provider's own address, past the limits and budgets of whoever asks and of whoever is asked.

use gatewright_contract::{Caller, UpstreamTarget};
use gatewright_routing::{Asked, Headers};
use gatewright_types::CredentialId;
use tokio::time::Instant;

use super::amount::{Purchase, Question};
use super::at_target::{Target, meet_target};
use super::entering::{Entering, enter};
use super::spending::spend;
use super::who::{Errand, Who};
use crate::gateway::Gateway;
use crate::native::Sighted;
use crate::record::Record;
use crate::refusal::Refusal;

pub(crate) async fn enter_natively(
    gateway: &Gateway,
    caller: &Caller,
    headers: &Headers,
    sighted: &Sighted,
    record: &mut Record,
) -> Result<(), Refusal> {
    let asked = Asked {
        request: sighted.request.as_ref(),
        headers,
    };
    let errand = errand(sighted);
    let who = Who::of(caller, asked, errand)?;
    record.is_about(&who);
    let entering = Entering {
        gateway,
        caller,
        asked,
        model: None,
        who: &who,
        errand,
    };
    enter(entering, record.ticket_place()).await?;
    Ok(())
}

pub(crate) async fn spend_natively(
    gateway: &Gateway,
    sighted: &Sighted,
    credential: Option<CredentialId>,
    record: &mut Record,
) -> Result<(), Refusal> {
    let (now, began) = (record.began_at(), Instant::now());
    let Some(ticket) = record.ticket() else { return Ok(()) };
    let targets: Vec<&UpstreamTarget> = sighted.target.iter().collect();
    let purchase = Purchase {
        question: match &sighted.request {
            Some(request) => Question::Read(request),
            None => Question::Unread {
                bytes: sighted.body.len().saturating_add(sighted.unseen_bytes),
            },
        },
        targets: &targets,
        catalog: &gateway.catalog(),
        health: gateway.health(),
        now,
    };
    let purchase = (errand(sighted) == Errand::Answer).then_some(purchase);
    let target = Target {
        provider: &sighted.provider,
        model: sighted.target.as_ref(),
        credential,
    };
    let spent = match purchase {
        Some(purchase) => spend(ticket, purchase).await,
        None => Ok(()),
    };
    let spent = match spent {
        Ok(()) => meet_target(record.ticket(), target, purchase).await,
        Err(refusal) => Err(refusal),
    };
    record.waited(began.elapsed());
    spent
}

/// Counting tokens is free everywhere.
fn errand(sighted: &Sighted) -> Errand {
    match sighted.native.is_free() {
        true => Errand::Aside,
        false => Errand::Answer,
    }
}
