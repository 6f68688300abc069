//! The people of an organization, and the invitations that are still open.

use gatewright_types::api::{Invitation, Member, MemberChange, MemberKeys, MemberRemoval, NewInvitation};
use gatewright_types::{Email, Permission, Role};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::badge::{Badge, Tone};
use crate::components::button::{Button, IconButton, Look};
use crate::components::code::CodeBlock;
use crate::components::confirm::{Question, ask};
use crate::components::dialog::{Dialog, Frame};
use crate::components::field::{Input, SelectField, TextField, options_view};
use crate::components::form::FormFrame;
use crate::components::header::PageHeader;
use crate::components::icon::Icon;
use crate::components::live::live;
use crate::components::moment::{Ago, Day};
use crate::components::state::{Shape, empty, listed};
use crate::components::table::table;
use crate::components::toast::use_toasts;
use crate::form::{Form, tell};
use crate::load::{List, Load, Loader};
use crate::session::{Workspace, use_workspace};

/// What becomes of the keys of somebody who is removed.
const REVOKE: &str = "revoke";
const HAND_OVER: &str = "hand_over";

/// The window over the lists.
#[derive(Debug, Clone, PartialEq)]
enum Window {
    Nothing,
    Invite,
    Remove(Member),
    Withdraw(Invitation),
}

#[component]
pub(crate) fn Members() -> impl IntoView {
    let workspace = use_workspace();
    let members = List::new(move |cursor| workspace.members(cursor));
    let invitations = List::new(move |cursor| workspace.invitations(cursor));
    let open = RwSignal::new(Window::Nothing);
    let close = Callback::new(move |()| open.set(Window::Nothing));
    let invite = Callback::new(move |()| open.set(Window::Invite));
    let changed = Callback::new(move |()| members.reload());
    let denial = workspace.denial(Permission::MembersWrite);

    let nobody = || empty(Icon::Members, "Nobody here", "The organization has no members.", None);
    let people = move |members: &[Member]| {
        let rows = members.iter().map(|member| row(member, workspace, changed, open));
        table(
            "Members",
            &["Name", "Role", "Joined", ""],
            rows.collect_view().into_any(),
        )
    };
    let none = || {
        let text = "An invitation makes a link. Whoever opens it becomes a member with the role you chose.";
        empty(Icon::Mail, "No open invitations", text, None)
    };
    let pending = move |invitations: &[Invitation]| {
        let rows = invitations
            .iter()
            .map(|invitation| invitation_row(invitation, workspace, open));
        table(
            "Open invitations",
            &["E-mail", "Role", "Invited by", "Expires", ""],
            rows.collect_view().into_any(),
        )
    };
    let window = move || match open.get() {
        Window::Nothing => ().into_any(),
        Window::Invite => {
            let changed = Callback::new(move |()| invitations.reload());
            view! { <Invite on_invited=changed on_close=close/> }.into_any()
        }
        Window::Remove(member) => view! { <Remove member=member on_removed=changed on_close=close/> }.into_any(),
        Window::Withdraw(invitation) => {
            let changed = Callback::new(move |()| invitations.reload());
            withdraw(&invitation, workspace, changed, close)
        }
    };
    view! {
        <PageHeader title="Members" about="Who may sign in here, and what they may do.">
            <Button label="Invite" look=Look::Primary glyph=Icon::Plus denial=denial on_press=invite/>
        </PageHeader>
        {listed(members, Shape::Rows, nobody, people)}
        <section class="section">
            <h2>"Open invitations"</h2>
            {listed(invitations, Shape::Rows, none, pending)}
        </section>
        {live(window)}
    }
    .into_any()
}

fn row(member: &Member, workspace: Workspace, changed: Callback<()>, open: RwSignal<Window>) -> AnyView {
    let me = untrack(|| workspace.session.me()).is_some_and(|me| me.id == member.id);
    let may_change = workspace.can(Permission::MembersWrite) && workspace.role().may_grant(member.role);
    let role = if may_change {
        role_select(member, workspace, changed)
    } else {
        view! { <Badge tone=tone(member.role) text=member.role.as_str()/> }.into_any()
    };
    let actions = may_change.then(|| {
        let removed = member.clone();
        view! {
            <IconButton
                label=format!("Remove {}", member.name)
                glyph=Icon::Trash
                on_press=Callback::new(move |()| open.set(Window::Remove(removed.clone())))
            />
        }
    });
    view! {
        <tr>
            <th scope="row" data-label="Name">
                <span class="cell-title">{member.name.to_string()}</span>" "
                {me.then(|| view! { <Badge tone=Tone::Neutral text="you"/> })}
                <span class="cell-note">{member.email.to_string()}</span>
            </th>
            <td data-label="Role">{role}</td>
            <td data-label="Joined"><Ago moment=member.joined_at/></td>
            <td class="actions">{actions}</td>
        </tr>
    }
    .into_any()
}

