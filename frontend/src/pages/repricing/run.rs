//! One run: how far it is, what it comes to, what it leaves alone, and what can be done about it.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use gatewright_types::api::{LeftAlone, NewReprice, Reprice, RepricePart, RepriceState};
use gatewright_types::{Nanos, Page, Permission, RepriceId};
use leptos::prelude::*;

use super::{Runs, only};
use crate::components::badge::{Badge, Tone};
use crate::components::button::{Button, Look};
use crate::components::dialog::{Dialog, Frame};
use crate::components::form::FormMessage;
use crate::components::icon::Icon;
use crate::components::live::live;
use crate::components::moment::Exact;
use crate::components::stat::Stat;
use crate::components::state::{Shape, listed};
use crate::components::table::table;
use crate::form::Form;
use crate::format;
use crate::load::List;

/// As many parts as a run tells apart.
const SHOWN: usize = 200;

pub(super) fn run_dialog(id: RepriceId, runs: Runs) -> AnyView {
    let workspace = runs.workspace;
    // A list of one: for lists of runs everything is on the page already.
    let run = List::new(move |_| {
        Box::pin(async move {
            let items = vec![workspace.reprice(id).await?];
            let next_cursor = None;
            Ok(Page { items, next_cursor })
        })
    });
    let close = Callback::new(move |()| runs.opened.choose(""));
    let none = || ().into_any();
    let ready = move |items: &[Reprice]| items.first().map(|run| content(run, runs)).into_any();
    view! {
        <Dialog title="Repricing run" frame=Frame::Wide on_close=close>
            {listed(run, Shape::Rows, none, ready)}
        </Dialog>
    }
    .into_any()
}

fn content(run: &Reprice, runs: Runs) -> AnyView {
    if run.state == RepriceState::Running {
        runs.follow(run.id);
    }
    let first = StoredValue::new(run.clone());
    let latest = move || runs.latest(&first.get_value());
    // What is pressed stays where it is while numbers change.
    let state = Memo::new(move |_| latest().state);
    let form = Form::new("run");
    let part = move |of: fn(&Reprice) -> AnyView| live(move || of(&latest()));
    let actions = live(move || actions(state.get(), &untrack(latest), form, runs));
    view! {
        <div class="drawer-lead" role="status">{part(lead)}</div>
        {part(sums)}
        {facts(run)}
        {part(failure)}
        {part(parts)}
        <FormMessage form=form/>
        {actions}
    }
    .into_any()
}

fn lead(run: &Reprice) -> AnyView {
    view! { {state(run)}<p class="muted">{verdict(run)}</p> }.into_any()
}

fn failure(run: &Reprice) -> AnyView {
    let why = run.failure.as_ref();
    why.map(|why| view! { <p class="notice notice-warning">{format::heading(why)}"."</p> })
        .into_any()
}

/// What it means, in a sentence.
fn verdict(run: &Reprice) -> &'static str {
    match (run.state, run.dry_run, run.sums.changed > 0) {
        (RepriceState::Running, true, _) => "Nothing is changed; it only adds up what would be.",
        (RepriceState::Running, false, _) => "It goes on when this window is closed.",
        (RepriceState::Done, true, false) => "All of them cost what they cost by now: there is nothing to add.",
        (RepriceState::Done, false, false) => "There was nothing to add.",
        (RepriceState::Done, true, true) => "Nothing is changed yet.",
        (RepriceState::Done, false, true) => "The difference is added wherever these requests count.",
        (RepriceState::Failed | RepriceState::Cancelled, true, _) => "Nothing was changed.",
        (RepriceState::Failed | RepriceState::Cancelled, false, _) => {
            "What it added stays; another run goes on from there."
        }
    }
}

fn sums(run: &Reprice) -> AnyView {
    let sums = &run.sums;
    let requests = format!("of {}", requests(sums.requests));
    let left_alone = match sums.unpriceable {
        0 => "none is left alone".to_owned(),
        some => format!("{} left alone", format::count(some)),
    };
    let difference = format::difference(sums.after.saturating_sub(sums.before));
    let (before, after) = (format::money(sums.before), format::money(sums.after));
    view! {
        <div class="stats stats-three" role="group" aria-label="What it comes to">
            <Stat label="Difference" value=difference about=format!("{before} before, {after} after") course=Vec::new()/>
            <Stat label="Changed" value=format::count(sums.changed) about=requests course=Vec::new()/>
            <Stat label="Looked at" value=format!("{}%", run.percent()) about=left_alone course=Vec::new()/>
        </div>
    }
    .into_any()
}

fn facts(run: &Reprice) -> AnyView {
    let fact = |name: &'static str, value: AnyView| view! { <div><dt>{name}</dt><dd>{value}</dd></div> };
    let prices = match run.priced_at {
        None => "those in force when each request began".to_owned(),
        Some(at) => format!("those in force on {}", moment(at)),
    };
    view! {
        <dl class="facts">
            {fact("Requests of", format!("{}, {}", range(run.from, run.to), only(run)).into_any())}
            {fact("Prices", prices.into_any())}
            {fact("Why", run.reason.clone().into_any())}
            {fact("Begun", view! { <Exact moment=run.created_at/>" by "{run.created_by.clone()} }.into_any())}
        </dl>
    }
    .into_any()
}

