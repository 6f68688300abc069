//! Data-plane keys: what programs call the gateway with.

mod accounts;
mod edit;
mod mint;
pub(crate) mod page;
mod rotate;
pub(super) mod settings;
mod snippets;

use gatewright_types::api::{Key, KeyOwner, KeyState, Member, Model, Provider, ServiceAccount, Team};
use gatewright_types::{Permission, TeamId};
use leptos::prelude::*;

use crate::components::badge::{Badge, Tone};
use crate::components::button::{Button, IconButton, Look};
use crate::components::confirm::{Question, ask};
use crate::components::header::PageHeader;
use crate::components::icon::{Icon, icon};
use crate::components::live::live;
use crate::components::moment::{Ago, Day};
use crate::components::state::{Shape, empty, listed};
use crate::components::table::table;
use crate::load::{List, Load, Loader};
use crate::place::Section;
use crate::session::{Workspace, use_workspace};

/// The window over the list.
#[derive(Debug, Clone, PartialEq)]
enum Window {
    Nothing,
    Mint,
    Edit(Key),
    Revoke(Key),
}

/// What forms and rows need to know beside the keys.
#[derive(Clone, Copy)]
struct Choices {
    teams: Loader<Vec<Team>>,
    models: Loader<Vec<Model>>,
    members: Loader<Vec<Member>>,
    accounts: Loader<Vec<ServiceAccount>>,
    providers: Loader<Vec<Provider>>,
}

impl Choices {
    fn new(workspace: Workspace) -> Self {
        Self {
            teams: Loader::items(move || workspace.team_choices()),
            models: Loader::items(move || workspace.model_choices()),
            members: Loader::items(move || workspace.member_choices()),
            accounts: Loader::items(move || workspace.service_account_choices()),
            providers: Loader::items(move || workspace.provider_choices()),
        }
    }

    fn team_name(self, team: TeamId) -> Option<String> {
        self.teams.state.with(|state| match state {
            Load::Ready(teams) => teams
                .iter()
                .find(|other| other.id == team)
                .map(|team| team.name.to_string()),
            Load::Waiting | Load::Failed(_) => None,
        })
    }

    fn team_options(self) -> Vec<(String, String)> {
        let mut options = vec![(String::new(), "No team".to_owned())];
        self.teams.state.with(|state| match state {
            Load::Ready(teams) => {
                options.extend(teams.iter().map(|team| (team.id.to_string(), team.name.to_string())));
            }
            Load::Waiting | Load::Failed(_) => {}
        });
        options
    }

    fn owner_name(self, owner: Option<KeyOwner>) -> String {
        let Some(owner) = owner else {
            return "the organization".to_owned();
        };
        let title = owner.to_string();
        let options = self.owner_options("");
        let found = options.into_iter().find(|(value, _)| *value == title);
        found.map_or_else(|| "…".to_owned(), |(_, name)| name)
    }

    /// Everybody and every service account. Who is chosen stays in the list, whoever it is.
    fn owner_options(self, chosen: &str) -> Vec<(String, String)> {
        let mut options = vec![(String::new(), "The organization itself".to_owned())];
        self.members.state.with(|state| match state {
            Load::Ready(members) => {
                options.extend(
                    members
                        .iter()
                        .map(|member| (member.id.to_string(), member.name.to_string())),
                );
            }
            Load::Waiting | Load::Failed(_) => {}
        });
        self.accounts.state.with(|state| match state {
            Load::Ready(accounts) => options.extend(accounts.iter().map(|account| {
                let title = format!("{} (service account)", account.name);
                (account.id.to_string(), title)
            })),
            Load::Waiting | Load::Failed(_) => {}
        });
        if options.iter().all(|(value, _)| value != chosen) {
            options.push((chosen.to_owned(), "…".to_owned()));
        }
        options
    }

    fn provider_names(self) -> Vec<String> {
        self.providers.state.with(|state| match state {
            Load::Ready(providers) => providers.iter().map(|provider| provider.name.to_string()).collect(),
            Load::Waiting | Load::Failed(_) => Vec::new(),
        })
    }

    fn model_names(self) -> Vec<String> {
        self.models.state.with(|state| match state {
            Load::Ready(models) => models.iter().map(|model| model.name.to_string()).collect(),
            Load::Waiting | Load::Failed(_) => Vec::new(),
        })
    }
}

