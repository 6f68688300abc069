//! Service accounts: what keys of programs belong to.

use gatewright_types::api::{NewServiceAccount, ServiceAccount, ServiceAccountChange};
use gatewright_types::{DisplayName, Permission};
use leptos::prelude::*;

use super::Choices;
use crate::components::button::{Button, IconButton};
use crate::components::confirm::{Question, ask};
use crate::components::dialog::Dialog;
use crate::components::field::{SelectField, TextField};
use crate::components::form::FormFrame;
use crate::components::icon::Icon;
use crate::components::live::live;
use crate::components::moment::Ago;
use crate::components::state::{Shape, empty, listed};
use crate::components::table::table;
use crate::components::toast::use_toasts;
use crate::form::{Form, tell};
use crate::format;
use crate::load::List;
use crate::session::{Workspace, use_workspace};

#[derive(Debug, Clone, PartialEq)]
enum Window {
    Nothing,
    Create,
    Rename(ServiceAccount),
    Delete(ServiceAccount),
}

#[component]
pub(super) fn ServiceAccounts(choices: Choices) -> impl IntoView {
    let workspace = use_workspace();
    let accounts = List::new(move |cursor| workspace.service_accounts(cursor));
    let open = RwSignal::new(Window::Nothing);
    let close = Callback::new(move |()| open.set(Window::Nothing));
    let create = Callback::new(move |()| open.set(Window::Create));
    let changed = Callback::new(move |()| {
        accounts.reload();
        choices.accounts.reload();
    });
    let none = || {
        let text = "Keys of a service account belong to a program, and go on when people leave.";
        empty(Icon::Bolt, "No service accounts yet", text, None)
    };
    let rows = move |accounts: &[ServiceAccount]| {
        let rows = accounts.iter().map(|account| row(account, workspace, choices, open));
        table(
            "Service accounts",
            &["Name", "Team", "Keys in use", "Created", ""],
            rows.collect_view().into_any(),
        )
    };
    let window = move || match open.get() {
        Window::Nothing => ().into_any(),
        Window::Create => {
            view! { <AccountDialog account=None choices=choices on_saved=changed on_close=close/> }.into_any()
        }
        Window::Rename(account) => {
            view! { <AccountDialog account=Some(account) choices=choices on_saved=changed on_close=close/> }.into_any()
        }
        Window::Delete(account) => delete(&account, workspace, changed, close),
    };
    let denial = workspace.denial(Permission::TeamsWrite);
    view! {
        <section class="section">
            <div class="section-head">
                <h2>"Service accounts"</h2>
                <Button label="Create service account" glyph=Icon::Plus denial=denial on_press=create/>
            </div>
            {listed(accounts, Shape::Rows, none, rows)}
        </section>
        {live(window)}
    }
    .into_any()
}

fn row(account: &ServiceAccount, workspace: Workspace, choices: Choices, open: RwSignal<Window>) -> AnyView {
    let team = account.team;
    let actions = workspace.can(Permission::TeamsWrite).then(|| {
        let (renamed, deleted) = (account.clone(), account.clone());
        view! {
            <IconButton
                label=format!("Rename {}", account.name)
                glyph=Icon::Pencil
                on_press=Callback::new(move |()| open.set(Window::Rename(renamed.clone())))
            />
            <IconButton
                label=format!("Delete {}", account.name)
                glyph=Icon::Trash
                on_press=Callback::new(move |()| open.set(Window::Delete(deleted.clone())))
            />
        }
    });
    view! {
        <tr>
            <th scope="row" data-label="Name"><span class="cell-title">{account.name.to_string()}</span></th>
            <td data-label="Team">
                {move || match team {
                    None => "–".to_owned(),
                    Some(team) => choices.team_name(team).unwrap_or_else(|| "…".to_owned()),
                }}
            </td>
            <td data-label="Keys in use">{format::count(account.key_count)}</td>
            <td data-label="Created"><Ago moment=account.created_at/><span class="cell-note">{account.created_by.clone()}</span></td>
            <td class="actions">{actions}</td>
        </tr>
    }
    .into_any()
}

/// Names a new service account, or renames one that is there; its team stays.
#[component]
fn AccountDialog(
    account: Option<ServiceAccount>,
    choices: Choices,
    on_saved: Callback<()>,
    on_close: Callback<()>,
) -> impl IntoView {
    let workspace = use_workspace();
    let toasts = use_toasts();
    let form = Form::new("service-account");
    let (title, submit) = match account {
        Some(_) => ("Rename service account", "Save"),
        None => ("Create service account", "Create service account"),
    };
    let name = RwSignal::new(
        account
            .as_ref()
            .map(|account| account.name.to_string())
            .unwrap_or_default(),
    );
    let team = RwSignal::new(String::new());
    let id = account.map(|account| account.id);
    let save = Callback::new(move |()| {
        form.clear();
        let (Some(name), Some(team)) = (
            form.parse::<DisplayName>("name", name),
            form.parse_optional("team", team),
        ) else {
            return;
        };
        let call = match id {
            Some(id) => {
                let change = ServiceAccountChange {
                    name,
                    cost_centre: None,
                };
                workspace.change_service_account(id, &change)
            }
            None => workspace.create_service_account(&NewServiceAccount {
                name,
                team,
                cost_centre: None,
            }),
        };
        form.send(call, move |account: ServiceAccount| {
            toasts.done(format!("{} is saved.", account.name));
            tell(on_saved);
            tell(on_close);
        });
    });
    let team_field = id.is_none().then(|| {
        view! {
            <SelectField
                form=form
                name="team"
                label="Team"
                value=team
                options=Signal::derive(move || choices.team_options())
                hint="For good: its keys are of this team. None: the organization's own."
            />
        }
    });
    view! {
        <Dialog title=title on_close=on_close>
            <FormFrame form=form submit=submit on_submit=save on_cancel=on_close>
                <TextField form=form name="name" label="Name" value=name placeholder="nightly-builds"/>
                {team_field}
            </FormFrame>
        </Dialog>
    }
    .into_any()
}

fn delete(account: &ServiceAccount, workspace: Workspace, changed: Callback<()>, close: Callback<()>) -> AnyView {
    let id = account.id;
    let question = Question {
        title: format!("Delete {}?", account.name),
        text: "It can go once none of its keys is in use.".to_owned(),
        action: "Delete service account",
        done: format!("{} is deleted.", account.name),
    };
    ask(question, move || workspace.delete_service_account(id), changed, close)
}
