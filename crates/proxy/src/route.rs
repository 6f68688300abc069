//! Stage 3: from the model a caller asked for to where the request goes. Pure: no I/O, no clock.

use std::sync::Arc;

use gatewright_contract::{Caller, Model, Route, UpstreamTarget};

use crate::refusal::Refusal;

/// Where a request goes.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) model: Arc<Model>,
}

impl Plan {
    pub(crate) fn target(&self) -> &UpstreamTarget {
        let Route::Target(target) = &self.model.route;
        target
    }
}

/// A name that exists but is not on the key's list is told apart: whoever holds the key belongs to the organization.
pub(crate) fn route(caller: &Caller, model: &str) -> Result<Plan, Refusal> {
    let Some(found) = caller.tenant.models.get(model) else {
        return Err(Refusal::ModelNotFound {
            model: model.to_owned(),
        });
    };
    if !caller.key.allows(model) {
        return Err(Refusal::ModelNotAllowed {
            model: model.to_owned(),
        });
    }
    Ok(Plan { model: found.clone() })
}
