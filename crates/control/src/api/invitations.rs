//! Invitations: a link with a secret makes its holder a member. The link is shown once and works once, for a week.

use chrono::{TimeDelta, Utc};
use gatewright_contract::{Digest, Secret, mint_secret};
use gatewright_store::{ActorKind, Change, NewInvitationRow, NewPerson, PendingInvitation, Person, WriteError};
use gatewright_types::api::{
    AcceptInvitation, Invitation, InvitationLink, InvitationPreview, InvitationToken, Me, NewInvitation,
};
use gatewright_types::{Email, InvitationId, Page, PageQuery, PersonId};
use serde_json::json;

use crate::access::{Call, Visit};
use crate::auth::{password, session, sign_in};
use crate::endpoint::{Created, Json, NoContent, Path, Query, WithCookie};
use crate::error::ApiError;

const HOLDS: TimeDelta = TimeDelta::days(7);

pub(crate) async fn list(call: Call, Query(query): Query<PageQuery>) -> Result<Json<Page<Invitation>>, ApiError> {
    Ok(Json(call.scope().invitations(&query).await?))
}

pub(crate) async fn create(call: Call, Json(new): Json<NewInvitation>) -> Result<Created<InvitationLink>, ApiError> {
    call.may_grant(new.role)?;
    let token = mint_secret("gwi");
    let row = NewInvitationRow {
        id: InvitationId::mint(),
        email: new.email,
        role: new.role,
        digest: Digest::of(token.as_bytes()),
        invited_by: call.actor.label.clone(),
        expires_at: Utc::now() + HOLDS,
    };
    let audited = call.change(
        "invitation.create",
        row.id,
        json!({"email": row.email, "role": row.role}),
    );
    let id = call.organization.id;
    let invitation = call
        .write(audited, async |tx| tx.create_invitation(id, &row).await)
        .await?;
    let link = call.control.settings.secret_link("invitation", &token);
    Ok(Created(InvitationLink { invitation, link }))
}

pub(crate) async fn withdraw(call: Call, Path(invitation): Path<InvitationId>) -> Result<NoContent, ApiError> {
    let there = call.scope().invitation(invitation).await?.ok_or(ApiError::NotFound)?;
    call.may_grant(there.role)?;
    let id = call.organization.id;
    let audited = call.change(
        "invitation.withdraw",
        invitation,
        json!({"email": there.email, "role": there.role}),
    );
    call.write(audited, async |tx| tx.delete_invitation(id, invitation).await)
        .await?;
    Ok(NoContent)
}

pub(crate) async fn preview(
    visit: Visit,
    Json(InvitationToken { token }): Json<InvitationToken>,
) -> Result<Json<InvitationPreview>, ApiError> {
    let PendingInvitation {
        invitation,
        organization,
    } = pending(&visit, &token).await?;
    let account = visit.control.db.system().person_by_email(&invitation.email).await?;
    Ok(Json(InvitationPreview {
        organization_name: organization.name,
        email: invitation.email,
        role: invitation.role,
        has_account: account.is_some_and(|person| person.password.is_some()),
    }))
}

pub(crate) async fn accept(
    visit: Visit,
    Json(accept): Json<AcceptInvitation>,
) -> Result<WithCookie<Json<Me>>, ApiError> {
    let PendingInvitation {
        invitation,
        organization,
    } = pending(&visit, &accept.token).await?;
    let account = visit.control.db.system().person_by_email(&invitation.email).await?;
    let password = Secret::new(accept.password);
    let person = match account {
        Some(person) if person.password.is_some() => {
            sign_in::check_password(&visit.control, &visit.facts, &person, password).await?;
            Arrival::Known(person)
        }
        // Made by a configuration file without a password. Whoever invites must not take over somebody of another
        // organization, so the account has to be nobody's member.
        Some(person) if visit.control.db.system().memberships(person.id).await?.is_empty() => {
            let hashed = first_password(&visit, password, &invitation.email).await?;
            Arrival::WithFirstPassword(person, hashed)
        }
        Some(_) => {
            return Err(ApiError::field(
                "password",
                &&"this account has none; ask an owner to set it",
            ));
        }
        None => {
            let name = accept.name.ok_or_else(|| ApiError::field("name", &"is required"))?;
            let hashed = Some(first_password(&visit, password, &invitation.email).await?);
            Arrival::New(NewPerson {
                id: PersonId::mint(),
                email: invitation.email.clone(),
                name,
                password: hashed,
            })
        }
    };

    let digest = Digest::of(accept.token.as_bytes());
    let actor = visit.facts.actor(ActorKind::Person(person.id()), &invitation.email);
    let detail = json!({"role": invitation.role, "member": person.id()});
    let change = Change::new(organization.id, "invitation.accept", invitation.id, detail);
    let written = visit.control.write(&actor, change, async |tx| {
        let taken = tx.take_invitation(&digest).await?;
        let person = match person {
            Arrival::Known(person) => person,
            Arrival::WithFirstPassword(person, hashed) => {
                tx.set_password(person.id, &hashed).await?;
                person
            }
            Arrival::New(new) => tx.create_person(&new).await?,
        };
        tx.add_member(taken.organization.id, person.id, taken.invitation.role)
            .await?;
        Ok(person)
    });
    let person = written.await.map_err(|error| match error {
        WriteError::NotFound => wrong_link(),
        other => other.into(),
    })?;
    let (me, cookie) = session::open(&visit, &person).await?;
    Ok(WithCookie(Json(me), cookie))
}

/// Who accepts.
enum Arrival {
    Known(Person),
    WithFirstPassword(Person, String),
    New(NewPerson),
}

impl Arrival {
    fn id(&self) -> PersonId {
        match self {
            Self::Known(person) | Self::WithFirstPassword(person, _) => person.id,
            Self::New(person) => person.id,
        }
    }
}

async fn first_password(visit: &Visit, password: Secret, email: &Email) -> Result<String, ApiError> {
    password::check_new(password.expose(), email).map_err(|message| ApiError::field("password", &&message))?;
    Ok(visit.control.passwords.hash(password).await?)
}

async fn pending(visit: &Visit, token: &str) -> Result<PendingInvitation, ApiError> {
    let pending = visit
        .control
        .db
        .system()
        .invitation_by_digest(&Digest::of(token.as_bytes()))
        .await?;
    pending
        .filter(|pending| pending.invitation.expires_at > Utc::now())
        .ok_or_else(wrong_link)
}

fn wrong_link() -> ApiError {
    ApiError::field("token", &"is wrong, was used, or has expired; ask for a new link")
}
