//! Which model answers name: the part of a model's form, and how it is told.

use gatewright_types::api::ShownModel;
use leptos::prelude::*;

use crate::components::field::SelectField;
use crate::form::Form;

#[derive(Debug, Clone, Copy)]
pub(super) struct NamingField {
    form: Form,
    shown: RwSignal<String>,
}

impl NamingField {
    pub(super) fn new(form: Form, shown: ShownModel) -> Self {
        Self {
            form,
            shown: RwSignal::new(shown.as_str().to_owned()),
        }
    }

    pub(super) fn read(self) -> ShownModel {
        let chosen = self.shown.get_untracked();
        let known = ShownModel::ALL.into_iter().find(|one| one.as_str() == chosen);
        known.unwrap_or_default()
    }

    pub(super) fn view(self) -> AnyView {
        let options = ShownModel::ALL
            .map(|one| (one.as_str().to_owned(), told(one).to_owned()))
            .to_vec();
        let open = !self.read().is_upstream();
        view! {
            <details class="more-fields" prop:open=open>
                <summary>"Answers"</summary>
                <SelectField
                    form=self.form
                    name="shown_model"
                    label="Answers name"
                    value=self.shown
                    options=options
                    hint="In the answer's model, or Gemini's modelVersion. The header x-gw-model always has the provider's."
                />
            </details>
        }
        .into_any()
    }
}

pub(super) const fn told(shown: ShownModel) -> &'static str {
    match shown {
        ShownModel::Upstream => "the provider's model",
        ShownModel::Requested => "this model",
    }
}
