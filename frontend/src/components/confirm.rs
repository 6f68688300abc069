//! A question before something that cannot be undone.

use leptos::prelude::*;

use super::button::Look;
use super::dialog::Dialog;
use super::field::{Input, TextField};
use super::form::FormFrame;
use super::toast::use_toasts;
use crate::api::Pending;
use crate::form::{Form, tell};

/// What is asked, and what is said once it is done.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) action: &'static str,
    pub(crate) done: String,
}

/// Asks, makes the call when the answer is yes, and tells the page.
pub(crate) fn ask(
    question: Question,
    call: impl Fn() -> Pending<()> + Send + Sync + 'static,
    changed: Callback<()>,
    close: Callback<()>,
) -> AnyView {
    ask_to(question, Box::new(call), changed, close)
}

/// Once for all questions.
fn ask_to(
    question: Question,
    call: Box<dyn Fn() -> Pending<()> + Send + Sync>,
    changed: Callback<()>,
    close: Callback<()>,
) -> AnyView {
    let toasts = use_toasts();
    let Question {
        title,
        text,
        action,
        done,
    } = question;
    let confirm = Callback::new(move |form: Form| {
        let done = done.clone();
        form.send(call(), move |()| {
            toasts.done(done);
            tell(changed);
            tell(close);
        });
    });
    view! { <Confirm title=title text=text action=action on_confirm=confirm on_close=close/> }.into_any()
}

/// Asks; `on_confirm` sends the form it is given. With a `phrase`, that has to be typed first.
#[component]
pub(crate) fn Confirm(
    #[prop(into)] title: String,
    #[prop(into)] text: String,
    action: &'static str,
    #[prop(optional, into)] phrase: Option<String>,
    on_confirm: Callback<Form>,
    on_close: Callback<()>,
) -> impl IntoView {
    let form = Form::new("confirm");
    let typed = RwSignal::new(String::new());
    let asked = phrase.clone();
    let submit = Callback::new(move |()| {
        form.clear();
        if asked
            .as_ref()
            .is_some_and(|asked| typed.with_untracked(|typed| typed.trim() != asked))
        {
            form.refuse("phrase", "does not match");
            return;
        }
        on_confirm.run(form);
    });
    view! {
        <Dialog title=title on_close=on_close>
            <FormFrame form=form submit=action look=Look::Danger on_submit=submit on_cancel=on_close>
                <p class="prose">{text}</p>
                {phrase.map(|phrase| {
                    view! {
                        <p class="prose">"To go on, type " <strong class="code">{phrase}</strong> " below."</p>
                        <TextField form=form name="phrase" label="Confirmation" value=typed input=Input::Code/>
                    }
                })}
            </FormFrame>
        </Dialog>
    }
    .into_any()
}
