//! The span of time a page looks at: a choice of four, kept in the address.

use chrono::{DateTime, TimeDelta, Utc};
use leptos::prelude::*;

use crate::components::moment::now;
use crate::components::segments::segments;
use crate::router::use_router;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    Hour,
    Day,
    Week,
    Month,
}

impl Range {
    const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Hour => "Last hour",
            Self::Day => "Last 24 hours",
            Self::Week => "Last 7 days",
            Self::Month => "Last 30 days",
        }
    }

    fn length(self) -> TimeDelta {
        match self {
            Self::Hour => TimeDelta::hours(1),
            Self::Day => TimeDelta::days(1),
            Self::Week => TimeDelta::days(7),
            Self::Month => TimeDelta::days(30),
        }
    }

    /// From when until now.
    pub(super) fn span(self) -> (DateTime<Utc>, DateTime<Utc>) {
        let to = now();
        (to - self.length(), to)
    }

    /// The one a query asks for; a day when it asks for none.
    pub(super) fn of_query(query: &str) -> Self {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
        let asked = pairs
            .into_iter()
            .find_map(|(name, value)| (name == "range").then_some(value));
        asked
            .and_then(|asked| Self::ALL.into_iter().find(|range| range.as_str() == asked))
            .unwrap_or(Self::Day)
    }
}

#[component]
pub(super) fn RangePicker(range: Memo<Range>) -> impl IntoView {
    let router = use_router();
    let choose = Callback::new(move |range: Range| router.set_query(&format!("range={}", range.as_str())));
    segments(
        "Range",
        Range::ALL.map(|range| (range, range.as_str())),
        range.into(),
        choose,
    )
}