fn role_select(member: &Member, workspace: Workspace, changed: Callback<()>) -> AnyView {
    let toasts = use_toasts();
    let value = RwSignal::new(member.role.as_str().to_owned());
    let (id, name, before) = (member.id, member.name.to_string(), member.role);
    let choose = move |event| {
        value.set(event_target_value(&event));
        let Some(role) = parse_role(&value.get_untracked()) else {
            return;
        };
        let name = name.clone();
        spawn_local(async move {
            match workspace.change_member(id, &MemberChange { role }).await {
                Ok(member) => {
                    toasts.done(format!("{name} is {} from now on.", member.role.as_str()));
                    tell(changed);
                    workspace.session.refresh();
                }
                Err(failure) => {
                    toasts.failed(&failure);
                    let _left = value.try_set(before.as_str().to_owned());
                }
            }
        });
    };
    view! {
        <select class="inline-select" aria-label=format!("Role of {}", member.name) on:change=choose>
            {move || options_view(role_options(workspace), value)}
        </select>
    }
    .into_any()
}

/// Asks for an address and a role, then shows the link this once.
#[component]
fn Invite(on_invited: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let workspace = use_workspace();
    let form = Form::new("invite");
    let on_close = form.closing(on_close);
    let (email, role) = (
        RwSignal::new(String::new()),
        RwSignal::new(Role::Member.as_str().to_owned()),
    );
    let made = RwSignal::new(None::<(String, String)>);
    let submit = Callback::new(move |()| {
        form.clear();
        email.update(|email| *email = email.trim().to_lowercase());
        let (Some(email), Some(role)) = (form.parse::<Email>("email", email), parse_role(&role.get_untracked())) else {
            return;
        };
        let invitation = NewInvitation { email, role };
        form.send(workspace.invite(&invitation), move |answer| {
            tell(on_invited);
            let _closed = made.try_set(Some((answer.invitation.email.to_string(), answer.link)));
        });
    });
    let body = move || match made.get() {
        None => view! {
            <FormFrame form=form submit="Make invitation" on_submit=submit on_cancel=on_close>
                <TextField
                    form=form
                    name="email"
                    label="E-mail"
                    value=email
                    input=Input::Email
                    placeholder="ada@example.com"
                />
                <SelectField
                    form=form
                    name="role"
                    label="Role"
                    value=role
                    options=role_options(workspace)
                    hint="Viewers read, members make keys, admins configure, owners may delete the organization."
                />
            </FormFrame>
        }
        .into_any(),
        Some((email, link)) => view! {
            <p class="prose">
                "Send this link to " <strong>{email}</strong>
                ". It is shown this once, and whoever has it can join until it expires."
            </p>
            <CodeBlock label="Invitation link" text=link/>
            <div class="form-actions"><Button label="Done" look=Look::Primary on_press=on_close/></div>
        }
        .into_any(),
    };
    view! { <Dialog title="Invite somebody" frame=Frame::Middle on_close=on_close>{body}</Dialog> }.into_any()
}

fn invitation_row(invitation: &Invitation, workspace: Workspace, open: RwSignal<Window>) -> AnyView {
    let actions = workspace.can(Permission::MembersWrite).then(|| {
        let withdrawn = invitation.clone();
        view! {
            <IconButton
                label=format!("Withdraw the invitation of {}", invitation.email)
                glyph=Icon::Trash
                on_press=Callback::new(move |()| open.set(Window::Withdraw(withdrawn.clone())))
            />
        }
    });
    view! {
        <tr>
            <th scope="row" data-label="E-mail"><span class="cell-title">{invitation.email.to_string()}</span></th>
            <td data-label="Role"><Badge tone=tone(invitation.role) text=invitation.role.as_str()/></td>
            <td data-label="Invited by">{invitation.invited_by.clone()}</td>
            <td data-label="Expires"><Day moment=invitation.expires_at/></td>
            <td class="actions">{actions}</td>
        </tr>
    }
    .into_any()
}

