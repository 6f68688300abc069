//! First run: whoever holds the setup link becomes the owner of the first organization.

use gatewright_types::api::NewInstallation;
use gatewright_types::{DisplayName, Email, Slug};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::welcome::Welcome;
use crate::components::field::{Input, TextField};
use crate::components::form::FormFrame;
use crate::form::Form;
use crate::place::Place;
use crate::router::use_router;
use crate::session::use_session;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    NoToken,
    Done,
}

#[component]
pub(crate) fn Setup() -> impl IntoView {
    let session = use_session();
    let token = use_router().fragment_value("token");
    let stage = RwSignal::new(if token.is_some() { Stage::Open } else { Stage::NoToken });
    spawn_local(async move {
        // Without an answer the form stays; sending it will tell.
        if let Ok(state) = session.api.setup_state().await
            && !state.needed
        {
            let _left = stage.try_set(Stage::Done);
        }
    });
    let token = StoredValue::new(token.unwrap_or_default());
    view! {
        <Welcome title="Set up Gatewright" about="Name the first organization and make yourself its owner.">
            {move || match stage.get() {
                Stage::Open => form(token),
                Stage::NoToken => view! {
                    <p class="notice">
                        "This page needs the one-time link that the server printed when it first started. It ends in "
                        <code>"#token=…"</code>
                    </p>
                }
                .into_any(),
                Stage::Done => view! {
                    <p class="notice">"This installation has been set up already."</p>
                    <a class="button button-primary" href=Place::SignIn.href()>"Sign in"</a>
                }
                .into_any(),
            }}
        </Welcome>
    }
    .into_any()
}

fn form(token: StoredValue<String>) -> AnyView {
    let session = use_session();
    let form = Form::new("setup");
    let organization_name = RwSignal::new(String::new());
    let organization = RwSignal::new(String::new());
    let (name, email, password) = (
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
    );
    suggest_slug(organization_name, organization);

    let submit = Callback::new(move |()| {
        form.clear();
        email.update(|email| *email = email.trim().to_lowercase());
        let organization_name = form.parse::<DisplayName>("organization_name", organization_name);
        let organization = form.parse::<Slug>("organization", organization);
        let name = form.parse::<DisplayName>("name", name);
        let email = form.parse::<Email>("email", email);
        let password = form.text("password", password);
        let (Some(organization_name), Some(organization), Some(name), Some(email), Some(password)) =
            (organization_name, organization, name, email, password)
        else {
            return;
        };
        let token = token.get_value();
        let installation = NewInstallation {
            token,
            organization,
            organization_name,
            email,
            name,
            password,
        };
        form.send(session.api.set_up(&installation), move |me| session.enter(me));
    });
    view! {
        <FormFrame form=form submit="Create organization" on_submit=submit>
            <TextField
                form=form
                name="organization_name"
                label="Organization"
                value=organization_name
                placeholder="Acme Inc."
            />
            <TextField
                form=form
                name="organization"
                label="Short name"
                value=organization
                input=Input::Code
                hint="Part of addresses: lower-case letters, digits and hyphens."
            />
            <TextField form=form name="name" label="Your name" value=name/>
            <TextField form=form name="email" label="E-mail" value=email input=Input::Email/>
            <TextField
                form=form
                name="password"
                label="Password"
                value=password
                input=Input::NewPassword
                hint="At least 10 characters."
            />
        </FormFrame>
    }
    .into_any()
}

/// Fills in a short name while the long one is typed, until somebody changes the short one.
pub(super) fn suggest_slug(name: RwSignal<String>, slug: RwSignal<String>) {
    let suggested = StoredValue::new(String::new());
    Effect::new(move |_| {
        let suggestion = slug_of(&name.get());
        if slug.get_untracked() == suggested.get_value() {
            slug.set(suggestion.clone());
            suggested.set_value(suggestion);
        }
    });
}

fn slug_of(name: &str) -> String {
    let words = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let slug = words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-");
    slug.chars()
        .take(63)
        .collect::<String>()
        .trim_end_matches('-')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::slug_of;

    #[test]
    fn a_name_becomes_a_short_name() {
        assert_eq!(slug_of("Acme Inc."), "acme-inc");
        assert_eq!(slug_of("  Büro 42 "), "b-ro-42");
        assert_eq!(slug_of("…"), "");
    }
}
