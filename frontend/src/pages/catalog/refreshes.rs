//! Catalogues that were brought in: what each would change, and the decision.

use gatewright_types::Permission;
use gatewright_types::api::{
    CatalogDiff, CatalogRefresh, CatalogRefreshDetail, ChangedModel, NamedModel, NewRefresh, RefreshState,
    SignedDocument,
};
use leptos::prelude::*;

use super::schedule::Schedule;
use crate::components::badge::{Badge, Tone};
use crate::components::button::{Button, Look};
use crate::components::dialog::{Dialog, Frame};
use crate::components::field::{Input, LinesField, TextField};
use crate::components::form::{FormFrame, FormMessage};
use crate::components::icon::Icon;
use crate::components::moment::{Ago, Exact};
use crate::components::state::{Shape, empty, listed, loaded};
use crate::components::table::table;
use crate::components::toast::use_toasts;
use crate::form::{Form, tell};
use crate::load::{List, Loader};
use crate::session::{Workspace, use_workspace};

/// More than this of a kind of change is counted, not shown.
const SHOWN: usize = 200;

#[component]
pub(super) fn Refreshes(bringing_in: RwSignal<bool>) -> impl IntoView {
    let workspace = use_workspace();
    let refreshes = List::new(move |cursor| workspace.catalog_refreshes(cursor));
    let shown = RwSignal::new(None::<CatalogRefresh>);
    let changed = Callback::new(move |()| refreshes.reload());
    let bring_in = Callback::new(move |()| bringing_in.set(true));
    let denial = workspace.denial(Permission::CatalogRefresh);
    let none = move || {
        let text = "The catalogue is the one that came with this release. A newer one can be brought in; it must be signed with a key that the server knows, and changes nothing before it is approved.";
        empty(
            Icon::Inbox,
            "No refreshes yet",
            text,
            Some(("Bring in a catalogue", denial.clone(), bring_in)),
        )
    };
    let rows = move |refreshes: &[CatalogRefresh]| {
        let rows = refreshes.iter().map(|refresh| row(refresh, shown)).collect_view();
        table(
            "Refreshes",
            &["Version", "Changes", "Brought in", "State"],
            rows.into_any(),
        )
    };
    view! {
        <div class="cards">
            <Schedule on_tried=changed/>
            <div>{listed(refreshes, Shape::Rows, none, rows)}</div>
        </div>
        {move || {
            let close = Callback::new(move |()| bringing_in.set(false));
            let made = Callback::new(move |made: CatalogRefresh| {
                refreshes.reload();
                shown.set(Some(made));
            });
            bringing_in.get().then(|| view! { <BringIn on_made=made on_close=close/> })
        }}
        {move || {
            let close = Callback::new(move |()| shown.set(None));
            shown.get().map(|refresh| drawer(&refresh, workspace, changed, close))
        }}
    }
    .into_any()
}

fn row(refresh: &CatalogRefresh, shown: RwSignal<Option<CatalogRefresh>>) -> AnyView {
    let opened = StoredValue::new(refresh.clone());
    view! {
        <tr class="is-link" on:click=move |_| shown.set(Some(opened.get_value()))>
            <th scope="row" data-label="Version">
                <button type="button" class="link-button" title="Show what it changes">
                    <code class="cell-title">{refresh.version.clone()}</code>
                </button>
                <span class="cell-note">{refresh.origin.clone()}</span>
            </th>
            <td data-label="Changes">{counts(refresh)}</td>
            <td data-label="Brought in">
                <Ago moment=refresh.created_at/>
                <span class="cell-note">{refresh.created_by.clone()}</span>
            </td>
            <td data-label="State">{state(refresh.state)}</td>
        </tr>
    }
    .into_any()
}

fn counts(refresh: &CatalogRefresh) -> String {
    let counts = refresh.counts;
    format!(
        "{} added, {} changed ({} in price), {} removed",
        counts.added, counts.changed, counts.repriced, counts.removed
    )
}

fn state(state: RefreshState) -> AnyView {
    let tone = match state {
        RefreshState::Pending => Tone::Warning,
        RefreshState::Approved => Tone::Good,
        RefreshState::Rejected => Tone::Neutral,
    };
    view! { <Badge tone=tone text=state.as_str()/> }.into_any()
}

fn drawer(refresh: &CatalogRefresh, workspace: Workspace, changed: Callback<()>, close: Callback<()>) -> AnyView {
    let id = refresh.id;
    let detail = Loader::new(move || workspace.catalog_refresh(id));
    let form = Form::new("decision");
    let ready = move |detail: &CatalogRefreshDetail| content(detail, form, workspace, changed, close);
    view! {
        <Dialog title=refresh.version.clone() frame=Frame::Drawer on_close=close>
            {loaded(detail, Shape::Rows, ready)}
        </Dialog>
    }
    .into_any()
}