/// Asks what becomes of their keys, too.
#[component]
fn Remove(member: Member, on_removed: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let workspace = use_workspace();
    let toasts = use_toasts();
    let form = Form::new("remove-member");
    let (id, name) = (member.id, member.name.to_string());
    let accounts = Loader::items(move || workspace.service_account_choices());
    let others = Loader::items(move || workspace.member_choices());
    let (keys, to) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let heirs = Signal::derive(move || {
        let mut heirs = vec![(String::new(), "Choose".to_owned())];
        accounts.state.with(|state| {
            if let Load::Ready(accounts) = state {
                heirs.extend(
                    accounts
                        .iter()
                        .map(|account| (account.id.to_string(), format!("{} (service account)", account.name))),
                );
            }
        });
        others.state.with(|state| {
            if let Load::Ready(members) = state {
                let others = members.iter().filter(|member| member.id != id);
                heirs.extend(others.map(|member| (member.id.to_string(), member.name.to_string())));
            }
        });
        heirs
    });
    let submit = Callback::new(move |()| {
        form.clear();
        let removal = match keys.get_untracked().as_str() {
            REVOKE => Some(MemberRemoval {
                keys: Some(MemberKeys::Revoke),
                to: None,
            }),
            HAND_OVER => form.parse("to", to).map(|to| MemberRemoval {
                keys: Some(MemberKeys::HandOver),
                to: Some(to),
            }),
            _ => Some(MemberRemoval::default()),
        };
        let Some(removal) = removal else { return };
        let name = name.clone();
        form.send(workspace.remove_member(id, &removal), move |()| {
            toasts.done(format!("{name} is no longer a member."));
            tell(on_removed);
            tell(on_close);
            // It may have been oneself.
            workspace.session.refresh();
        });
    });
    let choices = [
        ("", "They have none, or I am told which"),
        (HAND_OVER, "Hand them over"),
        (REVOKE, "Revoke them"),
    ];
    let choices = choices
        .map(|(value, title)| (value.to_owned(), title.to_owned()))
        .to_vec();
    view! {
        <Dialog title=format!("Remove {}?", member.name) on_close=on_close>
            <FormFrame form=form submit="Remove member" look=Look::Danger on_submit=submit on_cancel=on_close>
                <p class="prose">"They lose access at once. Keys of service accounts go on as they are."</p>
                <SelectField form=form name="keys" label="Their keys" value=keys options=choices/>
                {move || {
                    (keys.get() == HAND_OVER).then(|| {
                        view! {
                            <SelectField
                                form=form
                                name="to"
                                label="To"
                                value=to
                                options=heirs
                                hint="The keys go on working, and count as theirs."
                            />
                        }
                    })
                }}
            </FormFrame>
        </Dialog>
    }
    .into_any()
}

fn withdraw(invitation: &Invitation, workspace: Workspace, changed: Callback<()>, close: Callback<()>) -> AnyView {
    let id = invitation.id;
    let question = Question {
        title: "Withdraw the invitation?".to_owned(),
        text: format!("The link that {} was sent stops working.", invitation.email),
        action: "Withdraw",
        done: "The invitation is withdrawn.".to_owned(),
    };
    ask(question, move || workspace.withdraw_invitation(id), changed, close)
}

/// The roles the person may hand out.
pub(super) fn role_options(workspace: Workspace) -> Vec<(String, String)> {
    let mine = untrack(|| workspace.role());
    let granted = Role::ALL.into_iter().filter(|role| mine.may_grant(*role));
    granted
        .map(|role| (role.as_str().to_owned(), role.as_str().to_owned()))
        .collect()
}

pub(super) fn parse_role(text: &str) -> Option<Role> {
    Role::ALL.into_iter().find(|role| role.as_str() == text)
}

pub(super) const fn tone(role: Role) -> Tone {
    match role {
        Role::Owner | Role::Admin => Tone::Accent,
        Role::Member | Role::Viewer => Tone::Neutral,
    }
}
