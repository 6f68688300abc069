//! How the models at providers do that requests go to, as the nodes see it, and having one called again at once that is
//! left alone.

use gatewright_types::Permission;
use gatewright_types::api::{BreakerState, LastProbe, ProbeOutcome, TargetHealth, TargetReset};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::badge::{Badge, Tone};
use crate::components::button::IconButton;
use crate::components::confirm::{Question, ask};
use crate::components::icon::Icon;
use crate::components::moment::Ago;
use crate::components::state::{Shape, empty, listed};
use crate::components::table::table;
use crate::format;
use crate::load::List;
use crate::session::{Workspace, use_workspace};

/// How often it is looked at again.
const EVERY_MILLIS: u32 = 5_000;

#[component]
pub(super) fn Health() -> impl IntoView {
    let workspace = use_workspace();
    let targets = List::new(move |_| workspace.targets());
    let asked = RwSignal::new(None::<TargetReset>);
    let alive = StoredValue::new(());
    spawn_local(async move {
        loop {
            TimeoutFuture::new(EVERY_MILLIS).await;
            // Until the page is left.
            if alive.try_get_value().is_none() {
                return;
            }
            targets.reload();
        }
    });
    let none = || {
        let text = "As soon as requests go to a provider, what the nodes see of it is told here.";
        empty(Icon::LeastBusy, "Nothing was called lately", text, None)
    };
    let rows = move |targets: &[TargetHealth]| {
        let rows = targets
            .iter()
            .map(|target| row(target, workspace, asked))
            .collect_view();
        let columns = [
            "Target",
            "State",
            "Failed",
            "First token",
            "Under way",
            "Probed",
            "Credentials",
            "",
        ];
        table("Health of targets", &columns, rows.into_any())
    };
    let changed = Callback::new(move |()| targets.reload());
    let close = Callback::new(move |()| asked.set(None));
    let window = move || asked.get().map(|reset| question(reset, workspace, changed, close));
    view! {
        {listed(targets, Shape::Rows, none, rows)}
        {window}
    }
    .into_any()
}

fn row(target: &TargetHealth, workspace: Workspace, asked: RwSignal<Option<TargetReset>>) -> AnyView {
    let name = format!("{}/{}", target.provider, target.model);
    let left_alone = target.state != BreakerState::Closed || !target.resting.is_empty();
    let reset = TargetReset {
        provider: target.provider.clone(),
        model: target.model.clone(),
    };
    let action = (left_alone && workspace.can(Permission::ProvidersWrite)).then(|| {
        view! {
            <IconButton
                label=format!("Call {name} again")
                glyph=Icon::Retry
                on_press=Callback::new(move |()| asked.set(Some(reset.clone())))
            />
        }
    });
    let failed = match target.requests {
        0 => "–".to_owned(),
        requests => format!("{:.1} % of {}", target.error_rate, format::count(u64::from(requests))),
    };
    let latency = target.latency_ms.map(|millis| format::millis(u64::from(millis)));
    let resting = match target.resting.len() {
        0 => view! { <span class="muted">"none rests"</span> }.into_any(),
        1 => view! { <Badge tone=Tone::Warning text="1 rests"/> }.into_any(),
        many => view! { <Badge tone=Tone::Warning text=format!("{many} rest")/> }.into_any(),
    };
    let until = target.resting.iter().map(|credential| credential.until).min();
    view! {
        <tr>
            <th scope="row" data-label="Target"><code class="cell-title">{name}</code></th>
            <td data-label="State">{state(target)}</td>
            <td data-label="Failed" class="number">{failed}</td>
            <td data-label="First token" class="number">{latency.unwrap_or_else(|| "–".to_owned())}</td>
            <td data-label="Under way" class="number">{target.in_flight}</td>
            <td data-label="Probed">{probe(target.probe)}</td>
            <td data-label="Credentials">
                {resting}
                {until.map(|until| view! { <span class="cell-note">"until "<Ago moment=until/></span> })}
            </td>
            <td class="actions">{action}</td>
        </tr>
    }
    .into_any()
}

fn probe(last: Option<LastProbe>) -> AnyView {
    let Some(LastProbe { at, outcome }) = last else {
        return view! { <span class="muted">"–"</span> }.into_any();
    };
    let (tone, word) = match outcome {
        ProbeOutcome::Answered => (Tone::Good, "answered"),
        ProbeOutcome::Failed => (Tone::Bad, "failed"),
        ProbeOutcome::RateLimited => (Tone::Warning, "limited"),
        ProbeOutcome::TimedOut => (Tone::Bad, "too slow"),
        ProbeOutcome::Unclear => (Tone::Neutral, "unclear"),
    };
    view! { <Badge tone=tone text=word/><span class="cell-note"><Ago moment=at/></span> }.into_any()
}

fn state(target: &TargetHealth) -> AnyView {
    let (tone, word) = badge(target.state);
    let since = target
        .since
        .map(|since| view! { <span class="cell-note">"since "<Ago moment=since/></span> });
    let until = target
        .open_until
        .filter(|_| target.state == BreakerState::Open)
        .map(|until| view! { <span class="cell-note">"tried again "<Ago moment=until/></span> });
    view! { <Badge tone=tone text=word/>{until.is_none().then_some(since)}{until} }.into_any()
}

/// How a state is told, here and on graphs.
pub(in crate::pages) const fn badge(state: BreakerState) -> (Tone, &'static str) {
    match state {
        BreakerState::Closed => (Tone::Good, "working"),
        BreakerState::HalfOpen => (Tone::Warning, "tried again"),
        BreakerState::Open => (Tone::Bad, "left alone"),
    }
}

fn question(reset: TargetReset, workspace: Workspace, changed: Callback<()>, close: Callback<()>) -> AnyView {
    let name = format!("{}/{}", reset.provider, reset.model);
    let question = Question {
        title: format!("Call {name} again?"),
        text: "All nodes call it again at once, with every credential of the provider. Should it go on failing, it is \
               left alone again."
            .to_owned(),
        action: "Call it again",
        done: format!("{name} is called again."),
    };
    let call = move || {
        let reset = reset.clone();
        workspace.reset_target(&reset)
    };
    ask(question, call, changed, close)
}
