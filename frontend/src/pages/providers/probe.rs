//! The fields of a provider's form that say how often it is called where nobody else does.

use gatewright_types::api::{ProbeSettings, ProviderKind};
use leptos::prelude::*;

use crate::components::field::{Input, TextField};
use crate::form::Form;

#[derive(Debug, Clone, Copy)]
pub(super) struct ProbeFields {
    form: Form,
    every: RwSignal<String>,
    model: RwSignal<String>,
}

impl ProbeFields {
    pub(super) fn new(form: Form, probe: Option<&ProbeSettings>) -> Self {
        let every = probe.map(|probe| probe.every.to_string());
        let model = probe.and_then(|probe| probe.model.as_ref()).map(ToString::to_string);
        Self {
            form,
            every: RwSignal::new(every.unwrap_or_default()),
            model: RwSignal::new(model.unwrap_or_default()),
        }
    }

    /// `None` when a field is wrong, `Some(None)` when nothing is probed.
    pub(super) fn read(self) -> Option<Option<ProbeSettings>> {
        let every = self.form.parse_optional("probe.every", self.every)?;
        let model = self.form.parse_optional("probe.model", self.model)?;
        match (every, model) {
            (Some(every), model) => Some(Some(ProbeSettings { every, model })),
            (None, None) => Some(None),
            (None, Some(_)) => {
                self.form.refuse("probe.every", "is required with a model");
                None
            }
        }
    }

    pub(super) fn view(self, kind: ProviderKind) -> AnyView {
        let open = !self.every.with_untracked(String::is_empty);
        let hint = if kind.lists_models() {
            "Asked for a short answer. Leave empty to ask which models there are, which costs nothing."
        } else {
            "Asked for a short answer: name a small one."
        };
        view! {
            <details class="more-fields" prop:open=open>
                <summary>"Health probes"</summary>
                <p class="muted small">
                    "While no request is answered there, the gateway calls the provider by itself. A model that was left alone \
                     is tried again with a short request of the gateway's and not with a caller's. Probes are not metered here."
                </p>
                <div class="field-grid">
                    <TextField
                        form=self.form
                        name="probe.every"
                        label="Every"
                        value=self.every
                        input=Input::Code
                        placeholder="30s"
                        hint="No more often, over all nodes. Leave empty for no probes."
                    />
                    <TextField
                        form=self.form
                        name="probe.model"
                        label="Model"
                        value=self.model
                        input=Input::Code
                        hint=hint
                    />
                </div>
            </details>
        }
        .into_any()
    }
}
