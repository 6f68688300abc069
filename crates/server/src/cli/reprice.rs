//! `gatewright ledger reprice`: prices requests anew, or tells what that would come to.

use std::error::Error;
use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::Duration;

use chrono::{DateTime, Utc};
use gatewright_types::api::{LeftAlone, NewReprice, Reprice as Run, RepricePart, RepriceState};
use gatewright_types::{Slug, UpstreamModel};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep};

use super::arguments::{Form, Place, json};
use super::client::{Client, ClientError};
use super::ledger::written;
use super::remote::{block_on, client_for};
use super::{Ending, complain, counted, say};
use crate::env::Strings;

const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// Where lines stay, few are enough.
const TELL_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub(super) struct Reprice {
    #[command(flatten)]
    place: Place,
    /// Of requests that began then or later: 2026-11-01T00:00:00Z.
    #[arg(long)]
    from: DateTime<Utc>,
    /// And before this.
    #[arg(long)]
    to: DateTime<Utc>,
    /// Of one provider only.
    #[arg(long)]
    provider: Option<Slug>,
    /// Of one model only, by the name it has at its provider.
    #[arg(long)]
    model: Option<UpstreamModel>,
    /// Go by the prices in force at this time, whenever a request began.
    #[arg(long)]
    priced_at: Option<DateTime<Utc>>,
    /// Why, for the audit log.
    #[arg(long)]
    reason: String,
    /// Only tell what it would come to.
    #[arg(long)]
    dry_run: bool,
    /// Print JSON instead of text.
    #[arg(long, value_parser = json, num_args = 0, default_missing_value = "", default_value = "text")]
    json: Form,
}

/// Waits until the run is over. Interrupting this command ends a dry run, whose outcome nobody waits for then, and no
/// other one.
pub(super) fn run(reprice: &Reprice, environment: &Strings) -> Ending {
    match block_on(ran(reprice, environment)) {
        Ok(run) => told(&run, reprice.json),
        Err(error) => complain(&*error),
    }
}

async fn ran(reprice: &Reprice, environment: &Strings) -> Result<Run, Box<dyn Error>> {
    let (client, organization) = client_for(&reprice.place, environment).await?;
    let path = format!("organizations/{organization}/reprice");
    let new = NewReprice {
        from: reprice.from,
        to: reprice.to,
        provider: reprice.provider.clone(),
        model: reprice.model.clone(),
        priced_at: reprice.priced_at,
        reason: reprice.reason.clone(),
        dry_run: reprice.dry_run,
        as_told_by: None,
    };
    let run: Run = client.post(&path, &new).await?;
    let this = format!("{path}/{}", run.id);
    if !run.dry_run {
        let page = client.url(&format!("o/{organization}/repricing?run={}", run.id));
        let mut progress = Progress::begin(
            &run,
            format_args!("it goes on when this command is ended, and {page} shows it"),
        );
        return Ok(followed(&client, &this, run, &mut progress).await?);
    }
    // Before it is told that it began, so that no interrupt finds the command unprepared.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut progress = Progress::begin(&run, format_args!("a dry run, which changes nothing"));
    let id = run.id;
    tokio::select! {
        run = followed(&client, &this, run, &mut progress) => return Ok(run?),
        _ = interrupt.recv() => {}
    }
    progress.end();
    tokio::select! {
        run = cancelled(&client, &this) => Ok(run?),
        _ = interrupt.recv() => Err(format!("interrupted before {id} was cancelled: it may go on").into()),
    }
}

async fn followed(client: &Client, this: &str, mut run: Run, progress: &mut Progress) -> Result<Run, ClientError> {
    while run.state == RepriceState::Running {
        sleep(LOOK_AGAIN_AFTER).await;
        run = client.get(this).await?;
        progress.tell(&run);
    }
    progress.end();
    Ok(run)
}

/// The run as it ended: perhaps it was over already.
async fn cancelled(client: &Client, this: &str) -> Result<Run, ClientError> {
    let refused = match client.post(&format!("{this}/cancel"), &()).await {
        Err(refused @ ClientError::Refused(_)) => refused,
        answered => return answered,
    };
    let run: Run = client.get(this).await?;
    match run.state {
        RepriceState::Running => Err(refused),
        RepriceState::Done | RepriceState::Failed | RepriceState::Cancelled => Ok(run),
    }
}

/// How far the run is, on standard error: a line that is written over on a terminal, elsewhere one now and then.
struct Progress {
    on_terminal: bool,
    told: String,
    at: Instant,
}

impl Progress {
    fn begin(run: &Run, what: std::fmt::Arguments<'_>) -> Self {
        let progress = Self {
            on_terminal: stderr().is_terminal(),
            told: String::new(),
            at: Instant::now(),
        };
        progress.write(format_args!("{} began: {what}\n", run.id));
        progress
    }

    fn tell(&mut self, run: &Run) {
        let line = how_far(run);
        if self.on_terminal {
            self.write(format_args!("\r\x1b[K{line}"));
        } else if self.told != line && self.at.elapsed() >= TELL_EVERY {
            self.write(format_args!("{line}\n"));
            self.at = Instant::now();
        } else {
            return;
        }
        self.told = line;
    }

