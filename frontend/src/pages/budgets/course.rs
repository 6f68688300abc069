//! The course of a budget's window of now: what is left and where it leads, and who spends.

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_types::api::{
    Budget, BudgetCourse, BudgetCourseQuery, BudgetWindow, Totals, UsageBucket, UsageGroup, UsageSeries,
};
use leptos::prelude::*;

use super::burn_down::{Course, Pace};
use crate::api::Answer;
use crate::components::chart::{Chart, Drawing, Measure, Plot, Series};
use crate::components::moment::{local, now};
use crate::components::segments::segments;
use crate::components::state::{Shape, loaded};
use crate::format;
use crate::load::Loader;
use crate::pages::choices::Options;
use crate::pages::overview::{TONES, dollars};
use crate::session::{Workspace, use_workspace};
use crate::timeline::{Timeline, bands};

const SPENDERS_SHOWN: usize = 5;
/// How far back the course of a budget goes that is for ever.
const LONGEST: TimeDelta = TimeDelta::days(90);

const GROUPS: [(UsageGroup, &str); 4] = [
    (UsageGroup::Key, "Keys"),
    (UsageGroup::Model, "Models"),
    (UsageGroup::Team, "Teams"),
    (UsageGroup::Provider, "Providers"),
];

/// The same budget, split by the group that is chosen.
#[derive(Debug, Clone)]
struct Picture {
    /// Nothing where the window has no end.
    burn_down: Option<Course>,
    timeline: Timeline,
    by_group: UsageSeries,
    names: Options,
    known_from: Option<DateTime<Utc>>,
}

#[component]
pub(super) fn CourseOf(budget: Budget) -> impl IntoView {
    let workspace = use_workspace();
    let now = now();
    let (from, to) = span(&budget, now);
    let group = RwSignal::new(UsageGroup::Key);
    let id = budget.id;
    let picture = Loader::new(move || {
        let by = group.get();
        let (state, names) = (budget.state.clone(), names(workspace, by));
        Box::pin(async move {
            let course = async |by| workspace.budget_course(id, &BudgetCourseQuery { by }).await;
            let whole = course(UsageGroup::None).await?;
            let by_group = series(&course(by).await?);
            let timeline = Timeline::new(&series(&whole), from, now);
            let cap = state.as_ref().and_then(|state| state.cap);
            let burn_down = to.zip(state).zip(cap).map(|((to, state), cap)| Course {
                from,
                to,
                now,
                starts: timeline.starts.clone(),
                bucket_seconds: timeline.bucket_seconds,
                spent: timeline.values(|totals| dollars(totals.cost)),
                cap: dollars(cap),
                spent_in_all: dollars(state.spent),
            });
            Ok(Picture {
                burn_down,
                timeline,
                by_group,
                names: names.await?,
                known_from: whole.known_from,
            })
        })
    });
    let choose = Callback::new(move |chosen| group.set(chosen));
    view! {
        <div class="section-head">
            <h2>"This window"</h2>
            {segments("Split by", GROUPS, group.into(), choose)}
        </div>
        {loaded(picture, Shape::Charts, show)}
    }
    .into_any()
}

/// What charts are made of: of a course only costs and requests are known, and nothing else is drawn of it.
fn series(course: &BudgetCourse) -> UsageSeries {
    let buckets = course.buckets.iter().map(|bucket| UsageBucket {
        start: bucket.start,
        group: bucket.group.clone(),
        totals: Totals {
            cost: bucket.cost,
            requests: bucket.requests,
            ..Totals::default()
        },
    });
    UsageSeries {
        bucket_seconds: course.bucket_seconds,
        totals: Totals::default(),
        buckets: buckets.collect(),
    }
}

/// From when to when, and whether that is the whole window.
fn span(budget: &Budget, now: DateTime<Utc>) -> (DateTime<Utc>, Option<DateTime<Utc>>) {
    let state = budget.state.as_ref();
    let from = match budget.spec.window {
        BudgetWindow::Rolling(length) => now - TimeDelta::from_std(length.get()).unwrap_or(LONGEST),
        _ => state
            .and_then(|state| state.from)
            .unwrap_or(budget.created_at)
            .max(now - LONGEST),
    };
    (from, state.and_then(|state| state.to))
}

