//! A month's report: the whole of it, and its rows.

use gatewright_types::Money;
use gatewright_types::Nanos;
use gatewright_types::api::{Chargeback, ChargebackBy, ChargebackKind, ChargebackRow, SharedCost};
use leptos::prelude::*;

use super::{BY, month_title};
use crate::components::badge::{Badge, Tone};
use crate::components::moment::{Exact, local};
use crate::components::stat::Stat;
use crate::components::table::table;
use crate::format;

/// What the whole month came to, and what has to be known about it.
pub(super) fn head(report: &Chargeback) -> AnyView {
    let sums = &report.sums;
    let tokens = sums.input_tokens.saturating_add(sums.output_tokens);
    let notices = notices(report).into_iter();
    let notices = notices
        .map(|text| view! { <p class="notice notice-warning">{text}</p> })
        .collect_view();
    let locked = report.lock.as_ref().map(|lock| {
        view! {
            <p class="muted">
                <Badge tone=Tone::Good text="locked"/>" since "<Exact moment=lock.at/>" by "{lock.by.clone()}
                ". Its reports stay as they are."
            </p>
        }
    });
    let unpriced = match sums.unpriced {
        0 => "all of them have a price".to_owned(),
        unpriced => format!("{} without a price", format::count(unpriced)),
    };
    view! {
        {locked}
        {notices}
        <div class="stats stats-three" role="group" aria-label=month_title(report.month)>
            <Stat label="Total" value=money(sums.total) about=shared_words(report.shared_cost).to_owned() course=Vec::new()/>
            <Stat label="Requests" value=format::count(sums.requests) about=unpriced course=Vec::new()/>
            <Stat label="Tokens" value=format::compact(tokens as f64)
                about=format!("{} in, {} out", format::compact(sums.input_tokens as f64), format::compact(sums.output_tokens as f64))
                course=Vec::new()/>
        </div>
    }
    .into_any()
}

fn notices(report: &Chargeback) -> Vec<String> {
    let mut notices = Vec::new();
    if let Some(before) = report.missing_before {
        let before = format::exact(local(before));
        notices.push(format!(
            "Requests before {before} are no longer kept, and are missing here."
        ));
    }
    let late = report.lock.as_ref().map_or(0, |lock| lock.late_requests);
    if late > 0 {
        let late = format::count(late);
        notices.push(format!(
            "{late} requests came in after it was locked. They are corrections in the months in which they came in."
        ));
    }
    notices
}

const fn shared_words(shared: SharedCost) -> &'static str {
    match shared {
        SharedCost::Separate => "what is nobody's own is told by itself",
        SharedCost::Proportional => "what is nobody's own is borne by the others, in proportion",
        SharedCost::Even => "what is nobody's own is borne by the others, all alike",
    }
}

pub(super) fn rows(items: &[ChargebackRow], report: Option<&Chargeback>) -> AnyView {
    let by = report.map(|report| report.by).unwrap_or_default();
    let title = BY
        .into_iter()
        .find(|(one, _)| *one == by)
        .map_or("Who", |(_, title)| title);
    let rows = items.iter().map(|row| view_of(row, title, by)).collect_view();
    table(
        "Who bears it",
        &[title, "Requests", "Tokens", "Its own", "Shared", "Total"],
        rows.into_any(),
    )
}

fn view_of(row: &ChargebackRow, title: &'static str, by: ChargebackBy) -> AnyView {
    let sums = &row.sums;
    let tokens = sums.input_tokens.saturating_add(sums.output_tokens);
    let unpriced = (sums.unpriced > 0).then(
        || view! { <span class="cell-note">{format!("{} without a price", format::count(sums.unpriced))}</span> },
    );
    view! {
        <tr>
            <th scope="row" data-label=title>{name(row, by)}</th>
            <td data-label="Requests">{format::count(sums.requests)}{unpriced}</td>
            <td data-label="Tokens">{format::compact(tokens as f64)}</td>
            <td data-label="Its own">{money(sums.direct)}</td>
            <td data-label="Shared">{money(sums.shared)}</td>
            <td data-label="Total"><strong>{money(sums.total)}</strong></td>
        </tr>
    }
    .into_any()
}

fn name(row: &ChargebackRow, by: ChargebackBy) -> AnyView {
    let known = row.name.clone().or_else(|| row.subject.clone());
    let (text, about) = match row.kind {
        ChargebackKind::Own => (known.unwrap_or_default(), None),
        ChargebackKind::Rest => ("All others".to_owned(), Some("the smallest of very many")),
        ChargebackKind::Shared => (
            known.unwrap_or_else(|| "Shared teams".to_owned()),
            Some("works for all others"),
        ),
        ChargebackKind::Unassigned => {
            let text = match by {
                ChargebackBy::CostCentre => "No cost centre",
                ChargebackBy::Team => "No team",
                ChargebackBy::Tag => "Without the tag",
                ChargebackBy::User => "No owner",
                ChargebackBy::Customer => "No end user",
            };
            (text.to_owned(), None)
        }
    };
    let about = about.map(|about| view! { <span class="cell-note">{about}</span> });
    view! { <span class="cell-title">{text}</span>{about} }.into_any()
}

/// What is borne by others is below zero.
fn money(money: Money) -> String {
    match money.amount < Nanos::ZERO {
        true => format!("−{}", format::money(Nanos::ZERO.saturating_sub(money.amount))),
        false => format::money(money.amount),
    }
}
