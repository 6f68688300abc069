//! Where cost is charged to that nobody else says, and who bears what is shared.

use gatewright_types::Permission;
use gatewright_types::api::{Organization, OrganizationChange, SharedCost};
use leptos::prelude::*;

use crate::components::field::{Input, SelectField, TextField};
use crate::components::form::FormFrame;
use crate::components::toast::use_toasts;
use crate::form::Form;
use crate::pages::choices::fixed;
use crate::session::Workspace;

const SHARED: [(&str, &str); 3] = [
    ("separate", "Told by itself"),
    ("proportional", "Borne by the others, in proportion to their own"),
    ("even", "Borne by the others, all alike"),
];

pub(super) fn charging(workspace: Workspace) -> AnyView {
    // Once: a form is not made anew while somebody types.
    let Some(organization) = untrack(|| workspace.organization()) else {
        return ().into_any();
    };
    match workspace.denial(Permission::OrganizationWrite) {
        Some(reason) => view! {
            {facts(&organization)}
            <p class="muted">{reason}</p>
        }
        .into_any(),
        None => fields(workspace, organization),
    }
}

fn fields(workspace: Workspace, organization: Organization) -> AnyView {
    let toasts = use_toasts();
    let form = Form::new("charging");
    let Organization {
        name,
        cost_centre,
        shared_cost,
        ..
    } = organization;
    let centre = RwSignal::new(cost_centre.map(|centre| centre.to_string()).unwrap_or_default());
    let shared = RwSignal::new(shared_cost.as_str().to_owned());
    let submit = Callback::new(move |()| {
        form.clear();
        let Some(cost_centre) = form.parse_optional("cost_centre", centre) else {
            return;
        };
        let shared = shared.get_untracked();
        let change = OrganizationChange {
            name: name.clone(),
            traces: None,
            tags: None,
            cost_centre: Some(cost_centre),
            shared_cost: SharedCost::ALL.into_iter().find(|one| one.as_str() == shared),
        };
        form.send(workspace.change_organization(&change), move |_| {
            toasts.done("How cost is charged is saved.".to_owned());
            workspace.session.refresh();
        });
    });
    view! {
        <FormFrame form=form submit="Save charging" on_submit=submit>
            <TextField form=form name="cost_centre" label="Cost centre" value=centre input=Input::Code
                hint="Of what neither a key nor its team says."/>
            <SelectField form=form name="shared_cost" label="Cost that is nobody's own" value=shared options=fixed(&SHARED)
                hint="That of shared teams, and of what has no cost centre, team or tag."/>
        </FormFrame>
    }
    .into_any()
}

fn facts(organization: &Organization) -> AnyView {
    let centre = organization.cost_centre.as_ref().map(ToString::to_string);
    let shared = SHARED
        .into_iter()
        .find(|(word, _)| *word == organization.shared_cost.as_str());
    view! {
        <dl class="facts">
            <div><dt>"Cost centre"</dt><dd>{centre.unwrap_or_else(|| "none".to_owned())}</dd></div>
            <div><dt>"Cost that is nobody's own"</dt><dd>{shared.map(|(_, title)| title)}</dd></div>
        </dl>
    }
    .into_any()
}
