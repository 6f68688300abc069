//! Providers: addresses are checked before they are stored, and can be tried out with a real call.

use std::sync::Arc;

use gatewright_contract::{BaseUrl, Egress, OpenedCredential, given_network};
use gatewright_store::{ProviderUpdate, SealedCredential, WriteError};
use gatewright_types::api::{NewProvider, Provider, ProviderChange, ProviderKind, ProviderSettings, Route, SelfTest};
use gatewright_types::{Page, PageQuery, ProviderId};
use serde_json::json;

use super::{credentials, network};
use crate::access::Call;
use crate::endpoint::{Created, Json, NoContent, Path, Query};
use crate::error::ApiError;
use crate::self_test::SelfTestCall;

pub(crate) async fn list(call: Call, Query(query): Query<PageQuery>) -> Result<Json<Page<Provider>>, ApiError> {
    Ok(Json(call.scope().providers(&query).await?))
}

pub(crate) async fn create(call: Call, Json(new): Json<NewProvider>) -> Result<Created<Provider>, ApiError> {
    let egress = &call.control.settings.egress;
    check_address(new.kind, new.base_url.as_deref(), &new.settings, egress)
        .map_err(|message| ApiError::field("base_url", &message))?;
    let (organization, id) = (call.organization.id, ProviderId::mint());
    let network = new.network.as_ref().map(given_network);
    let network = network.map(|given| means(&call).accept(id, given, None)).transpose();
    let network = network.map_err(ApiError::invalid)?;
    let mut inserts = Vec::with_capacity(new.credentials.len());
    for (index, credential) in new.credentials.into_iter().enumerate() {
        inserts.push(credentials::insert(
            &call,
            credential,
            &format!("credentials[{index}]."),
        )?);
    }
    let update = ProviderUpdate {
        kind: new.kind,
        base_url: new.base_url,
        settings: new.settings,
        network,
    };
    let names: Vec<_> = inserts.iter().map(|credential| &credential.name).collect();
    let detail = json!({
        "name": new.name, "kind": update.kind, "base_url": update.base_url, "settings": told(&update.settings),
        "network": network::told(update.network.as_ref()), "credentials": names,
    });
    let audited = call.change("provider.create", id, detail);
    let provider = call.write(audited, async |tx| {
        tx.create_provider(organization, id, &new.name, &update, &inserts).await
    });
    Ok(Created(provider.await?))
}

pub(crate) async fn read(call: Call, Path(provider): Path<ProviderId>) -> Result<Json<Provider>, ApiError> {
    find(&call, provider).await.map(Json)
}

pub(crate) async fn update(
    call: Call,
    Path(id): Path<ProviderId>,
    Json(change): Json<ProviderChange>,
) -> Result<Json<Provider>, ApiError> {
    let provider = find(&call, id).await?;
    let egress = &call.control.settings.egress;
    check_address(provider.kind, change.base_url.as_deref(), &change.settings, egress)
        .map_err(|message| ApiError::field("base_url", &message))?;
    let before = call.scope().sealed_network(id).await?;
    let network = change.network.as_ref().map(given_network);
    let network = network
        .map(|given| means(&call).accept(id, given, before.as_ref()))
        .transpose();
    let network = network.map_err(ApiError::invalid)?;
    let organization = call.organization.id;
    let update = ProviderUpdate {
        kind: provider.kind,
        base_url: change.base_url,
        settings: change.settings,
        network,
    };
    let detail = json!({
        "base_url": update.base_url, "settings": told(&update.settings),
        "network": network::told(update.network.as_ref()),
    });
    let audited = call.change("provider.update", id, detail);
    Ok(Json(
        call.write(audited, async |tx| tx.change_provider(organization, id, &update).await)
            .await?,
    ))
}

