//! The question before a page is left that has unsaved changes.

use leptos::prelude::*;

use super::button::{Button, Look};
use super::dialog::Dialog;
use crate::router::use_router;

#[component]
pub(crate) fn LeaveQuestion() -> impl IntoView {
    let router = use_router();
    let stay = Callback::new(move |()| router.stay());
    let leave = Callback::new(move |()| router.leave());
    let asked = Memo::new(move |_| router.wanted().is_some());
    move || {
        asked.get().then(|| {
            view! {
                <Dialog title="Leave without saving?" on_close=stay>
                    <p class="prose">"What was changed on this page is not saved, and will be lost."</p>
                    <div class="form-actions">
                        <Button label="Stay" look=Look::Quiet on_press=stay/>
                        <Button label="Leave" look=Look::Danger on_press=leave/>
                    </div>
                </Dialog>
            }
        })
    }
}
