//! What went through the gateway lately: sums, their course, and where they come from. All of it from usage rollups.

use chrono::{DateTime, Utc};
use gatewright_types::api::{Totals, UsageGroup, UsageSeries, UsageSeriesQuery};
use gatewright_types::{Nanos, Permission};
use leptos::prelude::*;

use super::range::{Range, RangePicker};
use crate::api::Answer;
use crate::components::badge::{Badge, Tone};
use crate::components::button::IconButton;
use crate::components::chart::{Chart, Drawing, Measure, Plot, Series};
use crate::components::header::PageHeader;
use crate::components::icon::{Icon, icon};
use crate::components::stat::Stat;
use crate::components::state::{Shape, loaded};
use crate::components::table::table;
use crate::format;
use crate::load::Loader;
use crate::place::Section;
use crate::router::use_router;
use crate::session::{Workspace, use_workspace};
use crate::timeline::{Band, Timeline, bands};

/// Colours of bands, the largest first; what is left over is grey.
pub(super) const TONES: [&str; 6] = [
    "series-1",
    "series-2",
    "series-3",
    "series-4",
    "series-5",
    "series-rest",
];
const MODELS_SHOWN: usize = 5;

/// Everything the page shows, of one span.
#[derive(Debug, Clone, PartialEq)]
struct Picture {
    range: Range,
    timeline: Timeline,
    totals: Totals,
    by_model: UsageSeries,
}

#[component]
pub(crate) fn Overview() -> impl IntoView {
    let workspace = use_workspace();
    let router = use_router();
    let range = Memo::new(move |_| Range::of_query(&router.query()));
    let picture = Loader::new(move || {
        let range = range.get();
        Box::pin(fetch(workspace, range))
    });
    view! {
        <PageHeader title="Overview" about="What goes through the gateway, and what it costs.">
            <RangePicker range=range/>
            <IconButton label="Refresh" glyph=Icon::Retry on_press=Callback::new(move |()| picture.reload())/>
        </PageHeader>
        {loaded(picture, Shape::Charts, move |picture| show(picture, workspace))}
    }
    .into_any()
}

async fn fetch(workspace: Workspace, range: Range) -> Answer<Picture> {
    let (from, to) = range.span();
    let series = workspace
        .usage_series(&UsageSeriesQuery::new(from, to, UsageGroup::None))
        .await?;
    let by_model = workspace
        .usage_series(&UsageSeriesQuery::new(from, to, UsageGroup::Model))
        .await?;
    Ok(Picture {
        range,
        timeline: Timeline::new(&series, from, to),
        totals: series.totals,
        by_model,
    })
}

fn show(picture: &Picture, workspace: Workspace) -> AnyView {
    if picture.totals.requests == 0 {
        return nothing_yet(picture.range, workspace);
    }
    view! {
        {stats(picture)}
        <div class="charts">
            {requests_chart(picture)}
            {spend_chart(picture)}
            {tokens_chart(picture)}
            {latency_chart(picture)}
        </div>
        {top_models(picture, workspace)}
    }
    .into_any()
}

fn stats(picture: &Picture) -> AnyView {
    let (totals, timeline) = (&picture.totals, &picture.timeline);
    let unpriced = match totals.unpriced {
        0 => "all requests priced".to_owned(),
        unpriced => format!("{} requests unpriced", format::count(unpriced)),
    };
    let tokens = totals.input_tokens.saturating_add(totals.output_tokens);
    let parts = format!(
        "{} in, {} out",
        format::compact(totals.input_tokens as f64),
        format::compact(totals.output_tokens as f64)
    );
    let latency = |value: Option<u64>| value.map_or_else(|| "–".to_owned(), format::millis);
    view! {
        <div class="stats">
            <Stat
                label="Requests"
                value=format::count(totals.requests)
                about=picture.range.title().to_lowercase()
                course=timeline.values(|totals| totals.requests as f64)
            />
            <Stat
                label="Spend"
                value=spent(totals.cost, totals.unpriced > 0).unwrap_or_else(|| "unpriced".to_owned())
                about=unpriced
                tone="series-2"
                course=timeline.values(|totals| dollars(totals.cost))
            />
            <Stat
                label="Tokens"
                value=format::compact(tokens as f64)
                about=parts
                tone="series-3"
                course=timeline.values(|totals| totals.input_tokens.saturating_add(totals.output_tokens) as f64)
            />
            <Stat
                label="Median duration"
                value=latency(totals.duration_ms_p50)
                about=format!("95% within {}", latency(totals.duration_ms_p95))
                tone="series-4"
                course=timeline.values(|totals| totals.duration_ms_p50.map_or(f64::NAN, |value| value as f64))
            />
            <Stat
                label="Errors"
                value=format::share(totals.errors, totals.requests)
                about=format!("{} of {} requests", format::count(totals.errors), format::count(totals.requests))
                tone="series-bad"
                course=timeline.values(|totals| totals.errors as f64)
            />
            {cached(totals, timeline)}
        </div>
    }
    .into_any()
}

