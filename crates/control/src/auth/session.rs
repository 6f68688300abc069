//! Sessions: a random secret in the browser's cookie, its digest in the database, an end by time or by disuse.

use actix_web::cookie::{Cookie, SameSite};
use chrono::{DateTime, TimeDelta, Utc};
use gatewright_contract::{Digest, mint_secret};
use gatewright_store::{NewSession, Person, Session};
use gatewright_types::SessionId;
use gatewright_types::api::{Me, Membership};

use crate::access::Visit;
use crate::auth::csrf::csrf_token;
use crate::control::{Control, ControlSettings};
use crate::error::ApiError;

pub(crate) const SESSION_COOKIE: &str = "gw_session";
/// How often a session's last use is written down.
const TOUCH_EVERY: TimeDelta = TimeDelta::minutes(1);

/// The session of a secret, if it still holds; its use is noted.
pub(crate) async fn find(control: &Control, secret: &str, now: DateTime<Utc>) -> Result<Option<Session>, ApiError> {
    let Some(session) = control
        .db
        .system()
        .session_by_digest(&Digest::of(secret.as_bytes()))
        .await?
    else {
        return Ok(None);
    };
    let idle = TimeDelta::from_std(control.settings.session_idle).unwrap_or(TimeDelta::MAX);
    let unused = now - session.last_seen_at;
    if session.expires_at <= now || unused >= idle {
        return Ok(None);
    }
    if unused >= TOUCH_EVERY {
        control.db.system().touch_session(session.id, now).await?;
    }
    Ok(Some(session))
}

/// Opens a session for somebody who showed who they are; the one the browser had before ends.
pub(crate) async fn open(visit: &Visit, person: &Person) -> Result<(Me, Cookie<'static>), ApiError> {
    let (control, now) = (&visit.control, Utc::now());
    if let Some(before) = &visit.cookie
        && let Some(session) = control
            .db
            .system()
            .session_by_digest(&Digest::of(before.as_bytes()))
            .await?
    {
        control.db.system().end_session(session.person, session.id).await?;
    }
    let secret = mint_secret("gws");
    let absolute = TimeDelta::from_std(control.settings.session_absolute).unwrap_or(TimeDelta::MAX);
    let session = NewSession {
        id: SessionId::mint(),
        person: person.id,
        digest: Digest::of(secret.as_bytes()),
        expires_at: now.checked_add_signed(absolute).unwrap_or(DateTime::<Utc>::MAX_UTC),
        address: visit.facts.address.clone().unwrap_or_default(),
        user_agent: visit.facts.user_agent.clone(),
    };
    control.db.system().open_session(&session).await?;
    let me = me(control, person, &secret).await?;
    Ok((me, cookie(&control.settings, secret)))
}

/// What a signed-in person is told about themselves.
pub(crate) async fn me(control: &Control, person: &Person, secret: &str) -> Result<Me, ApiError> {
    let memberships = control.db.system().memberships(person.id).await?;
    let membership = |(organization, role): (_, gatewright_types::Role)| Membership {
        organization,
        role,
        permissions: role.permissions().collect(),
    };
    Ok(Me {
        id: person.id,
        email: person.email.clone(),
        name: person.name.clone(),
        csrf_token: csrf_token(secret),
        memberships: memberships.into_iter().map(membership).collect(),
    })
}

/// A cookie that ends with the browser; the session itself ends on the server.
fn cookie(settings: &ControlSettings, secret: String) -> Cookie<'static> {
    Cookie::build(SESSION_COOKIE, secret)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(settings.cookie_secure())
        .finish()
}

/// Takes the cookie away again.
pub(crate) fn no_cookie(settings: &ControlSettings) -> Cookie<'static> {
    let mut cookie = cookie(settings, String::new());
    cookie.make_removal();
    cookie
}
