//! A button that opens a short list of links and actions; Escape, leaving it, or choosing something closes it.

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

#[component]
pub(crate) fn Menu(
    /// What the menu is about; read out before what the button shows.
    label: &'static str,
    class: &'static str,
    #[prop(into)] button: ViewFnOnce,
    children: ChildrenFn,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let root = NodeRef::<html::Div>::new();
    let toggle = NodeRef::<html::Button>::new();
    let left = move |event: web_sys::FocusEvent| {
        let into = event
            .related_target()
            .and_then(|target| target.dyn_into::<web_sys::Node>().ok());
        let inside = root.get_untracked().is_some_and(|root| root.contains(into.as_ref()));
        if !inside {
            open.set(false);
        }
    };
    let key = move |event: web_sys::KeyboardEvent| {
        if event.key() == "Escape" && open.get_untracked() {
            open.set(false);
            if let Some(button) = toggle.get_untracked() {
                // The button is there as long as its menu is.
                let _gone = button.focus();
            }
        }
    };
    view! {
        <div class=format!("menu {class}") node_ref=root on:focusout=left on:keydown=key>
            <button
                type="button"
                class="menu-button"
                node_ref=toggle
                aria-expanded=move || if open.get() { "true" } else { "false" }
                on:click=move |_| open.update(|open| *open = !*open)
            >
                <span class="unseen">{label}": "</span>
                {button.run()}
            </button>
            {move || {
                open.get().then(|| {
                    view! { <div class="menu-sheet" tabindex="-1" on:click=move |_| open.set(false)>{children()}</div> }
                })
            }}
        </div>
    }
    .into_any()
}
