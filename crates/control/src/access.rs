//! Who calls, and whether they may: the stages a call goes through before its handler runs. A handler takes the stage
//! it needs as its first parameter, so none can run without it.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, HOST, ORIGIN, USER_AGENT};
use actix_web::web::Data;
use chrono::Utc;
use gatewright_store::{Actor, ActorKind, Change, Scope, Session, TokenHolder, WriteError, WriteTx};
use gatewright_types::api::Organization;
use gatewright_types::{OrganizationId, Permission, RequestId, Role, Slug};

use crate::auth::{CSRF_HEADER, SESSION_COOKIE, csrf, session, token};
use crate::control::Control;
use crate::error::ApiError;
use crate::refusals::Attempt;

const LONGEST_USER_AGENT: usize = 200;

/// What is known of a call before anybody is asked who makes it.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) request: RequestId,
    pub(crate) address: Option<String>,
    pub(crate) user_agent: String,
}

/// A call by anybody.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    pub(crate) control: Data<Control>,
    pub(crate) facts: Facts,
    /// The session secret the browser sent, good or not.
    pub(crate) cookie: Option<String>,
}

/// A call by a person with a session or by a token, about nothing in particular.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) control: Data<Control>,
    pub(crate) identity: Identity,
}

/// A call by a person with a session.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) control: Data<Control>,
    pub(crate) facts: Facts,
    pub(crate) session: Session,
    pub(crate) secret: String,
}

/// A call on an organization by one of its members or tokens, with the permission the route needs.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) control: Data<Control>,
    pub(crate) actor: Actor,
    pub(crate) role: Role,
    pub(crate) organization: Organization,
}

/// Which organization a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    /// The one in the path. To others it is not there.
    Named,
    /// The one that runs the installation.
    Installation,
}

/// Somebody who showed who they are.
#[derive(Debug, Clone)]
pub(crate) enum Identity {
    Person { session: Session, secret: String },
    Token(TokenHolder),
}

impl Facts {
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let user_agent = header(request, USER_AGENT.as_str()).unwrap_or_default();
        Self {
            request: RequestId::mint(),
            address: request.peer_addr().map(|address| address.ip().to_string()),
            user_agent: user_agent.chars().take(LONGEST_USER_AGENT).collect(),
        }
    }

    pub(crate) fn actor(&self, kind: ActorKind, label: &impl ToString) -> Actor {
        Actor {
            kind,
            label: label.to_string(),
            address: self.address.clone(),
            request_id: self.request.to_string(),
        }
    }
}

impl Visit {
    /// Anybody's call; a browser's changing one must come from our own page.
    pub(crate) fn admit(control: Data<Control>, facts: Facts, request: &HttpRequest) -> Result<Self, ApiError> {
        if changes(request) {
            check_origin(&control, request)?;
        }
        Ok(Self {
            control,
            facts,
            cookie: session_cookie(request),
        })
    }
}

impl Known {
    pub(crate) async fn admit(
        control: Data<Control>,
        facts: &Facts,
        request: &HttpRequest,
        attempt: &mut Attempt,
    ) -> Result<Self, ApiError> {
        let identity = identify(&control, facts, request, attempt).await?;
        Ok(Self { control, identity })
    }

    /// The organizations that are there for this caller.
    pub(crate) async fn organizations(&self) -> Result<Vec<Organization>, ApiError> {
        match &self.identity {
            Identity::Person { session, .. } => {
                let memberships = self.control.db.system().memberships(session.person).await?;
                Ok(memberships.into_iter().map(|(organization, _)| organization).collect())
            }
            Identity::Token(holder) => Ok(vec![holder.organization.clone()]),
        }
    }
}

impl Signed {
    pub(crate) async fn admit(
        control: Data<Control>,
        facts: Facts,
        request: &HttpRequest,
        attempt: &mut Attempt,
    ) -> Result<Self, ApiError> {
        match identify(&control, &facts, request, attempt).await? {
            Identity::Person { session, secret } => Ok(Self {
                control,
                facts,
                session,
                secret,
            }),
            Identity::Token(_) => Err(ApiError::Forbidden(
                "this is for people who are signed in, not for tokens",
            )),
        }
    }

    pub(crate) fn actor(&self) -> Actor {
        self.facts
            .actor(ActorKind::Person(self.session.person), &self.session.email)
    }
}

impl Call {
    pub(crate) async fn admit(
        control: Data<Control>,
        facts: Facts,
        request: &HttpRequest,
        (about, permission): (About, Permission),
        attempt: &mut Attempt,
    ) -> Result<Self, ApiError> {
        let identity = identify(&control, &facts, request, attempt).await;
        // Not after a failure of our own: a database that is away would be waited for twice.
        let refused = matches!(identity, Err(ApiError::Unauthenticated | ApiError::CsrfRejected));
        if refused && attempt.showed_credential {
            let organization = about.organization(&control, request).await?;
            attempt.organization = organization.map(|organization| organization.id);
        }
        let identity = identity?;
        let actor = identity.actor(&facts);
        let organization = about.organization(&control, request).await?.ok_or(ApiError::NotFound)?;
        let role = identity.role_in(&control, organization.id).await?;
        let role = role.ok_or_else(|| about.refusal())?;
        attempt.organization = Some(organization.id);
        if !role.allows(permission) {
            return Err(ApiError::Forbidden("your role does not allow this"));
        }
        Ok(Self {
            control,
            actor,
            role,
            organization,
        })
    }

