//! What a key that may not do everything may ask of a provider directly: what its models lead to and its scopes reach, and
//! nothing of which that cannot be told.

use chrono::{DateTime, Utc};
use gatewright_contract::{Barred, Caller, Catalog, Provider};
use gatewright_llm::{Named, declared_tools};

use super::Sighted;
use crate::refusal::Refusal;

pub(super) fn check(caller: &Caller, sighted: &Sighted, catalog: &Catalog, now: DateTime<Utc>) -> Result<(), Refusal> {
    check_model(caller, &sighted.provider, &sighted.native.named)?;
    check_target(caller, sighted, catalog, now)?;
    check_tools(caller, sighted)
}

fn check_model(caller: &Caller, provider: &Provider, named: &Named) -> Result<(), Refusal> {
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

fn check_target(caller: &Caller, sighted: &Sighted, catalog: &Catalog, now: DateTime<Utc>) -> Result<(), Refusal> {
    let key = &caller.key;
    let barred = match &sighted.target {
        Some(target) => key.barred(target, catalog, now),
        None => key
            .barred_provider(&sighted.provider)
            .or_else(|| key.limits_price().then_some(Barred::Unpriced)),
    };
    match barred {
        Some(barred) => Err(Refusal::NotForKey { barred }),
        None => Ok(()),
    }
}

/// A body without a form that is known here may declare anything.
fn check_tools(caller: &Caller, sighted: &Sighted) -> Result<(), Refusal> {
    if !caller.key.limits_tools() || sighted.body.is_empty() {
        return Ok(());
    }
    let declared = sighted.native.purpose.and_then(|_| declared_tools(&sighted.body));
    let declared = declared.ok_or(Refusal::ToolsNotTold)?;
    match caller.key.barred_tool(declared.iter().map(String::as_str)) {
        Some(tool) => Err(Refusal::ToolNotAllowed { tool: tool.to_owned() }),
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