fn content(
    detail: &CatalogRefreshDetail,
    form: Form,
    workspace: Workspace,
    changed: Callback<()>,
    close: Callback<()>,
) -> AnyView {
    let CatalogRefreshDetail { refresh, diff } = detail;
    let (id, version) = (refresh.id, StoredValue::new(refresh.version.clone()));
    let toasts = use_toasts();
    let denial = workspace.denial(Permission::CatalogRefresh);
    let done = move |what: &'static str| {
        toasts.done(format!("{} is {what}.", version.get_value()));
        tell(changed);
        tell(close);
    };
    let approve = Callback::new(move |()| {
        form.send(workspace.approve_catalog(id), move |_| done("in force"));
    });
    let reject = Callback::new(move |()| {
        form.send(workspace.reject_catalog(id), move |_| done("rejected"));
    });
    let actions = (refresh.state == RefreshState::Pending).then(|| {
        let busy = Signal::derive(move || form.busy());
        view! {
            <FormMessage form=form/>
            <div class="form-actions">
                <Button label="Reject" look=Look::Danger busy=busy denial=denial.clone() on_press=reject/>
                <Button label="Approve" look=Look::Primary glyph=Icon::Check busy=busy denial=denial.clone() on_press=approve/>
            </div>
        }
    });
    let decided = refresh.decided_at.map(|at| {
        let by = refresh.decided_by.clone().unwrap_or_default();
        view! { <div><dt>"Decided"</dt><dd><Exact moment=at/>" by "{by}</dd></div> }
    });
    let in_force = if refresh.state == RefreshState::Approved {
        "In force since"
    } else {
        "In force at the earliest"
    };
    view! {
        <p class="drawer-lead">{state(refresh.state)}</p>
        <dl class="facts">
            <div><dt>"Told by"</dt><dd>{refresh.origin.clone()}</dd></div>
            <div><dt>{in_force}</dt><dd><Exact moment=refresh.effective_from/></dd></div>
            <div><dt>"Brought in"</dt><dd><Exact moment=refresh.created_at/>" by "{refresh.created_by.clone()}</dd></div>
            {decided}
            <div><dt>"Changes"</dt><dd>{counts(refresh)}</dd></div>
        </dl>
        {actions}
        {changes(diff)}
    }
    .into_any()
}

fn changes(diff: &CatalogDiff) -> AnyView {
    if *diff == CatalogDiff::default() {
        return view! { <p class="muted">"It says what the catalogue in force says already."</p> }.into_any();
    }
    view! {
        {changed(&diff.changed)}
        {named("Added", &diff.added)}
        {named("Removed", &diff.removed)}
    }
    .into_any()
}

fn changed(models: &[ChangedModel]) -> Option<AnyView> {
    let (_, rest) = models.split_at(models.len().min(SHOWN));
    let rows = models.iter().take(SHOWN).flat_map(|model| {
        let name = format!("{}/{}", model.model.kind, model.model.model);
        model.fields.iter().map(move |field| {
            let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
            view! {
                <tr>
                    <th scope="row" data-label="Model"><code>{name.clone()}</code><span class="cell-note">{field.field.clone()}</span></th>
                    <td data-label="Before" class="number">{side(&field.before)}</td>
                    <td data-label="After" class="number">{side(&field.after)}</td>
                </tr>
            }
        })
    });
    (!models.is_empty()).then(|| {
        let rows = rows.collect_view().into_any();
        view! {
            <h3>"Changed"</h3>
            {table("Changed", &["Model", "Before", "After"], rows)}
            {more(rest.len())}
        }
        .into_any()
    })
}

fn named(title: &'static str, models: &[NamedModel]) -> Option<AnyView> {
    let row = |model: &NamedModel| view! { <li><code>{format!("{}/{}", model.kind, model.model)}</code></li> };
    (!models.is_empty()).then(|| {
        view! {
            <h3>{title}</h3>
            <ul class="plain-list">{models.iter().take(SHOWN).map(row).collect_view()}</ul>
            {more(models.len().saturating_sub(SHOWN))}
        }
        .into_any()
    })
}

fn more(count: usize) -> Option<AnyView> {
    (count > 0).then(|| view! { <p class="muted small">{format!("and {count} more")}</p> }.into_any())
}

#[component]
fn BringIn(on_made: Callback<CatalogRefresh>, on_close: Callback<()>) -> impl IntoView {
    let workspace = use_workspace();
    let toasts = use_toasts();
    let form = Form::new("refresh");
    let (url, text, signature) = (
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
    );
    let submit = Callback::new(move |()| {
        form.clear();
        let new = if url.with_untracked(|url| url.trim().is_empty()) {
            let text = form.text("document.text", text);
            let signature = form.text("document.signature", signature);
            let (Some(text), Some(signature)) = (text, signature) else {
                return;
            };
            NewRefresh::Document(SignedDocument { text, signature })
        } else {
            NewRefresh::Url(url.get_untracked().trim().to_owned())
        };
        let call = workspace.bring_in_catalog(&new);
        form.send(call, move |made: CatalogRefreshDetail| {
            toasts.done(format!("{} waits for an approval.", made.refresh.version));
            let _left = on_made.try_run(made.refresh);
            tell(on_close);
        });
    });
    view! {
        <Dialog title="Bring in a catalogue" frame=Frame::Wide on_close=on_close>
            <FormFrame form=form submit="Bring in" on_submit=submit on_cancel=on_close>
                <TextField
                    form=form
                    name="url"
                    label="Address"
                    value=url
                    input=Input::Code
                    placeholder="https://catalogue.example.com/models.json"
                    hint="Its signature is fetched from the same address with .sig at the end."
                />
                <p class="muted small">"Or the document itself, exactly as it was signed:"</p>
                <LinesField form=form name="document.text" label="Document" value=text/>
                <TextField form=form name="document.signature" label="Signature" value=signature input=Input::Code/>
            </FormFrame>
        </Dialog>
    }
    .into_any()
}
