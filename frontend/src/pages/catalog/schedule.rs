//! The schedule by which newer catalogues are fetched: what is set, and how the last try ended.

use chrono::{DateTime, Utc};
use gatewright_types::api::{AutomaticApproval, CatalogSchedule, CatalogTry, CatalogTryOutcome, NewCatalogSchedule};
use gatewright_types::{HumanDuration, Permission, ProblemCode};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::Failure;
use crate::components::badge::{Badge, Tone};
use crate::components::button::{Button, Look};
use crate::components::confirm::{self, Question};
use crate::components::dialog::{Dialog, Frame};
use crate::components::field::{Input, SelectField, TextField};
use crate::components::form::FormFrame;
use crate::components::icon::Icon;
use crate::components::live::live;
use crate::components::moment::Ago;
use crate::components::state::{Shape, loaded};
use crate::components::toast::use_toasts;
use crate::form::{Form, tell};
use crate::load::{Load, Loader};
use crate::session::{Workspace, use_workspace};

/// A try begins within two seconds and takes as long as the fetch: for so long the card looks for its end.
const LOOKS: u32 = 40;
const PAUSE_MILLIS: u32 = 1_000;

/// The window over the page.
#[derive(Debug, Clone, PartialEq)]
enum Window {
    Nothing,
    Change(Option<NewCatalogSchedule>),
    Remove,
}

/// `on_tried` is told when a try that was asked for here has ended.
#[component]
pub(super) fn Schedule(on_tried: Callback<()>) -> impl IntoView {
    let workspace = use_workspace();
    let schedule = Loader::new(move || workspace.catalog_schedule());
    let open = RwSignal::new(Window::Nothing);
    let close = Callback::new(move |()| open.set(Window::Nothing));
    let changed = Callback::new(move |()| schedule.reload());
    let saved = Callback::new(move |saved: CatalogSchedule| {
        let before = saved.last_try.as_ref().map(|last| last.at);
        schedule.state.set(Load::Ready(saved));
        spawn_local(look_for_end(schedule, before, on_tried));
    });
    let window = move || match open.get() {
        Window::Nothing => ().into_any(),
        Window::Change(setting) => view! { <Change setting=setting on_saved=saved on_close=close/> }.into_any(),
        Window::Remove => {
            let question = Question {
                title: "Stop fetching catalogues?".to_owned(),
                text: "What is in force stays. Newer catalogues can still be brought in by hand.".to_owned(),
                action: "Stop",
                done: "No catalogue is fetched any more.".to_owned(),
            };
            confirm::ask(question, move || workspace.remove_catalog_schedule(), changed, close)
        }
    };
    let card = move |schedule: &CatalogSchedule| card(schedule, workspace, open, saved);
    // To those who may not see it the list below says so.
    let hidden = Memo::new(move |_| {
        let forbidden = |failure: &Failure| failure.code() == Some(ProblemCode::Forbidden);
        schedule
            .state
            .with(|state| matches!(state, Load::Failed(failure) if forbidden(failure)))
    });
    let shown = move || {
        (!hidden.get()).then(|| {
            view! { <section class="card" aria-label="Schedule">{loaded(schedule, Shape::Rows, card)}</section> }
        })
    };
    view! {
        {shown}
        {live(window)}
    }
    .into_any()
}

/// Fetches the schedule until another try has ended than the one of before.
async fn look_for_end(schedule: Loader<CatalogSchedule>, before: Option<DateTime<Utc>>, on_tried: Callback<()>) {
    for _ in 0..LOOKS {
        TimeoutFuture::new(PAUSE_MILLIS).await;
        let ended = schedule.state.try_with_untracked(|state| match state {
            Load::Ready(schedule) => schedule.last_try.as_ref().map(|last| last.at) != before,
            Load::Waiting | Load::Failed(_) => false,
        });
        match ended {
            // The page is gone.
            None => return,
            Some(true) => return tell(on_tried),
            Some(false) => schedule.reload(),
        }
    }
}

fn card(
    schedule: &CatalogSchedule,
    workspace: Workspace,
    open: RwSignal<Window>,
    saved: Callback<CatalogSchedule>,
) -> AnyView {
    let denial = workspace.denial(Permission::CatalogRefresh);
    let setting = schedule.setting.clone();
    let change = Callback::new({
        let setting = setting.clone();
        move |()| open.set(Window::Change(setting.clone()))
    });
    let Some(setting) = setting else {
        return view! {
            <header class="card-head">
                <div>
                    <h2>"Schedule"</h2>
                    <p class="muted small">"Newer catalogues are brought in by hand only."</p>
                </div>
                <div class="card-actions">
                    <Button label="Set a schedule" look=Look::Quiet glyph=Icon::Plus denial=denial on_press=change/>
                </div>
            </header>
        }
        .into_any();
    };
    let remove = Callback::new(move |()| open.set(Window::Remove));
    let about = format!("every {} · {}", setting.every, approval_text(setting.approval));
    let next = schedule.next_try_at.map(|at| {
        view! { <div><dt>"Next try"</dt><dd><Ago moment=at/></dd></div> }
    });
    view! {
        <header class="card-head">
            <div>
                <h2>"Schedule"</h2>
                <p class="muted small"><code>{setting.url.clone()}</code>" · "{about}</p>
            </div>
            <div class="card-actions">
                {try_now(setting, workspace, denial.clone(), saved)}
                <Button label="Change" look=Look::Quiet glyph=Icon::Pencil denial=denial.clone() on_press=change/>
                <Button label="Stop" look=Look::Quiet glyph=Icon::Trash denial=denial on_press=remove/>
            </div>
        </header>
        <dl class="facts">
            <div><dt>"Last try"</dt><dd>{last(schedule.last_try.as_ref())}</dd></div>
            {next}
        </dl>
        {schedule.last_try.as_ref().and_then(|last| last.error.clone()).map(|error| view! { <p class="notice notice-bad">{error}</p> })}
    }
    .into_any()
}

