//! The time limits of a model or a provider: the part of a form that takes them, and how they are told.

use gatewright_types::HumanDuration;
use gatewright_types::api::Timeouts;
use leptos::prelude::*;

use crate::components::field::{Input, TextField};
use crate::form::Form;

const FORMAT: &str = "Each like 250ms, 2s or 10m.";
const MEANING: &str = "An answer in one piece has to be there within first token and total; a stream has to have its \
                       first token by then, and after it only a silence longer than between tokens ends it.";

/// The texts of the four time limits.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeoutFields {
    form: Form,
    connect: RwSignal<String>,
    first_token: RwSignal<String>,
    between_tokens: RwSignal<String>,
    total: RwSignal<String>,
}

impl TimeoutFields {
    pub(super) fn new(form: Form, timeouts: &Timeouts) -> Self {
        let text =
            |limit: Option<HumanDuration>| RwSignal::new(limit.map(|limit| limit.to_string()).unwrap_or_default());
        Self {
            form,
            connect: text(timeouts.connect),
            first_token: text(timeouts.first_token),
            between_tokens: text(timeouts.between_tokens),
            total: text(timeouts.total),
        }
    }

    /// Nothing when a field is wrong.
    pub(super) fn read(self) -> Option<Timeouts> {
        let form = self.form;
        let connect = form.parse_optional("timeouts.connect", self.connect);
        let first_token = form.parse_optional("timeouts.first_token", self.first_token);
        let between_tokens = form.parse_optional("timeouts.between_tokens", self.between_tokens);
        let total = form.parse_optional("timeouts.total", self.total);
        Some(Timeouts {
            connect: connect?,
            first_token: first_token?,
            between_tokens: between_tokens?,
            total: total?,
        })
    }

    fn are_usual(self) -> bool {
        [self.connect, self.first_token, self.between_tokens, self.total]
            .into_iter()
            .all(|limit| limit.with_untracked(String::is_empty))
    }

    /// `otherwise` says what applies where a field is empty.
    pub(super) fn view(self, otherwise: &'static str) -> AnyView {
        let form = self.form;
        let open = !self.are_usual();
        view! {
            <details class="more-fields" prop:open=open>
                <summary>"Timeouts"</summary>
                <p class="muted small">{FORMAT}" "{otherwise}" "{MEANING}</p>
                <div class="field-grid">
                    <TextField
                        form=form
                        name="timeouts.connect"
                        label="Connect"
                        value=self.connect
                        input=Input::Code
                        placeholder="2s"
                    />
                    <TextField
                        form=form
                        name="timeouts.first_token"
                        label="First token"
                        value=self.first_token
                        input=Input::Code
                        placeholder="20s"
                    />
                    <TextField
                        form=form
                        name="timeouts.between_tokens"
                        label="Between tokens"
                        value=self.between_tokens
                        input=Input::Code
                        placeholder="15s"
                    />
                    <TextField
                        form=form
                        name="timeouts.total"
                        label="Total"
                        value=self.total
                        input=Input::Code
                        placeholder="10m"
                    />
                </div>
            </details>
        }
        .into_any()
    }
}

/// The limits that are set, in a line; nothing when none is.
pub(super) fn told(timeouts: &Timeouts) -> Option<String> {
    let named = timeouts.named().into_iter();
    let set: Vec<String> = named
        .filter_map(|(name, limit)| limit.map(|limit| format!("{} {limit}", name.replace('_', " "))))
        .collect();
    (!set.is_empty()).then(|| set.join(", "))
}
