//! Giving a key a new secret: how long the old one goes on, then the new one, shown this once.

use gatewright_types::api::{Key, NewRotation, RotatedKey};
use leptos::prelude::*;

use super::Choices;
use super::snippets::Snippets;
use crate::components::button::{Button, Look};
use crate::components::code::CodeBlock;
use crate::components::dialog::{Dialog, Frame};
use crate::components::field::SelectField;
use crate::components::form::FormFrame;
use crate::components::icon::{Icon, icon};
use crate::form::{Form, tell};
use crate::session::use_workspace;

const GRACES: [(&str, &str); 6] = [
    ("24h", "A day"),
    ("1h", "An hour"),
    ("7d", "A week"),
    ("30d", "30 days"),
    ("90d", "90 days"),
    ("0s", "Not at all: it stops at once"),
];

#[component]
pub(super) fn Rotate(key: Key, choices: Choices, on_rotated: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let workspace = use_workspace();
    let form = Form::new("rotate-key");
    let on_close = form.closing(on_close);
    let rotated = RwSignal::new(None::<RotatedKey>);
    let grace = RwSignal::new("24h".to_owned());
    let Key { id, name, .. } = key;
    let submit = Callback::new(move |()| {
        form.clear();
        let Some(grace) = form.parse("grace", grace) else {
            return;
        };
        let rotation = NewRotation { grace };
        form.send(workspace.rotate_key(id, &rotation), move |answer| {
            tell(on_rotated);
            let _closed = rotated.try_set(Some(answer));
        });
    });
    let fields = move || {
        let graces = GRACES
            .map(|(value, title)| (value.to_owned(), title.to_owned()))
            .to_vec();
        view! {
            <FormFrame form=form submit="Rotate" on_submit=submit on_cancel=on_close>
                <p class="prose">
                    "The key gets a new secret and stays the same otherwise: its usage, budgets and limits go on."
                </p>
                <SelectField
                    form=form
                    name="grace"
                    label="The old secret works for"
                    value=grace
                    options=graces
                    hint="Long enough to put the new one wherever the old one is."
                />
            </FormFrame>
        }
        .into_any()
    };
    move || {
        let (title, frame, body) = match rotated.get() {
            None => (format!("Rotate {name}"), Frame::Middle, untrack(fields)),
            Some(rotated) => (
                "The new secret".to_owned(),
                Frame::Wide,
                secret(&rotated, choices, on_close),
            ),
        };
        view! { <Dialog title=title frame=frame on_close=on_close>{body}</Dialog> }.into_any()
    }
}

fn secret(rotated: &RotatedKey, choices: Choices, on_close: Callback<()>) -> AnyView {
    let secret = rotated.secret.clone().unwrap_or_default();
    let own = rotated.key.models.as_ref().and_then(|models| models.first());
    let model = own.map(ToString::to_string);
    let model = model.or_else(|| untrack(|| choices.model_names().into_iter().next()));
    view! {
        <div class="notice notice-warning">
            {icon(Icon::Lock)}
            <p>"Copy the secret now. It is shown this once and cannot be read again."</p>
        </div>
        <CodeBlock label="Secret" text=secret.clone()/>
        <Snippets secret=secret model=model/>
        <div class="form-actions"><Button label="Done" look=Look::Primary on_press=on_close/></div>
    }
    .into_any()
}