    /// What the organization has.
    pub(crate) fn scope(&self) -> Scope<'_> {
        self.control.db.organization(self.organization.id)
    }

    /// An audited action on something of the organization.
    pub(crate) fn change(
        &self,
        action: &'static str,
        target: impl std::fmt::Display,
        detail: serde_json::Value,
    ) -> Change {
        Change::new(self.organization.id, action, target, detail)
    }

    /// The one write path, by this caller.
    pub(crate) async fn write<T>(
        &self,
        change: Change,
        work: impl AsyncFnOnce(&mut WriteTx) -> Result<T, WriteError>,
    ) -> Result<T, ApiError> {
        Ok(self.control.write(&self.actor, change, work).await?)
    }

    /// Nobody hands out, changes or takes away a role above their own.
    pub(crate) fn may_grant(&self, role: Role) -> Result<(), ApiError> {
        if self.role.may_grant(role) {
            Ok(())
        } else {
            Err(ApiError::Forbidden("the role is above your own"))
        }
    }
}

impl About {
    async fn organization(self, control: &Control, request: &HttpRequest) -> Result<Option<Organization>, ApiError> {
        match self {
            Self::Named => named(control, request).await,
            Self::Installation => Ok(control.db.system().first_organization().await?),
        }
    }

    /// What those hear who do not belong to it.
    const fn refusal(self) -> ApiError {
        match self {
            Self::Named => ApiError::NotFound,
            Self::Installation => {
                ApiError::Forbidden("this is for the organization that runs the installation: the first one made")
            }
        }
    }
}

impl Identity {
    fn actor(&self, facts: &Facts) -> Actor {
        match self {
            Self::Person { session, .. } => facts.actor(ActorKind::Person(session.person), &session.email),
            Self::Token(holder) => facts.actor(ActorKind::Token(holder.token.id), &holder.token.name),
        }
    }

    /// `None`: for this caller the organization is not there.
    async fn role_in(&self, control: &Control, organization: OrganizationId) -> Result<Option<Role>, ApiError> {
        match self {
            Self::Person { session, .. } => Ok(control.db.organization(organization).role(session.person).await?),
            Self::Token(holder) => Ok((holder.organization.id == organization).then_some(holder.token.role)),
        }
    }
}

/// The organization in the path, whoever asks.
async fn named(control: &Control, request: &HttpRequest) -> Result<Option<Organization>, ApiError> {
    let Ok(slug) = request.match_info().query("organization").parse::<Slug>() else {
        return Ok(None);
    };
    Ok(control.db.system().organization_by_slug(&slug).await?)
}

async fn identify(
    control: &Control,
    facts: &Facts,
    request: &HttpRequest,
    attempt: &mut Attempt,
) -> Result<Identity, ApiError> {
    let now = Utc::now();
    if request.headers().contains_key(AUTHORIZATION) {
        attempt.showed_credential = true;
        let text = header(request, AUTHORIZATION.as_str()).unwrap_or_default();
        let holder = token::holder(control, text, now).await?;
        let identity = Identity::Token(holder);
        attempt.actor = Some(identity.actor(facts));
        return Ok(identity);
    }
    let secret = session_cookie(request).ok_or(ApiError::Unauthenticated)?;
    attempt.showed_credential = true;
    let session = session::find(control, &secret, now)
        .await?
        .ok_or(ApiError::Unauthenticated)?;
    let identity = Identity::Person { session, secret };
    attempt.actor = Some(identity.actor(facts));
    if let (true, Identity::Person { secret, .. }) = (changes(request), &identity) {
        check_origin(control, request)?;
        csrf::check_token(secret, header(request, CSRF_HEADER)).map_err(|_| ApiError::CsrfRejected)?;
    }
    Ok(identity)
}

fn check_origin(control: &Control, request: &HttpRequest) -> Result<(), ApiError> {
    let (origin, host) = (header(request, ORIGIN.as_str()), header(request, HOST.as_str()));
    csrf::check_origin(origin, host, &control.settings.public_url).map_err(|_| ApiError::CsrfRejected)
}

fn changes(request: &HttpRequest) -> bool {
    !matches!(*request.method(), Method::GET | Method::HEAD)
}

fn session_cookie(request: &HttpRequest) -> Option<String> {
    request.cookie(SESSION_COOKIE).map(|cookie| cookie.value().to_owned())
}

fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}
