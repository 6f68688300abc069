//! The pages, one file per resource, named like the resource everywhere else.

pub(crate) mod account;
mod address;
pub(crate) mod audit;
pub(crate) mod budgets;
pub(crate) mod catalog;
pub(crate) mod chargeback;
mod choices;
mod decision;
pub(crate) mod invitations;
pub(crate) mod keys;
pub(crate) mod limits;
pub(crate) mod members;
pub(crate) mod models;
pub(crate) mod organizations;
pub(crate) mod overview;
mod prices;
pub(crate) mod providers;
mod range;
pub(crate) mod repricing;
mod scope;
pub(crate) mod setup;
pub(crate) mod sign_in;
mod tags;
pub(crate) mod teams;
mod timeouts;
pub(crate) mod tokens;
pub(crate) mod usage;
mod welcome;

use leptos::prelude::*;

use crate::components::header::PageHeader;
use crate::components::icon::{Icon, icon};
use crate::components::state::forbidden;
use crate::place::Section;

/// An address that leads nowhere, or to an organization the person does not belong to.
pub(crate) fn nowhere() -> AnyView {
    view! {
        <PageHeader title="Not found"/>
        <div class="panel">
            <span class="panel-icon">{icon(Icon::Inbox)}</span>
            <h2>"There is nothing here"</h2>
            <p>"The page does not exist, or it belongs to an organization you are not a member of."</p>
            <a class="button" href="/">"Go to the overview"</a>
        </div>
    }
    .into_any()
}

/// A page the person's role does not open.
pub(crate) fn closed(section: Section, reason: String) -> AnyView {
    view! {
        <PageHeader title=section.title()/>
        {forbidden(reason)}
    }
    .into_any()
}
