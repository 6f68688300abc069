//! One's own account: organizations, open sessions, password, theme.

use gatewright_types::api::{ChangePassword, Membership, SessionInfo};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::members::tone;
use super::organizations::CreateOrganization;
use crate::components::badge::{Badge, Tone};
use crate::components::button::Button;
use crate::components::field::{Input, TextField};
use crate::components::form::FormFrame;
use crate::components::header::PageHeader;
use crate::components::icon::Icon;
use crate::components::moment::{Ago, Day};
use crate::components::state::{Shape, empty, listed};
use crate::components::table::table;
use crate::components::toast::use_toasts;
use crate::form::Form;
use crate::load::List;
use crate::place::{Place, Section};
use crate::session::{Session, use_session};
use crate::theme::theme_picker;

#[component]
pub(crate) fn Account() -> impl IntoView {
    let session = use_session();
    let sessions = List::new(move |cursor| session.api.sessions(cursor));
    let none = || {
        empty(
            Icon::Lock,
            "No sessions",
            "Nobody is signed in with this account.",
            None,
        )
    };
    let rows = move |items: &[SessionInfo]| {
        let rows = items.iter().map(|info| row(info, session, sessions)).collect_view();
        table(
            "Sessions",
            &["Device", "Address", "Last seen", "Ends", ""],
            rows.into_any(),
        )
    };
    let who = untrack(|| session.me()).map(|me| {
        view! {
            <dl class="facts">
                <div><dt>"Name"</dt><dd>{me.name.to_string()}</dd></div>
                <div><dt>"E-mail"</dt><dd>{me.email.to_string()}</dd></div>
            </dl>
        }
    });
    view! {
        <PageHeader title="Account" about="Yours alone, in all organizations."/>
        <div class="narrow">
            <section class="card"><h2>"You"</h2>{who}</section>
            {organizations(session)}
            <section class="card"><h2>"Password"</h2>{password(session, sessions)}</section>
            <section class="card"><h2>"Appearance"</h2>{theme_picker()}</section>
            <section class="section">
                <h2>"Where you are signed in"</h2>
                {listed(sessions, Shape::Rows, none, rows)}
            </section>
        </div>
    }
    .into_any()
}

fn organizations(session: Session) -> AnyView {
    let creating = RwSignal::new(false);
    let close = Callback::new(move |()| creating.set(false));
    let row = |membership: Membership| {
        let organization = membership.organization;
        view! {
            <li>
                <a href=Place::section(&organization.slug, Section::Overview).href()>{organization.name.to_string()}</a>
                <Badge tone=tone(membership.role) text=membership.role.as_str()/>
            </li>
        }
    };
    let list = move || {
        session
            .me()
            .map(|me| me.memberships.into_iter().map(row).collect_view())
    };
    view! {
        <section class="card">
            <h2>"Organizations"</h2>
            <ul class="plain-list">{list}</ul>
            <Button label="Create organization" glyph=Icon::Plus on_press=Callback::new(move |()| creating.set(true))/>
            {move || creating.get().then(|| view! { <CreateOrganization on_close=close/> })}
        </section>
    }
    .into_any()
}

fn password(session: Session, sessions: List<SessionInfo>) -> AnyView {
    let toasts = use_toasts();
    let form = Form::new("password");
    let (current, new) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let submit = Callback::new(move |()| {
        form.clear();
        let (Some(old), Some(chosen)) = (form.text("current", current), form.text("new", new)) else {
            return;
        };
        let change = ChangePassword {
            current: old,
            new: chosen,
        };
        form.send(session.api.change_password(&change), move |()| {
            toasts.done("The password is changed.");
            let _left = (current.try_set(String::new()), new.try_set(String::new()));
            sessions.reload();
            // The server may have given this browser another session, with another CSRF token.
            session.refresh();
        });
    });
    view! {
        <FormFrame form=form submit="Change password" on_submit=submit>
            <TextField form=form name="current" label="Current password" value=current input=Input::Password/>
            <TextField
                form=form
                name="new"
                label="New password"
                value=new
                input=Input::NewPassword
                hint="At least 10 characters."
            />
        </FormFrame>
    }
    .into_any()
}

fn row(info: &SessionInfo, session: Session, sessions: List<SessionInfo>) -> AnyView {
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let (id, current) = (info.id, info.current);
    let end = Callback::new(move |()| {
        busy.set(true);
        spawn_local(async move {
            match session.api.end_session(id).await {
                Ok(()) if current => session.leave(),
                Ok(()) => {
                    toasts.done("The session is ended.");
                    sessions.reload();
                }
                Err(failure) => toasts.failed(&failure),
            }
            let _gone = busy.try_set(false);
        });
    });
    let label = if current { "Sign out" } else { "End" };
    view! {
        <tr>
            <th scope="row" data-label="Device">
                <span class="cell-title">{device(&info.user_agent)}</span>" "
                {current.then(|| view! { <Badge tone=Tone::Good text="this one"/> })}
                <span class="cell-note">"since " <Day moment=info.created_at/></span>
            </th>
            <td data-label="Address"><code>{info.address.clone()}</code></td>
            <td data-label="Last seen"><Ago moment=info.last_seen_at/></td>
            <td data-label="Ends"><Ago moment=info.expires_at/></td>
            <td class="actions"><Button label=label busy=busy on_press=end/></td>
        </tr>
    }
    .into_any()
}

/// The browser and the system a user agent names, as far as they are well known.
fn device(user_agent: &str) -> String {
    let known = |names: &[(&str, &'static str)]| {
        names
            .iter()
            .find(|(mark, _)| user_agent.contains(mark))
            .map(|(_, name)| *name)
    };
    // Browsers name those they descend from: the more particular ones come first.
    let browser = known(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = known(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) if user_agent.is_empty() => "Unknown device".to_owned(),
        (None, None) => user_agent.chars().take(60).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::device;

    #[test]
    fn well_known_browsers_are_named() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";

        assert_eq!(device(chrome), "Chrome on Linux");
        assert_eq!(device("curl/8.5"), "curl");
        assert_eq!(device("something/1"), "something/1");
        assert_eq!(device(""), "Unknown device");
    }
}