/// How often the cache had the answer, where it was asked at all.
fn cached(totals: &Totals, timeline: &Timeline) -> Option<AnyView> {
    let asked = totals.cache_hits.saturating_add(totals.cache_misses);
    (asked > 0).then(|| {
        view! {
            <Stat
                label="Cache hits"
                value=format::share(totals.cache_hits, asked)
                about=format!("saved {}", format::money(totals.saved))
                tone="series-5"
                course=timeline.values(|totals| totals.cache_hits as f64)
            />
        }
        .into_any()
    })
}

fn requests_chart(picture: &Picture) -> AnyView {
    let good = |totals: &Totals| totals.requests.saturating_sub(totals.errors);
    let series = vec![
        Series {
            name: "Answered".to_owned(),
            tone: "series-1",
            values: picture.timeline.values(|totals| good(totals) as f64),
            summary: format::count(good(&picture.totals)),
        },
        Series {
            name: "Errors".to_owned(),
            tone: "series-bad",
            values: picture.timeline.values(|totals| totals.errors as f64),
            summary: format::count(picture.totals.errors),
        },
    ];
    let plot = plot(picture, series, Drawing::StackedBars, Measure::Count);
    view! { <Chart title="Requests" about="Errors are refused, failed or cut off." plot=plot/> }.into_any()
}

fn spend_chart(picture: &Picture) -> AnyView {
    let bands = bands(&picture.by_model, &picture.timeline.starts, MODELS_SHOWN, |totals| {
        dollars(totals.cost)
    });
    let series = TONES
        .into_iter()
        .zip(bands.into_iter().filter(|band| band.sum > 0.0))
        .map(|(tone, band)| Series {
            summary: format::compact_money(band.sum),
            name: model_name(band.name),
            tone,
            values: band.values,
        });
    let plot = plot(picture, series.collect(), Drawing::StackedBars, Measure::Dollars);
    view! { <Chart title="Spend by model" about="Priced requests only." plot=plot/> }.into_any()
}

fn tokens_chart(picture: &Picture) -> AnyView {
    let band = |name: &str, tone, pick: fn(&Totals) -> u64| Series {
        name: name.to_owned(),
        tone,
        values: picture.timeline.values(|totals| pick(totals) as f64),
        summary: format::compact(pick(&picture.totals) as f64),
    };
    let series = vec![
        band("Input", "series-3", |totals| totals.input_tokens),
        band("Output", "series-4", |totals| totals.output_tokens),
    ];
    let plot = plot(picture, series, Drawing::StackedBars, Measure::Count);
    view! { <Chart title="Tokens" plot=plot/> }.into_any()
}

fn latency_chart(picture: &Picture) -> AnyView {
    let line = |name: &str, tone, pick: fn(&Totals) -> Option<u64>| Series {
        name: name.to_owned(),
        tone,
        values: picture
            .timeline
            .values(|totals| pick(totals).map_or(f64::NAN, |value| value as f64)),
        summary: pick(&picture.totals).map_or_else(|| "–".to_owned(), format::millis),
    };
    let series = vec![
        line("95th percentile", "series-2", |totals| totals.duration_ms_p95),
        line("Median", "series-1", |totals| totals.duration_ms_p50),
        line("First token, median", "series-3", |totals| totals.first_token_ms_p50),
    ];
    let plot = plot(picture, series, Drawing::Lines, Measure::Millis);
    view! { <Chart title="Duration" about="Of complete requests." plot=plot/> }.into_any()
}

fn plot(picture: &Picture, series: Vec<Series>, drawing: Drawing, measure: Measure) -> Plot {
    let timeline = &picture.timeline;
    Plot {
        starts: timeline.starts.clone(),
        bucket_seconds: timeline.bucket_seconds,
        series,
        drawing,
        measure,
    }
}

