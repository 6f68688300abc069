//! The filters of the request list. They live in the address, so a filtered list can be sent to somebody.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use gatewright_types::api::{Outcome, UsageQuery};
use leptos::prelude::*;

use super::{Names, outcome_word};
use crate::components::button::{Button, Look};
use crate::components::field::options_view;
use crate::components::icon::Icon;
use crate::load::{Load, Loader};
use crate::router::use_router;
use crate::session::use_workspace;

const OUTCOMES: [Outcome; 5] = [
    Outcome::Complete,
    Outcome::Refused,
    Outcome::Failed,
    Outcome::Cut,
    Outcome::ClientGone,
];

/// The filters in an address; none when they cannot be read.
pub(super) fn of_address(query: &str) -> Option<UsageQuery> {
    serde_urlencoded::from_str(query).ok()
}

/// A filter's value as it stands in the address.
fn value_of(query: Option<&UsageQuery>, name: &str) -> String {
    let query = query
        .and_then(|query| serde_urlencoded::to_string(query).ok())
        .unwrap_or_default();
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&query).unwrap_or_default();
    pairs
        .into_iter()
        .find_map(|(key, value)| (key == name).then_some(value))
        .unwrap_or_default()
}

#[component]
pub(super) fn Filters(query: Memo<Option<UsageQuery>>, names: Names) -> impl IntoView {
    let router = use_router();
    let workspace = use_workspace();
    let models = Loader::items(move || workspace.model_choices());

    let key_options = Signal::derive(move || {
        let keys = names.keys.state.with(|state| match state {
            Load::Ready(keys) => keys
                .iter()
                .map(|key| (key.id.to_string(), key.name.to_string()))
                .collect(),
            Load::Waiting | Load::Failed(_) => Vec::new(),
        });
        with_all("All keys", keys)
    });
    let model_options = Signal::derive(move || {
        let models = models.state.with(|state| match state {
            Load::Ready(models) => models
                .iter()
                .map(|model| (model.name.to_string(), model.name.to_string()))
                .collect(),
            Load::Waiting | Load::Failed(_) => Vec::new(),
        });
        with_all("All models", models)
    });
    let outcome_options = Signal::derive(move || {
        let option = |outcome| {
            let value = value_of(
                Some(&UsageQuery {
                    outcome: Some(outcome),
                    ..UsageQuery::default()
                }),
                "outcome",
            );
            (value, outcome_word(outcome).1.to_owned())
        };
        with_all("All outcomes", OUTCOMES.into_iter().map(option).collect())
    });
    let clear = Callback::new(move |()| router.set_query(""));
    let clear_button = move || {
        (query.get() != Some(UsageQuery::default()))
            .then(|| view! { <Button label="Clear" look=Look::Quiet glyph=Icon::Close on_press=clear/> })
    };
    let unreadable = move || {
        query.get().is_none().then(|| {
            let text = "The address holds a filter that cannot be read, so nothing is filtered.";
            view! { <p class="notice notice-warning">{text}</p> }
        })
    };
    view! {
        <div class="filters" role="search" aria-label="Filters">
            {choice("Key", "key", key_options, query)}
            {choice("Model", "model", model_options, query)}
            {choice("Outcome", "outcome", outcome_options, query)}
            {day("From", "from", TimeDelta::zero(), query)}
            {day("Until", "to", TimeDelta::days(1), query)}
            {clear_button}
        </div>
        {unreadable}
    }
    .into_any()
}

fn with_all(title: &str, mut options: Vec<(String, String)>) -> Vec<(String, String)> {
    options.insert(0, (String::new(), title.to_owned()));
    options
}

/// Puts one filter into the address and keeps the others.
fn change(query: Memo<Option<UsageQuery>>, name: &str, value: &str) -> String {
    let query = query.get_untracked().unwrap_or_default();
    let query = serde_urlencoded::to_string(query).unwrap_or_default();
    let mut pairs: Vec<(String, String)> = serde_urlencoded::from_str(&query).unwrap_or_default();
    pairs.retain(|(key, _)| key != name);
    if !value.is_empty() {
        pairs.push((name.to_owned(), value.to_owned()));
    }
    serde_urlencoded::to_string(pairs).unwrap_or_default()
}

fn choice(
    label: &'static str,
    name: &'static str,
    options: Signal<Vec<(String, String)>>,
    query: Memo<Option<UsageQuery>>,
) -> AnyView {
    let router = use_router();
    let value = RwSignal::new(String::new());
    Effect::new(move |_| value.set(query.with(|query| value_of(query.as_ref(), name))));
    // What the address asks for is an option even when the list does not (or not yet) hold it.
    let options = move || {
        let mut options = options.get();
        let asked = value.get();
        if !options.iter().any(|(option, _)| *option == asked) {
            options.push((asked.clone(), asked));
        }
        options
    };
    view! {
        <label class="filter">
            <span>{label}</span>
            <select on:change=move |event| router.set_query(&change(query, name, &event_target_value(&event)))>
                {move || options_view(options(), value)}
            </select>
        </label>
    }
    .into_any()
}

/// A whole day, UTC; `ending` is what lies between its beginning and the moment that counts.
fn day(label: &'static str, name: &'static str, ending: TimeDelta, query: Memo<Option<UsageQuery>>) -> AnyView {
    let router = use_router();
    let shown = move || {
        let moment: Option<DateTime<Utc>> = query.with(|query| value_of(query.as_ref(), name)).parse().ok();
        moment
            .map(|moment| (moment - ending).format("%Y-%m-%d").to_string())
            .unwrap_or_default()
    };
    let choose = move |event| {
        let day: Option<NaiveDate> = event_target_value(&event).parse().ok();
        let moment = day
            .and_then(|day| day.and_hms_opt(0, 0, 0))
            .map(|moment| moment.and_utc() + ending);
        let text = moment
            .map(|moment| moment.format("%Y-%m-%dT%H:%M:%SZ").to_string())
            .unwrap_or_default();
        router.set_query(&change(query, name, &text));
    };
    view! {
        <label class="filter">
            <span>{label}" (UTC)"</span>
            <input type="date" prop:value=shown on:change=choose/>
        </label>
    }
    .into_any()
}
