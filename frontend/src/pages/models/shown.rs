//! A request laid over a model's route: `?request=` in the page's address names it.

use std::collections::BTreeMap;

use gatewright_types::RequestId;
use gatewright_types::api::Decision;
use leptos::prelude::*;

use super::editor::Editor;
use crate::components::button::{Button, Look};
use crate::components::icon::Icon;
use crate::components::state::{Shape, loaded};
use crate::load::{Load, Loader};
use crate::pages::decision::decision;
use crate::route::{Mark, NodeId, marks};
use crate::router::{Router, use_router};
use crate::session::Workspace;

/// The part of an address that names a request.
pub(in crate::pages) fn query_of(request: RequestId) -> String {
    format!("request={request}")
}

#[derive(Debug, Clone, Copy)]
pub(super) struct ShownRequest {
    router: Router,
    request: Memo<Option<RequestId>>,
    kept: Loader<Option<Decision>>,
}

impl ShownRequest {
    pub(super) fn new(workspace: Workspace) -> Self {
        let router = use_router();
        let request = Memo::new(move |_| {
            let query = router.query();
            query.strip_prefix("request=").and_then(|id| id.parse().ok())
        });
        let kept = Loader::new(move || {
            let request = request.get();
            Box::pin(async move {
                match request {
                    Some(request) => workspace.request_trace(request).await.map(Some),
                    None => Ok(None),
                }
            })
        });
        Self { router, request, kept }
    }

    /// What the request's decision says of the nodes, as the tree is at the moment.
    pub(super) fn marks(self, editor: Editor) -> Signal<BTreeMap<NodeId, Mark>> {
        Signal::derive(move || {
            self.kept.state.with(|state| match state {
                Load::Ready(Some(kept)) => editor.with(|draft| marks(draft, kept)),
                Load::Ready(None) | Load::Waiting | Load::Failed(_) => BTreeMap::new(),
            })
        })
    }

    pub(super) fn view(self) -> AnyView {
        let close = Callback::new(move |()| self.router.set_query(""));
        let card = move |request: RequestId| {
            let told = loaded(self.kept, Shape::Rows, |kept| kept.as_ref().map(decision).into_any());
            view! {
                <section class="card" aria-label="Request">
                    <div class="card-head">
                        <h2>"The way of "<code>{request.to_string()}</code></h2>
                        <Button label="Show no request" look=Look::Quiet glyph=Icon::Close on_press=close/>
                    </div>
                    {told}
                </section>
            }
        };
        (move || self.request.get().map(card)).into_any()
    }
}
