//! The form for an organization's own facts of a model.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use gatewright_types::UpstreamModel;
use gatewright_types::api::{Capability, CatalogEntry, ModelFacts, NewOverlay, Overlay, OverlayChange, ProviderKind};
use leptos::prelude::*;

use crate::components::choice::CheckList;
use crate::components::dialog::{Dialog, Frame};
use crate::components::field::{Input, SelectField, TextField};
use crate::components::form::FormFrame;
use crate::components::toast::use_toasts;
use crate::form::{Form, tell};
use crate::session::use_workspace;

/// Whose facts are stated.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Facts {
    OfNewModel,
    Of(Box<CatalogEntry>),
}

/// What the form begins with.
struct Beginning {
    title: String,
    kind: ProviderKind,
    model: String,
    own: Option<Overlay>,
    capabilities: Vec<String>,
}

impl From<Facts> for Beginning {
    fn from(facts: Facts) -> Self {
        match facts {
            Facts::OfNewModel => Self {
                title: "Add own model".to_owned(),
                kind: ProviderKind::OpenaiCompatible,
                model: String::new(),
                own: None,
                capabilities: vec![Capability::Chat.as_str().to_owned()],
            },
            Facts::Of(entry) => Self {
                title: format!("Own facts of {}", entry.model),
                kind: entry.kind,
                model: entry.model.to_string(),
                own: entry.own,
                capabilities: entry.capabilities.iter().map(|one| one.as_str().to_owned()).collect(),
            },
        }
    }
}

