//! One key: its state, what it may do, and everything that can be done about it.

use gatewright_types::api::{DisabledReason, Key, KeyState, KeyWarning};
use gatewright_types::{KeyId, Permission};
use leptos::prelude::*;

use super::edit::Edit;
use super::rotate::Rotate;
use super::{Choices, revoke, state_badge};
use crate::components::button::{Button, Look};
use crate::components::confirm::{Question, ask};
use crate::components::header::PageHeader;
use crate::components::icon::{Icon, icon};
use crate::components::live::live;
use crate::components::moment::{Ago, Exact};
use crate::components::state::{Shape, loaded};
use crate::load::Loader;
use crate::place::Section;
use crate::session::{Workspace, use_workspace};

#[derive(Debug, Clone, PartialEq)]
enum Window {
    Nothing,
    Edit(Key),
    Rotate(Key),
    EndRotation(Key),
    Disable(Key),
    Revoke(Key),
}

#[component]
pub(crate) fn KeyPage(key: KeyId) -> impl IntoView {
    let workspace = use_workspace();
    let shown = Loader::new(move || workspace.key(key));
    let choices = Choices::new(workspace);
    let open = RwSignal::new(Window::Nothing);
    let close = Callback::new(move |()| open.set(Window::Nothing));
    let changed = Callback::new(move |()| shown.reload());

    let window = move || match open.get() {
        Window::Nothing => ().into_any(),
        Window::Edit(key) => view! { <Edit key=key choices=choices on_changed=changed on_close=close/> }.into_any(),
        Window::Rotate(key) => view! { <Rotate key=key choices=choices on_rotated=changed on_close=close/> }.into_any(),
        Window::EndRotation(key) => end_rotation(&key, workspace, changed, close),
        Window::Disable(key) => disable(&key, workspace, changed, close),
        Window::Revoke(key) => revoke(&key, workspace, changed, close),
    };
    view! {
        {loaded(shown, Shape::Cards, move |key| page(key, workspace, choices, open, changed))}
        {live(window)}
    }
    .into_any()
}

fn page(key: &Key, workspace: Workspace, choices: Choices, open: RwSignal<Window>, changed: Callback<()>) -> AnyView {
    let up = (workspace.href(Section::Keys), Section::Keys.title());
    let actions = actions(key, workspace, open, changed);
    view! {
        <PageHeader title=key.name.to_string() up=up>{actions}</PageHeader>
        {notices(key)}
        <div class="cards">
            <section class="card">
                <h2>"Secret"</h2>
                {secret_facts(key)}
            </section>
            <section class="card">
                <h2>"Use"</h2>
                {use_facts(key, workspace, choices)}
            </section>
            <section class="card">
                <h2>"What it may do"</h2>
                {scope_facts(key)}
            </section>
        </div>
    }
    .into_any()
}

fn actions(key: &Key, workspace: Workspace, open: RwSignal<Window>, changed: Callback<()>) -> AnyView {
    if key.state == KeyState::Revoked {
        return ().into_any();
    }
    let denial = workspace.denial(Permission::KeysWrite);
    let opening = |window: Window| Callback::new(move |()| open.set(window.clone()));
    let toggle = if key.state == KeyState::Disabled {
        view! { <Enable key=key.clone() on_enabled=changed/> }.into_any()
    } else {
        let disable = opening(Window::Disable(key.clone()));
        view! { <Button label="Disable" denial=denial.clone() on_press=disable/> }.into_any()
    };
    let end = (!key.former_secrets.is_empty()).then(|| {
        let end = opening(Window::EndRotation(key.clone()));
        view! { <Button label="End the old secret" denial=denial.clone() on_press=end/> }
    });
    let (edit, rotate, revoke) = (
        opening(Window::Edit(key.clone())),
        opening(Window::Rotate(key.clone())),
        opening(Window::Revoke(key.clone())),
    );
    view! {
        <Button label="Revoke" look=Look::Danger denial=denial.clone() on_press=revoke/>
        {toggle}
        {end}
        <Button label="Edit" glyph=Icon::Pencil denial=denial.clone() on_press=edit/>
        <Button label="Rotate" look=Look::Primary glyph=Icon::Retry denial=denial on_press=rotate/>
    }
    .into_any()
}

