//! Stage 3: from the model a caller asked for to where the request goes. Decided by `gatewright-routing`; here it is told
//! what this node knows.

use std::sync::Arc;

use gatewright_contract::{Caller, Model, UpstreamTarget};
use gatewright_llm::Request;
use gatewright_routing::{Asked, Headers, Situation, looked_at, route_and_tell};
use gatewright_types::api::Fault;
use gatewright_types::{CredentialId, RequestId};

use crate::fault::Wished;
use crate::gateway::Gateway;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::responses::Keep;

/// Where a request goes.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) routed: gatewright_routing::Plan,
    /// The credential that has to be used again, as long as there is one of this identifier.
    pub(crate) credential: Option<CredentialId>,
    /// What later requests may refer to.
    pub(crate) keep: Option<Keep>,
    /// What the caller wants to go wrong.
    pub(crate) fault: Option<Wished>,
}

/// What is to be routed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Routable<'a> {
    pub(crate) id: RequestId,
    pub(crate) model: Chosen<'a>,
    /// Absent where tokens are only to be counted.
    pub(crate) request: Option<&'a Request>,
    pub(crate) headers: &'a Headers,
}

/// Who chose the model.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Chosen<'a> {
    ByCaller(&'a str),
    /// Whether or not the key may call it.
    ByBudget(&'a Arc<Model>),
}

impl Plan {
    pub(crate) fn target(&self) -> &Arc<UpstreamTarget> {
        &self.routed.legs.first().target
    }

    pub(crate) fn fault_at(&self, target: &UpstreamTarget) -> Option<Fault> {
        self.fault.as_ref()?.at(target).cloned()
    }
}

/// A name that exists but is not on the key's list is told apart: whoever holds the key belongs to the organization.
pub(crate) fn permitted<'a>(caller: &'a Caller, model: &str) -> Result<&'a Arc<Model>, Refusal> {
    let Some(found) = caller.tenant.models.get(model) else {
        return Err(Refusal::ModelNotFound {
            model: model.to_owned(),
        });
    };
    match caller.key.allows(model) {
        true => Ok(found),
        false => Err(Refusal::ModelNotAllowed {
            model: model.to_owned(),
        }),
    }
}

pub(crate) fn route(
    gateway: &Gateway,
    caller: &Caller,
    routable: Routable<'_>,
    record: &mut Record,
) -> Result<Plan, Refusal> {
    let Routable {
        id,
        model,
        request,
        headers,
    } = routable;
    let found = match model {
        Chosen::ByCaller(name) => permitted(caller, name)?,
        Chosen::ByBudget(model) => model,
    };
    let (time, random) = id.uuid().as_u64_pair();
    let situation = Situation {
        caller,
        model: found,
        asked: Asked { request, headers },
        needs: None,
        health: gateway.health(),
        turns: &gateway.parts.turns,
        catalog: &gateway.catalog(),
        budget: match found.route.has_rules() {
            true => record.ticket().and_then(|ticket| ticket.tightest()),
            // Nobody asks.
            false => None,
        },
        now: chrono::Utc::now(),
        dice: time ^ random,
    };
    record.notes().looked_at(|| looked_at(&situation));
    let routed = match record.notes().route() {
        Some(decision) => route_and_tell(&situation, decision),
        None => gatewright_routing::route(&situation),
    };
    Ok(Plan {
        routed: routed.map_err(Refusal::Unroutable)?,
        credential: None,
        keep: None,
        fault: None,
    })
}
