//! One number with its name, what it is made of, and its course as a thin line.

use leptos::prelude::*;

#[component]
pub(crate) fn Stat(
    label: &'static str,
    value: String,
    #[prop(optional)] about: String,
    #[prop(default = "series-1")] tone: &'static str,
    course: Vec<f64>,
) -> impl IntoView {
    view! {
        <div class="stat">
            <p class="stat-label">{label}</p>
            <p class="stat-value">{value}</p>
            <p class="stat-about">{about}</p>
            {sparkline(tone, course)}
        </div>
    }
    .into_any()
}

fn sparkline(tone: &'static str, course: Vec<f64>) -> AnyView {
    let highest = course
        .iter()
        .copied()
        .filter(|value| value.is_finite())
        .fold(0.0, f64::max);
    let last = course.len().saturating_sub(1).max(1) as f64;
    let known = course.iter().filter(|value| value.is_finite()).count();
    if highest <= 0.0 || known < 2 {
        return view! { <div class="sparkline"></div> }.into_any();
    }
    let points = course.into_iter().enumerate().filter(|(_, value)| value.is_finite());
    let points =
        points.map(|(at, value)| format!("{:.2},{:.2}", at as f64 / last * 100.0, 29.0 - value / highest * 27.0));
    let line = points.collect::<Vec<_>>().join(" ");
    let area = format!("0,30 {line} 100,30");
    view! {
        <svg class=format!("sparkline {tone}") viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true">
            <polygon points=area></polygon>
            <polyline points=line></polyline>
        </svg>
    }
    .into_any()
}
