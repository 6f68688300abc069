//! What a key that may call only some models may ask of a provider directly: what those models lead to, and nothing of
//! which that cannot be told.

use gatewright_contract::{Caller, Provider};
use gatewright_llm::Named;

use crate::refusal::Refusal;

pub(super) fn check(caller: &Caller, provider: &Provider, named: &Named) -> Result<(), Refusal> {
    if caller.key.models.is_none() {
        return Ok(());
    }
    let names = match named {
        Named::Nowhere => return Err(Refusal::ModelNotNamed),
        Named::Once(name) => std::slice::from_ref(name),
        Named::Differently(names) => names,
    };
    match names.iter().find(|name| !leads_there(caller, provider, name)) {
        Some(name) => Err(Refusal::ModelNotAllowed { model: name.clone() }),
        None => Ok(()),
    }
}

/// Whether a model the key may call leads to this one of the provider's.
fn leads_there(caller: &Caller, provider: &Provider, name: &str) -> bool {
    let name = name.strip_prefix("models/").unwrap_or(name);
    let mut allowed = caller
        .tenant
        .models
        .values()
        .filter(|model| caller.key.allows(model.name.as_str()));
    allowed.any(|model| {
        let mut targets = model
            .route
            .targets()
            .into_iter()
            .filter(|target| target.provider.id == provider.id);
        // With deployments, the provider knows a model by the name of its deployment only.
        targets.any(|target| provider.deployment(target.model.as_str()) == name)
    })
}
