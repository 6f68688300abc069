//! Short messages about what has just happened. They are read out, and go by themselves.

use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::icon::{Icon, icon};
use crate::api::Failure;

const SHOWN_MILLIS: u32 = 6_000;
const SHOWN_AT_ONCE: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Done,
    Failed,
}

#[derive(Debug, Clone)]
struct Toast {
    number: u32,
    mood: Mood,
    text: String,
}

/// Where messages are put.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Toasts {
    shown: RwSignal<Vec<Toast>>,
    count: StoredValue<u32>,
}

impl Toasts {
    pub(crate) fn provide() -> Self {
        let toasts = Self {
            shown: RwSignal::new(Vec::new()),
            count: StoredValue::new(0),
        };
        provide_context(toasts);
        toasts
    }

    pub(crate) fn done(self, text: impl Into<String>) {
        self.show(Mood::Done, text.into());
    }

    pub(crate) fn failed(self, failure: &Failure) {
        self.show(Mood::Failed, failure.sentence());
    }

    fn show(self, mood: Mood, text: String) {
        self.count.update_value(|count| *count += 1);
        let number = self.count.get_value();
        self.shown.update(|shown| {
            shown.push(Toast { number, mood, text });
            let surplus = shown.len().saturating_sub(SHOWN_AT_ONCE);
            shown.drain(..surplus);
        });
        spawn_local(async move {
            TimeoutFuture::new(SHOWN_MILLIS).await;
            self.dismiss(number);
        });
    }

    fn dismiss(self, number: u32) {
        self.shown.update(|shown| shown.retain(|toast| toast.number != number));
    }
}

pub(crate) fn use_toasts() -> Toasts {
    expect_context()
}

/// Where messages appear.
#[component]
pub(crate) fn ToastRegion() -> impl IntoView {
    let toasts = use_toasts();
    let row = move |toast: Toast| {
        let (class, glyph) = match toast.mood {
            Mood::Done => ("toast toast-done", Icon::Check),
            Mood::Failed => ("toast toast-failed", Icon::Alert),
        };
        view! {
            <div class=class>
                {icon(glyph)}
                <p>{toast.text}</p>
                <button
                    type="button"
                    class="icon-button"
                    aria-label="Dismiss"
                    on:click=move |_| toasts.dismiss(toast.number)
                >
                    {icon(Icon::Close)}
                </button>
            </div>
        }
    };
    view! {
        <div class="toasts" role="status" aria-live="polite" aria-atomic="false">
            <For each=move || toasts.shown.get() key=|toast| toast.number children=row/>
        </div>
    }
}
