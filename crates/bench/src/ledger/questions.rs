//! What the dashboard asks of the ledger, each question several times through the control API.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Serialize;
use tokio::time::Instant;

use super::population::{BUSY_MODEL, MODELS, PROVIDERS, Population, RARE_MODEL};
use super::{Database, disk};
use crate::control_api::ControlApi;
use crate::histogram::Histogram;
use crate::results::say;

const TARGET: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Question {
    name: String,
    path: String,
}

/// How fast one was answered.
#[derive(Debug, Serialize)]
pub(crate) struct Answered {
    database: Database,
    question: String,
    /// The first time, from the disk.
    cold_ms: f64,
    p50_ms: f64,
    max_ms: f64,
    target_ms: u64,
    pub(crate) met: bool,
}

/// All questions, about the time before `now`.
pub(crate) fn all(population: &Population, now: DateTime<Utc>) -> Result<Vec<Question>> {
    let big = &population.big;
    let (busy, idle) = big.busiest().zip(big.idlest()).context("there are keys")?;
    let team = busy.team.context("every key is a team's")?;
    let [busy_model, rare_model] = [BUSY_MODEL, RARE_MODEL].map(|place| MODELS[place].name);
    let (busy, idle, provider) = (busy.key, idle.key, PROVIDERS[0]);
    let time = |days: i64| (now - TimeDelta::days(days)).to_rfc3339_opts(SecondsFormat::Secs, true);
    let span = |from: i64, to: i64| format!("from={}&to={}", time(from), time(to));
    let month = span(30, 0);

    let mut questions = Vec::new();
    let mut ask = |name: &str, path: String| {
        questions.push(Question {
            name: name.to_owned(),
            path,
        });
    };
    for (length, days) in [("30 d", 30), ("7 d", 7), ("24 h", 1)] {
        let span = span(days, 0);
        for by in ["none", "model", "provider", "team", "key"] {
            ask(
                &format!("series {length} by {by}"),
                format!("/usage/series?{span}&by={by}"),
            );
        }
    }
    for (of, filter) in [
        ("a model", format!("model={busy_model}")),
        ("a provider", format!("provider={provider}")),
        ("a team", format!("team={team}")),
        ("a key", format!("key={busy}")),
    ] {
        ask(
            &format!("series 30 d of {of}"),
            format!("/usage/series?{month}&{filter}"),
        );
        let by = if of == "a model" { "key" } else { "model" };
        let split = format!("/usage/series?{month}&{filter}&by={by}");
        ask(&format!("series 30 d of {of} by {by}"), split);
    }
    for (of, filter) in [
        ("", String::new()),
        (" of a busy key", format!("&key={busy}")),
        (" of an idle key", format!("&key={idle}")),
        (" of a busy model", format!("&model={busy_model}")),
        (" of a rare model", format!("&model={rare_model}")),
        (" of an unknown model", "&model=nobodys".to_owned()),
        (" complete", "&outcome=complete".to_owned()),
        (" refused", "&outcome=refused".to_owned()),
        (" failed", "&outcome=failed".to_owned()),
        (" cut", "&outcome=cut".to_owned()),
        (" client gone", "&outcome=client_gone".to_owned()),
        (" failed of a busy key", format!("&outcome=failed&key={busy}")),
        (" cut of an idle key", format!("&outcome=cut&key={idle}")),
        (" failed of a rare model", format!("&outcome=failed&model={rare_model}")),
        (
            " of a rare model and a busy key",
            format!("&model={rare_model}&key={busy}"),
        ),
    ] {
        ask(&format!("requests{of}"), format!("/usage?limit=50{filter}"));
        ask(
            &format!("requests 30 d{of}"),
            format!("/usage?limit=50&{month}{filter}"),
        );
    }
    ask(
        "requests of the oldest day",
        format!("/usage?limit=50&{}", span(30, 29)),
    );
    ask("budgets", "/budgets?limit=50".to_owned());
    Ok(questions)
}

pub(crate) async fn answered(
    database: Database,
    api: &ControlApi,
    question: &Question,
    directory: &Path,
    times: u32,
) -> Result<Answered> {
    let Question { name, path } = question;
    let timed = async || {
        let start = Instant::now();
        let answer = api.answer(path).await.with_context(|| name.clone())?;
        anyhow::Ok((start.elapsed(), answer))
    };
    disk::forget(directory)?;
    let (cold, first) = timed().await?;
    let mut warm = Histogram::new();
    for _ in 0..times {
        let (time, answer) = timed().await?;
        anyhow::ensure!(!first.is_empty() && !answer.is_empty(), "{name} has no answer");
        warm.record(time);
    }
    let (quantiles, milliseconds) = (warm.quantiles(), |time: Duration| time.as_secs_f64() * 1e3);
    let max_ms = quantiles.max / 1e3;
    Ok(Answered {
        database,
        question: name.clone(),
        cold_ms: milliseconds(cold),
        p50_ms: quantiles.p50 / 1e3,
        max_ms,
        target_ms: 1_000,
        met: cold.max(Duration::from_secs_f64(max_ms / 1e3)) < TARGET,
    })
}

pub(crate) fn print(all: &[Answered]) {
    let widest = all.iter().map(|one| one.question.len()).max().unwrap_or(0);
    say(format_args!(
        "\n{:<9} {:<widest$} {:>9} {:>9} {:>9}  under 1 s",
        "", "", "cold ms", "p50 ms", "max ms"
    ));
    for one in all {
        say(format_args!(
            "{:<9} {:<widest$} {:>9.1} {:>9.1} {:>9.1}  {}",
            one.database.name(),
            one.question,
            one.cold_ms,
            one.p50_ms,
            one.max_ms,
            if one.met { "kept" } else { "BROKEN" }
        ));
    }
}
