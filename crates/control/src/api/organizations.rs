//! Organizations: the own ones, and the one in the path.

use gatewright_store::Change;
use gatewright_types::api::{NewOrganization, Organization, OrganizationChange};
use gatewright_types::{OrganizationId, Page, PageQuery, Role};
use serde_json::json;

use crate::access::{Call, Known, Signed};
use crate::endpoint::{Created, Json, NoContent, Query};
use crate::error::ApiError;

/// In the order of slugs; the cursor is the slug of the last one.
pub(crate) async fn list(known: Known, Query(query): Query<PageQuery>) -> Result<Json<Page<Organization>>, ApiError> {
    let mine = known.organizations().await?.into_iter();
    let after = query.cursor.as_deref().unwrap_or_default();
    let mut items: Vec<_> = mine.filter(|organization| organization.slug.as_str() > after).collect();
    let size = usize::from(query.size());
    let more = items.len() > size;
    items.truncate(size);
    let next_cursor = items
        .last()
        .filter(|_| more)
        .map(|organization| organization.slug.to_string());
    Ok(Json(Page { items, next_cursor }))
}

pub(crate) async fn create(
    signed: Signed,
    Json(new): Json<NewOrganization>,
) -> Result<Created<Organization>, ApiError> {
    let (id, person) = (OrganizationId::mint(), signed.session.person);
    let change = Change::new(
        id,
        "organization.create",
        id,
        json!({"slug": new.slug, "name": new.name}),
    );
    let actor = signed.actor();
    let written = signed.control.write(&actor, change, async |tx| {
        let organization = tx.create_organization(id, &new.slug, &new.name).await?;
        tx.add_member(id, person, Role::Owner).await?;
        Ok(organization)
    });
    Ok(Created(written.await?))
}

pub(crate) async fn read(call: Call) -> Result<Json<Organization>, ApiError> {
    Ok(Json(call.organization))
}

pub(crate) async fn update(call: Call, Json(change): Json<OrganizationChange>) -> Result<Json<Organization>, ApiError> {
    let id = call.organization.id;
    let mut detail = json!({"name": change.name});
    if let Some(traces) = &change.traces {
        detail["traces"] = json!(traces);
    }
    if let Some(tags) = &change.tags {
        detail["tags"] = json!(tags);
    }
    if let Some(cost_centre) = &change.cost_centre {
        detail["cost_centre"] = json!(cost_centre);
    }
    if let Some(shared_cost) = change.shared_cost {
        detail["shared_cost"] = json!(shared_cost);
    }
    let audited = call.change("organization.update", id, detail);
    let written = call.write(audited, async |tx| {
        let mut changed = tx.rename_organization(id, &change.name).await?;
        if let Some(traces) = change.traces {
            changed = tx.change_traces(id, traces).await?;
        }
        if let Some(tags) = &change.tags {
            changed = tx.change_tags(id, tags).await?;
        }
        if let Some(cost_centre) = &change.cost_centre {
            changed = tx.change_cost_centre(id, cost_centre.as_ref()).await?;
        }
        if let Some(shared_cost) = change.shared_cost {
            changed = tx.change_shared_cost(id, shared_cost).await?;
        }
        Ok(changed)
    });
    Ok(Json(written.await?))
}

pub(crate) async fn delete(call: Call) -> Result<NoContent, ApiError> {
    let id = call.organization.id;
    let audited = call.change("organization.delete", id, json!({"slug": call.organization.slug}));
    call.write(audited, async |tx| tx.delete_organization(id).await).await?;
    Ok(NoContent)
}
