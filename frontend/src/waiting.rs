//! How many requests for more of a budget wait for somebody who may decide them.

use gatewright_types::api::{BudgetRequestQuery, BudgetRequestState};
use gatewright_types::{PageQuery, Permission};
use leptos::prelude::*;

use crate::load::{Load, Loader};
use crate::session::Session;

/// The count beside a link in the navigation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting(Loader<usize>);

impl Waiting {
    /// Makes the count available to everything below. It is taken anew in another organization.
    pub(crate) fn provide(session: Session) -> Self {
        let workspace = session.workspace();
        let place = Memo::new(move |_| (workspace.name(), workspace.role()));
        let waiting = Self(Loader::new(move || {
            place.track();
            let may = workspace.can(Permission::BudgetsWrite);
            let query = BudgetRequestQuery {
                limit: Some(PageQuery::LONGEST),
                state: Some(BudgetRequestState::Open),
                ..BudgetRequestQuery::default()
            };
            Box::pin(async move {
                match may {
                    true => workspace.budget_requests(&query).await.map(|page| page.items.len()),
                    false => Ok(0),
                }
            })
        }));
        provide_context(waiting);
        waiting
    }

    /// Zero while it is not known.
    pub(crate) fn count(self) -> usize {
        self.0.state.with(|state| match state {
            Load::Ready(count) => *count,
            Load::Waiting | Load::Failed(_) => 0,
        })
    }

    pub(crate) fn look_again(self) {
        self.0.reload();
    }
}

pub(crate) fn use_waiting() -> Waiting {
    expect_context()
}
