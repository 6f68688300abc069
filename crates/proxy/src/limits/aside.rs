//! The way of what asks for no answer and costs nothing: past its limits.

use gatewright_contract::Caller;
use gatewright_routing::{Asked, Headers};

use super::entering::{Entering, enter};
use super::ticket::Ticket;
use super::who::{Errand, Who};
use crate::gateway::Gateway;
use crate::record::Record;
use crate::refusal::Refusal;

/// Of a request that has a record. `model` is the name that is asked for.
pub(crate) async fn enter_aside(
    gateway: &Gateway,
    caller: &Caller,
    model: &str,
    headers: &Headers,
    record: &mut Record,
) -> Result<(), Refusal> {
    let asked = Asked { request: None, headers };
    let who = Who::of(caller, asked, Errand::Aside)?;
    record.is_about(&who);
    let entering = Entering {
        gateway,
        caller,
        asked,
        model: caller.tenant.models.get(model),
        who: &who,
        errand: Errand::Aside,
    };
    enter(entering, record.ticket_place()).await.map(drop)
}

/// Of a request without a record. The ticket is made where there is anything to meet, whatever comes of it.
pub(crate) async fn enter_unrecorded(
    gateway: &Gateway,
    caller: &Caller,
    headers: &Headers,
    ticket: &mut Option<Box<Ticket>>,
) -> Result<(), Refusal> {
    let asked = Asked { request: None, headers };
    let who = Who::of(caller, asked, Errand::Aside)?;
    let entering = Entering {
        gateway,
        caller,
        asked,
        model: None,
        who: &who,
        errand: Errand::Aside,
    };
    enter(entering, ticket).await.map(drop)
}
