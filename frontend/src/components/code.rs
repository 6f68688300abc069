//! Text to take away: code, secrets, links, each with its copy button.

use gloo_timers::future::TimeoutFuture;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;

use super::icon::{Icon, icon};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Copied {
    NotYet,
    Done,
    /// The browser does not let us; the text is selected instead.
    Selected,
}

/// A block of text as it is, with a button that copies it.
#[component]
pub(crate) fn CodeBlock(#[prop(into)] label: String, #[prop(into)] text: Signal<String>) -> impl IntoView {
    let node = NodeRef::<html::Pre>::new();
    let copied = RwSignal::new(Copied::NotYet);
    let copy = move |_| {
        let text = text.get_untracked();
        spawn_local(async move {
            let outcome = if write(&text).await { Copied::Done } else { select(node) };
            let _closed = copied.try_set(outcome);
            TimeoutFuture::new(2_500).await;
            let _closed = copied.try_set(Copied::NotYet);
        });
    };
    let said = move || match copied.get() {
        Copied::NotYet => "Copy",
        Copied::Done => "Copied",
        Copied::Selected => "Press Ctrl+C",
    };
    let glyph = move || {
        icon(if copied.get() == Copied::Done {
            Icon::Check
        } else {
            Icon::Copy
        })
    };
    let name = format!("Copy: {label}");
    view! {
        <div class="code-block">
            <pre node_ref=node tabindex="0" role="group" aria-label=label><code>{move || text.get()}</code></pre>
            <button type="button" class="button code-copy" title=name on:click=copy>
                {glyph}
                <span aria-live="polite">{said}</span>
            </button>
        </div>
    }
    .into_any()
}

async fn write(text: &str) -> bool {
    // Browsers offer the clipboard only to pages that came by https or from this machine.
    if !window().is_secure_context() {
        return false;
    }
    JsFuture::from(window().navigator().clipboard().write_text(text))
        .await
        .is_ok()
}

fn select(node: NodeRef<html::Pre>) -> Copied {
    if let Some(node) = node.try_get_untracked().flatten()
        && let Ok(Some(selection)) = window().get_selection()
    {
        // The node is in the document, so it can be selected.
        let _detached = selection.select_all_children(&node);
    }
    Copied::Selected
}
