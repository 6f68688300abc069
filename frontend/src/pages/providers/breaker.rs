//! When a provider's models are left alone because calls there fail too often: the part of its form, and how it is told.

use gatewright_types::api::BreakerSettings;
use leptos::prelude::*;

use crate::components::field::{Input, TextField};
use crate::form::Form;

#[derive(Debug, Clone, Copy)]
pub(super) struct BreakerFields {
    form: Form,
    error_rate: RwSignal<String>,
    min_requests: RwSignal<String>,
    window: RwSignal<String>,
    open_for: RwSignal<String>,
    usual: bool,
}

impl BreakerFields {
    pub(super) fn new(form: Form, breaker: &BreakerSettings) -> Self {
        Self {
            form,
            error_rate: RwSignal::new(breaker.error_rate.to_string()),
            min_requests: RwSignal::new(breaker.min_requests.to_string()),
            window: RwSignal::new(breaker.window.to_string()),
            open_for: RwSignal::new(breaker.open_for.to_string()),
            usual: breaker.is_usual(),
        }
    }

    /// Nothing when a field is wrong.
    pub(super) fn read(self) -> Option<BreakerSettings> {
        let form = self.form;
        let error_rate = form.whole_number("breaker.error_rate", self.error_rate, "from 1 to 100");
        let min_requests = form.whole_number("breaker.min_requests", self.min_requests, "1 or more");
        let window = form.parse("breaker.window", self.window);
        let open_for = form.parse("breaker.open_for", self.open_for);
        Some(BreakerSettings {
            error_rate: error_rate?,
            min_requests: min_requests?,
            window: window?,
            open_for: open_for?,
        })
    }

    pub(super) fn view(self) -> AnyView {
        let form = self.form;
        view! {
            <details class="more-fields" prop:open=!self.usual>
                <summary>"Breaker"</summary>
                <p class="muted small">
                    "A model here whose calls fail too often is left alone for a while, as long as a route has others. "
                    "What the caller did wrong is no failure, nor is a rate limit."
                </p>
                <div class="field-grid">
                    <TextField
                        form=form
                        name="breaker.error_rate"
                        label="Opens at, in percent"
                        value=self.error_rate
                        input=Input::Number
                        hint="Of the calls that have to fail."
                    />
                    <TextField
                        form=form
                        name="breaker.min_requests"
                        label="Calls at least"
                        value=self.min_requests
                        input=Input::Number
                        hint="With fewer of them nothing is decided."
                    />
                    <TextField
                        form=form
                        name="breaker.window"
                        label="Within"
                        value=self.window
                        input=Input::Code
                        placeholder="30s"
                    />
                    <TextField
                        form=form
                        name="breaker.open_for"
                        label="Left alone for"
                        value=self.open_for
                        input=Input::Code
                        placeholder="15s"
                        hint="Twice as long each time that trying again fails, up to 5m."
                    />
                </div>
            </details>
        }
        .into_any()
    }
}

/// In a line; nothing for what is usual.
pub(super) fn told(breaker: &BreakerSettings) -> Option<String> {
    (!breaker.is_usual()).then(|| {
        format!(
            "{} % of {} calls failing within {}",
            breaker.error_rate, breaker.min_requests, breaker.window
        )
    })
}
