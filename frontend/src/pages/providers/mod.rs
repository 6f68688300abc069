//! Providers: where requests go, with the credentials used there and whether they work.

mod breaker;
pub(super) mod choices;
mod forms;
mod kinds;
mod network;
mod probe;
mod secret;
mod settings;

use std::collections::BTreeMap;

use gatewright_types::api::{
    BedrockApi, Credential, CredentialKind, Provider, ProviderKind, SelfTest, SelfTestOutcome,
};
use gatewright_types::{CredentialId, Permission, ProviderId};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::Failure;
use crate::components::badge::{Badge, Tone};
use crate::components::button::{Button, IconButton, Look};
use crate::components::confirm::{Question, ask};
use crate::components::header::PageHeader;
use crate::components::icon::Icon;
use crate::components::live::live;
use crate::components::moment::Ago;
use crate::components::state::{Shape, empty, listed};
use crate::components::table::table;
use crate::format;
use crate::load::List;
use crate::pages::timeouts;
use crate::session::{Workspace, use_workspace};

/// The window over the list.
#[derive(Debug, Clone, PartialEq)]
enum Window {
    Nothing,
    Create,
    Edit(Provider),
    Delete(Provider),
    AddCredential(Provider),
    RemoveCredential(Provider, Credential),
}

/// How far trying out a provider has come.
#[derive(Debug, Clone, PartialEq)]
enum Trial {
    Running,
    Done(Vec<SelfTest>),
    Failed(Failure),
}

/// What the cards share.
#[derive(Clone, Copy)]
struct Board {
    workspace: Workspace,
    open: RwSignal<Window>,
    trials: RwSignal<BTreeMap<ProviderId, Trial>>,
}

impl Board {
    fn trial(self, provider: ProviderId) -> Option<Trial> {
        self.trials.with(|trials| trials.get(&provider).cloned())
    }

    fn test(self, provider: ProviderId) {
        let set = move |trial: Trial| {
            // Without the page there is nobody to tell.
            let _left = self.trials.try_update(|trials| trials.insert(provider, trial));
        };
        set(Trial::Running);
        spawn_local(async move {
            match self.workspace.test_provider(provider).await {
                Ok(page) => set(Trial::Done(page.items)),
                Err(failure) => set(Trial::Failed(failure)),
            }
        });
    }
}

#[component]
pub(crate) fn Providers() -> impl IntoView {
    let workspace = use_workspace();
    let providers = List::new(move |cursor| workspace.providers(cursor));
    let open = RwSignal::new(Window::Nothing);
    let board = Board {
        workspace,
        open,
        trials: RwSignal::default(),
    };
    let close = Callback::new(move |()| open.set(Window::Nothing));
    let changed = Callback::new(move |()| providers.reload());
    let create = Callback::new(move |()| open.set(Window::Create));

    let denial = workspace.denial(Permission::ProvidersWrite);
    let none = {
        let denial = denial.clone();
        move || {
            let text =
                "Connect an account at a model provider, or add the sandbox: it answers by itself, without an account.";
            empty(
                Icon::Provider,
                "No providers yet",
                text,
                Some(("Add provider", denial.clone(), create)),
            )
        }
    };
    let cards = move |providers: &[Provider]| {
        let cards = providers.iter().map(|provider| card(provider, board)).collect_view();
        view! { <div class="cards">{cards}</div> }.into_any()
    };
    let window = move || match open.get() {
        Window::Nothing => ().into_any(),
        Window::Create => view! { <forms::Create on_saved=changed on_close=close/> }.into_any(),
        Window::Edit(provider) => view! { <forms::Edit provider=provider on_saved=changed on_close=close/> }.into_any(),
        Window::AddCredential(provider) => {
            view! { <forms::AddCredential provider=provider on_saved=changed on_close=close/> }.into_any()
        }
        Window::Delete(provider) => delete(&provider, workspace, changed, close),
        Window::RemoveCredential(provider, credential) => {
            remove_credential(&provider, &credential, workspace, changed, close)
        }
    };
    view! {
        <PageHeader title="Providers" about="Where requests go, and the credentials used there.">
            <Button label="Add provider" look=Look::Primary glyph=Icon::Plus denial=denial on_press=create/>
        </PageHeader>
        {listed(providers, Shape::Cards, none, cards)}
        {live(window)}
    }
    .into_any()
}

