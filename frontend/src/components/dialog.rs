//! A window over the page. The browser keeps the focus inside and closes it on Escape; the focus goes back to where
//! it came from.

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlDialogElement, HtmlElement};

use super::button::IconButton;
use super::icon::Icon;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    /// In the middle, for a form or a question.
    Middle,
    /// In the middle, with room for code.
    Wide,
    /// At the right edge, to read while the list stays in sight; a click beside it closes it.
    Drawer,
}

#[component]
pub(crate) fn Dialog(
    #[prop(into)] title: String,
    #[prop(default = Frame::Middle)] frame: Frame,
    on_close: Callback<()>,
    children: Children,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    let before = document()
        .active_element()
        .and_then(|element| element.dyn_into::<HtmlElement>().ok());
    let before = StoredValue::new_local(before);
    let shown = StoredValue::new_local(None::<HtmlDialogElement>);

    Effect::new(move |_| {
        if let Some(dialog) = node.get()
            && !dialog.open()
        {
            // Refused only for a dialog that is not in the document; it is, or there would be nothing to show.
            let _detached = dialog.show_modal();
            focus_first_field(&dialog);
            shown.set_value(Some(dialog));
        }
    });
    on_cleanup(move || {
        if let Some(dialog) = shown.try_get_value().flatten() {
            dialog.close();
        }
        if let Some(before) = before.try_get_value().flatten() {
            request_animation_frame(move || {
                // What opened the dialog may have gone with what the dialog did.
                let _gone = before.focus();
            });
        }
    });

    let class = match frame {
        Frame::Middle => "dialog",
        Frame::Wide => "dialog dialog-wide",
        Frame::Drawer => "dialog drawer",
    };
    let beside = move |event: web_sys::MouseEvent| {
        let on_dialog = event
            .target()
            .is_some_and(|target| target.dyn_ref::<HtmlDialogElement>().is_some());
        if frame == Frame::Drawer && on_dialog {
            on_close.run(());
        }
    };
    view! {
        <dialog
            class=class
            node_ref=node
            aria-labelledby="dialog-title"
            on:cancel=move |event: web_sys::Event| {
                event.prevent_default();
                on_close.run(());
            }
            on:click=beside
        >
            <div class="dialog-sheet">
                <header class="dialog-head">
                    <h2 id="dialog-title">{title}</h2>
                    <IconButton label="Close" glyph=Icon::Close on_press=on_close/>
                </header>
                <div class="dialog-body" tabindex=(frame == Frame::Drawer).then_some("0")>{children()}</div>
            </div>
        </dialog>
    }
}

/// A form is opened to be filled in: its first field, rather than the button that closes it.
fn focus_first_field(dialog: &HtmlDialogElement) {
    let field = dialog.query_selector(".dialog-body :is(input, select)").ok().flatten();
    if let Some(field) = field.and_then(|field| field.dyn_into::<HtmlElement>().ok()) {
        // A field that refuses leaves the focus on the first button.
        let _kept = field.focus();
    }
}
