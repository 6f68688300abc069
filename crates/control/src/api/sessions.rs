//! Signing in and out, the own sessions, the own password.

use gatewright_contract::Secret;
use gatewright_store::{ActorKind, Change, Person};
use gatewright_types::api::{ChangePassword, Me, SessionInfo, SignIn};
use gatewright_types::{Page, PageQuery, SessionId};
use serde_json::json;

use crate::access::{Signed, Visit};
use crate::auth::{password, session, sign_in};
use crate::endpoint::{Json, NoContent, Path, Query, WithCookie};
use crate::error::ApiError;

pub(crate) async fn sign_in(visit: Visit, Json(input): Json<SignIn>) -> Result<WithCookie<Json<Me>>, ApiError> {
    let person = sign_in::sign_in(&visit, &input.email, Secret::new(input.password)).await?;
    let (me, cookie) = session::open(&visit, &person).await?;
    let actor = visit.facts.actor(ActorKind::Person(person.id), &person.email);
    sign_in::record(&visit.control, &actor, person.id, sign_in::Event::SIGNED_IN).await?;
    Ok(WithCookie(Json(me), cookie))
}

pub(crate) async fn current(signed: Signed) -> Result<Json<Me>, ApiError> {
    let person = person(&signed).await?;
    session::me(&signed.control, &person, &signed.secret).await.map(Json)
}

pub(crate) async fn sign_out(signed: Signed) -> Result<WithCookie<NoContent>, ApiError> {
    let person = signed.session.person;
    signed
        .control
        .db
        .system()
        .end_session(person, signed.session.id)
        .await?;
    sign_in::record(&signed.control, &signed.actor(), person, sign_in::Event::SIGNED_OUT).await?;
    Ok(WithCookie(NoContent, session::no_cookie(&signed.control.settings)))
}

pub(crate) async fn list(signed: Signed, Query(query): Query<PageQuery>) -> Result<Json<Page<SessionInfo>>, ApiError> {
    let Signed { control, session, .. } = &signed;
    Ok(Json(
        control
            .db
            .system()
            .sessions_of(session.person, session.id, &query)
            .await?,
    ))
}

pub(crate) async fn end(signed: Signed, Path(id): Path<SessionId>) -> Result<NoContent, ApiError> {
    if !signed
        .control
        .db
        .system()
        .end_session(signed.session.person, id)
        .await?
    {
        return Err(ApiError::NotFound);
    }
    let detail = json!({});
    let change = Change {
        organization: None,
        action: "session.end",
        target: Some(id.to_string()),
        detail,
    };
    signed.control.db.system().audit_done(&signed.actor(), &change).await?;
    Ok(NoContent)
}

/// The session that asks goes on under a new secret; all others end.
pub(crate) async fn change_password(
    signed: Signed,
    Json(change): Json<ChangePassword>,
) -> Result<WithCookie<NoContent>, ApiError> {
    let person = person(&signed).await?;
    let current = Secret::new(change.current);
    sign_in::check_password(&signed.control, &signed.facts, &person, current)
        .await
        .map_err(|error| match error {
            ApiError::WrongCredentials => ApiError::field("current", &"is not your password"),
            other => other,
        })?;
    password::check_new(&change.new, &person.email).map_err(|message| ApiError::field("new", &message))?;
    let hashed = signed.control.passwords.hash(Secret::new(change.new)).await?;

    let target = Some(person.id.to_string());
    let change = Change {
        organization: None,
        action: "person.change_password",
        target,
        detail: json!({}),
    };
    let actor = signed.actor();
    let written = signed.control.write(&actor, change, async |tx| {
        tx.set_password(person.id, &hashed).await?;
        tx.end_other_sessions(person.id, None).await
    });
    written.await?;
    let Signed {
        control, facts, secret, ..
    } = signed;
    let visit = Visit {
        control,
        facts,
        cookie: Some(secret),
    };
    let (_, cookie) = session::open(&visit, &person).await?;
    Ok(WithCookie(NoContent, cookie))
}

async fn person(signed: &Signed) -> Result<Person, ApiError> {
    signed
        .control
        .db
        .system()
        .person(signed.session.person)
        .await?
        .ok_or(ApiError::Unauthenticated)
}
