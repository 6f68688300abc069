//! How far the canaries of a model are: the candidate's part, what both sides did with theirs, and the three things a
//! person can do about it.

use gatewright_types::api::{CanaryNumbers, CanaryPlace, CanaryProgress, CanaryState};
use gatewright_types::{ModelId, Permission};
use leptos::prelude::*;

use crate::api::CanaryMove;
use crate::components::badge::{Badge, Tone};
use crate::components::button::{Button, Look};
use crate::components::confirm::{Question, ask};
use crate::components::moment::Ago;
use crate::components::state::{Shape, loaded};
use crate::components::table::table;
use crate::format;
use crate::load::Loader;
use crate::session::{Workspace, use_workspace};

/// A move that is asked about.
type Asked = RwSignal<Option<(CanaryMove, CanaryPlace)>>;

#[component]
pub(super) fn Canaries(model: ModelId) -> impl IntoView {
    let workspace = use_workspace();
    let canaries = Loader::items(move || workspace.canaries(model));
    let asked: Asked = RwSignal::new(None);
    let changed = Callback::new(move |()| canaries.reload());
    let close = Callback::new(move |()| asked.set(None));
    let window = move || {
        asked
            .get()
            .map(|(step, place)| question(step, place, workspace, model, changed, close))
    };
    let cards = move |canaries: &Vec<CanaryProgress>| {
        canaries
            .iter()
            .map(|canary| card(canary, workspace, asked))
            .collect_view()
            .into_any()
    };
    view! {
        <section class="card" aria-label="Canary">
            <h2>"Canary"</h2>
            {loaded(canaries, Shape::Rows, cards)}
        </section>
        {window}
    }
    .into_any()
}

fn card(canary: &CanaryProgress, workspace: Workspace, asked: Asked) -> AnyView {
    let (tone, word) = told(canary.state);
    let step = canary
        .next_step_at
        .map(|at| view! { <span class="cell-note">"grows "<Ago moment=at/></span> });
    let reason = canary
        .reason
        .clone()
        .map(|reason| view! { <p class="canary-reason">{reason}</p> });
    let percent = canary.percent;
    let sides = [("Stable", canary.stable), ("Candidate", canary.candidate)];
    let rows = sides.map(|(name, numbers)| row(name, numbers)).collect_view();
    let columns = ["Side", "Requests", "Failed", "First token", "Mean cost"];
    view! {
        <article class="canary">
            <header class="card-head">
                <div>
                    <code class="cell-title">{canary.place.clone()}</code>
                    " "
                    <Badge tone=tone text=word/>
                    <span class="cell-note">"since "<Ago moment=canary.since/></span>
                    {step}
                </div>
                <div class="card-actions">{actions(canary, workspace, asked)}</div>
            </header>
            <div
                class="canary-part"
                role="meter"
                aria-label="The candidate's part"
                aria-valuemin="0"
                aria-valuemax="100"
                aria-valuenow=percent.to_string()
            >
                <span style:width=format!("{percent}%")></span>
            </div>
            <p class="muted small">{format!("{percent} % of the requests go to the candidate")}</p>
            {reason}
            {table("What both sides did", &columns, rows.into_any())}
        </article>
    }
    .into_any()
}

fn actions(canary: &CanaryProgress, workspace: Workspace, asked: Asked) -> AnyView {
    let possible: &[(&str, CanaryMove)] = match canary.state {
        CanaryState::RolledBack | CanaryState::Done => &[("Begin anew", CanaryMove::Restart)],
        CanaryState::Ramping | CanaryState::Holding => {
            &[("Promote", CanaryMove::Promote), ("Roll back", CanaryMove::Rollback)]
        }
    };
    let denial = workspace.denial(Permission::ModelsWrite);
    let buttons = possible.iter().map(|(label, step)| {
        let (label, step) = (*label, *step);
        let place = CanaryPlace {
            place: canary.place.clone(),
        };
        let press = Callback::new(move |()| asked.set(Some((step, place.clone()))));
        view! { <Button label=label look=Look::Quiet denial=denial.clone() on_press=press/> }
    });
    buttons.collect_view().into_any()
}

fn row(name: &'static str, numbers: CanaryNumbers) -> AnyView {
    let unknown = || "–".to_owned();
    let latency = numbers.latency_ms.map_or_else(unknown, format::millis);
    let cost = numbers.cost.map_or_else(unknown, |cost| format::money(cost.amount));
    view! {
        <tr>
            <th scope="row" data-label="Side">{name}</th>
            <td data-label="Requests" class="number">{format::count(numbers.requests)}</td>
            <td data-label="Failed" class="number">{format::share(numbers.failed, numbers.requests)}</td>
            <td data-label="First token" class="number">{latency}</td>
            <td data-label="Mean cost" class="number">{cost}</td>
        </tr>
    }
    .into_any()
}

const fn told(state: CanaryState) -> (Tone, &'static str) {
    match state {
        CanaryState::Ramping => (Tone::Accent, "growing"),
        CanaryState::Holding => (Tone::Neutral, "holding"),
        CanaryState::Done => (Tone::Good, "done"),
        CanaryState::RolledBack => (Tone::Bad, "rolled back"),
    }
}

fn question(
    step: CanaryMove,
    place: CanaryPlace,
    workspace: Workspace,
    model: ModelId,
    changed: Callback<()>,
    close: Callback<()>,
) -> AnyView {
    let (title, text, action, done) = match step {
        CanaryMove::Promote => (
            "Promote the candidate?",
            "From now on all of the canary's requests go to the candidate.",
            "Promote",
            "The candidate gets everything.",
        ),
        CanaryMove::Rollback => (
            "Roll the candidate back?",
            "From now on all of the canary's requests go to the stable route.",
            "Roll back",
            "The candidate gets nothing.",
        ),
        CanaryMove::Restart => (
            "Begin the canary anew?",
            "The candidate gets the part that the route is written with, and the numbers begin at nothing.",
            "Begin anew",
            "The canary has begun anew.",
        ),
    };
    let question = Question {
        title: title.to_owned(),
        text: text.to_owned(),
        action,
        done: done.to_owned(),
    };
    let call = move || {
        let place = place.clone();
        workspace.move_canary(model, step, &place)
    };
    ask(question, call, changed, close)
}