    fn end(&self) {
        if self.on_terminal && !self.told.is_empty() {
            self.write(format_args!("\r\x1b[K"));
        }
    }

    /// Nobody need be there to see it.
    fn write(&self, text: std::fmt::Arguments<'_>) {
        let mut stderr = stderr().lock();
        drop(stderr.write_fmt(text).and_then(|()| stderr.flush()));
    }
}

fn how_far(run: &Run) -> String {
    let looked_at = counted(run.sums.requests, "request");
    let up_to = run.looked_up_to.map(|at| format!(", up to {}", written(at)));
    format!(
        "{:>3}%, {looked_at} looked at{}",
        run.percent(),
        up_to.unwrap_or_default()
    )
}

fn told(run: &Run, form: Form) -> Ending {
    match form {
        Form::Json => say(serde_json::json!(run)),
        Form::ForPeople => lines(run).iter().for_each(say),
    }
    match run.state {
        RepriceState::Running | RepriceState::Done => Ending::Done,
        RepriceState::Failed | RepriceState::Cancelled => Ending::Failed,
    }
}

fn lines(run: &Run) -> Vec<String> {
    let sums = &run.sums;
    let what = match run.dry_run {
        true => "nothing was changed".to_owned(),
        false => run.id.to_string(),
    };
    let mut lines = vec![
        format!("requests from {} to {}: {what}", written(run.from), written(run.to)),
        format!(
            "  {}, {} cost something else, {} cannot be priced",
            counted(sums.requests, "request"),
            sums.changed,
            sums.unpriceable
        ),
        format!(
            "  {} USD before, {} USD after, {} USD difference",
            sums.before,
            sums.after,
            sums.after.saturating_sub(sums.before)
        ),
    ];
    lines.extend(sums.parts.iter().map(part));
    let ending = match run.state {
        RepriceState::Cancelled => "CANCELLED",
        RepriceState::Running | RepriceState::Done | RepriceState::Failed => "FAILED",
    };
    lines.extend(run.failure.as_ref().map(|failure| format!("{ending}: {failure}")));
    lines
}

fn part(part: &RepricePart) -> String {
    let model = part.model.as_ref().map_or("no known model", |model| model.as_str());
    let version = match &part.price_version {
        Some(version) => format!("by {version}"),
        None => format!("left alone, {}", part.left_alone.unwrap_or(LeftAlone::NoPrice).about()),
    };
    format!(
        "  {}/{model}, {version}: {}, {} USD before, {} USD after",
        part.provider,
        counted(part.requests, "request"),
        part.before,
        part.after
    )
}

#[cfg(test)]
mod tests {
    use gatewright_types::api::{PricedAnew, RepriceSums};
    use gatewright_types::{Nanos, RepriceId};

    use super::*;

    #[test]
    fn a_run_is_told_with_how_far_it_is_and_what_it_leaves_alone() {
        let from = DateTime::UNIX_EPOCH;
        let to = from + chrono::TimeDelta::hours(4);
        let (provider, model) = ("main".parse().expect("a name"), "echo".parse().expect("a model"));
        let mut sums = RepriceSums::default();
        let cents = |cents: i64| Nanos::new(cents * 10_000_000);
        for priced in [
            Ok((cents(3), "price_1")),
            Err(LeftAlone::SeveralCalls),
            Err(LeftAlone::SeveralCalls),
        ] {
            sums.add(PricedAnew {
                provider: &provider,
                model: Some(&model),
                before: Some(cents(5)),
                priced,
            });
        }
        let mut run = Run {
            id: RepriceId::mint(),
            dry_run: true,
            state: RepriceState::Running,
            from,
            to,
            provider: None,
            model: None,
            priced_at: None,
            reason: "it was wrong".to_owned(),
            created_at: to,
            created_by: "ada".to_owned(),
            looked_up_to: None,
            sums,
            finished_at: None,
            failure: None,
        };

        assert_eq!(how_far(&run), "  0%, 3 requests looked at");
        run.looked_up_to = Some(from + chrono::TimeDelta::hours(3));
        assert_eq!(
            how_far(&run),
            " 75%, 3 requests looked at, up to 1970-01-01T03:00:00.000Z"
        );
        (run.state, run.failure) = (RepriceState::Cancelled, Some("ada cancelled it".to_owned()));
        assert_eq!(
            lines(&run),
            [
                "requests from 1970-01-01T00:00:00.000Z to 1970-01-01T04:00:00.000Z: nothing was changed",
                "  3 requests, 1 cost something else, 2 cannot be priced",
                "  0.15 USD before, 0.13 USD after, -0.02 USD difference",
                "  main/echo, by price_1: 1 request, 0.05 USD before, 0.03 USD after",
                "  main/echo, left alone, several calls that cannot be told apart: 2 requests, 0.10 USD before, 0.10 USD after",
                "CANCELLED: ada cancelled it",
            ]
        );
        assert_eq!(told(&run, Form::ForPeople), Ending::Failed);
    }
}
