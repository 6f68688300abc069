//! Why one request went where it went, as far as that was kept.

use gatewright_types::api::{Decision, ExplainRequest, ExplainedRequest, Explanation, SampleHealth};
use gatewright_types::{ProblemCode, RequestId};
use leptos::prelude::*;

use crate::components::button::Button;
use crate::components::state::{Shape, loaded};
use crate::load::Loader;
use crate::pages::decision::decision;
use crate::pages::models::shown::query_of;
use crate::place::Place;
use crate::session::{Workspace, use_workspace};

#[component]
pub(super) fn Trace(request: RequestId) -> impl IntoView {
    let workspace = use_workspace();
    let kept = Loader::new(move || {
        Box::pin(async move {
            match workspace.request_trace(request).await {
                // Most requests keep none; that is no failure.
                Err(failure) if failure.code() == Some(ProblemCode::NotFound) => Ok(None),
                Err(failure) => Err(failure),
                Ok(kept) => {
                    let on_route = on_route(workspace, request, kept.model.as_deref()).await;
                    Ok(Some((kept, on_route)))
                }
            }
        })
    });
    loaded(kept, Shape::Rows, move |kept| match kept {
        Some((kept, on_route)) => view! {
            {on_route.clone().map(|href| view! { <p><a href=href>"Show it on the route"</a></p> })}
            {decision(kept)}
            {again(workspace, request)}
        }
        .into_any(),
        None => view! {
            <p class="muted">
                "This was not kept. The organization's settings say whose decisions are; a request with the header "
                <code>"x-gw-trace: 1"</code>" always keeps its own."
            </p>
            {again(workspace, request)}
        }
        .into_any(),
    })
}

/// What would become of the request by now, once somebody wants to know.
fn again(workspace: Workspace, request: RequestId) -> AnyView {
    let asked = RwSignal::new(false);
    let ask = Callback::new(move |()| asked.set(true));
    let explained = move || {
        let explained = Loader::new(move || {
            let request = ExplainRequest {
                request: ExplainedRequest::Logged(request),
                route: None,
                health: SampleHealth::Current,
            };
            workspace.explain(&request)
        });
        loaded(explained, Shape::Rows, today)
    };
    let shown = move || match asked.get() {
        false => view! { <Button label="Explain with today's configuration" on_press=ask/> }.into_any(),
        true => explained(),
    };
    view! { {shown} }.into_any()
}

fn today(explanation: &Explanation) -> AnyView {
    let kept = |decision: &Decision| {
        decision
            .route
            .kept()
            .map(|one| one.target.to_string())
            .collect::<Vec<_>>()
    };
    let targets = explanation.then.as_ref().map(kept);
    let verdict = match targets {
        Some(then) if then == kept(&explanation.decision) => "It would go the same way.",
        Some(_) => "It would go another way.",
        None => "",
    };
    let lost = explanation.not_kept.iter().map(|one| view! { <li>{one.clone()}</li> });
    view! {
        <h4>"With today's configuration"</h4>
        <p>{verdict}</p>
        {decision(&explanation.decision)}
        <p class="muted small">"Not kept of the request, and so not looked at again:"</p>
        <ul class="muted small">{lost.collect_view()}</ul>
    }
    .into_any()
}

/// The address of the model's page with the request on it; none for a model that is gone, or may not be seen.
async fn on_route(workspace: Workspace, request: RequestId, model: Option<&str>) -> Option<String> {
    let models = workspace.model_choices().await.ok()?.items;
    let found = models.into_iter().find(|known| Some(known.name.as_str()) == model)?;
    let (slug, model) = (workspace.slug().parse().ok()?, Some(found.id));
    Some(format!("{}?{}", Place::Model { slug, model }.href(), query_of(request)))
}
