//! Teams: groups of keys.

use gatewright_types::api::{NewTeam, Team, TeamChange};
use gatewright_types::{DisplayName, IpRange, Permission};
use leptos::prelude::*;

use crate::components::button::{Button, IconButton, Look};
use crate::components::choice::CheckField;
use crate::components::confirm::{Question, ask};
use crate::components::dialog::Dialog;
use crate::components::field::{Input, LinesField, TextField};
use crate::components::form::FormFrame;
use crate::components::header::PageHeader;
use crate::components::icon::Icon;
use crate::components::live::live;
use crate::components::moment::Ago;
use crate::components::state::{Shape, empty, listed};
use crate::components::table::table;
use crate::components::toast::use_toasts;
use crate::form::{Form, tell};
use crate::format;
use crate::load::List;
use crate::pages::keys::settings::{lines, parse_lines};
use crate::session::{Workspace, use_workspace};

/// The window over the list.
#[derive(Debug, Clone, PartialEq)]
enum Window {
    Nothing,
    Create,
    Edit(Team),
    Delete(Team),
}

#[component]
pub(crate) fn Teams() -> impl IntoView {
    let workspace = use_workspace();
    let teams = List::new(move |cursor| workspace.teams(cursor));
    let open = RwSignal::new(Window::Nothing);
    let close = Callback::new(move |()| open.set(Window::Nothing));
    let changed = Callback::new(move |()| teams.reload());
    let create = Callback::new(move |()| open.set(Window::Create));

    let denial = workspace.denial(Permission::TeamsWrite);
    let none = {
        let denial = denial.clone();
        move || {
            let text = "A team groups keys, so that what they use can be seen and limited together.";
            empty(
                Icon::Team,
                "No teams yet",
                text,
                Some(("Create team", denial.clone(), create)),
            )
        }
    };
    let rows = move |teams: &[Team]| {
        let rows = teams.iter().map(|team| row(team, workspace, open)).collect_view();
        table(
            "Teams",
            &["Name", "Keys in use", "Cost centre", "Created", ""],
            rows.into_any(),
        )
    };
    let window = move || match open.get() {
        Window::Nothing => ().into_any(),
        Window::Create => view! { <TeamDialog team=None on_saved=changed on_close=close/> }.into_any(),
        Window::Edit(team) => view! { <TeamDialog team=Some(team) on_saved=changed on_close=close/> }.into_any(),
        Window::Delete(team) => delete(&team, workspace, changed, close),
    };
    view! {
        <PageHeader title="Teams" about="Groups of keys that belong together.">
            <Button label="Create team" look=Look::Primary glyph=Icon::Plus denial=denial on_press=create/>
        </PageHeader>
        {listed(teams, Shape::Rows, none, rows)}
        {live(window)}
    }
    .into_any()
}

fn row(team: &Team, workspace: Workspace, open: RwSignal<Window>) -> AnyView {
    let actions = workspace.can(Permission::TeamsWrite).then(|| {
        let (edited, deleted) = (team.clone(), team.clone());
        view! {
            <IconButton
                label=format!("Edit {}", team.name)
                glyph=Icon::Pencil
                on_press=Callback::new(move |()| open.set(Window::Edit(edited.clone())))
            />
            <IconButton
                label=format!("Delete {}", team.name)
                glyph=Icon::Trash
                on_press=Callback::new(move |()| open.set(Window::Delete(deleted.clone())))
            />
        }
    });
    view! {
        <tr>
            <th scope="row" data-label="Name"><span class="cell-title">{team.name.to_string()}</span></th>
            <td data-label="Keys in use">{format::count(team.key_count)}</td>
            <td data-label="Cost centre">
                {team.cost_centre.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string)}
                {team.shared.then(|| view! { <span class="cell-note">"works for all others"</span> })}
            </td>
            <td data-label="Created"><Ago moment=team.created_at/></td>
            <td class="actions">{actions}</td>
        </tr>
    }
    .into_any()
}

/// Makes a team, or changes one that is there.
#[component]
fn TeamDialog(team: Option<Team>, on_saved: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let workspace = use_workspace();
    let toasts = use_toasts();
    let form = Form::new("team");
    let (title, submit) = if team.is_some() {
        ("Edit team", "Save")
    } else {
        ("Create team", "Create team")
    };
    let name = RwSignal::new(team.as_ref().map(|team| team.name.to_string()).unwrap_or_default());
    let ranges = RwSignal::new(team.as_ref().map(|team| lines(&team.ip_ranges)).unwrap_or_default());
    let centre = team.as_ref().and_then(|team| team.cost_centre.as_ref());
    let centre = RwSignal::new(centre.map(ToString::to_string).unwrap_or_default());
    let shared = RwSignal::new(team.as_ref().is_some_and(|team| team.shared));
    let id = team.map(|team| team.id);
    let save = Callback::new(move |()| {
        form.clear();
        let Some(name) = form.parse::<DisplayName>("name", name) else {
            return;
        };
        let ip_ranges = match parse_lines::<IpRange>(&ranges.get_untracked()) {
            Ok(ranges) => ranges,
            Err(message) => return form.refuse("ip_ranges", &message),
        };
        let Some(cost_centre) = form.parse_optional("cost_centre", centre) else {
            return;
        };
        let shared = shared.get_untracked();
        let call = match id {
            Some(id) => {
                let change = TeamChange {
                    name,
                    ip_ranges: Some(ip_ranges),
                    cost_centre: Some(cost_centre),
                    shared: Some(shared),
                };
                workspace.change_team(id, &change)
            }
            None => workspace.create_team(&NewTeam {
                name,
                ip_ranges,
                cost_centre,
                shared,
            }),
        };
        form.send(call, move |team: Team| {
            toasts.done(format!("{} is saved.", team.name));
            tell(on_saved);
            tell(on_close);
        });
    });
    view! {
        <Dialog title=title on_close=on_close>
            <FormFrame form=form submit=submit on_submit=save on_cancel=on_close>
                <TextField form=form name="name" label="Name" value=name placeholder="Search"/>
                <LinesField
                    form=form
                    name="ip_ranges"
                    label="Addresses"
                    value=ranges
                    placeholder="10.0.0.0/8"
                    hint="Where requests with the team's keys may come from, one range a line. Empty: anywhere."
                />
                <TextField form=form name="cost_centre" label="Cost centre" value=centre input=Input::Code
                    hint="What its keys cost is charged there. Empty: where the organization says."/>
                <CheckField form=form name="shared" label="Works for all others" value=shared
                    hint="The settings say who bears what it costs."/>
            </FormFrame>
        </Dialog>
    }
    .into_any()
}

fn delete(team: &Team, workspace: Workspace, changed: Callback<()>, close: Callback<()>) -> AnyView {
    let id = team.id;
    let question = Question {
        title: format!("Delete {}?", team.name),
        text: "What its keys used stays in the records.".to_owned(),
        action: "Delete team",
        done: format!("{} is deleted.", team.name),
    };
    ask(question, move || workspace.delete_team(id), changed, close)
}
