//! Control-plane tokens: for programs that configure the organization.

use chrono::TimeDelta;
use gatewright_types::api::{NewToken, Token};
use gatewright_types::{DisplayName, Permission, Role};
use leptos::prelude::*;

use super::members::{parse_role, role_options, tone};
use crate::components::badge::{Badge, Tone};
use crate::components::button::{Button, IconButton, Look};
use crate::components::code::CodeBlock;
use crate::components::confirm::{Question, ask};
use crate::components::dialog::{Dialog, Frame};
use crate::components::field::{SelectField, TextField};
use crate::components::form::FormFrame;
use crate::components::header::PageHeader;
use crate::components::icon::{Icon, icon};
use crate::components::live::live;
use crate::components::moment::{Ago, Day, now};
use crate::components::state::{Shape, empty, listed};
use crate::components::table::table;
use crate::form::{Form, tell};
use crate::load::List;
use crate::session::{Workspace, use_workspace};

const LIFETIMES: [(&str, &str); 4] = [
    ("", "Never"),
    ("30", "In 30 days"),
    ("90", "In 90 days"),
    ("365", "In a year"),
];

/// The window over the list.
#[derive(Debug, Clone, PartialEq)]
enum Window {
    Nothing,
    Mint,
    Delete(Token),
}

#[component]
pub(crate) fn Tokens() -> impl IntoView {
    let workspace = use_workspace();
    let tokens = List::new(move |cursor| workspace.tokens(cursor));
    let open = RwSignal::new(Window::Nothing);
    let close = Callback::new(move |()| open.set(Window::Nothing));
    let changed = Callback::new(move |()| tokens.reload());
    let mint = Callback::new(move |()| open.set(Window::Mint));

    let denial = workspace.denial(Permission::TokensWrite);
    let none = {
        let denial = denial.clone();
        move || {
            let text = "With a control token, a pipeline can plan and apply this organization's configuration.";
            empty(
                Icon::Token,
                "No control tokens yet",
                text,
                Some(("Create token", denial.clone(), mint)),
            )
        }
    };
    let rows = move |tokens: &[Token]| {
        let rows = tokens.iter().map(|token| row(token, workspace, open)).collect_view();
        table(
            "Control tokens",
            &["Name", "Secret", "Role", "Expires", "Created", ""],
            rows.into_any(),
        )
    };
    let window = move || match open.get() {
        Window::Nothing => ().into_any(),
        Window::Mint => view! { <Mint on_minted=changed on_close=close/> }.into_any(),
        Window::Delete(token) => delete(&token, workspace, changed, close),
    };
    view! {
        <PageHeader title="Control tokens" about="For programs that configure this organization through the control API.">
            <Button label="Create token" look=Look::Primary glyph=Icon::Plus denial=denial on_press=mint/>
        </PageHeader>
        {listed(tokens, Shape::Rows, none, rows)}
        {live(window)}
    }
    .into_any()
}

fn row(token: &Token, workspace: Workspace, open: RwSignal<Window>) -> AnyView {
    let expired = token.expires_at.is_some_and(|expiry| expiry <= now());
    let expires = match token.expires_at {
        Some(expiry) => view! { <Day moment=expiry/> }.into_any(),
        None => "never".into_any(),
    };
    let may_delete = workspace.can(Permission::TokensWrite) && workspace.role().may_grant(token.role);
    let actions = may_delete.then(|| {
        let deleted = token.clone();
        view! {
            <IconButton
                label=format!("Delete {}", token.name)
                glyph=Icon::Trash
                on_press=Callback::new(move |()| open.set(Window::Delete(deleted.clone())))
            />
        }
    });
    view! {
        <tr class:is-off=expired>
            <th scope="row" data-label="Name">
                <span class="cell-title">{token.name.to_string()}</span>" "
                {expired.then(|| view! { <Badge tone=Tone::Warning text="expired"/> })}
            </th>
            <td data-label="Secret"><code class="nowrap">{format!("gwt-…{}", token.hint)}</code></td>
            <td data-label="Role"><Badge tone=tone(token.role) text=token.role.as_str()/></td>
            <td data-label="Expires">{expires}</td>
            <td data-label="Created"><Ago moment=token.created_at/></td>
            <td class="actions">{actions}</td>
        </tr>
    }
    .into_any()
}

#[component]
fn Mint(on_minted: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let workspace = use_workspace();
    let form = Form::new("mint-token");
    let on_close = form.closing(on_close);
    let (name, lifetime) = (RwSignal::new(String::new()), RwSignal::new("90".to_owned()));
    let role = RwSignal::new(Role::Admin.as_str().to_owned());
    let made = RwSignal::new(None::<String>);
    let submit = Callback::new(move |()| {
        form.clear();
        let name = form.parse::<DisplayName>("name", name);
        let (Some(name), Some(role)) = (name, parse_role(&role.get_untracked())) else {
            return;
        };
        // The options' values are whole days, or empty for none.
        let expires_at = lifetime
            .get_untracked()
            .parse()
            .ok()
            .map(|days| now() + TimeDelta::days(days));
        let token = NewToken {
            name,
            role,
            expires_at,
            secret: None,
        };
        form.send(workspace.mint_token(&token), move |answer| {
            tell(on_minted);
            let _closed = made.try_set(answer.secret);
        });
    });
    let lifetimes = Signal::stored(
        LIFETIMES
            .map(|(value, title)| (value.to_owned(), title.to_owned()))
            .to_vec(),
    );
    let body = move || match made.get() {
        None => view! {
            <FormFrame form=form submit="Create token" on_submit=submit on_cancel=on_close>
                <TextField form=form name="name" label="Name" value=name placeholder="ci" hint="What uses it."/>
                <SelectField form=form name="role" label="Role" value=role options=role_options(workspace)/>
                <SelectField form=form name="expires_at" label="Expires" value=lifetime options=lifetimes/>
            </FormFrame>
        }
        .into_any(),
        Some(secret) => {
            let origin = window().location().origin().unwrap_or_default();
            let command = format!("gatewright plan -f gatewright.yaml \\\n  --url {origin} \\\n  --token {secret}");
            view! {
                <div class="notice notice-warning">
                    {icon(Icon::Lock)}
                    <p>"Copy the secret now. It is shown this once and cannot be read again."</p>
                </div>
                <CodeBlock label="Secret" text=secret/>
                <section class="snippets" aria-label="Command that uses the token">
                    <div class="snippets-head"><h3>"Try it"</h3></div>
                    <CodeBlock label="Command" text=command/>
                </section>
                <div class="form-actions"><Button label="Done" look=Look::Primary on_press=on_close/></div>
            }
            .into_any()
        }
    };
    (move || {
        let (title, frame) = if made.with(Option::is_some) {
            ("Your token", Frame::Wide)
        } else {
            ("Create control token", Frame::Middle)
        };
        view! { <Dialog title=title frame=frame on_close=on_close>{untrack(body)}</Dialog> }
    })
    .into_any()
}

fn delete(token: &Token, workspace: Workspace, changed: Callback<()>, close: Callback<()>) -> AnyView {
    let id = token.id;
    let question = Question {
        title: format!("Delete {}?", token.name),
        text: "Programs that use this token are refused from now on. This cannot be undone.".to_owned(),
        action: "Delete token",
        done: format!("{} is deleted.", token.name),
    };
    ask(question, move || workspace.delete_token(id), changed, close)
}
