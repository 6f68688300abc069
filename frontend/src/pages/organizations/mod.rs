//! The organization itself: its name, making another one, deleting it.

mod charging;
mod traces;

use gatewright_types::api::{NewOrganization, OrganizationChange};
use gatewright_types::{DisplayName, Permission, Slug};
use leptos::prelude::*;

use self::charging::charging;
use self::traces::traces;
use super::setup::suggest_slug;
use super::tags::tags;
use crate::components::button::{Button, Look};
use crate::components::confirm::Confirm;
use crate::components::dialog::Dialog;
use crate::components::field::{Input, TextField};
use crate::components::form::FormFrame;
use crate::components::header::PageHeader;
use crate::components::icon::Icon;
use crate::components::live::live;
use crate::components::toast::use_toasts;
use crate::form::{Form, tell};
use crate::place::{Place, Section};
use crate::router::use_router;
use crate::session::{Workspace, use_session, use_workspace};

/// The window over the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Window {
    Nothing,
    Create,
    Delete,
}

#[component]
pub(crate) fn Settings() -> impl IntoView {
    let workspace = use_workspace();
    let open = RwSignal::new(Window::Nothing);
    let close = Callback::new(move |()| open.set(Window::Nothing));
    let deletion = match workspace.denial(Permission::OrganizationDelete) {
        Some(reason) => view! { <p class="muted">{reason}</p> }.into_any(),
        None => view! {
            <Button
                label="Delete organization…"
                look=Look::Danger
                glyph=Icon::Trash
                on_press=Callback::new(move |()| open.set(Window::Delete))
            />
        }
        .into_any(),
    };
    let window = move || match open.get() {
        Window::Nothing => ().into_any(),
        Window::Create => view! { <CreateOrganization on_close=close/> }.into_any(),
        Window::Delete => delete(workspace, close),
    };
    view! {
        <PageHeader title="Settings" about="The organization as a whole."/>
        <div class="narrow">
            <section class="card">
                <h2>"Name"</h2>
                {rename(workspace)}
            </section>
            <section class="card">
                <h2>"Traces"</h2>
                {traces(workspace)}
            </section>
            <section class="card">
                <h2>"Tags"</h2>
                {tags(workspace)}
            </section>
            <section class="card">
                <h2>"Charging"</h2>
                {charging(workspace)}
            </section>
            <section class="card">
                <h2>"Another organization"</h2>
                <p class="prose">
                    "Organizations share nothing: keys, providers, people and usage are apart. "
                    "You become the owner of the one you create."
                </p>
                <Button
                    label="Create organization"
                    glyph=Icon::Plus
                    on_press=Callback::new(move |()| open.set(Window::Create))
                />
            </section>
            <section class="card card-danger">
                <h2>"Delete"</h2>
                <p class="prose">"All keys stop working at once, and everything that was configured is gone."</p>
                {deletion}
            </section>
        </div>
        {live(window)}
    }
    .into_any()
}

fn rename(workspace: Workspace) -> AnyView {
    if let Some(reason) = workspace.denial(Permission::OrganizationWrite) {
        return view! {
            <dl class="facts">
                <div><dt>"Name"</dt><dd>{workspace.name()}</dd></div>
                <div><dt>"Short name"</dt><dd><code>{workspace.slug()}</code></dd></div>
            </dl>
            <p class="muted">{reason}</p>
        }
        .into_any();
    }
    let toasts = use_toasts();
    let form = Form::new("organization");
    let name = RwSignal::new(workspace.name());
    let submit = Callback::new(move |()| {
        form.clear();
        let Some(name) = form.parse::<DisplayName>("name", name) else {
            return;
        };
        let change = OrganizationChange {
            name,
            traces: None,
            tags: None,
            cost_centre: None,
            shared_cost: None,
        };
        form.send(workspace.change_organization(&change), move |organization| {
            toasts.done(format!("The organization is called {} now.", organization.name));
            workspace.session.refresh();
        });
    });
    view! {
        <FormFrame form=form submit="Save" on_submit=submit>
            <TextField form=form name="name" label="Name" value=name/>
        </FormFrame>
        <p class="muted small">"In addresses and configuration files: " <code>{workspace.slug()}</code></p>
    }
    .into_any()
}

/// Makes an organization and goes there.
#[component]
pub(crate) fn CreateOrganization(on_close: Callback<()>) -> impl IntoView {
    let session = use_session();
    let router = use_router();
    let form = Form::new("new-organization");
    let (name, slug) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    suggest_slug(name, slug);
    let submit = Callback::new(move |()| {
        form.clear();
        let (name, slug) = (
            form.parse::<DisplayName>("name", name),
            form.parse::<Slug>("slug", slug),
        );
        let (Some(name), Some(slug)) = (name, slug) else { return };
        let organization = NewOrganization { slug, name };
        let call = Box::pin(async move {
            let organization = session.api.create_organization(&organization).await?;
            // The new membership has to be known before its page can be shown.
            Ok((organization, session.api.session().await?))
        });
        form.send(call, move |(organization, me)| {
            session.enter(me);
            tell(on_close);
            router.go(&Place::section(&organization.slug, Section::Overview));
        });
    });
    view! {
        <Dialog title="Create organization" on_close=on_close>
            <FormFrame form=form submit="Create organization" on_submit=submit on_cancel=on_close>
                <TextField form=form name="name" label="Name" value=name placeholder="Acme Inc."/>
                <TextField
                    form=form
                    name="slug"
                    label="Short name"
                    value=slug
                    input=Input::Code
                    hint="Part of addresses: lower-case letters, digits and hyphens."
                />
            </FormFrame>
        </Dialog>
    }
    .into_any()
}

fn delete(workspace: Workspace, close: Callback<()>) -> AnyView {
    let toasts = use_toasts();
    let router = use_router();
    let session = workspace.session;
    let name = workspace.name();
    let said = name.clone();
    let confirm = Callback::new(move |form: Form| {
        let said = said.clone();
        let call = Box::pin(async move {
            workspace.delete_organization().await?;
            session.api.session().await
        });
        form.send(call, move |me| {
            toasts.done(format!("{said} is deleted."));
            tell(close);
            session.enter(me);
            router.replace(&Place::Root.href());
        });
    });
    view! {
        <Confirm
            title=format!("Delete {name}?")
            text="Its keys, providers, models and teams are deleted, and its members lose access. There is no way back."
            action="Delete organization"
            phrase=workspace.slug()
            on_confirm=confirm
            on_close=close
        />
    }
    .into_any()
}
