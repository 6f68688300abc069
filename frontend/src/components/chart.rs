//! Values over time: stacked bars or lines, with axes, a legend, a pointer that can be moved by mouse and arrow keys,
//! and the same numbers as a table.

use chrono::{DateTime, Utc};
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::moment::local;
use crate::format;
use crate::timeline::ticks;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drawing {
    StackedBars,
    Lines,
}

/// What the values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    Count,
    Dollars,
    Millis,
}

impl Measure {
    fn write(self, value: f64) -> String {
        match self {
            Self::Count => format::compact(value),
            Self::Dollars => format::compact_money(value),
            Self::Millis if value < 1_000.0 => format!("{value:.0} ms"),
            Self::Millis => format!("{} s", format::compact(value / 1_000.0)),
        }
    }

    /// What the axis does not divide further.
    const fn least_step(self) -> f64 {
        match self {
            Self::Count | Self::Millis => 1.0,
            Self::Dollars => 0.0,
        }
    }
}

/// One colour of a chart. A value that is not a number is a gap.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) tone: &'static str,
    pub(crate) values: Vec<f64>,
    /// What stands beside the name in the legend.
    pub(crate) summary: String,
}

/// What a chart shows.
#[derive(Debug, Clone)]
pub(crate) struct Plot {
    pub(crate) starts: Vec<DateTime<Utc>>,
    pub(crate) bucket_seconds: u32,
    pub(crate) series: Vec<Series>,
    pub(crate) drawing: Drawing,
    pub(crate) measure: Measure,
}

impl Plot {
    fn highest(&self) -> f64 {
        let at = |index: usize| {
            let values = self
                .series
                .iter()
                .filter_map(move |series| series.values.get(index).copied());
            let values = values.filter(|value| value.is_finite());
            match self.drawing {
                Drawing::StackedBars => values.sum(),
                Drawing::Lines => values.fold(0.0, f64::max),
            }
        };
        (0..self.starts.len()).map(at).fold(0.0, f64::max)
    }

    fn span_seconds(&self) -> i64 {
        let span = self
            .starts
            .first()
            .zip(self.starts.last())
            .map_or(0, |(first, last)| (*last - *first).num_seconds());
        span + i64::from(self.bucket_seconds)
    }

    /// One path per series, in a box as wide as there are buckets and 100 high.
    fn paths(&self, top: f64) -> Vec<String> {
        let mut floor = vec![0.0; self.starts.len()];
        let height = |value: f64| 100.0 - value / top * 100.0;
        let bars = |series: &Series, floor: &mut Vec<f64>| {
            let mut path = String::new();
            for (at, (value, below)) in series.values.iter().zip(floor.iter_mut()).enumerate() {
                if *value > 0.0 {
                    let (upper, lower) = (height(*below + value), height(*below));
                    path += &format!("M{:.2} {upper:.3}h.7V{lower:.3}h-.7z", at as f64 + 0.15);
                    *below += value;
                }
            }
            path
        };
        let line = |series: &Series| {
            let mut path = String::new();
            let mut drawing = false;
            for (at, value) in series.values.iter().enumerate() {
                if value.is_finite() {
                    let command = if drawing { 'L' } else { 'M' };
                    path += &format!("{command}{:.1} {:.3}", at as f64 + 0.5, height(*value));
                }
                drawing = value.is_finite();
            }
            path
        };
        self.series
            .iter()
            .map(|series| match self.drawing {
                Drawing::StackedBars => bars(series, &mut floor),
                Drawing::Lines => line(series),
            })
            .collect()
    }

    /// Values between two gaps, which a line would not show: a dot each, as a line of no length with round ends.
    fn lone_points(&self, series: &Series, top: f64) -> String {
        let known = |at: Option<usize>| {
            at.and_then(|at| series.values.get(at))
                .is_some_and(|value| value.is_finite())
        };
        let lone = |at: usize| self.drawing == Drawing::Lines && !known(at.checked_sub(1)) && !known(Some(at + 1));
        let points = series
            .values
            .iter()
            .enumerate()
            .filter(|(at, value)| value.is_finite() && lone(*at));
        points
            .map(|(at, value)| format!("M{:.1} {:.3}h0", at as f64 + 0.5, 100.0 - value / top * 100.0))
            .collect()
    }

