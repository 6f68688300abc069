//! Service accounts: what keys of programs belong to.

use gatewright_types::api::{NewServiceAccount, ServiceAccount, ServiceAccountChange};
use gatewright_types::{Page, PageQuery, ServiceAccountId};
use serde_json::json;

use crate::access::Call;
use crate::endpoint::{Created, Json, NoContent, Path, Query};
use crate::error::ApiError;

pub(crate) async fn list(call: Call, Query(query): Query<PageQuery>) -> Result<Json<Page<ServiceAccount>>, ApiError> {
    Ok(Json(call.scope().service_accounts(&query).await?))
}

pub(crate) async fn create(
    call: Call,
    Json(new): Json<NewServiceAccount>,
) -> Result<Created<ServiceAccount>, ApiError> {
    let (organization, id) = (call.organization.id, ServiceAccountId::mint());
    let audited = call.change("service_account.create", id, json!(new));
    let maker = call.actor.label.clone();
    let made = call.write(audited, async |tx| {
        let account = tx
            .create_service_account(organization, id, &new.name, new.team, &maker)
            .await?;
        match &new.cost_centre {
            Some(cost_centre) => tx.charge_service_account(organization, id, Some(cost_centre)).await,
            None => Ok(account),
        }
    });
    Ok(Created(made.await?))
}

pub(crate) async fn read(call: Call, Path(account): Path<ServiceAccountId>) -> Result<Json<ServiceAccount>, ApiError> {
    let found = call.scope().service_account(account).await?;
    found.map(Json).ok_or(ApiError::NotFound)
}

pub(crate) async fn update(
    call: Call,
    Path(account): Path<ServiceAccountId>,
    Json(change): Json<ServiceAccountChange>,
) -> Result<Json<ServiceAccount>, ApiError> {
    let organization = call.organization.id;
    let audited = call.change("service_account.update", account, json!(change));
    let changed = call.write(audited, async |tx| {
        let renamed = tx.rename_service_account(organization, account, &change.name).await?;
        match &change.cost_centre {
            Some(cost_centre) => {
                tx.charge_service_account(organization, account, cost_centre.as_ref())
                    .await
            }
            None => Ok(renamed),
        }
    });
    Ok(Json(changed.await?))
}

pub(crate) async fn delete(call: Call, Path(account): Path<ServiceAccountId>) -> Result<NoContent, ApiError> {
    let organization = call.organization.id;
    let audited = call.change("service_account.delete", account, json!({}));
    call.write(audited, async |tx| {
        tx.delete_service_account(organization, account).await
    })
    .await?;
    Ok(NoContent)
}
