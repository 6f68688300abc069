//! Who is signed in, and in which organization they work. Decides what is offered, not what is allowed.

use gatewright_types::api::{Me, Membership, Organization};
use gatewright_types::{Permission, Problem, ProblemCode, Role, Slug};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::{Api, Failure};
use crate::place::{Place, Section};

/// What is known about the person in front of the screen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Presence {
    /// The server has not answered yet.
    Unknown,
    /// The server could not be asked.
    Unreachable(Failure),
    SignedOut,
    SignedIn(Me),
}

/// The one session of this browser tab.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Session {
    pub(crate) api: Api,
    presence: RwSignal<Presence>,
    current: RwSignal<Option<Membership>>,
}

/// The organization being worked in: who one is there, and the way to its part of the API.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workspace {
    pub(crate) api: Api,
    pub(crate) session: Session,
    current: RwSignal<Option<Membership>>,
}

impl Session {
    /// Makes the session available to everything below and asks the server who is there.
    pub(crate) fn provide() -> Self {
        let presence = RwSignal::new(Presence::Unknown);
        let session = Self {
            api: Api::new(presence),
            presence,
            current: RwSignal::new(None),
        };
        provide_context(session);
        session.refresh();
        session
    }

    pub(crate) fn presence(self) -> Presence {
        self.presence.get()
    }

    pub(crate) fn me(self) -> Option<Me> {
        self.presence.with(|presence| match presence {
            Presence::SignedIn(me) => Some(me.clone()),
            Presence::Unknown | Presence::Unreachable(_) | Presence::SignedOut => None,
        })
    }

    /// Asks the server again who is there and what they may do.
    pub(crate) fn refresh(self) {
        spawn_local(async move {
            match self.api.session().await {
                Ok(me) => self.enter(me),
                Err(Failure::Problem(Problem {
                    code: ProblemCode::Unauthenticated,
                    ..
                })) => self.leave(),
                Err(failure) => self.presence.set(Presence::Unreachable(failure)),
            }
        });
    }

    /// Somebody signed in, or what they may do has changed. They work where they worked before, else in the first of
    /// their organizations.
    pub(crate) fn enter(self, me: Me) {
        let slug = self
            .current
            .with_untracked(|current| current.as_ref().map(|m| m.organization.slug.clone()));
        let same = slug.and_then(|slug| me.memberships.iter().find(|m| m.organization.slug == slug));
        self.current.set(same.or(me.memberships.first()).cloned());
        self.presence.set(Presence::SignedIn(me));
    }

    /// Nobody is signed in any more.
    pub(crate) fn leave(self) {
        self.presence.set(Presence::SignedOut);
    }

    /// Works in this organization from here on; false when the person does not belong to it.
    pub(crate) fn select(self, slug: &Slug) -> bool {
        let membership = self.presence.with_untracked(|presence| match presence {
            Presence::SignedIn(me) => me.memberships.iter().find(|m| m.organization.slug == *slug).cloned(),
            Presence::Unknown | Presence::Unreachable(_) | Presence::SignedOut => None,
        });
        let found = membership.is_some();
        if self.current.with_untracked(|current| *current != membership) && found {
            self.current.set(membership);
        }
        found
    }

    /// Where somebody lands who asks for nothing in particular.
    pub(crate) fn home(self) -> Place {
        let slug = self
            .current
            .with(|current| current.as_ref().map(|m| m.organization.slug.clone()));
        slug.map_or(Place::Account, |slug| Place::section(&slug, Section::Overview))
    }

    pub(crate) fn workspace(self) -> Workspace {
        Workspace {
            api: self.api,
            session: self,
            current: self.current,
        }
    }
}

impl Workspace {
    /// Whether the person may do something here. A page is made anew when the role changes, so this need not be
    /// followed.
    pub(crate) fn can(self, permission: Permission) -> bool {
        self.current
            .with_untracked(|current| current.as_ref().is_some_and(|m| m.permissions.contains(&permission)))
    }

    pub(crate) fn role(self) -> Role {
        self.current
            .with(|current| current.as_ref().map_or(Role::Viewer, |m| m.role))
    }

    /// As it was when the session was asked for last.
    pub(crate) fn organization(self) -> Option<Organization> {
        self.current
            .with(|current| current.as_ref().map(|m| m.organization.clone()))
    }

    pub(crate) fn slug(self) -> String {
        self.current
            .with_untracked(|current| current.as_ref().map(|m| m.organization.slug.to_string()))
            .unwrap_or_default()
    }

    pub(crate) fn name(self) -> String {
        self.current
            .with(|current| current.as_ref().map(|m| m.organization.name.to_string()))
            .unwrap_or_default()
    }

    pub(crate) fn href(self, section: Section) -> String {
        self.current
            .with(|current| {
                current
                    .as_ref()
                    .map(|m| Place::section(&m.organization.slug, section).href())
            })
            .unwrap_or_default()
    }

    /// Why an action is not offered; none when it is.
    pub(crate) fn denial(self, permission: Permission) -> Option<String> {
        (!self.can(permission)).then(|| {
            let least = Role::ALL
                .into_iter()
                .find(|role| role.allows(permission))
                .unwrap_or(Role::Owner);
            let role = untrack(|| self.role());
            format!("Your role here is {}; this needs {}.", role.as_str(), least.as_str())
        })
    }
}

pub(crate) fn use_session() -> Session {
    expect_context()
}

pub(crate) fn use_workspace() -> Workspace {
    use_session().workspace()
}
