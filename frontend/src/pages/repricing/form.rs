//! The form that begins a dry run. What it tells is shown before anything is added.

use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Utc};
use gatewright_types::api::{NewReprice, Provider, Reprice};
use gatewright_types::{Slug, UpstreamModel};
use leptos::prelude::*;

use super::Runs;
use crate::api::Pending;
use crate::components::dialog::Dialog;
use crate::components::field::{Input, SelectField, TextField};
use crate::components::form::FormFrame;
use crate::components::moment::now;
use crate::form::Form;
use crate::pages::choices::{Options, choices, fixed};

const NOW: &str = "now";

pub(super) fn new_run(runs: Runs) -> AnyView {
    let workspace = runs.workspace;
    let before = runs.like.get_untracked();
    let form = Form::new("reprice");
    let today = now().date_naive();
    let (from, to) = match &before {
        Some(run) => (run.from.date_naive(), (run.to - TimeDelta::seconds(1)).date_naive()),
        None => (today.with_day(1).unwrap_or(today), today),
    };
    let field = |text: Option<String>| RwSignal::new(text.unwrap_or_default());
    let of = before.as_ref();
    let (from, to) = (field(Some(from.to_string())), field(Some(to.to_string())));
    let provider = field(of.and_then(|run| run.provider.as_ref()).map(ToString::to_string));
    let model = field(of.and_then(|run| run.model.as_ref()).map(ToString::to_string));
    let prices = field(of.and_then(|run| run.priced_at).map(|_| NOW.to_owned()));
    let reason = field(of.map(|run| run.reason.clone()));
    let close = Callback::new(move |()| runs.forming.set(false));
    let submit = Callback::new(move |()| {
        form.clear();
        let from = day(form, "from", from, TimeDelta::zero());
        let to = day(form, "to", to, TimeDelta::days(1));
        let provider = form.parse_optional::<Slug>("provider", provider);
        let model = form.parse_optional::<UpstreamModel>("model", model);
        let reason = form.text("reason", reason);
        let (Some(from), Some(to), Some(provider), Some(model), Some(reason)) = (from, to, provider, model, reason)
        else {
            return;
        };
        let new = NewReprice {
            from,
            to: to.min(now()),
            provider,
            model,
            priced_at: prices.with_untracked(|prices| prices == NOW).then(now),
            reason,
            dry_run: true,
            as_told_by: None,
        };
        form.send(workspace.begin_reprice(&new), move |run: Reprice| runs.begun(&run));
    });
    let providers = move || -> Pending<Options> {
        Box::pin(async move {
            let named = |provider: Provider| (provider.name.to_string(), provider.name.to_string());
            let providers = workspace.provider_choices().await?.items.into_iter().map(named);
            let all = (String::new(), "All providers".to_owned());
            Ok(std::iter::once(all).chain(providers).collect())
        })
    };
    let providers = choices(providers, provider, "");
    let which = fixed(&[
        ("", "Those in force when each request began"),
        (NOW, "Those in force now, whenever it began"),
    ]);
    view! {
        <Dialog title="Reprice requests" on_close=close>
            <FormFrame form=form submit="Dry run" on_submit=submit on_cancel=close>
                <p class="prose">"A dry run shows what it comes to. Nothing is changed before you have seen that."</p>
                <div class="field-grid">
                    <TextField form=form name="from" label="From (UTC)" value=from input=Input::Date/>
                    <TextField form=form name="to" label="Until the end of (UTC)" value=to input=Input::Date/>
                    <SelectField form=form name="provider" label="Provider" value=provider options=providers/>
                    <TextField form=form name="model" label="The provider's model" value=model input=Input::Code placeholder="all models"/>
                </div>
                <SelectField form=form name="priced_at" label="Prices" value=prices options=which
                    hint="In force now: for a catalogue that was put right later."/>
                <TextField form=form name="reason" label="Why" value=reason hint="It stands beside each request that it changes."/>
            </FormFrame>
        </Dialog>
    }
    .into_any()
}

/// The beginning of a day, and what lies after it.
fn day(form: Form, name: &'static str, day: RwSignal<String>, and: TimeDelta) -> Option<DateTime<Utc>> {
    let day: NaiveDate = form.parse(name, day)?;
    day.and_hms_opt(0, 0, 0)
        .and_then(|beginning| beginning.and_utc().checked_add_signed(and))
}
