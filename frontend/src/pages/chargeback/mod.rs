//! Chargeback: what a month came to, who bears it, and keeping it as it is.

mod lock;
mod report;

use gatewright_types::api::{Chargeback, ChargebackBy, ChargebackMonth, ChargebackQuery, ChargebackRow};
use gatewright_types::{Month, Page, PageQuery};
use leptos::prelude::*;

use self::lock::lock;
use self::report::{head, rows};
use super::address::Noted;
use super::choices::Options;
use crate::components::header::PageHeader;
use crate::components::icon::Icon;
use crate::components::moment::now;
use crate::components::state::{Shape, empty, listed};
use crate::load::{List, Load, Loader};
use crate::session::{Workspace, use_workspace};

const BY: [(ChargebackBy, &str); 5] = [
    (ChargebackBy::CostCentre, "Cost centre"),
    (ChargebackBy::Team, "Team"),
    (ChargebackBy::Tag, "Tag"),
    (ChargebackBy::User, "User"),
    (ChargebackBy::Customer, "Customer"),
];

/// What the address asks for.
#[derive(Debug, Clone, Copy)]
struct Chosen {
    month: Noted,
    by: Noted,
    tag: Noted,
}

#[component]
pub(crate) fn ChargebackPage() -> impl IntoView {
    let workspace = use_workspace();
    let chosen = Chosen {
        month: Noted::new("month"),
        by: Noted::new("by"),
        tag: Noted::new("tag"),
    };
    let months = Loader::items(move || workspace.chargeback_months());
    // What a page of it says of the whole month.
    let whole = RwSignal::new(None::<Chargeback>);
    let report = List::new(move |cursor| {
        let query = chosen.query(workspace, cursor);
        Box::pin(async move {
            let mut report = workspace.chargeback(&query).await?;
            let items: Vec<ChargebackRow> = std::mem::take(&mut report.items);
            let next_cursor = report.next_cursor.take();
            let _left = whole.try_set(Some(report));
            Ok(Page { items, next_cursor })
        })
    });
    let changed = Callback::new(move |()| {
        months.reload();
        report.reload();
    });
    let none = || {
        let text = "Nobody asked for anything in this month.";
        empty(Icon::Chargeback, "Nothing to charge", text, None)
    };
    let actions = move || {
        let month = chosen.month();
        let known = months.state.with(|state| match state {
            Load::Ready(months) => months.iter().find(|one| one.month == month).cloned(),
            Load::Waiting | Load::Failed(_) => None,
        });
        let file = format!("focus-{}-{month}.csv", workspace.slug());
        view! {
            <a class="button" href=workspace.focus_href(month) download=file>"FOCUS CSV"</a>
            {known.map(|month| lock(month, workspace, changed))}
        }
    };
    view! {
        <PageHeader title="Chargeback" about="What a month came to, and who bears it. Months are in UTC.">{actions}</PageHeader>
        {move || chosen.filters(workspace, months)}
        {move || whole.with(|whole| whole.as_ref().map(head))}
        {listed(report, Shape::Rows, none, move |items| whole.with(|whole| rows(items, whole.as_ref())))}
    }
    .into_any()
}

impl Chosen {
    fn month(self) -> Month {
        self.month.value().parse().unwrap_or_else(|_| Month::of(now()))
    }

    fn by(self) -> ChargebackBy {
        let by = self.by.value();
        BY.into_iter()
            .find(|(one, _)| one.as_str() == by)
            .map_or_else(ChargebackBy::default, |(one, _)| one)
    }

    fn query(self, workspace: Workspace, cursor: Option<String>) -> ChargebackQuery {
        let by = self.by();
        let tags = tags(workspace);
        let tag = self.tag.value();
        let tag = tags.iter().find(|name| **name == tag).or_else(|| tags.first());
        ChargebackQuery {
            month: self.month(),
            by,
            tag: tag
                .filter(|_| by == ChargebackBy::Tag)
                .and_then(|name| name.parse().ok()),
            limit: Some(PageQuery::LONGEST),
            cursor,
        }
    }

    fn filters(self, workspace: Workspace, months: Loader<Vec<ChargebackMonth>>) -> AnyView {
        let months = months.state.with(|state| match state {
            Load::Ready(months) => months
                .iter()
                .map(|one| (one.month, one.lock.is_some()))
                .collect::<Vec<_>>(),
            Load::Waiting | Load::Failed(_) => Vec::new(),
        });
        let this = Month::of(now());
        let mut options: Options = Vec::new();
        if !months.iter().any(|(month, _)| *month == this) {
            options.push((String::new(), format!("{}, so far", month_title(this))));
        }
        options.extend(months.into_iter().map(|(month, is_locked)| {
            let title = month_title(month);
            match (is_locked, month == this) {
                (true, _) => (month.to_string(), format!("{title}, locked")),
                (false, true) => (String::new(), format!("{title}, so far")),
                (false, false) => (month.to_string(), title),
            }
        }));
        let by = BY.map(|(by, title)| match by {
            ChargebackBy::CostCentre => (String::new(), title.to_owned()),
            _ => (by.as_str().to_owned(), title.to_owned()),
        });
        let tag = (self.by() == ChargebackBy::Tag).then(|| {
            let names = tags(workspace).into_iter().map(|name| (name.clone(), name));
            let mut names: Options = names.collect();
            if names.is_empty() {
                names.push((String::new(), "There is none yet".to_owned()));
            }
            self.tag.choice("Tag", names)
        });
        view! {
            <div class="filters" role="search" aria-label="Filters">
                {self.month.choice("Month", options)}
                {self.by.choice("By", by.to_vec())}
                {tag}
            </div>
        }
        .into_any()
    }
}

/// The tags that the organization knows.
fn tags(workspace: Workspace) -> Vec<String> {
    let organization = workspace.organization();
    let tags = organization.into_iter().flat_map(|organization| organization.tags);
    tags.map(|tag| tag.name.to_string()).collect()
}

/// `November 2026`
fn month_title(month: Month) -> String {
    month.start().format("%B %Y").to_string()
}
