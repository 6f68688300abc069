//! Voiding kept answers that are not those of one model: of a tag, of a namespace, or all of them.

use gatewright_types::api::{PurgedAnswers, PurgedTag};
use leptos::prelude::*;

use crate::components::button::Look;
use crate::components::dialog::Dialog;
use crate::components::field::{Input, SelectField, TextField};
use crate::components::form::FormFrame;
use crate::components::toast::use_toasts;
use crate::form::{Form, tell};
use crate::session::use_workspace;

const TAG: &str = "tag";
const NAMESPACE: &str = "namespace";
const EVERYTHING: &str = "everything";
const KINDS: [(&str, &str); 3] = [
    (TAG, "Those that requests with a tag brought"),
    (NAMESPACE, "Those of a namespace"),
    (EVERYTHING, "All of the organization's"),
];

#[component]
pub(super) fn Purge(on_close: Callback<()>) -> impl IntoView {
    let workspace = use_workspace();
    let toasts = use_toasts();
    let form = Form::new("purge-cache");
    let kind = RwSignal::new(TAG.to_owned());
    let (tag, value, namespace) = (
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
    );
    let read = move || {
        form.clear();
        Some(match kind.get_untracked().as_str() {
            TAG => {
                let (name, value) = (
                    form.parse("of.tag.name", tag),
                    form.parse_optional("of.tag.value", value),
                );
                PurgedAnswers::Tag(PurgedTag {
                    name: name?,
                    value: value?,
                })
            }
            NAMESPACE => PurgedAnswers::Namespace(form.parse("of.namespace", namespace)?),
            _ => PurgedAnswers::Everything,
        })
    };
    let submit = Callback::new(move |()| {
        let Some(of) = read() else { return };
        form.send(workspace.purge_cache(of), move |()| {
            toasts.done("What was kept of them is void.".to_owned());
            tell(on_close);
        });
    });
    let options = KINDS
        .map(|(value, title)| (value.to_owned(), title.to_owned()))
        .to_vec();
    let fields = move || match kind.get().as_str() {
        TAG => view! {
            <TextField form=form name="of.tag.name" label="Tag" value=tag input=Input::Code placeholder="project"/>
            <TextField
                form=form
                name="of.tag.value"
                label="Value"
                value=value
                input=Input::Code
                placeholder="apollo"
                hint="Empty: any."
            />
        }
        .into_any(),
        NAMESPACE => view! {
            <TextField
                form=form
                name="of.namespace"
                label="Namespace"
                value=namespace
                input=Input::Code
                placeholder="docs"
                hint="What callers say in x-gw-cache-namespace."
            />
        }
        .into_any(),
        _ => ().into_any(),
    };
    view! {
        <Dialog title="Void kept answers" on_close=on_close>
            <FormFrame form=form submit="Void answers" look=Look::Danger on_submit=submit on_cancel=on_close>
                <SelectField
                    form=form
                    name="of"
                    label="Which"
                    value=kind
                    options=options
                    hint="Requests that ask the same are answered by providers again, on every node, and kept anew."
                />
                {fields}
            </FormFrame>
        </Dialog>
    }
    .into_any()
}