/// What is wrong with a key comes from the answer, beside the button.
#[component]
fn Enable(key: Key, on_enabled: Callback<()>) -> impl IntoView {
    let workspace = use_workspace();
    let toasts = crate::components::toast::use_toasts();
    let busy = RwSignal::new(false);
    let (id, name) = (key.id, key.name.to_string());
    let enable = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let name = name.clone();
        leptos::task::spawn_local(async move {
            let answer = workspace.enable_key(id).await;
            let _left = busy.try_set(false);
            match answer {
                Ok(()) => {
                    toasts.done(format!("{name} is enabled."));
                    crate::form::tell(on_enabled);
                }
                Err(failure) => toasts.failed(&failure),
            }
        });
    });
    let denial = workspace.denial(Permission::KeysWrite);
    view! { <Button label="Enable" busy=busy denial=denial on_press=enable/> }.into_any()
}

/// What happens to it, or has happened.
fn notices(key: &Key) -> AnyView {
    if key.disabled.is_none() && key.warnings.is_empty() {
        return ().into_any();
    }
    let disabled = key.disabled.map(|disabled| {
        let why = match disabled.reason {
            DisabledReason::ByHand => "Somebody disabled it. Requests with it are refused until it is enabled.",
            DisabledReason::Idle => "It was disabled because nobody used it. Enable it to use it again.",
            DisabledReason::RotationOverdue => {
                "It was disabled because nobody rotated it in time. Rotate it to use it."
            }
        };
        notice("notice notice-bad", why.to_owned())
    });
    let warnings = key.warnings.iter().map(|warning| {
        let text = match warning {
            KeyWarning::ExpiresSoon => "It expires soon. Change its expiry, or make another key.",
            KeyWarning::IdleSoon => "Nobody has used it for a long time: it is disabled soon unless somebody does.",
            KeyWarning::RotationDueSoon => "A new secret is due soon.",
            KeyWarning::RotationOverdue => "Its rotation is overdue: give it a new secret.",
        };
        notice("notice notice-warning", text.to_owned())
    });
    view! { <div class="notices">{disabled}{warnings.collect_view()}</div> }.into_any()
}

fn notice(class: &'static str, text: String) -> AnyView {
    view! { <div class=class>{icon(Icon::Alert)}<p>{text}</p></div> }.into_any()
}

fn fact(name: &'static str, value: AnyView) -> AnyView {
    view! { <div><dt>{name}</dt><dd>{value}</dd></div> }.into_any()
}

fn secret_facts(key: &Key) -> AnyView {
    let former = key.former_secrets.iter().map(|former| {
        view! {
            <p><code class="nowrap">{format!("gw-…{}", former.hint)}</code>" until " <Exact moment=former.ends_at/></p>
        }
    });
    let former = (!key.former_secrets.is_empty()).then(|| fact("Old secrets", former.collect_view().into_any()));
    let rotation = key.upkeep.rotate_every.map(|every| format!("every {every}"));
    let due = key
        .rotation_due_at
        .map(|due| fact("Next rotation", view! { <Exact moment=due/> }.into_any()));
    let shut = key
        .disables_at
        .map(|at| fact("Will be disabled", view! { <Exact moment=at/> }.into_any()));
    let idle = key
        .upkeep
        .disable_after_idle
        .map(|idle| fact("Disabled when idle for", idle.to_string().into_any()));
    view! {
        <dl class="facts">
            {fact("State", state_badge(key))}
            {fact("Ends with", view! { <code class="nowrap">{format!("gw-…{}", key.hint)}</code> }.into_any())}
            {fact("Secret made", view! { <Exact moment=key.secret_made_at/> }.into_any())}
            {former}
            {fact("Rotation", rotation.unwrap_or_else(|| "when somebody does it".to_owned()).into_any())}
            {due}
            {idle}
            {shut}
            {fact("Expires", match key.expires_at {
                Some(expiry) => view! { <Exact moment=expiry/> }.into_any(),
                None => "never".into_any(),
            })}
        </dl>
    }
    .into_any()
}

