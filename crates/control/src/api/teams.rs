//! Teams: groups of keys.

use gatewright_types::api::{NewTeam, Team, TeamChange};
use gatewright_types::{Page, PageQuery, TeamId};
use serde_json::json;

use crate::access::Call;
use crate::endpoint::{Created, Json, NoContent, Path, Query};
use crate::error::ApiError;

pub(crate) async fn list(call: Call, Query(query): Query<PageQuery>) -> Result<Json<Page<Team>>, ApiError> {
    Ok(Json(call.scope().teams(&query).await?))
}

pub(crate) async fn create(call: Call, Json(new): Json<NewTeam>) -> Result<Created<Team>, ApiError> {
    let (organization, id) = (call.organization.id, TeamId::mint());
    let audited = call.change("team.create", id, json!({"name": new.name}));
    Ok(Created(
        call.write(audited, async |tx| tx.create_team(organization, id, &new.name).await)
            .await?,
    ))
}

pub(crate) async fn read(call: Call, Path(team): Path<TeamId>) -> Result<Json<Team>, ApiError> {
    call.scope().team(team).await?.map(Json).ok_or(ApiError::NotFound)
}

pub(crate) async fn update(
    call: Call,
    Path(team): Path<TeamId>,
    Json(change): Json<TeamChange>,
) -> Result<Json<Team>, ApiError> {
    let organization = call.organization.id;
    let audited = call.change("team.update", team, json!({"name": change.name}));
    Ok(Json(
        call.write(audited, async |tx| {
            tx.rename_team(organization, team, &change.name).await
        })
        .await?,
    ))
}

pub(crate) async fn delete(call: Call, Path(team): Path<TeamId>) -> Result<NoContent, ApiError> {
    let organization = call.organization.id;
    let audited = call.change("team.delete", team, json!({}));
    call.write(audited, async |tx| tx.delete_team(organization, team).await)
        .await?;
    Ok(NoContent)
}
