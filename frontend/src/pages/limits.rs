//! Limits: how many requests and tokens within a time, and how many at once.

use gatewright_types::api::{LimitScope, LimitSpec, NewRateLimit, RateLimit, WhenUnavailable};
use gatewright_types::{HumanDuration, LimitId, Permission};
use leptos::prelude::*;

use super::address::Noted;
use super::choices::fixed;
use super::scope::{ScopeFields, kind_options, of_kind};
use crate::components::badge::{Badge, Tone};
use crate::components::button::{Button, IconButton, Look};
use crate::components::choice::CheckField;
use crate::components::confirm::{Question, ask};
use crate::components::dialog::{Dialog, Frame};
use crate::components::field::{Input, LinesField, SelectField, TextField};
use crate::components::form::FormFrame;
use crate::components::header::PageHeader;
use crate::components::icon::Icon;
use crate::components::live::live;
use crate::components::state::{Shape, empty, listed};
use crate::components::table::table;
use crate::components::toast::use_toasts;
use crate::form::{Form, tell};
use crate::format;
use crate::load::List;
use crate::session::{Workspace, use_workspace};

/// The fields of a limit: where each goes, and what it is called.
const RATES: [(&str, &str); 7] = [
    ("rpm", "Requests a minute"),
    ("rph", "Requests an hour"),
    ("rpd", "Requests a day"),
    ("tpm", "Tokens a minute"),
    ("tph", "Tokens an hour"),
    ("tpd", "Tokens a day"),
    ("concurrency", "Requests at once"),
];
const UNAVAILABLE: [(&str, &str); 2] = [("local", "Go on by what each node knows"), ("deny", "Refuse requests")];

/// The window over the list.
#[derive(Debug, Clone, PartialEq)]
enum Window {
    Nothing,
    Create,
    Edit(Box<RateLimit>),
    Delete(Box<RateLimit>),
}

/// What is saved.
enum Aim {
    Known(LimitId),
    New(LimitScope),
}

#[component]
pub(crate) fn Limits() -> impl IntoView {
    let workspace = use_workspace();
    let scope = Noted::new("scope");
    let limits = List::new(move |cursor| {
        let query = of_kind(scope, cursor);
        workspace.limits(&query)
    });
    let open = RwSignal::new(Window::Nothing);
    let close = Callback::new(move |()| open.set(Window::Nothing));
    let changed = Callback::new(move |()| limits.reload());
    let create = Callback::new(move |()| open.set(Window::Create));
    let denial = workspace.denial(Permission::BudgetsWrite);
    let none = {
        let denial = denial.clone();
        move || {
            if !scope.value().is_empty() {
                return empty(Icon::Limit, "No such limits", "Nothing of this kind has a limit.", None);
            }
            let text = "A limit says how many requests and tokens there may be within a minute, an hour or a day, and how \
                        many at once. In shadow it refuses nothing and only tells, which is a good way to begin.";
            empty(
                Icon::Limit,
                "No limits yet",
                text,
                Some(("Create limit", denial.clone(), create)),
            )
        }
    };
    let rows = move |limits: &[RateLimit]| {
        let rows = limits.iter().map(|limit| row(limit, workspace, open)).collect_view();
        table("Limits", &["For", "At most", "Counted as", ""], rows.into_any())
    };
    let window = move || match open.get() {
        Window::Nothing => ().into_any(),
        Window::Create => view! { <LimitForm limit=None on_saved=changed on_close=close/> }.into_any(),
        Window::Edit(limit) => view! { <LimitForm limit=Some(*limit) on_saved=changed on_close=close/> }.into_any(),
        Window::Delete(limit) => delete(&limit, workspace, changed, close),
    };
    let about = "How many requests and tokens there may be, in all nodes together.";
    view! {
        <PageHeader title="Limits" about=about>
            <Button label="Create limit" look=Look::Primary glyph=Icon::Plus denial=denial on_press=create/>
        </PageHeader>
        <div class="filters" role="search" aria-label="Filters">{scope.choice("Scope", kind_options())}</div>
        {listed(limits, Shape::Rows, none, rows)}
        {live(window)}
    }
    .into_any()
}

/// The numbers of a limit, in the order of `RATES`.
const fn rates(spec: &LimitSpec) -> [Option<u64>; 7] {
    [
        spec.rpm,
        spec.rph,
        spec.rpd,
        spec.tpm,
        spec.tph,
        spec.tpd,
        spec.concurrency,
    ]
}

fn row(limit: &RateLimit, workspace: Workspace, open: RwSignal<Window>) -> AnyView {
    let chips = RATES
        .into_iter()
        .zip(rates(&limit.spec))
        .filter_map(|((_, label), most)| {
            let text = format!("{} {}", format::count(most?), label.to_lowercase());
            Some(view! { <li class="chip">{text}</li> })
        });
    let chips = chips.collect_view();
    let blocked = limit
        .spec
        .blocked
        .then(|| view! { <Badge tone=Tone::Bad text="blocked"/> });
    let waits = limit
        .spec
        .wait
        .map(|wait| view! { <span class="cell-note">{format!("Requests wait up to {wait} for their turn.")}</span> });
    let units = match &limit.spec.units {
        Some(units) => view! { <code>{units.clone()}</code> }.into_any(),
        None => "each token".into_any(),
    };
    let shadow = limit
        .spec
        .shadow
        .then(|| view! { " "<Badge tone=Tone::Accent text="shadow"/> });
    let denies = (limit.spec.when_unavailable() == WhenUnavailable::Deny)
        .then(|| view! { <span class="cell-note">"Refuses when nodes cannot ask each other."</span> });
    let actions = workspace.can(Permission::BudgetsWrite).then(|| {
        let (edited, deleted) = (Box::new(limit.clone()), Box::new(limit.clone()));
        view! {
            <IconButton
                label=format!("Edit the limit of {}", limit.scope_name)
                glyph=Icon::Pencil
                on_press=Callback::new(move |()| open.set(Window::Edit(edited.clone())))
            />
            <IconButton
                label=format!("Delete the limit of {}", limit.scope_name)
                glyph=Icon::Trash
                on_press=Callback::new(move |()| open.set(Window::Delete(deleted.clone())))
            />
        }
    });
    view! {
        <tr>
            <th scope="row" data-label="For"><span class="cell-title">{format::heading(&limit.scope_name)}</span>{shadow}</th>
            <td data-label="At most">{blocked}<ul class="chips">{chips}</ul>{waits}{denies}</td>
            <td data-label="Counted as">{units}</td>
            <td class="actions">{actions}</td>
        </tr>
    }
    .into_any()
}

