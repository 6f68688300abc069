//! Why a request went where it went, to be read: what it needed, what the route decided, whom it could have gone to, the
//! calls by time, and what the gateway itself took. The same for a request that was made and for one that is tried out.

mod attempts;

use gatewright_types::api::{Candidate, Decision, LeftOut, RequestNeeds, RouteStep, Stage, StageTime, Verdict};
use leptos::prelude::*;

use crate::components::icon::{Icon, icon};
use crate::components::strategy::glyph;
use crate::format;
use crate::route::Strategy;

pub(super) fn decision(decision: &Decision) -> AnyView {
    let error = decision.error.as_ref().map(|error| {
        view! {
            <div class="notice notice-bad">
                {icon(Icon::Alert)}
                <p>{error.message.to_string()}" "<code>{error.code.to_string()}</code></p>
            </div>
        }
    });
    view! {
        <div class="decision">
            {error}
            {decision.needs.as_ref().map(needs)}
            {steps(&decision.route.steps)}
            {candidates(&decision.route.candidates)}
            {attempts::attempts(&decision.attempts)}
            {stages(&decision.stages)}
            {left_out(decision.left_out)}
        </div>
    }
    .into_any()
}

fn needs(needs: &RequestNeeds) -> AnyView {
    let mut told = vec![format!("about {} tokens", format::count(needs.input_tokens))];
    told.extend(
        needs
            .max_tokens
            .map(|tokens| format!("an answer of up to {} tokens", format::count(tokens))),
    );
    told.extend(needs.capabilities.iter().map(|one| format::words(one.as_str())));
    if needs.reasoning {
        told.push("thinking".to_owned());
    }
    let chips = told.into_iter().map(|text| view! { <span class="chip">{text}</span> });
    view! {
        <section>
            <h4>"The request needs"</h4>
            <div class="chips">{chips.collect_view()}</div>
        </section>
    }
    .into_any()
}

fn steps(steps: &[RouteStep]) -> Option<AnyView> {
    let row = |step: &RouteStep| {
        let strategy = Strategy::from_word(&step.strategy);
        let title = strategy.map_or_else(|| format::words(&step.strategy), |strategy| strategy.title().to_owned());
        view! {
            <li>
                <span class="decision-mark">{strategy.map(|strategy| icon(glyph(strategy)))}</span>
                <div>
                    <p><strong>{title}</strong>": "{step.why.to_string()}</p>
                    <p class="cell-note"><code>{step.place.to_string()}</code></p>
                </div>
            </li>
        }
    };
    let rows = (!steps.is_empty()).then(|| steps.iter().map(row).collect_view());
    rows.map(|rows| {
        view! { <section><h4>"The route decided"</h4><ol class="decision-list">{rows}</ol></section> }.into_any()
    })
}

fn candidates(candidates: &[Candidate]) -> Option<AnyView> {
    let row = |candidate: &Candidate| {
        let (class, mark, why) = match &candidate.verdict {
            Verdict::Kept { order, why } => ("is-kept", order.to_string().into_any(), why.as_ref()),
            Verdict::Dropped { why } => ("is-dropped", icon(Icon::Close), Some(why)),
        };
        let unseen = matches!(candidate.verdict, Verdict::Dropped { .. }).then_some("Dropped: ");
        view! {
            <li class=class>
                <span class="decision-mark">{mark}</span>
                <div>
                    <p><span class="unseen">{unseen}</span><code class="decision-target">{candidate.target.to_string()}</code></p>
                    {why.map(|why| view! { <p class="cell-note">{why.to_string()}</p> })}
                </div>
            </li>
        }
    };
    let rows = (!candidates.is_empty()).then(|| candidates.iter().map(row).collect_view());
    rows.map(|rows| {
        view! { <section><h4>"It can go to"</h4><ol class="decision-list">{rows}</ol></section> }.into_any()
    })
}

fn stages(stages: &[StageTime]) -> Option<AnyView> {
    let row = |time: &StageTime| {
        let took = format!("{} µs", format::count(time.took_us));
        view! { <div><dt>{stage(time.stage)}</dt><dd class="number">{took}</dd></div> }
    };
    let rows = (!stages.is_empty()).then(|| stages.iter().map(row).collect_view());
    rows.map(|rows| {
        view! { <section><h4>"The gateway itself took"</h4><dl class="facts">{rows}</dl></section> }.into_any()
    })
}

const fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Admit => "Who is it, and may it?",
        Stage::Read => "Reading the request",
        Stage::Limits => "Meeting limits",
        Stage::Route => "Routing",
        Stage::Cache => "Looking for a kept answer",
    }
}

fn left_out(left_out: LeftOut) -> Option<AnyView> {
    let parts = [
        (left_out.steps, "steps"),
        (left_out.candidates, "candidates"),
        (left_out.attempts, "attempts"),
    ];
    let parts: Vec<_> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    (!parts.is_empty()).then(|| view! { <p class="muted small">"Not told here: "{parts.join(", ")}"."</p> }.into_any())
}
