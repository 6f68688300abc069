//! Which page is on the screen: decided by the address and by who is signed in.

use leptos::prelude::*;

use crate::components::brand::Mark;
use crate::components::state::failed;
use crate::components::toast::{ToastRegion, Toasts};
use crate::pages;
use crate::place::Place;
use crate::router::Router;
use crate::session::{Presence, Session};
use crate::shell::Shell;
use crate::theme::ThemeChoice;

/// The outermost difference between pages; within one of them the frame around the page stays.
#[derive(Debug, Clone, PartialEq)]
enum Stage {
    Waiting,
    Unreachable,
    Setup,
    Invitation,
    SignIn,
    Inside,
    /// The address is not for this person at this moment; this one is.
    Elsewhere(String),
}

#[component]
pub(crate) fn App() -> impl IntoView {
    ThemeChoice::provide();
    Toasts::provide();
    let router = Router::provide();
    let session = Session::provide();
    remove_boot_screen();

    let stage = Memo::new(move |_| match (router.place(), session.presence()) {
        (Place::Setup, Presence::Unknown | Presence::SignedOut) => Stage::Setup,
        (Place::Invitation, Presence::SignedOut | Presence::SignedIn(_)) => Stage::Invitation,
        (_, Presence::Unknown) => Stage::Waiting,
        (_, Presence::Unreachable(_)) => Stage::Unreachable,
        (Place::SignIn, Presence::SignedOut) => Stage::SignIn,
        (Place::Root, Presence::SignedOut) => Stage::Elsewhere(Place::SignIn.href()),
        (_, Presence::SignedOut) => Stage::Elsewhere(pages::sign_in::href_with_return(&router.here())),
        (Place::SignIn, Presence::SignedIn(_)) => {
            Stage::Elsewhere(pages::sign_in::return_address(&router.query()).unwrap_or_else(|| session.home().href()))
        }
        (Place::Root | Place::Setup, Presence::SignedIn(_)) => Stage::Elsewhere(session.home().href()),
        (
            Place::Account
            | Place::Organization { .. }
            | Place::Model { .. }
            | Place::Key { .. }
            | Place::Budget { .. }
            | Place::Unknown,
            Presence::SignedIn(_),
        ) => Stage::Inside,
    });
    Effect::new(move |_| {
        if let Stage::Elsewhere(href) = stage.get() {
            router.replace(&href);
        }
    });
    let view = move || match stage.get() {
        Stage::Waiting | Stage::Elsewhere(_) => waiting(),
        Stage::Unreachable => unreachable(session),
        Stage::Setup => view! { <pages::setup::Setup/> }.into_any(),
        Stage::Invitation => view! { <pages::invitations::AcceptInvitation/> }.into_any(),
        Stage::SignIn => view! { <pages::sign_in::SignIn/> }.into_any(),
        Stage::Inside => view! { <Shell/> }.into_any(),
    };
    view! {
        {view}
        <ToastRegion/>
    }
}

fn waiting() -> AnyView {
    view! { <main class="boot" aria-busy="true"><Mark/><span class="unseen">"Loading"</span></main> }.into_any()
}

fn unreachable(session: Session) -> AnyView {
    let Presence::Unreachable(failure) = session.presence() else {
        return waiting();
    };
    let retry = Callback::new(move |()| session.refresh());
    view! { <main class="lone">{failed(&failure, retry)}</main> }.into_any()
}

fn remove_boot_screen() {
    if let Some(boot) = document().get_element_by_id("boot") {
        boot.remove();
    }
}
