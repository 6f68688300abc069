//! `gatewright ledger reprice`: prices requests anew, or tells what that would come to.

use std::error::Error;
use std::time::Duration;

use chrono::{DateTime, Utc};
use gatewright_types::api::{NewReprice, Reprice as Run, RepricePart, RepriceState};
use gatewright_types::{Slug, UpstreamModel};
use tokio::time::sleep;

use super::arguments::{Form, Place, json};
use super::ledger::written;
use super::remote::{block_on, client_for};
use super::{Ending, complain, say};
use crate::env::Strings;

const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(500);

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

/// Waits until the run is over; ending this command does not end the run.
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
    };
    let mut run: Run = client.post(&path, &new).await?;
    while let (RepriceState::Running, Some(id)) = (run.state, run.id) {
        sleep(LOOK_AGAIN_AFTER).await;
        run = client.get(&format!("{path}/{id}")).await?;
    }
    Ok(run)
}

fn told(run: &Run, form: Form) -> Ending {
    match form {
        Form::Json => say(serde_json::json!(run)),
        Form::ForPeople => lines(run).iter().for_each(say),
    }
    match run.state {
        RepriceState::DryRun | RepriceState::Running | RepriceState::Done => Ending::Done,
        RepriceState::Failed => Ending::Failed,
    }
}

fn lines(run: &Run) -> Vec<String> {
    let sums = &run.sums;
    let what = match run.id {
        Some(id) => id.to_string(),
        None => "nothing was changed".to_owned(),
    };
    let mut lines = vec![
        format!("requests from {} to {}: {what}", written(run.from), written(run.to)),
        format!(
            "  {} requests, {} cost something else, {} cannot be priced",
            sums.requests, sums.changed, sums.unpriceable
        ),
        format!("  {} USD before, {} USD after", sums.before, sums.after),
    ];
    lines.extend(sums.parts.iter().map(part));
    lines.extend(run.failure.as_ref().map(|failure| format!("FAILED: {failure}")));
    lines
}

fn part(part: &RepricePart) -> String {
    let model = part.model.as_ref().map_or("no known model", |model| model.as_str());
    let version = part.price_version.as_deref().unwrap_or("no price");
    format!(
        "  {}/{model} by {version}: {} requests, {} USD before, {} USD after",
        part.provider, part.requests, part.before, part.after
    )
}