fn card(provider: &Provider, board: Board) -> AnyView {
    let id = provider.id;
    let may_write = board.workspace.can(Permission::ProvidersWrite);
    let busy = Signal::derive(move || board.trial(id) == Some(Trial::Running));
    let press = |window: Window| Callback::new(move |()| board.open.set(window.clone()));
    let actions = may_write.then(|| {
        let edit = (provider.kind != ProviderKind::Sandbox).then(|| {
            let edited = press(Window::Edit(provider.clone()));
            view! { <IconButton label=format!("Edit {}", provider.name) glyph=Icon::Pencil on_press=edited/> }
        });
        view! {
            <Button label="Test" glyph=Icon::Bolt busy=busy on_press=Callback::new(move |()| board.test(id))/>
            {edit}
            <IconButton
                label=format!("Delete {}", provider.name)
                glyph=Icon::Trash
                on_press=press(Window::Delete(provider.clone()))
            />
        }
    });
    let add = (may_write && provider.kind != ProviderKind::Sandbox).then(|| {
        let added = press(Window::AddCredential(provider.clone()));
        view! { <Button label="Add credential" look=Look::Quiet glyph=Icon::Plus on_press=added/> }
    });
    view! {
        <article class="card provider">
            <header class="card-head">
                <div>
                    <h2>{provider.name.to_string()}" "<Badge tone=Tone::Neutral text=provider.kind.as_str()/></h2>
                    <p class="muted small">
                        {provider.base_url.clone().map(|url| view! { <code>{url}</code>" · " })}
                        {facts(provider)}
                        "added " <Ago moment=provider.created_at/>
                    </p>
                </div>
                <div class="card-actions">{actions}</div>
            </header>
            {credentials(provider, board)}
            {move || general_result(board.trial(id))}
            {add}
        </article>
    }
    .into_any()
}

/// The settings that tell one provider of a cloud from another.
fn facts(provider: &Provider) -> String {
    let settings = &provider.settings;
    let project = settings.project.as_ref().map(|project| format!("project {project} · "));
    let version = settings
        .api_version
        .as_ref()
        .map(|version| format!("API version {version} · "));
    let counted = |count: usize, what: &str| (count > 0).then(|| format!("{count} {what} · "));
    let deployments = counted(settings.deployments.len(), "named deployments");
    let headers = counted(settings.headers.len(), "more headers");
    let limits = timeouts::told(&settings.timeouts).map(|limits| format!("timeouts: {limits} · "));
    let alone = breaker::told(&settings.breaker).map(|when| format!("left alone at {when} · "));
    let way = provider
        .network
        .as_ref()
        .map(|network| format!("{} · ", network::told(network)));
    let invoked = (settings.api == Some(BedrockApi::Invoke)).then(|| "InvokeModel · ".to_owned());
    [project, version, deployments, invoked, headers, limits, alone, way]
        .into_iter()
        .flatten()
        .collect()
}

