//! What stands where fetched things will be: waiting, nothing there, failed, not allowed; or the things.

use gatewright_types::ProblemCode;
use leptos::prelude::*;

use super::button::{Button, Look};
use super::icon::{Icon, icon};
use super::live::live;
use crate::api::Failure;
use crate::load::{List, Load, Loader, Progress};

/// The shape of what is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Rows,
    Cards,
    Charts,
}

/// Shows a fetched thing by `ready`, and every other state by itself.
pub(crate) fn loaded<T: Send + Sync + 'static>(
    loader: Loader<T>,
    shape: Shape,
    ready: impl Fn(&T) -> AnyView + Send + Sync + 'static,
) -> AnyView {
    let retry = Callback::new(move |()| loader.retry());
    live(move || loader.state.with(|state| staged(state, shape, retry, &ready)))
}

/// Shows a list by `ready` and the button for more of it; `empty` when there is nothing in it.
pub(crate) fn listed<T: Send + Sync + 'static>(
    list: List<T>,
    shape: Shape,
    empty: impl Fn() -> AnyView + Send + Sync + 'static,
    ready: impl Fn(&[T]) -> AnyView + Send + Sync + 'static,
) -> AnyView {
    let retry = Callback::new(move |()| list.retry());
    let some = move |items: &Vec<T>| if items.is_empty() { empty() } else { ready(items) };
    let items = live(move || list.state.with(|state| staged(state, shape, retry, &some)));
    with_more(items, list.progress, Callback::new(move |()| list.load_more()))
}

fn with_more(items: AnyView, progress: RwSignal<Progress>, on_press: Callback<()>) -> AnyView {
    view! {
        {items}
        {more(progress, on_press)}
    }
    .into_any()
}

fn staged<T>(state: &Load<T>, shape: Shape, retry: Callback<()>, ready: &dyn Fn(&T) -> AnyView) -> AnyView {
    match state {
        Load::Waiting => waiting(shape),
        Load::Ready(value) => ready(value),
        Load::Failed(failure) => failed(failure, retry),
    }
}

fn more(progress: RwSignal<Progress>, on_press: Callback<()>) -> AnyView {
    let busy = Signal::derive(move || progress.get() == Progress::LoadingMore);
    (move || match progress.get() {
        Progress::Complete => ().into_any(),
        Progress::More | Progress::LoadingMore => {
            view! { <div class="more"><Button label="Load more" busy=busy on_press=on_press/></div> }.into_any()
        }
        Progress::MoreFailed(failure) => view! {
            <div class="more" role="alert">
                <p class="muted">{failure.sentence()}</p>
                <Button label="Try again" glyph=Icon::Retry on_press=on_press/>
            </div>
        }
        .into_any(),
    })
    .into_any()
}

fn waiting(shape: Shape) -> AnyView {
    let (class, count) = match shape {
        Shape::Rows => ("skeleton skeleton-rows", 6),
        Shape::Cards => ("skeleton skeleton-cards", 3),
        Shape::Charts => ("skeleton skeleton-charts", 9),
    };
    let bars = (0..count).map(|_| view! { <span></span> }).collect_view();
    view! {
        <div class=class role="status">
            <span class="unseen">"Loading"</span>
            {bars}
        </div>
    }
    .into_any()
}

/// A fetch that gave nothing.
pub(crate) fn failed(failure: &Failure, retry: Callback<()>) -> AnyView {
    match failure.code() {
        Some(ProblemCode::Forbidden) => forbidden(failure.sentence()),
        Some(ProblemCode::NotFound) => panel(Icon::Inbox, "Not found", failure.sentence(), ().into_any()),
        // Asking the same again would be refused the same.
        Some(ProblemCode::Invalid) => {
            let panel = panel(Icon::Alert, "This does not work", failure.reasons(), ().into_any());
            view! { <div role="alert">{panel}</div> }.into_any()
        }
        _ => {
            let reference = failure.request_id().map(|id| {
                view! { <p class="muted small">"Request " <code>{id.to_owned()}</code></p> }
            });
            let actions = view! {
                <Button label="Try again" glyph=Icon::Retry on_press=retry/>
                {reference}
            };
            let panel = panel(
                Icon::Alert,
                "This could not be loaded",
                failure.sentence(),
                actions.into_any(),
            );
            view! { <div role="alert">{panel}</div> }.into_any()
        }
    }
}

/// Something the person may not see.
pub(crate) fn forbidden(reason: String) -> AnyView {
    panel(Icon::Lock, "Not open to your role", reason, ().into_any())
}

/// A list with nothing in it yet, and what to do about that.
pub(crate) fn empty(
    glyph: Icon,
    title: &'static str,
    text: &'static str,
    action: Option<(&'static str, Option<String>, Callback<()>)>,
) -> AnyView {
    let button = action.map(|(label, denial, on_press)| match denial {
        None => view! { <Button label=label look=Look::Primary glyph=Icon::Plus on_press=on_press/> }.into_any(),
        Some(reason) => view! { <p class="muted small">{reason}</p> }.into_any(),
    });
    panel(glyph, title, text.to_owned(), button.into_any())
}

fn panel(glyph: Icon, title: &'static str, text: String, rest: AnyView) -> AnyView {
    view! {
        <div class="panel">
            <span class="panel-icon">{icon(glyph)}</span>
            <h2>{title}</h2>
            <p>{text}</p>
            {rest}
        </div>
    }
    .into_any()
}
