//! Moments on the screen: near ones by distance, all of them exact on hover, in the reader's time zone.

use chrono::{DateTime, FixedOffset, Utc};
use leptos::prelude::*;
use web_sys::js_sys::Date;

use crate::format;

pub(crate) fn now() -> DateTime<Utc> {
    // Milliseconds since 1970 are a whole number far below 2^53.
    let millis = format!("{:.0}", Date::now()).parse().unwrap_or_default();
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

/// The moment in the time zone of the browser, summer time as it was then.
pub(crate) fn local(moment: DateTime<Utc>) -> DateTime<FixedOffset> {
    let millis = moment.timestamp_millis() as f64;
    let minutes_behind: i32 = format!("{:.0}", Date::new(&millis.into()).get_timezone_offset())
        .parse()
        .unwrap_or(0);
    let offset = FixedOffset::east_opt(-minutes_behind * 60);
    offset.map_or_else(|| moment.fixed_offset(), |offset| moment.with_timezone(&offset))
}

/// `5 min ago`.
#[component]
pub(crate) fn Ago(moment: DateTime<Utc>) -> impl IntoView {
    time(moment, format::distance(moment, now()))
}

/// `21 Nov 2026`.
#[component]
pub(crate) fn Day(moment: DateTime<Utc>) -> impl IntoView {
    time(moment, format::day(local(moment)))
}

/// `21 Nov, 14:05:09`.
#[component]
pub(crate) fn Second(moment: DateTime<Utc>) -> impl IntoView {
    time(moment, format::second(local(moment)))
}

/// `21 Nov 2026, 14:05:09 +01:00`.
#[component]
pub(crate) fn Exact(moment: DateTime<Utc>) -> impl IntoView {
    time(moment, format::exact(local(moment)))
}

fn time(moment: DateTime<Utc>, text: String) -> AnyView {
    view! { <time datetime=moment.to_rfc3339() title=format::exact(local(moment))>{text}</time> }.into_any()
}
