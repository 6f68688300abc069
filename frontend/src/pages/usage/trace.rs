//! Why one request went where it went, as far as that was kept.

use gatewright_types::{ProblemCode, RequestId};
use leptos::prelude::*;

use crate::components::state::{Shape, loaded};
use crate::load::Loader;
use crate::pages::decision::decision;
use crate::pages::models::shown::query_of;
use crate::place::Place;
use crate::session::{Workspace, use_workspace};

#[component]
pub(super) fn Trace(request: RequestId) -> impl IntoView {
    let workspace = use_workspace();
    let kept = Loader::new(move || async move {
        match workspace.request_trace(request).await {
            // Most requests keep none; that is no failure.
            Err(failure) if failure.code() == Some(ProblemCode::NotFound) => Ok(None),
            Err(failure) => Err(failure),
            Ok(kept) => {
                let on_route = on_route(workspace, request, kept.model.as_deref()).await;
                Ok(Some((kept, on_route)))
            }
        }
    });
    loaded(kept, Shape::Rows, |kept| match kept {
        Some((kept, on_route)) => view! {
            {on_route.clone().map(|href| view! { <p><a href=href>"Show it on the route"</a></p> })}
            {decision(kept)}
        }
        .into_any(),
        None => view! {
            <p class="muted">
                "This was not kept. The organization's settings say whose decisions are; a request with the header "
                <code>"x-gw-trace: 1"</code>" always keeps its own."
            </p>
        }
        .into_any(),
    })
}

/// The address of the model's page with the request on it; none for a model that is gone, or may not be seen.
async fn on_route(workspace: Workspace, request: RequestId, model: Option<&str>) -> Option<String> {
    let models = workspace.model_choices().await.ok()?.items;
    let found = models.into_iter().find(|known| Some(known.name.as_str()) == model)?;
    let (slug, model) = (workspace.slug().parse().ok()?, Some(found.id));
    Some(format!("{}?{}", Place::Model { slug, model }.href(), query_of(request)))
}