pub(crate) async fn delete(call: Call, Path(id): Path<ProviderId>) -> Result<NoContent, ApiError> {
    let provider = find(&call, id).await?;
    let organization = call.organization.id;
    let audited = call.change("provider.delete", id, json!({"name": provider.name}));
    let deleted = call.write(audited, async |tx| {
        let mut query = PageQuery {
            limit: Some(PageQuery::LONGEST),
            cursor: None,
        };
        loop {
            let page = tx.organization(organization).models(&query).await.map_err(listed)?;
            let uses = |route: &Route| {
                let mut targets = route.targets().into_iter();
                targets.any(|(_, leaf)| leaf.target.provider == provider.name)
            };
            if let Some(model) = page.items.iter().find(|model| uses(&model.route)) {
                let message = format!("the model {} goes there", model.name);
                return Err(WriteError::Conflict {
                    field: "provider",
                    message,
                });
            }
            let Some(cursor) = page.next_cursor else { break };
            query.cursor = Some(cursor);
        }
        tx.delete_provider(organization, id).await
    });
    deleted.await?;
    Ok(NoContent)
}

/// One answer per credential; a kind that needs none is tried once without.
pub(crate) async fn test(call: Call, Path(id): Path<ProviderId>) -> Result<Json<Page<SelfTest>>, ApiError> {
    let provider = find(&call, id).await?;
    let base_url = provider
        .base_url
        .as_deref()
        .and_then(|text| text.parse::<BaseUrl>().ok());
    let sealed = call.scope().sealed_credentials(id).await?;
    let network = call.scope().sealed_network(id).await?.map(Arc::new);
    let mut calls = Vec::with_capacity(sealed.len().max(1));
    for credential in sealed {
        let SealedCredential {
            id: credential,
            kind,
            sealed,
            ..
        } = credential;
        let opened = OpenedCredential::open_sealed(&call.control.keyring, credential, kind, &sealed)?;
        calls.push(SelfTestCall {
            kind: provider.kind,
            provider: id,
            base_url: base_url.clone(),
            network: network.clone(),
            settings: provider.settings.clone(),
            credential: Some((credential, opened)),
        });
    }
    if calls.is_empty() {
        calls.push(SelfTestCall {
            kind: provider.kind,
            provider: id,
            base_url,
            network,
            settings: provider.settings,
            credential: None,
        });
    }
    let tests = calls.into_iter().map(|test| call.control.self_tester.run(test));
    Ok(Json(Page {
        items: futures_util::future::join_all(tests).await,
        next_cursor: None,
    }))
}

/// What is wrong with a provider's address, as the rest of a sentence about the field. Whether the kind needs or takes
/// one is decided where the configuration is compiled.
pub(crate) fn check_address(
    kind: ProviderKind,
    address: Option<&str>,
    settings: &ProviderSettings,
    egress: &Egress,
) -> Result<(), String> {
    let usual = || kind.usual_address(settings);
    let Some(text) = address.map(str::to_owned).or_else(usual).filter(|_| kind.calls_out()) else {
        return Ok(());
    };
    let url = text.parse::<BaseUrl>().map_err(|error| error.to_string())?;
    egress.check(&url).map_err(|error| error.to_string())
}

fn means(call: &Call) -> network::Means<'_> {
    network::Means {
        keyring: &call.control.keyring,
        egress: &call.control.settings.egress,
    }
}

/// Settings as the audit log tells them: what is in a header may be nobody's business.
fn told(settings: &ProviderSettings) -> serde_json::Value {
    let ProviderSettings {
        region,
        residency,
        project,
        api_version,
        deployments,
        api,
        headers,
        timeouts,
        breaker,
        probe,
    } = settings;
    let headers: Vec<_> = headers.keys().collect();
    json!({
        "region": region, "residency": residency, "project": project, "api_version": api_version,
        "deployments": deployments, "api": api, "headers": headers, "timeouts": timeouts, "breaker": breaker,
        "probe": probe,
    })
}

pub(super) async fn find(call: &Call, id: ProviderId) -> Result<Provider, ApiError> {
    call.scope().provider(id).await?.ok_or(ApiError::NotFound)
}

fn listed(error: gatewright_store::ListError) -> WriteError {
    match error {
        gatewright_store::ListError::Database(error) => WriteError::Database(error),
        gatewright_store::ListError::BadCursor => WriteError::Conflict {
            field: "models",
            message: "changed meanwhile".to_owned(),
        },
    }
}