fn use_facts(key: &Key, workspace: Workspace, choices: Choices) -> AnyView {
    let (team, owner) = (key.team, key.owner);
    let used = match key.last_used_at {
        Some(used) => view! { <Ago moment=used/> }.into_any(),
        None => "not yet".into_any(),
    };
    let requests = workspace.can(Permission::UsageRead).then(|| {
        let href = format!("{}?key={}", workspace.href(Section::Usage), key.id);
        fact("Requests", view! { <a href=href>"Show its requests"</a> }.into_any())
    });
    let tags = key
        .tags
        .iter()
        .map(|(name, value)| view! { <code class="chip">{format!("{name}={value}")}</code> });
    let tags = match key.tags.is_empty() {
        true => "none".into_any(),
        false => view! { <span class="chips">{tags.collect_view()}</span> }.into_any(),
    };
    view! {
        <dl class="facts">
            {fact("Owner", (move || choices.owner_name(owner)).into_any())}
            {fact("Team", (move || match team {
                None => "–".to_owned(),
                Some(team) => choices.team_name(team).unwrap_or_else(|| "…".to_owned()),
            }).into_any())}
            {fact("Tags", tags)}
            {key.cost_centre.as_ref().map(|centre| fact("Cost centre", centre.to_string().into_any()))}
            {fact("Last used", used)}
            {requests}
            {fact("Made", view! { <Exact moment=key.created_at/><span class="cell-note">{key.created_by.clone()}</span> }.into_any())}
        </dl>
    }
    .into_any()
}

fn scope_facts(key: &Key) -> AnyView {
    let scopes = &key.scopes;
    let highest = scopes.highest_price.as_ref().map(|highest| {
        let part = |name, price: Option<gatewright_types::UnitPrice>| price.map(|price| format!("${price} {name}"));
        let parts: Vec<_> = [part("input", highest.input), part("output", highest.output)]
            .into_iter()
            .flatten()
            .collect();
        format!("{} per million tokens", parts.join(", "))
    });
    let some = |ranges: &[gatewright_types::IpRange]| (!ranges.is_empty()).then(|| ranges.to_vec());
    view! {
        <dl class="facts">
            {fact("Models", chips(key.models.as_deref(), "all"))}
            {fact("Endpoints", chips(names(scopes.endpoints.as_deref()).as_deref(), "all"))}
            {fact("Providers", chips(scopes.providers.as_deref(), "all"))}
            {fact("Tools", chips(scopes.tools.as_deref(), "any"))}
            {fact("Regions", chips(scopes.regions.as_deref(), "anywhere"))}
            {fact("Addresses", chips(some(&scopes.ip_ranges).as_deref(), "anywhere"))}
            {fact("Highest price", highest.unwrap_or_else(|| "any".to_owned()).into_any())}
        </dl>
    }
    .into_any()
}

fn names(endpoints: Option<&[gatewright_types::api::KeyEndpoint]>) -> Option<Vec<&'static str>> {
    Some(endpoints?.iter().map(|endpoint| endpoint.as_str()).collect())
}

fn chips<T: ToString>(items: Option<&[T]>, all: &'static str) -> AnyView {
    match items {
        None => view! { <span class="muted">{all}</span> }.into_any(),
        Some([]) => "none".into_any(),
        Some(items) => {
            let chips = items
                .iter()
                .map(|item| view! { <code class="chip">{item.to_string()}</code> });
            view! { <span class="chips">{chips.collect_view()}</span> }.into_any()
        }
    }
}

fn end_rotation(key: &Key, workspace: Workspace, changed: Callback<()>, close: Callback<()>) -> AnyView {
    let id = key.id;
    let question = Question {
        title: format!("End the old secret of {}?", key.name),
        text: "Programs that still use it are refused from the next request on.".to_owned(),
        action: "End it",
        done: "Only the new secret works.".to_owned(),
    };
    ask(question, move || workspace.end_key_rotation(id), changed, close)
}

fn disable(key: &Key, workspace: Workspace, changed: Callback<()>, close: Callback<()>) -> AnyView {
    let id = key.id;
    let question = Question {
        title: format!("Disable {}?", key.name),
        text: "Programs that use it are refused until somebody enables it again.".to_owned(),
        action: "Disable key",
        done: format!("{} is disabled.", key.name),
    };
    ask(question, move || workspace.disable_key(id), changed, close)
}