#[component]
pub(crate) fn Keys() -> impl IntoView {
    let workspace = use_workspace();
    let keys = List::new(move |cursor| workspace.keys(cursor));
    let choices = Choices::new(workspace);
    let open = RwSignal::new(Window::Nothing);
    let close = Callback::new(move |()| open.set(Window::Nothing));
    let changed = Callback::new(move |()| keys.reload());
    let mint = Callback::new(move |()| open.set(Window::Mint));

    let denial = workspace.denial(Permission::KeysWrite);
    let none = {
        let denial = denial.clone();
        move || {
            let text = "A key lets a program call the gateway. Make one and paste the snippet it comes with.";
            empty(
                Icon::Key,
                "No keys yet",
                text,
                Some(("Create key", denial.clone(), mint)),
            )
        }
    };
    let rows = move |keys: &[Key]| {
        let rows = keys.iter().map(|key| row(key, workspace, choices, open)).collect_view();
        table(
            "API keys",
            &["Name", "Secret", "Owner", "Team", "Models", "Expires", "Last used", ""],
            rows.into_any(),
        )
    };
    let window = move || match open.get() {
        Window::Nothing => ().into_any(),
        Window::Mint => view! { <mint::Mint choices=choices on_minted=changed on_close=close/> }.into_any(),
        Window::Edit(key) => {
            view! { <edit::Edit key=key choices=choices on_changed=changed on_close=close/> }.into_any()
        }
        Window::Revoke(key) => revoke(&key, workspace, changed, close),
    };
    view! {
        <PageHeader title="API keys" about="Secrets that programs call the gateway with.">
            <Button label="Create key" look=Look::Primary glyph=Icon::Plus denial=denial on_press=mint/>
        </PageHeader>
        {listed(keys, Shape::Rows, none, rows)}
        <accounts::ServiceAccounts choices=choices/>
        {live(window)}
    }
    .into_any()
}

fn row(key: &Key, workspace: Workspace, choices: Choices, open: RwSignal<Window>) -> AnyView {
    let (team, owner) = (key.team, key.owner);
    let state = match (key.state, key.warnings.is_empty()) {
        (KeyState::Active, true) => ().into_any(),
        (KeyState::Active, false) => view! { <Badge tone=Tone::Warning text="needs a look"/> }.into_any(),
        (KeyState::Disabled | KeyState::Expired | KeyState::Revoked, _) => state_badge(key),
    };
    let href = format!("{}/{}", workspace.href(Section::Keys), key.id);
    let used = match key.last_used_at {
        Some(used) => view! { <Ago moment=used/> }.into_any(),
        None => "not yet".into_any(),
    };
    let expires = match (key.revoked_at, key.expires_at) {
        (Some(revoked), _) => view! { <span>"revoked " <Ago moment=revoked/></span> }.into_any(),
        (None, Some(expiry)) => view! { <Day moment=expiry/> }.into_any(),
        (None, None) => "never".into_any(),
    };
    let models = match &key.models {
        None => view! { <span class="muted">"all"</span> }.into_any(),
        Some(models) => {
            let chips = models
                .iter()
                .map(|model| view! { <code class="chip">{model.to_string()}</code> });
            view! { <span class="chips">{chips.collect_view()}</span> }.into_any()
        }
    };
    let requests = workspace.can(Permission::UsageRead).then(|| {
        let (href, label) = (
            format!("{}?key={}", workspace.href(Section::Usage), key.id),
            format!("Requests of {}", key.name),
        );
        view! { <a class="icon-button" href=href aria-label=label.clone() title=label>{icon(Icon::Requests)}</a> }
    });
    let actions = (key.revoked_at.is_none() && workspace.can(Permission::KeysWrite)).then(|| {
        let (edited, revoked) = (key.clone(), key.clone());
        view! {
            <IconButton
                label=format!("Edit {}", key.name)
                glyph=Icon::Pencil
                on_press=Callback::new(move |()| open.set(Window::Edit(edited.clone())))
            />
            <IconButton
                label=format!("Revoke {}", key.name)
                glyph=Icon::Trash
                on_press=Callback::new(move |()| open.set(Window::Revoke(revoked.clone())))
            />
        }
    });
    view! {
        <tr class:is-off=key.state != KeyState::Active>
            <th scope="row" data-label="Name"><a class="cell-title" href=href>{key.name.to_string()}</a>" "{state}</th>
            <td data-label="Secret"><code class="nowrap">{format!("gw-…{}", key.hint)}</code></td>
            <td data-label="Owner">{move || choices.owner_name(owner)}</td>
            <td data-label="Team">
                {move || match team {
                    None => "–".to_owned(),
                    Some(team) => choices.team_name(team).unwrap_or_else(|| "…".to_owned()),
                }}
            </td>
            <td data-label="Models">{models}</td>
            <td data-label="Expires">{expires}</td>
            <td data-label="Last used">{used}</td>
            <td class="actions">{requests}{actions}</td>
        </tr>
    }
    .into_any()
}

fn state_badge(key: &Key) -> AnyView {
    let (tone, text) = match key.state {
        KeyState::Active => (Tone::Good, "active"),
        KeyState::Disabled => (Tone::Warning, "disabled"),
        KeyState::Expired => (Tone::Warning, "expired"),
        KeyState::Revoked => (Tone::Bad, "revoked"),
    };
    view! { <Badge tone=tone text=text/> }.into_any()
}

fn revoke(key: &Key, workspace: Workspace, changed: Callback<()>, close: Callback<()>) -> AnyView {
    let id = key.id;
    let question = Question {
        title: format!("Revoke {}?", key.name),
        text: "Programs that use this key are refused from the next request on. This cannot be undone.".to_owned(),
        action: "Revoke key",
        done: format!("{} is revoked.", key.name),
    };
    ask(question, move || workspace.revoke_key(id), changed, close)
}
