//! Signing in, and coming back to where one was going.

use gatewright_types::Email;
use gatewright_types::api;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::welcome::Welcome;
use crate::components::field::{Input, TextField};
use crate::components::form::FormFrame;
use crate::form::Form;
use crate::place::Place;
use crate::session::use_session;

const RETURN: &str = "next";

/// The sign-in page that leads on to an address.
pub(crate) fn href_with_return(address: &str) -> String {
    let query = serde_urlencoded::to_string([(RETURN, address)]).unwrap_or_default();
    format!("{}?{query}", Place::SignIn.href())
}

/// Where the sign-in page leads on to; only pages of this dashboard.
pub(crate) fn return_address(query: &str) -> Option<String> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).ok()?;
    let address = pairs
        .into_iter()
        .find_map(|(name, value)| (name == RETURN).then_some(value))?;
    let path = address.split('?').next().unwrap_or_default();
    matches!(Place::parse(path), Place::Organization { .. } | Place::Account).then_some(address)
}

#[component]
pub(crate) fn SignIn() -> impl IntoView {
    let session = use_session();
    let form = Form::new("sign-in");
    let (email, password) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let waiting_for_owner = RwSignal::new(false);
    spawn_local(async move {
        // Only a hint hangs on the answer; without one the page works all the same.
        if let Ok(state) = session.api.setup_state().await {
            let _left = waiting_for_owner.try_set(state.needed);
        }
    });

    let submit = Callback::new(move |()| {
        form.clear();
        email.update(|email| *email = email.trim().to_lowercase());
        let (address, secret) = (form.parse::<Email>("email", email), form.text("password", password));
        let (Some(email), Some(secret)) = (address, secret) else {
            return;
        };
        let sign_in = api::SignIn {
            email,
            password: secret,
        };
        form.send(session.api.sign_in(&sign_in), move |me| session.enter(me));
    });
    view! {
        <Welcome title="Sign in" about="Welcome back. Use the address you were invited with.">
            {move || {
                waiting_for_owner.get().then(|| {
                    let hint = "This installation has no owner yet. Open the setup link that the server printed.";
                    view! { <p class="notice">{hint}</p> }
                })
            }}
            <FormFrame form=form submit="Sign in" on_submit=submit>
                <TextField form=form name="email" label="E-mail" value=email input=Input::Email/>
                <TextField form=form name="password" label="Password" value=password input=Input::Password/>
            </FormFrame>
        </Welcome>
    }
    .into_any()
}