fn credentials(provider: &Provider, board: Board) -> AnyView {
    if provider.kind == ProviderKind::Sandbox {
        let text = "Answers inside the gateway, always the same, without any network. It needs no credential.";
        return view! { <p class="prose muted">{text}</p> }.into_any();
    }
    if provider.credentials.is_empty() && !provider.kind.needs_credential() {
        return view! { <p class="prose muted">"No credential: requests are sent without any."</p> }.into_any();
    }
    if provider.credentials.is_empty() {
        return view! { <p class="notice notice-warning">"No credential yet."</p> }.into_any();
    }
    let may_write = board.workspace.can(Permission::ProvidersWrite);
    let row = |credential: &Credential| {
        let (provider_id, id) = (provider.id, credential.id);
        let remove = may_write.then(|| {
            let window = Window::RemoveCredential(provider.clone(), credential.clone());
            view! {
                <IconButton
                    label=format!("Remove {}", credential.name)
                    glyph=Icon::Trash
                    on_press=Callback::new(move |()| board.open.set(window.clone()))
                />
            }
        });
        view! {
            <tr>
                <th scope="row" data-label="Credential"><span class="cell-title">{credential.name.to_string()}</span></th>
                <td data-label="Secret">
                    <code class="nowrap">{format!("…{}", credential.hint)}</code>
                    {(credential.kind != CredentialKind::ApiKey)
                        .then(|| view! { <span class="cell-note">{kinds::credential_title(credential.kind)}</span> })}
                </td>
                <td data-label="Weight">{credential.weight}</td>
                <td data-label="Self-test">{move || credential_result(board.trial(provider_id), id)}</td>
                <td class="actions">{remove}</td>
            </tr>
        }
    };
    let rows = provider.credentials.iter().map(row).collect_view().into_any();
    table(
        "Credentials",
        &["Credential", "Secret", "Weight", "Self-test", ""],
        rows,
    )
}

fn credential_result(trial: Option<Trial>, credential: CredentialId) -> AnyView {
    match trial {
        None | Some(Trial::Failed(_)) => view! { <span class="muted">"not run"</span> }.into_any(),
        Some(Trial::Running) => view! { <span class="muted">"running…"</span> }.into_any(),
        Some(Trial::Done(results)) => match results.into_iter().find(|result| result.credential == Some(credential)) {
            Some(result) => outcome(&result),
            None => view! { <span class="muted">"not run"</span> }.into_any(),
        },
    }
}

/// What a test says about the provider as a whole.
fn general_result(trial: Option<Trial>) -> AnyView {
    let results = match trial {
        None | Some(Trial::Running) => return ().into_any(),
        Some(Trial::Failed(failure)) => {
            return view! { <p class="notice notice-bad" role="alert">{failure.sentence()}</p> }.into_any();
        }
        Some(Trial::Done(results)) => results,
    };
    let general = results.iter().filter(|result| result.credential.is_none());
    general
        .map(|result| view! { <p role="status">{outcome(result)}</p> })
        .collect_view()
        .into_any()
}

fn outcome(result: &SelfTest) -> AnyView {
    let (tone, word) = match result.outcome {
        SelfTestOutcome::Works => (Tone::Good, "works"),
        SelfTestOutcome::Refused => (Tone::Bad, "refused"),
        SelfTestOutcome::Unexpected => (Tone::Warning, "unexpected answer"),
        SelfTestOutcome::Unreachable => (Tone::Bad, "unreachable"),
    };
    let status = result.status.map(|status| format!("{status} · ")).unwrap_or_default();
    view! {
        <span class="trial">
            <Badge tone=tone text=word/>
            <span class="muted small">{status}{format::millis(result.duration_ms)}</span>
            {(!result.message.is_empty() && result.outcome != SelfTestOutcome::Works)
                .then(|| view! { <span class="cell-note">{result.message.clone()}</span> })}
        </span>
    }
    .into_any()
}

fn delete(provider: &Provider, workspace: Workspace, changed: Callback<()>, close: Callback<()>) -> AnyView {
    let id = provider.id;
    let question = Question {
        title: format!("Delete {}?", provider.name),
        text: "Its credentials are deleted with it. Models that lead there have to go first.".to_owned(),
        action: "Delete provider",
        done: format!("{} is deleted.", provider.name),
    };
    ask(question, move || workspace.delete_provider(id), changed, close)
}

fn remove_credential(
    provider: &Provider,
    credential: &Credential,
    workspace: Workspace,
    changed: Callback<()>,
    close: Callback<()>,
) -> AnyView {
    let (provider_id, id) = (provider.id, credential.id);
    let question = Question {
        title: format!("Remove {} from {}?", credential.name, provider.name),
        text: "Requests use the provider's other credentials from now on. Without any, they fail.".to_owned(),
        action: "Remove credential",
        done: format!("{} is removed.", credential.name),
    };
    ask(
        question,
        move || workspace.remove_credential(provider_id, id),
        changed,
        close,
    )
}
