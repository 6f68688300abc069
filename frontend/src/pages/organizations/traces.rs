//! Which requests keep the trace of their decisions, and for how long.

use gatewright_types::api::{OrganizationChange, TraceSettings, TracedRequests};
use gatewright_types::{DisplayName, Permission};
use leptos::prelude::*;

use crate::components::field::{Input, SelectField, TextField};
use crate::components::form::FormFrame;
use crate::components::toast::use_toasts;
use crate::form::Form;
use crate::session::Workspace;

pub(super) fn traces(workspace: Workspace) -> AnyView {
    let Some(organization) = workspace.organization() else {
        return ().into_any();
    };
    let settings = match workspace.denial(Permission::OrganizationWrite) {
        Some(reason) => view! { {facts(&organization.traces)}<p class="muted">{reason}</p> }.into_any(),
        None => fields(workspace, organization.name, organization.traces),
    };
    view! {
        <p class="prose">
            "A trace tells why a request went where it went: what the route decided, which targets were left out, and how "
            "each call ended. It is found under Requests. A request that says "<code>"x-gw-trace: 1"</code>" always keeps its own."
        </p>
        {settings}
    }
    .into_any()
}

fn fields(workspace: Workspace, name: DisplayName, traces: TraceSettings) -> AnyView {
    let toasts = use_toasts();
    let form = Form::new("traces");
    let requests = RwSignal::new(traces.requests.as_str().to_owned());
    let sample = RwSignal::new(traces.sample.to_string());
    let keep = RwSignal::new(traces.keep.to_string());
    let chosen = move || {
        let word = requests.get();
        let known = TracedRequests::ALL.iter().copied();
        known
            .into_iter()
            .find(|one| one.as_str() == word)
            .unwrap_or(traces.requests)
    };
    let submit = Callback::new(move |()| {
        form.clear();
        let requests = untrack(chosen);
        let sample = match requests {
            TracedRequests::All => form.whole_number("traces.sample", sample, "from 1 to 100"),
            TracedRequests::Off | TracedRequests::Failures => Some(TraceSettings::default().sample),
        };
        let keep = form.parse("traces.keep", keep);
        let (Some(sample), Some(keep)) = (sample, keep) else {
            return;
        };
        let change = OrganizationChange {
            name: name.clone(),
            traces: Some(TraceSettings { requests, sample, keep }),
            tags: None,
            cost_centre: None,
            shared_cost: None,
        };
        form.send(workspace.change_organization(&change), move |_| {
            toasts.done("How traces are kept is saved.".to_owned());
            workspace.session.refresh();
        });
    });
    let options: Vec<_> = TracedRequests::ALL
        .iter()
        .map(|one| (one.as_str().to_owned(), title(*one).to_owned()))
        .collect();
    let part = move || {
        (chosen() == TracedRequests::All).then(|| {
            view! {
                <TextField
                    form=form
                    name="traces.sample"
                    label="Of those that went well, in percent"
                    value=sample
                    input=Input::Number
                    hint="The others always keep theirs."
                />
            }
        })
    };
    view! {
        <FormFrame form=form submit="Save traces" on_submit=submit>
            <SelectField form=form name="traces.requests" label="Requests" value=requests options=options/>
            {part}
            <TextField
                form=form
                name="traces.keep"
                label="Kept for"
                value=keep
                input=Input::Code
                placeholder="7d"
                hint="From 1h to 90d."
            />
        </FormFrame>
    }
    .into_any()
}

fn facts(traces: &TraceSettings) -> AnyView {
    let sample = (traces.requests == TracedRequests::All)
        .then(|| view! { <div><dt>"Of those that went well"</dt><dd>{traces.sample}" %"</dd></div> });
    view! {
        <dl class="facts">
            <div><dt>"Requests"</dt><dd>{title(traces.requests)}</dd></div>
            {sample}
            <div><dt>"Kept for"</dt><dd>{traces.keep.to_string()}</dd></div>
        </dl>
    }
    .into_any()
}

const fn title(requests: TracedRequests) -> &'static str {
    match requests {
        TracedRequests::Off => "none",
        TracedRequests::Failures => "those that failed or took more than one call",
        TracedRequests::All => "all",
    }
}
