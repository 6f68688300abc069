//! First run: whoever holds the setup link becomes the owner of the first organization, and of those that nobody can
//! enter otherwise because a file made them.

use gatewright_contract::{Digest, Secret};
use gatewright_store::{ActorKind, Change, NewPerson, WriteError};
use gatewright_types::api::{Me, NewInstallation, SetupState};
use gatewright_types::{OrganizationId, PersonId, Role};
use serde_json::json;

use crate::access::Visit;
use crate::auth::{password, session};
use crate::endpoint::{Json, WithCookie};
use crate::error::ApiError;

pub(crate) async fn state(visit: Visit) -> Result<Json<SetupState>, ApiError> {
    Ok(Json(SetupState {
        needed: visit.control.db.system().setup_needed().await?,
    }))
}

pub(crate) async fn install(visit: Visit, Json(new): Json<NewInstallation>) -> Result<WithCookie<Json<Me>>, ApiError> {
    if !visit.control.db.system().setup_needed().await? {
        return Err(ApiError::conflict("this installation has an owner already"));
    }
    password::check_new(&new.password, &new.email).map_err(|message| ApiError::field("password", &message))?;
    let hashed = visit.control.passwords.hash(Secret::new(new.password)).await?;

    let digest = Digest::of(new.token.as_bytes());
    let (person, organization) = (PersonId::mint(), OrganizationId::mint());
    let owner = NewPerson {
        id: person,
        email: new.email,
        name: new.name,
        password: Some(hashed),
    };
    let actor = visit.facts.actor(ActorKind::Person(person), &owner.email);
    let detail = json!({"slug": new.organization, "name": new.organization_name});
    let change = Change::new(organization, "organization.create", organization, detail);
    let written = visit.control.write(&actor, change, async |tx| {
        tx.use_setup_token(&digest).await?;
        let ownerless = tx.organizations_without_members().await?;
        let person = tx.create_person(&owner).await?;
        for other in ownerless {
            tx.add_member(other, person.id, Role::Owner).await?;
            let detail = json!({"role": Role::Owner, "reason": "setup"});
            tx.audit(Change::new(other, "member.add", person.id, detail)).await?;
        }
        tx.create_organization(organization, &new.organization, &new.organization_name)
            .await?;
        tx.add_member(organization, person.id, Role::Owner).await?;
        Ok(person)
    });
    let person = written.await.map_err(|error| match error {
        WriteError::NotFound => {
            ApiError::field("token", &"is wrong or was used; start the server again for a new link")
        }
        other => other.into(),
    })?;
    let (me, cookie) = session::open(&visit, &person).await?;
    Ok(WithCookie(Json(me), cookie))
}
