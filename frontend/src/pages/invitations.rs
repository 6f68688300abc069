//! Accepting an invitation: the holder of the link sees what it is for and becomes a member.

use gatewright_types::DisplayName;
use gatewright_types::api::{self, InvitationPreview, InvitationToken};
use leptos::prelude::*;

use super::welcome::Welcome;
use crate::components::field::{Input, TextField};
use crate::components::form::FormFrame;
use crate::components::state::{Shape, loaded};
use crate::form::Form;
use crate::load::Loader;
use crate::place::Place;
use crate::router::use_router;
use crate::session::use_session;

#[component]
pub(crate) fn AcceptInvitation() -> impl IntoView {
    let Some(token) = use_router().fragment_value("token") else {
        return view! {
            <Welcome title="Invitation" about="This page needs the whole link you were sent.">
                <a class="button" href=Place::SignIn.href()>"Go to sign-in"</a>
            </Welcome>
        }
        .into_any();
    };
    let session = use_session();
    let token = StoredValue::new(token);
    let preview = Loader::new(move || {
        session.api.preview_invitation(&InvitationToken {
            token: token.get_value(),
        })
    });
    view! {
        <Welcome title="Join an organization" about="You have been invited to work together on Gatewright.">
            {loaded(preview, Shape::Rows, move |preview| form(preview, token))}
        </Welcome>
    }
    .into_any()
}

fn form(preview: &InvitationPreview, token: StoredValue<String>) -> AnyView {
    let session = use_session();
    let router = use_router();
    let form = Form::new("invitation");
    let (name, password) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let has_account = preview.has_account;
    let submit = Callback::new(move |()| {
        form.clear();
        let name = if has_account {
            Some(None)
        } else {
            form.parse::<DisplayName>("name", name).map(Some)
        };
        let (Some(name), Some(password)) = (name, form.text("password", password)) else {
            return;
        };
        let acceptance = api::AcceptInvitation {
            token: token.get_value(),
            name,
            password,
        };
        form.send(session.api.accept_invitation(&acceptance), move |me| {
            session.enter(me);
            router.replace(&Place::Root.href());
        });
    });
    let fields = if has_account {
        view! {
            <TextField
                form=form
                name="password"
                label="Password"
                value=password
                input=Input::Password
                hint="The one of the account you already have."
            />
        }
        .into_any()
    } else {
        view! {
            <TextField form=form name="name" label="Your name" value=name/>
            <TextField
                form=form
                name="password"
                label="Choose a password"
                value=password
                input=Input::NewPassword
                hint="At least 10 characters."
            />
        }
        .into_any()
    };
    view! {
        <dl class="facts">
            <div><dt>"Organization"</dt><dd>{preview.organization_name.to_string()}</dd></div>
            <div><dt>"Role"</dt><dd>{preview.role.as_str()}</dd></div>
            <div><dt>"E-mail"</dt><dd>{preview.email.to_string()}</dd></div>
        </dl>
        <FormFrame form=form submit="Join" on_submit=submit>{fields}</FormFrame>
    }
    .into_any()
}