#[component]
pub(super) fn FactsDialog(facts: Facts, on_saved: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let workspace = use_workspace();
    let toasts = use_toasts();
    let form = Form::new("facts");
    let is_new = facts == Facts::OfNewModel;
    let Beginning {
        title,
        kind,
        model,
        own,
        capabilities,
    } = facts.into();
    let stated = own.as_ref().map(|own| own.facts.clone()).unwrap_or_default();
    let number = |number: Option<u32>| RwSignal::new(number.map(|number| number.to_string()).unwrap_or_default());
    let day = |day: Option<NaiveDate>| RwSignal::new(day.map(|day| day.to_string()).unwrap_or_default());
    let (context, max_output) = (number(stated.context), number(stated.max_output));
    let (deprecated_on, sunset_on) = (day(stated.deprecated_on), day(stated.sunset_on));
    let aliases: Vec<_> = stated.aliases.iter().map(ToString::to_string).collect();
    let aliases = RwSignal::new(aliases.join(" "));
    let before = StoredValue::new(capabilities.clone());
    let chosen = RwSignal::new(capabilities);
    let already = StoredValue::new(stated.capabilities);
    let (kind, model) = (RwSignal::new(kind.as_str().to_owned()), RwSignal::new(model));
    let submit = Callback::new(move |()| {
        form.clear();
        let name = form.parse::<UpstreamModel>("model", model);
        let context = form.parse_optional::<u32>("facts.context", context);
        let max_output = form.parse_optional::<u32>("facts.max_output", max_output);
        let deprecated_on = form.parse_optional::<NaiveDate>("facts.deprecated_on", deprecated_on);
        let sunset_on = form.parse_optional::<NaiveDate>("facts.sunset_on", sunset_on);
        let names = read_names(form, aliases);
        let kind = ProviderKind::ALL
            .into_iter()
            .find(|one| one.as_str() == kind.get_untracked());
        let (Some(name), Some(context), Some(max_output)) = (name, context, max_output) else {
            return;
        };
        let (Some(deprecated_on), Some(sunset_on), Some(aliases), Some(kind)) = (deprecated_on, sunset_on, names, kind)
        else {
            return;
        };
        let capabilities = switched(
            is_new,
            &before.get_value(),
            &chosen.get_untracked(),
            already.get_value(),
        );
        let facts = ModelFacts {
            capabilities,
            context,
            max_output,
            deprecated_on,
            sunset_on,
            aliases,
        };
        let id = own.as_ref().map(|own| own.id);
        let call = match id {
            Some(id) => workspace.change_overlay(id, &OverlayChange { facts }),
            None => workspace.create_overlay(&NewOverlay {
                kind,
                model: name,
                facts,
            }),
        };
        form.send(call, move |saved| {
            toasts.done(format!("Your own facts of {} are saved.", saved.model));
            tell(on_saved);
            tell(on_close);
        });
    });
    let kinds = ProviderKind::ALL.map(|kind| (kind.as_str().to_owned(), kind.as_str().to_owned()));
    let kinds = Signal::derive(move || kinds.to_vec());
    let abilities: Vec<_> = Capability::ALL.iter().map(|one| one.as_str().to_owned()).collect();
    let abilities = Signal::derive(move || abilities.clone());
    let identity = is_new.then(|| {
        view! {
            <SelectField form=form name="kind" label="Kind of provider" value=kind options=kinds/>
            <TextField
                form=form
                name="model"
                label="The provider's model"
                value=model
                input=Input::Code
                placeholder="llama-3.3-70b-in-house"
            />
        }
    });
    view! {
        <Dialog title=title frame=Frame::Wide on_close=on_close>
            <FormFrame form=form submit="Save" on_submit=submit on_cancel=on_close>
                {identity}
                <p class="muted small">"An empty field is as the catalogue says. Prices are set under Models."</p>
                <div class="field-grid">
                    <TextField form=form name="facts.context" label="Context, in tokens" value=context input=Input::Number/>
                    <TextField
                        form=form
                        name="facts.max_output"
                        label="Longest answer, in tokens"
                        value=max_output
                        input=Input::Number
                    />
                    <TextField
                        form=form
                        name="facts.deprecated_on"
                        label="Deprecated on"
                        value=deprecated_on
                        input=Input::Date
                    />
                    <TextField form=form name="facts.sunset_on" label="Ends on" value=sunset_on input=Input::Date/>
                </div>
                <TextField
                    form=form
                    name="facts.aliases"
                    label="Also called"
                    value=aliases
                    input=Input::Code
                    hint="Further names, with spaces between them. Targets that use one find these facts and this price."
                />
                <CheckList form=form name="facts.capabilities" label="Can" chosen=chosen options=abilities/>
            </FormFrame>
        </Dialog>
    }
    .into_any()
}

fn read_names(form: Form, names: RwSignal<String>) -> Option<Vec<UpstreamModel>> {
    let text = names.get_untracked();
    let names: Result<Vec<_>, _> = text.split_whitespace().map(str::parse::<UpstreamModel>).collect();
    names
        .map_err(|error| form.refuse("facts.aliases", &error.to_string()))
        .ok()
}

/// What was switched by hand, now or before; everything else stays as the catalogue says.
fn switched(
    is_new: bool,
    before: &[String],
    chosen: &[String],
    mut switches: BTreeMap<Capability, bool>,
) -> BTreeMap<Capability, bool> {
    for capability in Capability::ALL {
        let named = |names: &[String]| names.iter().any(|name| name == capability.as_str());
        let (was, is) = (named(before) && !is_new, named(chosen));
        if was != is {
            switches.insert(*capability, is);
        }
    }
    switches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_switched_is_stated() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let already = BTreeMap::from([(Capability::Reasoning, false)]);

        let switches = switched(false, &names(&["chat", "vision"]), &names(&["chat", "tools"]), already);

        let wanted = [
            (Capability::Reasoning, false),
            (Capability::Vision, false),
            (Capability::Tools, true),
        ];
        assert_eq!(switches, BTreeMap::from(wanted));
        let new = switched(true, &names(&["chat"]), &names(&["chat"]), BTreeMap::new());
        assert_eq!(new, BTreeMap::from([(Capability::Chat, true)]));
    }
}
