//! Parts of a page that follow what they show. Written once for all of them, because the dashboard is downloaded.

use leptos::prelude::*;

/// Made anew whenever something changes that was read for it.
pub(crate) fn live(part: impl Fn() -> AnyView + Send + Sync + 'static) -> AnyView {
    boxed(Box::new(part))
}

fn boxed(part: Box<dyn Fn() -> AnyView + Send + Sync>) -> AnyView {
    (move || part()).into_any()
}