/// Setting what is set already asks for a try.
fn try_now(
    setting: NewCatalogSchedule,
    workspace: Workspace,
    denial: Option<String>,
    saved: Callback<CatalogSchedule>,
) -> AnyView {
    let form = Form::new("try");
    let toasts = use_toasts();
    let press = Callback::new(move |()| {
        let setting = setting.clone();
        let call = workspace.set_catalog_schedule(&setting);
        form.send(call, move |schedule| {
            toasts.done("The catalogue is being fetched.");
            let _left = saved.try_run(schedule);
        });
    });
    let busy = Signal::derive(move || form.busy());
    view! { <Button label="Try now" look=Look::Quiet glyph=Icon::Retry busy=busy denial=denial on_press=press/> }
        .into_any()
}

fn last(last: Option<&CatalogTry>) -> AnyView {
    let Some(last) = last else {
        return view! { <span class="muted">"none yet"</span> }.into_any();
    };
    let (tone, text) = match last.outcome {
        CatalogTryOutcome::Unchanged => (Tone::Neutral, "nothing new"),
        CatalogTryOutcome::Waiting => (Tone::Warning, "waits for approval"),
        CatalogTryOutcome::Approved => (Tone::Good, "put in force"),
        CatalogTryOutcome::Failed => (Tone::Bad, "failed"),
    };
    let version = last.version.clone().map(|version| view! { " " <code>{version}</code> });
    view! { <Ago moment=last.at/>" "<Badge tone=tone text=text/>{version} }.into_any()
}

const fn approval_text(approval: AutomaticApproval) -> &'static str {
    match approval {
        AutomaticApproval::Never => "each waits for an approval",
        AutomaticApproval::Additions => "additions are approved by themselves",
        AutomaticApproval::Always => "all are approved by themselves",
    }
}

#[component]
fn Change(
    setting: Option<NewCatalogSchedule>,
    on_saved: Callback<CatalogSchedule>,
    on_close: Callback<()>,
) -> impl IntoView {
    let workspace = use_workspace();
    let toasts = use_toasts();
    let form = Form::new("schedule");
    let before = setting.unwrap_or_else(|| NewCatalogSchedule {
        url: String::new(),
        every: HumanDuration::from_millis(24 * 60 * 60 * 1_000),
        approval: AutomaticApproval::Never,
    });
    let (url, every, approval) = (
        RwSignal::new(before.url),
        RwSignal::new(before.every.to_string()),
        RwSignal::new(before.approval.as_str().to_owned()),
    );
    let choices: Vec<_> = [
        (AutomaticApproval::Never, "Nothing: each waits for a person"),
        (AutomaticApproval::Additions, "What only adds models and aliases"),
        (AutomaticApproval::Always, "Everything that is not older"),
    ]
    .map(|(approval, title)| (approval.as_str().to_owned(), title.to_owned()))
    .into();
    let submit = Callback::new(move |()| {
        form.clear();
        let (url, every) = (form.text("url", url), form.parse("every", every));
        let chosen = approval.get_untracked();
        let approval = AutomaticApproval::ALL.iter().find(|known| known.as_str() == chosen);
        let (Some(url), Some(every), Some(approval)) = (url, every, approval) else {
            return;
        };
        let new = NewCatalogSchedule {
            url: url.trim().to_owned(),
            every,
            approval: *approval,
        };
        let call = workspace.set_catalog_schedule(&new);
        form.send(call, move |schedule| {
            toasts.done("The schedule is set. The first try is made now.");
            let _left = on_saved.try_run(schedule);
            tell(on_close);
        });
    });
    view! {
        <Dialog title="Schedule" frame=Frame::Middle on_close=on_close>
            <FormFrame form=form submit="Save" on_submit=submit on_cancel=on_close>
                <TextField
                    form=form
                    name="url"
                    label="Address"
                    value=url
                    input=Input::Code
                    placeholder="https://catalogue.example.com/models.json"
                    hint="Its signature is fetched from the same address with .sig at the end."
                />
                <TextField form=form name="every" label="Every" value=every hint="From 5m to 30d: 6h, 1d."/>
                <SelectField
                    form=form
                    name="approval"
                    label="Approved by itself"
                    value=approval
                    options=choices
                    hint="A catalogue that changes a price or takes something away is no addition."
                />
            </FormFrame>
        </Dialog>
    }
    .into_any()
}
