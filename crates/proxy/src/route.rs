//! Stage 3: from the model a caller asked for to where the request goes. Pure: no I/O, no clock.

use std::sync::Arc;

use gatewright_contract::{Caller, Model, UpstreamTarget};
use gatewright_types::CredentialId;

use crate::refusal::Refusal;
use crate::responses::Keep;

/// Where a request goes.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) model: Arc<Model>,
    pub(crate) target: Arc<UpstreamTarget>,
    /// The credential that has to be used again, as long as there is one of this identifier.
    pub(crate) credential: Option<CredentialId>,
    /// What later requests may refer to.
    pub(crate) keep: Option<Keep>,
}

impl Plan {
    pub(crate) fn target(&self) -> &UpstreamTarget {
        &self.target
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
    let targets = found.route.targets();
    let target = targets.first().ok_or_else(|| Refusal::ModelNotFound {
        model: model.to_owned(),
    })?;
    Ok(Plan {
        model: found.clone(),
        target: (*target).clone(),
        credential: None,
        keep: None,
    })
}
