//! Bills a response that was made in the background, when its provider first tells what it used. The record was named
//! when the response was asked for: whichever nodes bill it, and however often, the database counts it once.

use chrono::Utc;
use gatewright_contract::{Tenant, UsageRecord};
use gatewright_coord::ResponseId;
use gatewright_llm::dialect::inbound;
use gatewright_llm::{Terms, Tokens, unpriced};
use gatewright_types::api::{Dialect, Outcome};

use super::entry::AtProvider;
use crate::gateway::Gateway;
use crate::record::Record;

/// Whether the response is billed: it says what it used once it is over.
pub(super) fn settle(
    gateway: &Gateway,
    tenant: &Tenant,
    (id, made): (&ResponseId, &AtProvider),
    response: &[u8],
) -> bool {
    let Some(unbilled) = &made.unbilled else {
        return false;
    };
    let Ok(facts) = inbound(Dialect::OpenaiResponses).read_facts(response) else {
        return false;
    };
    let Some(tokens) = facts.usage else {
        return false;
    };
    let mut usage = (**unbilled).clone();
    usage.served = facts.terms.served;
    usage.charge = facts.terms.charge;
    let usage = billed(gateway, tenant, made, usage, (&tokens, facts.terms));
    if let Some(purse) = gateway.parts.responses.pending().take_purse(tenant.id, id) {
        purse.settle(usage.cost.unwrap_or_default());
    }
    Record::settle(gateway, usage);
    true
}

fn billed(
    gateway: &Gateway,
    tenant: &Tenant,
    made: &AtProvider,
    mut usage: UsageRecord,
    (tokens, terms): (&Tokens, Terms),
) -> UsageRecord {
    let mut providers = tenant.providers.values();
    let provider = providers.find(|provider| provider.id == made.provider);
    let target = provider.map(|provider| tenant.target(provider, made.upstream_model.clone()));
    let catalog = gateway.catalog();
    let price = target
        .as_ref()
        .and_then(|target| target.price(&catalog, usage.started_at));
    let bill = match price {
        Some(price) => price.bill(tokens, terms),
        None => unpriced(tokens, terms),
    };
    let took = Utc::now().signed_duration_since(usage.started_at);
    usage.outcome = Outcome::Complete;
    usage.status = 200;
    usage.lines = bill.lines;
    usage.cost = bill.cost;
    usage.duration_us = took.num_microseconds().and_then(|us| us.try_into().ok()).unwrap_or(0);
    usage
}
