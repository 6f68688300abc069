//! A request as a route's target changes it.

use gatewright_contract::UpstreamTarget;
use gatewright_llm::Request;

use crate::refusal::Refusal;

/// `None` where the target takes it as it is.
pub(crate) fn changed(request: &Request, target: &UpstreamTarget) -> Result<Option<Request>, Refusal> {
    let changes = target.changes.as_deref();
    let changes = changes.filter(|changes| !changes.params.is_empty() || changes.prompt.is_some());
    let changed = changes.map(|changes| request.changed(&changes.params, changes.prompt.as_deref()));
    changed.transpose().map_err(Refusal::BadRequest)
}
