//! What an organization has, as a document: the same state gives the same text, and secrets are references.

use std::collections::HashMap;

use gatewright_contract::{Keyring, OpenedCredential};
use gatewright_store::{Scope, SealedCredential};
use gatewright_types::api::{
    CredentialEntry, Document, KeyEntry, KeyOwner, MemberEntry, ModelEntry, NamedScope, NewOverlay, Organization,
    PriceEntry, ProviderEntry, ServiceAccountEntry, TeamEntry, TokenEntry,
};

use super::current::Current;
use super::document::VERSION;
use super::export_caps::CapEntries;
use super::secrets;
use crate::error::ApiError;

/// The whole organization. Keys and tokens come without secrets: only their digests are known.
pub(crate) async fn export(
    scope: &Scope<'_>,
    organization: &Organization,
    keyring: &Keyring,
) -> Result<Document, ApiError> {
    let mut everything = Document {
        version: VERSION,
        name: Some(organization.name.clone()),
        traces: Some(organization.traces),
        members: Some(Vec::new()),
        providers: Some(Vec::new()),
        models: Some(Vec::new()),
        prices: Some(Vec::new()),
        catalog: Some(Vec::new()),
        teams: Some(Vec::new()),
        service_accounts: Some(Vec::new()),
        tokens: Some(Vec::new()),
        keys: Some(Vec::new()),
        tags: Some(organization.tags.clone()),
        cost_centre: Some(organization.cost_centre.clone()),
        shared_cost: Some(organization.shared_cost),
        budgets: Some(Vec::new()),
        limits: Some(Vec::new()),
        ..Document::of(organization.slug.clone())
    };
    let current = Current::read(scope, organization.clone(), &everything).await?;
    fill(&mut everything, current, keyring);
    Ok(everything)
}

fn fill(document: &mut Document, current: Current, keyring: &Keyring) {
    let teams: HashMap<_, _> = current.teams.iter().map(|team| (team.id, team.name.clone())).collect();
    let people: HashMap<_, _> = current
        .members
        .iter()
        .map(|member| (member.id, member.email.clone()))
        .collect();
    let accounts = current.service_accounts.iter();
    let accounts: HashMap<_, _> = accounts.map(|account| (account.id, account.name.clone())).collect();
    let mut caps = CapEntries::of(&current);
    let networks = current.networks;
    document.members = Some(sorted(
        current.members,
        |member| member.email.to_string(),
        |member| MemberEntry {
            email: member.email,
            name: Some(member.name),
            role: member.role,
            password: None,
        },
    ));
    document.providers = Some(sorted(
        current.providers,
        |(provider, _)| provider.name.to_string(),
        |(provider, credentials)| {
            let usual = provider.kind.usual_address(&provider.settings);
            ProviderEntry {
                kind: provider.kind,
                base_url: provider.base_url.filter(|address| Some(address) != usual.as_ref()),
                network: networks
                    .get(&provider.id)
                    .map(|unit| secrets::network_entry(provider.name.as_str(), unit)),
                credentials: sorted(
                    credentials,
                    |one| one.name.to_string(),
                    |one| credential(provider.name.as_str(), one, keyring),
                ),
                settings: provider.settings,
                name: provider.name,
            }
        },
    ));
    document.models = Some(sorted(
        current.models,
        |model| model.name.to_string(),
        |model| ModelEntry {
            name: model.name,
            route: model.route,
            settings: model.settings,
        },
    ));
    let order = |price: &gatewright_types::api::Price| {
        (
            price.provider.to_string(),
            price.model.to_string(),
            price.effective_from,
        )
    };
    document.prices = Some(sorted(current.prices, order, |price| PriceEntry {
        provider: price.provider,
        model: price.model,
        effective_from: Some(price.effective_from),
        rates: price.rates,
        tiers: price.tiers,
        service_tiers: price.service_tiers,
    }));
    document.catalog = Some(sorted(
        current.overlays,
        |overlay| (overlay.kind.as_str(), overlay.model.to_string()),
        |overlay| NewOverlay {
            kind: overlay.kind,
            model: overlay.model,
            facts: overlay.facts,
        },
    ));
    document.teams = Some(sorted(
        current.teams,
        |team| team.name.to_string(),
        |team| {
            let (budgets, limits) = caps.take(&NamedScope::Team(team.name.clone()));
            TeamEntry {
                name: team.name,
                ip_ranges: team.ip_ranges,
                cost_centre: team.cost_centre,
                shared: team.shared,
                budgets,
                limits,
            }
        },
    ));
    document.service_accounts = Some(sorted(
        current.service_accounts,
        |account| account.name.to_string(),
        |account| ServiceAccountEntry {
            team: account.team.and_then(|team| teams.get(&team).cloned()),
            name: account.name,
            cost_centre: account.cost_centre,
        },
    ));
    document.tokens = Some(sorted(
        current.tokens,
        |token| token.name.to_string(),
        |token| TokenEntry {
            name: token.name,
            role: token.role,
            secret: None,
        },
    ));
    document.keys = Some(sorted(
        current.keys,
        |key| key.name.to_string(),
        |key| {
            let (budgets, limits) = caps.take(&NamedScope::Key(key.name.clone()));
            KeyEntry {
                team: key.team.and_then(|team| teams.get(&team).cloned()),
                name: key.name,
                owner: key
                    .owner
                    .and_then(KeyOwner::person)
                    .and_then(|person| people.get(&person).cloned()),
                service_account: key
                    .owner
                    .and_then(KeyOwner::service_account)
                    .and_then(|account| accounts.get(&account).cloned()),
                secret: None,
                models: key.models,
                tags: key.tags,
                scopes: key.scopes,
                upkeep: key.upkeep,
                faults: key.faults,
                cost_centre: key.cost_centre,
                expires_at: key.expires_at,
                budgets,
                limits,
            }
        },
    ));
    let (budgets, limits) = caps.rest();
    (document.budgets, document.limits) = (Some(budgets), Some(limits));
}

fn credential(provider: &str, sealed: SealedCredential, keyring: &Keyring) -> CredentialEntry {
    let SealedCredential {
        id,
        name,
        weight,
        kind,
        sealed,
    } = sealed;
    let opened = OpenedCredential::open_sealed(keyring, id, kind, &sealed).ok();
    CredentialEntry {
        secret: secrets::entry(provider, name.as_str(), kind, opened),
        name,
        weight,
    }
}

fn sorted<T, K: Ord, U>(mut items: Vec<T>, key: impl Fn(&T) -> K, into: impl FnMut(T) -> U) -> Vec<U> {
    items.sort_by_key(key);
    items.into_iter().map(into).collect()
}