fn parts(run: &Reprice) -> AnyView {
    let mut priced: Vec<&RepricePart> = Vec::new();
    let mut left: Vec<&RepricePart> = Vec::new();
    for part in &run.sums.parts {
        let of = if part.price_version.is_some() {
            &mut priced
        } else {
            &mut left
        };
        of.push(part);
    }
    let difference = |part: &RepricePart| part.after.saturating_sub(part.before);
    priced.sort_by_key(|part| std::cmp::Reverse(difference(part).get().unsigned_abs()));
    let section = |title: &'static str, columns: &[&'static str], parts: &[&RepricePart]| {
        let rows = parts.iter().map(|part| row(part, difference(part))).collect_view();
        (!parts.is_empty()).then(|| {
            view! {
                <h3>{title}</h3>
                {table(title, columns, rows.into_any())}
            }
        })
    };
    let cut = (run.sums.parts.len() >= SHOWN)
        .then(|| view! { <p class="muted small">"The first 200 are told apart; the sums above are of all."</p> });
    view! {
        {section("Priced anew", &["Model", "Requests", "Before", "After", "Difference"], &priced)}
        {section("Left alone", &["Model", "Requests", "Cost"], &left)}
        {cut}
    }
    .into_any()
}

fn row(part: &RepricePart, difference: Nanos) -> AnyView {
    let model = part.model.as_ref().map_or("no known model", |model| model.as_str());
    let about = match &part.price_version {
        Some(version) => format::price_version(version),
        None => part.left_alone.unwrap_or(LeftAlone::NoPrice).about().to_owned(),
    };
    let change = part.price_version.is_some().then(|| {
        view! {
            <td data-label="After" class="number">{format::money(part.after)}</td>
            <td data-label="Difference" class="number"><strong>{format::difference(difference)}</strong></td>
        }
    });
    view! {
        <tr>
            <th scope="row" data-label="Model">
                <code class="cell-title">{format!("{}/{model}", part.provider)}</code>
                <span class="cell-note">{about}</span>
            </th>
            <td data-label="Requests" class="number">{format::count(part.requests)}</td>
            <td data-label=if change.is_some() { "Before" } else { "Cost" } class="number">{format::money(part.before)}</td>
            {change}
        </tr>
    }
    .into_any()
}

fn actions(state: RepriceState, run: &Reprice, form: Form, runs: Runs) -> AnyView {
    let (id, workspace) = (run.id, runs.workspace);
    let denial = workspace.denial(Permission::LedgerWrite);
    let busy = Signal::derive(move || form.busy());
    let again = run.clone();
    let again = Callback::new(move |()| runs.form(Some(again.clone())));
    let cancel = Callback::new(move |()| {
        form.clear();
        form.send(workspace.cancel_reprice(id), move |run: Reprice| {
            // The page may be gone.
            let _gone = runs.live.try_set(Some(run));
            runs.list.reload();
        });
    });
    let as_told = NewReprice {
        from: run.from,
        to: run.to,
        provider: run.provider.clone(),
        model: run.model.clone(),
        priced_at: run.priced_at,
        reason: run.reason.clone(),
        dry_run: false,
        as_told_by: Some(id),
    };
    let apply = Callback::new(move |()| {
        form.clear();
        form.send(workspace.begin_reprice(&as_told), move |run: Reprice| runs.begun(&run));
    });
    let buttons = match (state, run.dry_run) {
        (RepriceState::Running, _) => {
            view! { <Button label="Cancel run" busy=busy denial=denial on_press=cancel/> }.into_any()
        }
        (RepriceState::Done, true) if run.sums.changed > 0 => view! {
            <Button label="Change" look=Look::Quiet denial=denial.clone() on_press=again/>
            <Button label="Add the difference" look=Look::Primary glyph=Icon::Check busy=busy denial=denial on_press=apply/>
        }
        .into_any(),
        (RepriceState::Done, false) => ().into_any(),
        _ => view! { <Button label="Dry run again" denial=denial on_press=again/> }.into_any(),
    };
    view! { <div class="form-actions">{buttons}</div> }.into_any()
}

/// A word for it, and a bar while it runs.
pub(super) fn state(run: &Reprice) -> AnyView {
    let (tone, word) = match run.state {
        RepriceState::Running => (Tone::Accent, "running"),
        RepriceState::Done => (Tone::Good, "done"),
        RepriceState::Failed => (Tone::Bad, "failed"),
        RepriceState::Cancelled => (Tone::Neutral, "cancelled"),
    };
    let dry_run = run
        .dry_run
        .then(|| view! { <Badge tone=Tone::Neutral text="dry run"/>" " });
    let bar = (run.state == RepriceState::Running).then(|| {
        let percent = format!("{}%", run.percent());
        let said = format!("{percent} looked at");
        view! {
            <div class="meter" role="img" aria-label=said>
                <span class="meter-spent" style:width=percent></span>
            </div>
        }
    });
    view! { {dry_run}<Badge tone=tone text=word/>{bar} }.into_any()
}

fn requests(count: u64) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} request{ending}", format::count(count))
}

/// `1 Nov 2026 – 30 Nov 2026`, in UTC; the end of a day is told by that day.
pub(super) fn range(from: DateTime<Utc>, to: DateTime<Utc>) -> String {
    let until = if to.time() == NaiveTime::MIN {
        to - TimeDelta::days(1)
    } else {
        to
    };
    format!("{} – {}", moment(from), moment(until))
}

fn moment(moment: DateTime<Utc>) -> String {
    let pattern = if moment.time() == NaiveTime::MIN {
        "%-d %b %Y"
    } else {
        "%-d %b %Y, %H:%M"
    };
    moment.format(pattern).to_string()
}