/// What identifiers are called.
async fn names(workspace: Workspace, by: UsageGroup) -> Answer<Options> {
    Ok(match by {
        UsageGroup::Key => {
            let keys = workspace.key_choices().await?.items.into_iter();
            keys.map(|key| (key.id.to_string(), key.name.to_string())).collect()
        }
        UsageGroup::Team => {
            let teams = workspace.team_choices().await?.items.into_iter();
            teams.map(|team| (team.id.to_string(), team.name.to_string())).collect()
        }
        UsageGroup::None | UsageGroup::Model | UsageGroup::Provider => Vec::new(),
    })
}

fn show(picture: &Picture) -> AnyView {
    let (left, about) = picture.burn_down.as_ref().map(left).unzip();
    view! {
        <div class="charts">
            {left}
            {spenders(picture)}
        </div>
        {about.map(|about| view! { <p class="chart-about">{about}</p> })}
        {picture.known_from.map(|at| view! { <p class="chart-about">{begins(at)}</p> })}
    }
    .into_any()
}

fn begins(known_from: DateTime<Utc>) -> String {
    format!(
        "Charts begin at {}: requests before that were removed, or are too many to be read. What they spent belongs to no \
         moment here, and is gone from the beginning.",
        format::second(local(known_from))
    )
}

/// The chart, and what is said of it.
fn left(course: &Course) -> (AnyView, String) {
    let burn_down = course.burn_down();
    let mut series = vec![Series {
        name: "Left".to_owned(),
        tone: "series-1",
        values: burn_down.left,
        summary: format::compact_money((course.cap - course.spent_in_all).max(0.0)),
    }];
    let about = match burn_down.pace {
        _ if course.spent_in_all >= course.cap => "All of it is spent: there is nothing to forecast.".to_owned(),
        None => "There is a forecast once a twentieth of the window is over.".to_owned(),
        Some(pace) => {
            series.push(Series {
                name: "Forecast".to_owned(),
                tone: "series-2 is-forecast",
                values: burn_down.forecast,
                summary: format!("{} spent at the end", format::compact_money(pace.at_the_end)),
            });
            forecast(&pace)
        }
    };
    let plot = Plot {
        starts: burn_down.starts,
        bucket_seconds: course.bucket_seconds,
        series,
        drawing: Drawing::Lines,
        measure: Measure::Dollars,
    };
    (view! { <Chart title="Left" plot=plot/> }.into_any(), about)
}

/// How the forecast comes about, and what it says.
fn forecast(pace: &Pace) -> String {
    let minutes = u64::try_from(pace.looked_at.num_minutes()).unwrap_or(0);
    let looked_at = match minutes {
        0..120 => format!("{minutes} min"),
        120..2_880 => format!("{} hours", minutes / 60),
        _ => format!("{} days", minutes / 1_440),
    };
    let basis = format!(
        "The forecast goes on as in the last {looked_at} of this window: {} an hour.",
        format::compact_money(pace.dollars_an_hour)
    );
    match pace.empty_at {
        Some(at) => format!("{basis} Nothing is left from {} on.", format::second(local(at))),
        None => basis,
    }
}

fn spenders(picture: &Picture) -> AnyView {
    let cost = |totals: &Totals| dollars(totals.cost);
    let bands = bands(&picture.by_group, &picture.timeline.starts, SPENDERS_SHOWN, cost);
    let named = |name: String| {
        let known = picture.names.iter().find(|(id, _)| *id == name);
        known.map_or(name.clone(), |(_, title)| title.clone())
    };
    let series = TONES
        .into_iter()
        .zip(bands.into_iter().filter(|band| band.sum > 0.0))
        .map(|(tone, band)| Series {
            summary: format::compact_money(band.sum),
            name: named(band.name),
            tone,
            values: band.values,
        });
    let series: Vec<_> = series.collect();
    if series.is_empty() {
        return view! { <p class="muted">"Nothing was spent in it so far."</p> }.into_any();
    }
    let plot = Plot {
        starts: picture.timeline.starts.clone(),
        bucket_seconds: picture.timeline.bucket_seconds,
        series,
        drawing: Drawing::StackedBars,
        measure: Measure::Dollars,
    };
    view! { <Chart title="Who spends" plot=plot/> }.into_any()
}