fn top_models(picture: &Picture, workspace: Workspace) -> AnyView {
    let starts: &[DateTime<Utc>] = &picture.timeline.starts;
    let every = usize::MAX - 1;
    let spend = bands(&picture.by_model, starts, every, |totals| dollars(totals.cost));
    let requests = bands(&picture.by_model, starts, every, |totals| totals.requests as f64);
    let unpriced = bands(&picture.by_model, starts, every, |totals| totals.unpriced as f64);
    let highest = spend.first().map_or(0.0, |band| band.sum);
    let row = |band: &Band| {
        let of = |bands: &[Band]| {
            bands
                .iter()
                .find(|other| other.name == band.name)
                .map_or(0.0, |other| other.sum)
        };
        let cost: Nanos = picture
            .by_model
            .buckets
            .iter()
            .filter(|bucket| bucket.group.as_deref().unwrap_or("none") == band.name)
            .fold(Nanos::ZERO, |sum, bucket| sum.saturating_add(bucket.totals.cost));
        let width = if highest > 0.0 { band.sum / highest * 100.0 } else { 0.0 };
        let query = serde_urlencoded::to_string([("model", band.name.as_str())]).unwrap_or_default();
        let name = model_name(band.name.clone());
        let link = if band.name == "none" {
            name.into_any()
        } else {
            let href = format!("{}?{query}", workspace.href(Section::Usage));
            view! { <a class="code" href=href>{name}</a> }.into_any()
        };
        let missing = of(&unpriced);
        view! {
            <tr>
                <th scope="row" data-label="Model">{link}</th>
                <td data-label="Requests" class="number">{format::compact(of(&requests))}</td>
                <td data-label="Spend" class="number">
                    {spent(cost, missing > 0.0)}
                    {(missing > 0.0).then(|| {
                        view! { " "<Badge tone=Tone::Warning text=format!("{} unpriced", format::compact(missing))/> }
                    })}
                </td>
                <td data-label="Share" class="bar-cell">
                    <span class="bar"><span style:width=format!("{width:.1}%")></span></span>
                </td>
            </tr>
        }
    };
    let rows = spend.iter().take(10).map(row).collect_view().into_any();
    view! {
        <section class="section">
            <h2>"Top models by spend"</h2>
            {table("Top models by spend", &["Model", "Requests", "Spend", "Share"], rows)}
        </section>
    }
    .into_any()
}

/// Nothing where no price is known: unpriced is not the same as free.
fn spent(cost: Nanos, has_unpriced: bool) -> Option<String> {
    (cost != Nanos::ZERO || !has_unpriced).then(|| format::money(cost))
}

/// What the caller asked for; requests that could not be read asked for nothing.
fn model_name(group: String) -> String {
    if group == "none" { "no model".to_owned() } else { group }
}

pub(super) fn dollars(amount: Nanos) -> f64 {
    amount.get() as f64 / 1e9
}

/// One step of the way from an empty organization to its first request.
struct Step {
    section: Section,
    permission: Permission,
    title: &'static str,
    text: &'static str,
}

const STEPS: [Step; 3] = [
    Step {
        section: Section::Providers,
        permission: Permission::ProvidersRead,
        title: "Connect a provider",
        text: "An account at a model provider, or the built-in sandbox that answers without any.",
    },
    Step {
        section: Section::Models,
        permission: Permission::ModelsRead,
        title: "Name a model",
        text: "The name callers ask for, and the provider's model it leads to.",
    },
    Step {
        section: Section::Keys,
        permission: Permission::KeysRead,
        title: "Create a key",
        text: "It comes with a snippet to paste: curl, Python or TypeScript.",
    },
];

fn nothing_yet(range: Range, workspace: Workspace) -> AnyView {
    let row = |(number, step): (usize, Step)| {
        let link = workspace.can(step.permission).then(|| {
            let href = workspace.href(step.section);
            view! { <a class="button" href=href>{step.section.title()}{icon(Icon::ChevronRight)}</a> }
        });
        view! {
            <li>
                <span class="step-number">{number + 1}</span>
                <div><h3>{step.title}</h3><p>{step.text}</p></div>
                {link}
            </li>
        }
    };
    let about = "Numbers appear here a few seconds after the first request. If nothing is set up yet, this is the way:";
    view! {
        <section class="card first-steps">
            <h2>{format!("No requests in the {}", range.title().to_lowercase())}</h2>
            <p class="page-about">{about}</p>
            <ol>{STEPS.into_iter().enumerate().map(row).collect_view()}</ol>
        </section>
    }
    .into_any()
}
