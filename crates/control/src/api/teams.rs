//! Teams: groups of keys.

use gatewright_types::api::{NewTeam, Team, TeamChange};
use gatewright_types::{IpRange, Page, PageQuery, TeamId};
use serde_json::json;

use crate::access::Call;
use crate::endpoint::{Created, Json, NoContent, Path, Query};
use crate::error::ApiError;
use crate::key_settings::range_problems;

pub(crate) async fn list(call: Call, Query(query): Query<PageQuery>) -> Result<Json<Page<Team>>, ApiError> {
    Ok(Json(call.scope().teams(&query).await?))
}

pub(crate) async fn create(call: Call, Json(new): Json<NewTeam>) -> Result<Created<Team>, ApiError> {
    let (organization, id) = (call.organization.id, TeamId::mint());
    check_ranges(&new.ip_ranges)?;
    // As it was sent.
    let audited = call.change("team.create", id, json!(new));
    let made = call.write(audited, async |tx| {
        let team = tx.create_team(organization, id, &new.name).await?;
        if new.ip_ranges.is_empty() && new.cost_centre.is_none() && !new.shared {
            return Ok(team);
        }
        let change = TeamChange {
            name: new.name.clone(),
            ip_ranges: Some(new.ip_ranges.clone()),
            cost_centre: Some(new.cost_centre.clone()),
            shared: Some(new.shared),
        };
        tx.change_team(organization, id, &change).await
    });
    Ok(Created(made.await?))
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
    check_ranges(change.ip_ranges.as_deref().unwrap_or_default())?;
    let audited = call.change("team.update", team, json!(change));
    Ok(Json(
        call.write(audited, async |tx| tx.change_team(organization, team, &change).await)
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

fn check_ranges(ranges: &[IpRange]) -> Result<(), ApiError> {
    let problems: Vec<_> = range_problems("ip_ranges", ranges).collect();
    match problems.is_empty() {
        true => Ok(()),
        false => Err(ApiError::invalid(problems)),
    }
}
