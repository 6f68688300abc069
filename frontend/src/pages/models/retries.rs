//! How often a model's failed calls are made again: the part of its form, and how it is told.

use gatewright_types::HumanDuration;
use gatewright_types::api::{FailureClass, Retries};
use leptos::prelude::*;

use crate::components::choice::CheckList;
use crate::components::field::{Input, TextField};
use crate::form::Form;

#[derive(Debug, Clone, Copy)]
pub(super) struct RetryFields {
    form: Form,
    attempts: RwSignal<String>,
    on: RwSignal<Vec<String>>,
    pause: RwSignal<String>,
    longest_pause: RwSignal<String>,
    budget: RwSignal<String>,
    usual: bool,
}

impl RetryFields {
    pub(super) fn new(form: Form, retries: &Retries) -> Self {
        let on = retries.on.iter().map(|class| class.as_str().to_owned()).collect();
        Self {
            form,
            attempts: RwSignal::new(retries.attempts.to_string()),
            on: RwSignal::new(on),
            pause: RwSignal::new(retries.pause.to_string()),
            longest_pause: RwSignal::new(retries.longest_pause.to_string()),
            budget: RwSignal::new(retries.budget.to_string()),
            usual: retries.is_usual(),
        }
    }

    /// Nothing when a field is wrong.
    pub(super) fn read(self) -> Option<Retries> {
        let form = self.form;
        let attempts = form.whole_number("retries.attempts", self.attempts, "0 or more");
        let pause = form.parse::<HumanDuration>("retries.pause", self.pause);
        let longest_pause = form.parse::<HumanDuration>("retries.longest_pause", self.longest_pause);
        let budget = form.whole_number("retries.budget", self.budget, "from 0 to 100");
        let chosen = self.on.get_untracked();
        let classes = FailureClass::ALL.iter().copied();
        Some(Retries {
            attempts: attempts?,
            on: classes
                .filter(|class| chosen.iter().any(|word| word == class.as_str()))
                .collect(),
            pause: pause?,
            longest_pause: longest_pause?,
            budget: budget?,
        })
    }

    pub(super) fn view(self) -> AnyView {
        let form = self.form;
        let classes: Vec<_> = FailureClass::ALL
            .iter()
            .map(|class| class.as_str().to_owned())
            .collect();
        view! {
            <details class="more-fields" prop:open=!self.usual>
                <summary>"Retries"</summary>
                <p class="muted small">
                    "A call that fails is made again at the same target, before the route goes on to another."
                </p>
                <div class="field-grid">
                    <TextField
                        form=form
                        name="retries.attempts"
                        label="Further calls"
                        value=self.attempts
                        input=Input::Number
                        hint="At one target, at most."
                    />
                    <TextField
                        form=form
                        name="retries.budget"
                        label="Of all calls, in percent"
                        value=self.budget
                        input=Input::Number
                        hint="Beyond it nothing is tried again, so that retries do not keep a provider down."
                    />
                    <TextField
                        form=form
                        name="retries.pause"
                        label="First pause"
                        value=self.pause
                        input=Input::Code
                        hint="At most; it doubles with each."
                    />
                    <TextField
                        form=form
                        name="retries.longest_pause"
                        label="Longest pause"
                        value=self.longest_pause
                        input=Input::Code
                        hint="Beyond it the route goes on."
                    />
                </div>
                <CheckList form=form name="retries.on" label="Tried again after" chosen=self.on options=classes/>
            </details>
        }
        .into_any()
    }
}

/// In a line; nothing for what is usual.
pub(super) fn told(retries: &Retries) -> Option<String> {
    (!retries.is_usual()).then(|| format!("{} further calls at one target", retries.attempts))
}
