//! What was told of a budget: each percentage of it that was reached, once in a window.

use gatewright_types::api::{Budget, BudgetAlert};
use leptos::prelude::*;

use crate::components::badge::{Badge, Tone};
use crate::components::moment::{Ago, Exact};
use crate::components::state::{Shape, loaded};
use crate::components::table::table;
use crate::format;
use crate::load::Loader;
use crate::session::Workspace;

pub(super) fn alerts(budget: &Budget, workspace: Workspace) -> AnyView {
    let (id, is_for_each) = (budget.id, budget.scope.is_for_each());
    let alerts = Loader::items(move || workspace.budget_alerts(id));
    loaded(alerts, Shape::Rows, move |alerts| {
        if alerts.is_empty() {
            return view! { <p class="muted">"None of its percentages was reached so far."</p> }.into_any();
        }
        let columns: &[&str] = match is_for_each {
            true => &["Reached", "By", "Spent", "Window", "When"],
            false => &["Reached", "Spent", "Window", "When"],
        };
        let rows = alerts.iter().map(|alert| row(alert, is_for_each)).collect_view();
        table("Alerts", columns, rows.into_any())
    })
}

fn row(alert: &BudgetAlert, is_for_each: bool) -> AnyView {
    let tone = if alert.step >= 100 { Tone::Bad } else { Tone::Warning };
    let by = is_for_each.then(|| {
        let name = alert.name.as_ref().map(ToString::to_string).unwrap_or_default();
        view! { <td data-label="By">{name}</td> }
    });
    let window = match alert.from {
        Some(from) => view! { "since "<Exact moment=from/> }.into_any(),
        None => "the only one".into_any(),
    };
    let spent = format!("{} of {}", format::money(alert.spent), format::money(alert.cap));
    view! {
        <tr>
            <th scope="row" data-label="Reached"><Badge tone=tone text=format!("{}%", alert.step)/></th>
            {by}
            <td data-label="Spent">{spent}</td>
            <td data-label="Window">{window}</td>
            <td data-label="When"><Ago moment=alert.at/></td>
        </tr>
    }
    .into_any()
}
