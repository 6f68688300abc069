//! Members of an organization and their roles. Nobody touches a role above their own, and an owner always stays.

use gatewright_store::{KeysOfMember, WriteError};
use gatewright_types::api::{Member, MemberChange, MemberKeys, MemberRemoval};
use gatewright_types::{Page, PageQuery, PersonId, Role};
use serde_json::json;

use crate::access::Call;
use crate::endpoint::{Json, NoContent, Path, Query};
use crate::error::ApiError;

pub(crate) async fn list(call: Call, Query(query): Query<PageQuery>) -> Result<Json<Page<Member>>, ApiError> {
    Ok(Json(call.scope().members(&query).await?))
}

pub(crate) async fn update(
    call: Call,
    Path(person): Path<PersonId>,
    Json(change): Json<MemberChange>,
) -> Result<Json<Member>, ApiError> {
    let before = touchable(&call, person).await?;
    call.may_grant(change.role)?;
    let id = call.organization.id;
    let audited = call.change(
        "member.update",
        person,
        json!({"role": {"before": before, "after": change.role}}),
    );
    let member = call.write(audited, async |tx| {
        if tx.organization(id).role(person).await.map_err(WriteError::Database)? != Some(before) {
            return Err(changed_meanwhile());
        }
        tx.change_role(id, person, change.role).await
    });
    Ok(Json(member.await?))
}

pub(crate) async fn remove(
    call: Call,
    Path(person): Path<PersonId>,
    Query(removal): Query<MemberRemoval>,
) -> Result<NoContent, ApiError> {
    let keys = settled(removal)?;
    let before = touchable(&call, person).await?;
    let id = call.organization.id;
    let detail = json!({"role": before, "keys": removal.keys, "to": removal.to});
    let audited = call.change("member.remove", person, detail);
    let removed = call.write(audited, async |tx| {
        if tx.organization(id).role(person).await.map_err(WriteError::Database)? != Some(before) {
            return Err(changed_meanwhile());
        }
        tx.remove_member(id, person, keys).await
    });
    removed.await?;
    Ok(NoContent)
}

fn settled(removal: MemberRemoval) -> Result<KeysOfMember, ApiError> {
    match (removal.keys, removal.to) {
        (None, None) => Ok(KeysOfMember::MustNotBe),
        (Some(MemberKeys::Revoke), None) => Ok(KeysOfMember::Revoke),
        (Some(MemberKeys::HandOver), Some(to)) => Ok(KeysOfMember::HandOver(to)),
        (Some(MemberKeys::HandOver), None) => Err(ApiError::field("to", &"is required with keys=hand_over")),
        (Some(MemberKeys::Revoke) | None, Some(_)) => Err(ApiError::field("to", &"is for keys=hand_over only")),
    }
}

/// The member's role, if the caller may take it away.
async fn touchable(call: &Call, person: PersonId) -> Result<Role, ApiError> {
    let role = call.scope().role(person).await?.ok_or(ApiError::NotFound)?;
    call.may_grant(role)?;
    Ok(role)
}

fn changed_meanwhile() -> WriteError {
    WriteError::Conflict {
        field: "role",
        message: "somebody changed it meanwhile".to_owned(),
    }
}