    fn moment(&self, index: usize) -> String {
        self.starts
            .get(index)
            .map(|start| format::bucket(local(*start), self.bucket_seconds))
            .unwrap_or_default()
    }

    fn value(&self, series: &Series, index: usize) -> String {
        series
            .values
            .get(index)
            .filter(|value| value.is_finite())
            .map_or_else(|| "–".to_owned(), |value| self.measure.write(*value))
    }
}

#[component]
pub(crate) fn Chart(title: &'static str, #[prop(optional)] about: &'static str, plot: Plot) -> impl IntoView {
    let legend = plot.series.iter().map(|series| {
        view! {
            <li>
                <span class=format!("swatch {}", series.tone)></span>
                <span class="legend-name">{series.name.clone()}</span>
                <span class="legend-value">{series.summary.clone()}</span>
            </li>
        }
    });
    let legend = legend.collect_view();
    let plot = StoredValue::new(plot);
    let table_open = RwSignal::new(false);
    view! {
        <section class="card chart" aria-label=title>
            <header class="chart-head">
                <h2>{title}</h2>
                {(!about.is_empty()).then(|| view! { <p>{about}</p> })}
            </header>
            {canvas(title, plot)}
            <ul class="legend">{legend}</ul>
            <details class="chart-table" on:toggle=move |_| table_open.update(|open| *open = !*open)>
                <summary>"Show as table"</summary>
                {move || table_open.get().then(|| plot.with_value(|plot| numbers(title, plot)))}
            </details>
        </section>
    }
    .into_any()
}

fn canvas(title: &'static str, stored: StoredValue<Plot>) -> AnyView {
    let pointed = RwSignal::new(None::<usize>);
    let (count, highest, least) =
        stored.with_value(|plot| (plot.starts.len(), plot.highest(), plot.measure.least_step()));
    let ticks = ticks(highest, least);
    let top = ticks.last().copied().unwrap_or(1.0);

    let moved = move |event: ev::PointerEvent| {
        let plane = event
            .current_target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        let Some(rect) = plane.map(|plane| plane.get_bounding_client_rect()) else {
            return;
        };
        let share = (f64::from(event.client_x()) - rect.left()) / rect.width().max(1.0);
        let index = (0..count).find(|index| share < (index + 1) as f64 / count as f64);
        pointed.set(index.or(count.checked_sub(1)));
    };
    let key = move |event: ev::KeyboardEvent| {
        let last = count.saturating_sub(1);
        let current = pointed.get_untracked();
        let next = match event.key().as_str() {
            "ArrowLeft" => current.map_or(last, |index| index.saturating_sub(1)),
            "ArrowRight" => current.map_or(0, |index| (index + 1).min(last)),
            "Home" => 0,
            "End" => last,
            "Escape" => return pointed.set(None),
            _ => return,
        };
        event.prevent_default();
        pointed.set(Some(next));
    };

    let steps = ticks.clone().into_iter().map(|tick| {
        let label = stored.with_value(|plot| plot.measure.write(tick));
        view! { <span style:bottom=format!("{:.2}%", tick / top * 100.0)>{label}</span> }
    });
    let grid: String = ticks
        .iter()
        .map(|tick| format!("M0 {:.3}H{count}", 100.0 - tick / top * 100.0))
        .collect();
    let shapes = stored.with_value(|plot| {
        let class = match plot.drawing {
            Drawing::StackedBars => "bars",
            Drawing::Lines => "line",
        };
        let shapes = plot.series.iter().zip(plot.paths(top));
        let shape = |(series, path): (&Series, String)| {
            view! {
                <path class=format!("{class} {}", series.tone) d=path></path>
                <path class=format!("points {}", series.tone) d=plot.lone_points(series, top)></path>
            }
        };
        shapes.map(shape).collect_view()
    });
    view! {
        <div class="chart-canvas">
            <div class="chart-y" aria-hidden="true">{steps.collect_view()}</div>
            <div
                class="chart-plane"
                tabindex="0"
                role="img"
                aria-label=stored.with_value(|plot| spoken(title, plot))
                on:pointermove=moved
                on:pointerleave=move |_| pointed.set(None)
                on:keydown=key
                on:blur=move |_| pointed.set(None)
            >
                <svg viewBox=format!("0 0 {} 100", count.max(1)) preserveAspectRatio="none" aria-hidden="true">
                    <path class="grid" d=grid></path>
                    {shapes}
                </svg>
                {move || pointed.get().map(|index| stored.with_value(|plot| pointer(plot, index, top)))}
            </div>
            <div class="chart-x" aria-hidden="true">{stored.with_value(time_axis)}</div>
            <p class="unseen" aria-live="polite">
                {move || pointed.get().map(|index| stored.with_value(|plot| spoken_at(plot, index)))}
            </p>
        </div>
    }
    .into_any()
}

