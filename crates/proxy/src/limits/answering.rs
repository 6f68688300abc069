//! The way of a request that a model of the organization's answers, past its limits and budgets.

use std::sync::Arc;

use gatewright_contract::{Caller, Model, UpstreamTarget};
use gatewright_llm::Request;
use gatewright_routing::Asked;
use tokio::time::Instant;

use super::amount::{Purchase, Question};
use super::entering::{Entering, enter};
use super::spending::spend;
use super::who::{Errand, Who};
use crate::gateway::Gateway;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::route::{Plan, permitted};
use crate::told::Told;

/// Gives the model that a budget chose instead of the one that was asked for.
pub(crate) async fn enter_to_be_answered(
    gateway: &Gateway,
    caller: &Caller,
    request: &Request,
    told: &Told,
    record: &mut Record,
) -> Result<Option<Arc<Model>>, Refusal> {
    let asked = Asked {
        request: Some(request),
        headers: &told.headers,
    };
    let who = Who::of(caller, asked, Errand::Answer)?;
    record.is_about(&who);
    let entering = Entering {
        gateway,
        caller,
        asked,
        model: caller.tenant.models.get(request.model()),
        who: &who,
        errand: Errand::Answer,
    };
    let downgraded = enter(entering, record.ticket_place()).await?;
    if let Some(model) = &downgraded {
        // A budget opens no model to whoever may not ask for the dearer one.
        permitted(caller, request.model())?;
        record.downgraded(&model.name);
    }
    Ok(downgraded)
}

/// Reserves what it may cost where it goes.
pub(crate) async fn spend_on_answer(
    gateway: &Gateway,
    plan: &Plan,
    request: &Request,
    record: &mut Record,
) -> Result<(), Refusal> {
    let (now, began) = (record.began_at(), Instant::now());
    let Some(ticket) = record.ticket() else { return Ok(()) };
    let targets: Vec<&UpstreamTarget> = plan.routed.legs.iter().map(|leg| &*leg.target).collect();
    let purchase = Purchase {
        question: Question::Read(request),
        targets: &targets,
        catalog: &gateway.catalog(),
        health: gateway.health(),
        now,
    };
    let spent = spend(ticket, purchase).await;
    record.waited(began.elapsed());
    spent
}
