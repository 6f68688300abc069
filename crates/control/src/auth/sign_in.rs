//! Checking a password against an account, with lockout, and writing both ends of that into the audit log. An account
//! that is not there behaves like one whose password was wrong.

use chrono::Utc;
use gatewright_contract::Secret;
use gatewright_store::{Actor, ActorKind, Change, Person};
use gatewright_types::api::AuditOutcome;
use gatewright_types::{Email, PersonId};
use serde_json::json;

use crate::access::{Facts, Visit};
use crate::auth::lockout;
use crate::auth::password::Verdict;
use crate::control::Control;
use crate::error::ApiError;
use crate::refusals::stranger;

/// The person whose e-mail address and password these are.
pub(crate) async fn sign_in(visit: &Visit, email: &Email, password: Secret) -> Result<Person, ApiError> {
    let person = visit.control.db.system().person_by_email(email).await?;
    match person {
        Some(person) => {
            check_password(&visit.control, &visit.facts, &person, password).await?;
            Ok(person)
        }
        None => Err(refuse_stranger(visit, email, password).await),
    }
}

/// Whether a password is the person's; counts wrong ones and locks the account.
pub(crate) async fn check_password(
    control: &Control,
    facts: &Facts,
    person: &Person,
    password: Secret,
) -> Result<(), ApiError> {
    let actor = facts.actor(ActorKind::Person(person.id), &person.email);
    if let Some(left) = lockout::remaining(person.locked_until, Utc::now()) {
        record(control, &actor, person.id, refused("locked_out")).await?;
        return Err(ApiError::LockedOut(left));
    }
    match control.passwords.verify(password, person.password.clone()).await? {
        Verdict::Fits => {
            if person.failed_count > 0 {
                control.db.system().clear_failed_sign_ins(person.id).await?;
            }
            Ok(())
        }
        Verdict::Wrong => {
            let failures = control.db.system().count_failed_sign_in(person.id).await?;
            let now = Utc::now();
            let until = lockout::until(failures, now);
            if until > now {
                control.db.system().lock_out(person.id, until).await?;
            }
            record(control, &actor, person.id, refused("wrong_credentials")).await?;
            Err(ApiError::WrongCredentials)
        }
    }
}

/// What happened with somebody's sessions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event {
    action: &'static str,
    outcome: AuditOutcome,
    reason: &'static str,
}

impl Event {
    pub(crate) const SIGNED_IN: Self = Self {
        action: CREATE,
        outcome: AuditOutcome::Done,
        reason: "password",
    };
    pub(crate) const SIGNED_OUT: Self = Self {
        action: "session.end",
        outcome: AuditOutcome::Done,
        reason: "sign_out",
    };
}

const CREATE: &str = "session.create";

const fn refused(reason: &'static str) -> Event {
    Event {
        action: CREATE,
        outcome: AuditOutcome::Refused,
        reason,
    }
}

async fn refuse_stranger(visit: &Visit, email: &Email, password: Secret) -> ApiError {
    let (control, now) = (&visit.control, Utc::now());
    if let Some(left) = lockout::remaining(control.strangers.locked_until(email), now) {
        return ApiError::LockedOut(left);
    }
    if let Err(error) = control.passwords.verify(password, None).await {
        return error.into();
    }
    control.strangers.count_failure(email, now);
    if control.refusals.take(now) {
        let detail = json!({"reason": "wrong_credentials"});
        let change = Change {
            organization: None,
            action: CREATE,
            target: None,
            detail,
        };
        if let Err(error) = control
            .db
            .system()
            .audit_refused(&stranger(&visit.facts), &change)
            .await
        {
            return error.into();
        }
    }
    ApiError::WrongCredentials
}

/// Writes an event down where the person's organizations can see it.
pub(crate) async fn record(control: &Control, actor: &Actor, person: PersonId, event: Event) -> Result<(), ApiError> {
    let system = control.db.system();
    let memberships = system.memberships(person).await?;
    let mut organizations: Vec<_> = memberships
        .into_iter()
        .map(|(organization, _)| Some(organization.id))
        .collect();
    if organizations.is_empty() {
        organizations.push(None);
    }
    for organization in organizations {
        let (target, detail) = (Some(person.to_string()), json!({"reason": event.reason}));
        let change = Change {
            organization,
            action: event.action,
            target,
            detail,
        };
        match event.outcome {
            AuditOutcome::Done => system.audit_done(actor, &change).await?,
            AuditOutcome::Refused => system.audit_refused(actor, &change).await?,
        }
    }
    Ok(())
}