/// Makes a limit, or changes all but the scope of the one that is given.
#[component]
fn LimitForm(limit: Option<RateLimit>, on_saved: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let workspace = use_workspace();
    let toasts = use_toasts();
    let form = Form::new("limit");
    let spec = limit.as_ref().map(|limit| limit.spec.clone()).unwrap_or_default();
    let texts = rates(&spec).map(|most| RwSignal::new(most.map(|most| most.to_string()).unwrap_or_default()));
    let shadow = RwSignal::new(spec.shadow);
    let when = RwSignal::new(spec.when_unavailable().as_str().to_owned());
    let units = RwSignal::new(spec.units.unwrap_or_default());
    let wait = RwSignal::new(spec.wait.map(|wait| wait.to_string()).unwrap_or_default());
    let blocked = RwSignal::new(spec.blocked);
    let id = limit.as_ref().map(|limit| limit.id);
    let scope = id.is_none().then(|| ScopeFields::new(form));
    let save = Callback::new(move |()| {
        form.clear();
        let aim = match id {
            Some(id) => Some(Aim::Known(id)),
            None => scope.and_then(ScopeFields::read).map(Aim::New),
        };
        let mut numbers = RATES.into_iter().zip(texts);
        // Every field is read before the first wrong one ends the attempt, so that all are marked at once.
        let read: [_; 7] = std::array::from_fn(|_| {
            let ((name, _), text) = numbers.next()?;
            form.parse_optional::<u64>(name, text)
        });
        let wait = form.parse_optional::<HumanDuration>("wait", wait);
        let (
            Some(aim),
            Some(wait),
            [
                Some(rpm),
                Some(rph),
                Some(rpd),
                Some(tpm),
                Some(tph),
                Some(tpd),
                Some(concurrency),
            ],
        ) = (aim, wait, read)
        else {
            return;
        };
        let units = units.with_untracked(|units| units.trim().to_owned());
        let spec = LimitSpec {
            rpm,
            rph,
            rpd,
            tpm,
            tph,
            tpd,
            concurrency,
            units: (!units.is_empty()).then_some(units),
            wait,
            blocked: blocked.get_untracked(),
            shadow: shadow.get_untracked(),
            when_unavailable: when.with_untracked(|when| (when == "deny").then_some(WhenUnavailable::Deny)),
        };
        let call = match aim {
            Aim::Known(id) => workspace.change_limit(id, &spec),
            Aim::New(scope) => workspace.create_limit(&NewRateLimit { scope, spec }),
        };
        form.send(call, move |limit| {
            toasts.done(format!("The limit of {} is saved.", limit.scope_name));
            tell(on_saved);
            tell(on_close);
        });
    });
    let (heading, submit) = match &limit {
        Some(limit) => (format!("Limit of {}", limit.scope_name), "Save"),
        None => ("Create limit".to_owned(), "Create limit"),
    };
    let field = |((name, label), text): ((&'static str, &'static str), RwSignal<String>)| {
        view! { <TextField form=form name=name label=label value=text input=Input::Code placeholder="–"/> }
    };
    let fields = RATES.into_iter().zip(texts).map(field).collect_view();
    view! {
        <Dialog title=heading frame=Frame::Wide on_close=on_close>
            <FormFrame form=form submit=submit on_submit=save on_cancel=on_close>
                {scope.map(|scope| view! { <div class="field-grid">{scope.view()}</div> })}
                <div class="field-grid">{fields}</div>
                <LinesField
                    form=form
                    name="units"
                    label="What counts as tokens (CEL)"
                    value=units
                    placeholder="tokens.input + 0.1 * tokens.cache_read + 4.0 * tokens.output"
                    hint="Over request, key, team, organization and tokens. Empty: each token, in and out."
                />
                <TextField form=form name="wait" label="Requests may wait for their turn" value=wait input=Input::Code placeholder="10s"/>
                <SelectField form=form name="when_unavailable" label="When nodes cannot ask each other" value=when options=fixed(&UNAVAILABLE)/>
                <CheckField form=form name="blocked" label="Block: let nothing through (without numbers)" value=blocked/>
                <CheckField form=form name="shadow" label="In shadow: refuse nothing, only tell" value=shadow/>
            </FormFrame>
        </Dialog>
    }
    .into_any()
}

fn delete(limit: &RateLimit, workspace: Workspace, changed: Callback<()>, close: Callback<()>) -> AnyView {
    let id = limit.id;
    let question = Question {
        title: format!("Delete the limit of {}?", limit.scope_name),
        text: "Nothing is refused for its sake from now on.".to_owned(),
        action: "Delete limit",
        done: "The limit is deleted.".to_owned(),
    };
    ask(question, move || workspace.delete_limit(id), changed, close)
}
