//! The calls to providers, as bars over the time of the request.

use gatewright_types::api::{Attempt, AttemptEnd, AttemptReason};
use leptos::prelude::*;

use crate::components::badge::{Badge, Tone};
use crate::format;
use crate::route::failure;

pub(super) fn attempts(attempts: &[Attempt]) -> Option<AnyView> {
    let whole = attempts
        .iter()
        .map(|attempt| attempt.began_us + attempt.took_us)
        .max()?
        .max(1);
    let row = |attempt: &Attempt| {
        let part = |micros: u64| micros as f64 / whole as f64 * 100.0;
        let (tone, class, end) = ended(&attempt.ended);
        let message = match &attempt.ended {
            AttemptEnd::Failed { message, .. } => Some(message.to_string()),
            AttemptEnd::Answered { .. } | AttemptEnd::Abandoned => None,
        };
        let took = format::millis(attempt.took_us.div_ceil(1_000));
        let began = format::millis(attempt.began_us / 1_000);
        view! {
            <li>
                <div class="attempt-head">
                    <code class="decision-target">{attempt.target.to_string()}</code>
                    <span class="muted small">{reason(attempt.reason)}</span>
                    <Badge tone=tone text=end/>
                </div>
                <div class="attempt-bar" title=format!("after {began}, for {took}")>
                    <span
                        class=class
                        style:left=format!("{:.2}%", part(attempt.began_us))
                        style:width=format!("{:.2}%", part(attempt.took_us))
                    ></span>
                </div>
                <p class="attempt-time"><span>{format!("after {began}")}</span><span>{took}</span></p>
                {message.map(|message| view! { <p class="cell-note">{message}</p> })}
            </li>
        }
    };
    let rows = attempts.iter().map(row).collect_view();
    Some(view! { <section><h4>"Calls to providers"</h4><ol class="attempts">{rows}</ol></section> }.into_any())
}

const fn reason(reason: AttemptReason) -> &'static str {
    match reason {
        AttemptReason::First => "first choice",
        AttemptReason::Retry => "once more",
        AttemptReason::Failover => "stands in",
    }
}

fn ended(end: &AttemptEnd) -> (Tone, &'static str, String) {
    match end {
        AttemptEnd::Answered { status } => (Tone::Good, "is-good", format!("answered {status}")),
        AttemptEnd::Failed {
            status, failure: class, ..
        } => {
            let what = class.map_or("failed", failure);
            let status = status.map(|status| format!(" {status}")).unwrap_or_default();
            (Tone::Bad, "is-bad", format!("{what}{status}"))
        }
        AttemptEnd::Abandoned => (Tone::Neutral, "is-abandoned", "abandoned".to_owned()),
    }
}