fn time_axis(plot: &Plot) -> AnyView {
    let count = plot.starts.len();
    let every = count.div_ceil(6).max(1);
    let span = plot.span_seconds();
    let labels = plot
        .starts
        .iter()
        .enumerate()
        .skip(every / 2)
        .step_by(every)
        .map(|(at, start)| {
            let left = (at as f64 + 0.5) / count as f64 * 100.0;
            view! { <span style:left=format!("{left:.2}%")>{format::axis(local(*start), span)}</span> }
        });
    labels.collect_view().into_any()
}

fn pointer(plot: &Plot, index: usize, top: f64) -> AnyView {
    let count = plot.starts.len().max(1);
    let left = (index as f64 + 0.5) / count as f64 * 100.0;
    let side = if index * 2 < count {
        "tip tip-right"
    } else {
        "tip tip-left"
    };
    let rows = plot.series.iter().map(|series| {
        view! {
            <li>
                <span class=format!("swatch {}", series.tone)></span>
                <span class="legend-name">{series.name.clone()}</span>
                <span class="legend-value">{plot.value(series, index)}</span>
            </li>
        }
    });
    let dots = plot
        .series
        .iter()
        .filter(|_| plot.drawing == Drawing::Lines)
        .filter_map(|series| {
            let value = series.values.get(index).copied().filter(|value| value.is_finite())?;
            let bottom = format!("{:.2}%", value / top * 100.0);
            Some(view! { <span class=format!("dot {}", series.tone) style:bottom=bottom></span> })
        });
    view! {
        <div class="pointer" style:left=format!("{left:.2}%")>
            {dots.collect_view()}
            <div class=side>
                <p>{plot.moment(index)}</p>
                <ul>{rows.collect_view()}</ul>
            </div>
        </div>
    }
    .into_any()
}

fn spoken(title: &str, plot: &Plot) -> String {
    let parts = plot
        .series
        .iter()
        .map(|series| format!("{} {}", series.name, series.summary));
    format!(
        "{title}: {}. Arrow keys move through time.",
        parts.collect::<Vec<_>>().join(", ")
    )
}

fn spoken_at(plot: &Plot, index: usize) -> String {
    let parts = plot
        .series
        .iter()
        .map(|series| format!("{} {}", series.name, plot.value(series, index)));
    format!("{}: {}", plot.moment(index), parts.collect::<Vec<_>>().join(", "))
}

fn numbers(title: &'static str, plot: &Plot) -> AnyView {
    let head = plot
        .series
        .iter()
        .map(|series| view! { <th scope="col" class="number">{series.name.clone()}</th> });
    let rows = (0..plot.starts.len()).rev().map(|index| {
        let cells = plot
            .series
            .iter()
            .map(|series| view! { <td class="number">{plot.value(series, index)}</td> });
        view! { <tr><th scope="row">{plot.moment(index)}</th>{cells.collect_view()}</tr> }
    });
    view! {
        <div class="table-box" tabindex="0" role="group" aria-label=format!("{title} as numbers")>
            <table class="table table-dense">
                <thead><tr><th scope="col">"From"</th>{head.collect_view()}</tr></thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}
