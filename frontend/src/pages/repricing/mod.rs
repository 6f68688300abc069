//! Repricing: requests of the past at the prices that are known now. Runs, how far they are, and beginning one.

mod form;
mod run;

use gatewright_types::api::{Reprice, RepriceState};
use gatewright_types::{Permission, RepriceId};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;

use self::form::new_run;
use self::run::{range, run_dialog, state};
use super::address::Noted;
use crate::components::button::{Button, IconButton, Look};
use crate::components::header::PageHeader;
use crate::components::icon::Icon;
use crate::components::live::live;
use crate::components::moment::Ago;
use crate::components::state::{Shape, empty, listed};
use crate::components::table::table;
use crate::format;
use crate::load::{List, Load};
use crate::session::{Workspace, use_workspace};

const LOOK_AGAIN_MILLIS: u32 = 1_000;

/// What the page knows of runs. One runs at a time in an organization.
#[derive(Clone, Copy)]
struct Runs {
    workspace: Workspace,
    list: List<Reprice>,
    /// The one that was seen running, as it is by now.
    live: RwSignal<Option<Reprice>>,
    followed: RwSignal<String>,
    /// The one that is shown in full stands in the address.
    opened: Noted,
    forming: RwSignal<bool>,
    /// What the form is filled in like.
    like: RwSignal<Option<Reprice>>,
}

#[component]
pub(crate) fn Repricing() -> impl IntoView {
    let workspace = use_workspace();
    let runs = Runs {
        workspace,
        list: List::new(move |cursor| workspace.reprices(cursor)),
        live: RwSignal::new(None),
        followed: RwSignal::new(String::new()),
        opened: Noted::new("run"),
        forming: RwSignal::new(false),
        like: RwSignal::new(None),
    };
    Effect::new(move |_| {
        let running = runs.list.state.with(|state| match state {
            Load::Ready(items) => items
                .iter()
                .find(|run| run.state == RepriceState::Running)
                .map(|run| run.id),
            Load::Waiting | Load::Failed(_) => None,
        });
        if let Some(id) = running {
            runs.follow(id);
        }
    });
    let denial = workspace.denial(Permission::LedgerWrite);
    let create = Callback::new(move |()| runs.form(None));
    let none = {
        let denial = denial.clone();
        move || {
            let text = "When a price was wrong or came late, price the requests of then anew: a dry run shows what that \
                        comes to before anything is added.";
            let action = Some(("Reprice requests", denial.clone(), create));
            empty(Icon::Cheapest, "Nothing was repriced yet", text, action)
        }
    };
    let rows = move |items: &[Reprice]| {
        let rows = items.iter().map(|run| row(run, runs)).collect_view().into_any();
        table(
            "Runs",
            &["Requests of", "Why", "Looked at", "Difference", "State"],
            rows,
        )
    };
    let window = move || match (runs.forming.get(), runs.opened.value().parse().ok()) {
        (true, _) => new_run(runs),
        (false, Some(id)) => run_dialog(id, runs),
        (false, None) => ().into_any(),
    };
    view! {
        <PageHeader title="Repricing" about="Prices requests of the past anew. What was charged stays; the difference is added beside it.">
            <IconButton label="Refresh" glyph=Icon::Retry on_press=Callback::new(move |()| runs.list.reload())/>
            <Button label="Reprice requests" look=Look::Primary glyph=Icon::Plus denial=denial on_press=create/>
        </PageHeader>
        {listed(runs.list, Shape::Rows, none, rows)}
        {live(window)}
    }
    .into_any()
}

impl Runs {
    /// As far as it is known by now.
    fn latest(self, run: &Reprice) -> Reprice {
        let live = self.live.get();
        live.filter(|live| live.id == run.id).unwrap_or_else(|| run.clone())
    }

    /// Opens the form.
    fn form(self, like: Option<Reprice>) {
        self.like.set(like);
        self.forming.set(true);
    }

    /// Shows one that was begun just now.
    fn begun(self, run: &Reprice) {
        if self.forming.try_set(false).is_some() {
            // The page is gone, and the address another's.
            return;
        }
        self.opened.choose(&run.id.to_string());
        self.list.reload();
        self.follow(run.id);
    }

    /// Asks how far a run is until it is over or the page is gone.
    fn follow(self, id: RepriceId) {
        let this = id.to_string();
        if self.followed.with_untracked(|followed| *followed == this) {
            return;
        }
        self.followed.set(this.clone());
        spawn_local(async move {
            loop {
                TimeoutFuture::new(LOOK_AGAIN_MILLIS).await;
                if self.followed.try_get_untracked().as_ref() != Some(&this) {
                    return;
                }
                // One that cannot be asked about now is asked about again.
                let Ok(run) = self.workspace.reprice(id).await else {
                    continue;
                };
                let over = run.state != RepriceState::Running;
                if self.live.try_set(Some(run)).is_some() {
                    return;
                }
                if over {
                    self.list.reload();
                    return;
                }
            }
        });
    }
}

fn row(run: &Reprice, runs: Runs) -> AnyView {
    let id = run.id;
    let open = move |_| runs.opened.choose(&id.to_string());
    let first = StoredValue::new(run.clone());
    let cell = move |of: fn(&Reprice) -> AnyView| live(move || of(&runs.latest(&first.get_value())));
    view! {
        <tr class="is-link" on:click=open>
            <th scope="row" data-label="Requests of">
                <button type="button" class="link-button cell-title" title="Show the details">{range(run.from, run.to)}</button>
                <span class="cell-note">{only(run)}</span>
            </th>
            <td data-label="Why">
                {run.reason.clone()}
                <span class="cell-note">{run.created_by.clone()}", "<Ago moment=run.created_at/></span>
            </td>
            <td data-label="Looked at" class="number">
                {cell(looked_at)}
            </td>
            <td data-label="Difference" class="number">
                {cell(difference)}
            </td>
            <td data-label="State">{cell(state)}</td>
        </tr>
    }
    .into_any()
}

fn looked_at(run: &Reprice) -> AnyView {
    let changed = format!("{} cost something else", format::count(run.sums.changed));
    view! { {format::count(run.sums.requests)}<span class="cell-note">{changed}</span> }.into_any()
}

fn difference(run: &Reprice) -> AnyView {
    format::difference(run.sums.after.saturating_sub(run.sums.before)).into_any()
}

/// Which requests of the range.
fn only(run: &Reprice) -> String {
    match (&run.provider, &run.model) {
        (None, None) => "all providers".to_owned(),
        (Some(provider), None) => provider.to_string(),
        (None, Some(model)) => model.to_string(),
        (Some(provider), Some(model)) => format!("{provider}/{model}"),
    }
}
