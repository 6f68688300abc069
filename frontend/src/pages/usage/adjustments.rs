//! What was added to a request's cost after it ran.

use gatewright_types::api::{UsageAdjustment, UsageRow};
use leptos::prelude::*;

use crate::components::moment::Exact;
use crate::components::table::table;
use crate::format;
use crate::place::Section;
use crate::session::use_workspace;

/// Nothing of a request that was never priced anew.
pub(super) fn adjustments(row: &UsageRow) -> Option<AnyView> {
    if row.adjustments.is_empty() {
        return None;
    }
    let charged = row
        .cost
        .map_or_else(|| "unpriced".to_owned(), |cost| format::money(cost.amount));
    let rows = row.adjustments.iter().map(adjustment).collect_view().into_any();
    Some(
        view! {
            <p class="total"><span>"As charged"</span><span>{charged}</span></p>
            <h3>"Priced anew"</h3>
            {table("Priced anew", &["When and why", "Prices", "Difference", "Cost"], rows)}
        }
        .into_any(),
    )
}

fn adjustment(adjustment: &UsageAdjustment) -> AnyView {
    let href = format!(
        "{}?run={}",
        use_workspace().href(Section::Repricing),
        adjustment.reprice
    );
    let by = adjustment.created_by.as_ref().map(|by| format!("by {by}"));
    view! {
        <tr>
            <th scope="row" data-label="When and why">
                <a href=href><Exact moment=adjustment.at/></a>
                <span class="cell-note">{adjustment.reason.clone()}</span>
                <span class="cell-note">{by}</span>
            </th>
            <td data-label="Prices">
                {versions(&adjustment.price_versions)}
                <span class="cell-note">"before: "{versions(&adjustment.price_versions_before)}</span>
            </td>
            <td data-label="Difference" class="number">{format::difference(adjustment.difference.amount)}</td>
            <td data-label="Cost" class="number">{format::money(adjustment.cost.amount)}</td>
        </tr>
    }
    .into_any()
}

fn versions(versions: &[String]) -> String {
    if versions.is_empty() {
        return "none".to_owned();
    }
    let versions: Vec<_> = versions.iter().map(|version| format::price_version(version)).collect();
    versions.join(", ")
}
