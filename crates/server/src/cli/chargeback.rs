//! `gatewright ledger chargeback`: what a month came to and who bears it, for people, for machines, and as FOCUS.

use std::error::Error;
use std::io;

use clap::ValueEnum;
use gatewright_types::api::{Chargeback, ChargebackKind, ChargebackRow};
use gatewright_types::{Month, TagName};
use url::form_urlencoded::Serializer;

use super::arguments::Place;
use super::remote::{block_on, client_for};
use super::{Ending, complain, counted, say};
use crate::env::Strings;

#[derive(Debug, clap::Args)]
pub(super) struct Report {
    #[command(flatten)]
    place: Place,
    /// The month, in UTC: 2026-11.
    #[arg(long)]
    month: Month,
    /// Not with `--format focus`.
    #[arg(long, value_enum, default_value = "cost-centre")]
    by: By,
    /// Which tag; with `--by tag`.
    #[arg(long)]
    tag: Option<TagName>,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    CostCentre,
    Team,
    Tag,
    User,
    Customer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    /// FinOps FOCUS 1.2 as CSV.
    Focus,
}

pub(super) fn run(report: &Report, environment: &Strings) -> Ending {
    let done = block_on(async {
        match report.format {
            Format::Focus => focus(report, environment).await,
            Format::Text | Format::Json => told(report, environment).await,
        }
    });
    match done {
        Ok(()) => Ending::Done,
        Err(error) => complain(&*error),
    }
}

/// Written as it comes: a month may be large.
async fn focus(report: &Report, environment: &Strings) -> Result<(), Box<dyn Error>> {
    let (client, organization) = client_for(&report.place, environment).await?;
    let path = format!(
        "organizations/{organization}/chargeback/focus.csv?month={}",
        report.month
    );
    Ok(client.copy(&path, &mut io::stdout().lock()).await?)
}

/// All pages.
async fn told(report: &Report, environment: &Strings) -> Result<(), Box<dyn Error>> {
    let (client, organization) = client_for(&report.place, environment).await?;
    let mut cursor: Option<String> = None;
    let mut whole: Option<Chargeback> = None;
    loop {
        let mut query = Serializer::new(String::new());
        query.append_pair("month", &report.month.to_string());
        query.append_pair("by", name(report.by)).append_pair("limit", "200");
        if let Some(tag) = &report.tag {
            query.append_pair("tag", tag.as_str());
        }
        if let Some(cursor) = &cursor {
            query.append_pair("cursor", cursor);
        }
        let path = format!("organizations/{organization}/chargeback?{}", query.finish());
        let mut page: Chargeback = client.get(&path).await?;
        cursor = page.next_cursor.take();
        match &mut whole {
            Some(whole) => whole.items.append(&mut page.items),
            None => whole = Some(page),
        }
        if cursor.is_none() {
            break;
        }
    }
    if let Some(whole) = whole {
        match report.format {
            Format::Json => say(serde_json::json!(whole)),
            Format::Text | Format::Focus => lines(&whole).iter().for_each(say),
        }
    }
    Ok(())
}

fn lines(report: &Chargeback) -> Vec<String> {
    let state = match &report.lock {
        Some(lock) => format!("locked by {}", lock.by),
        None => "open".to_owned(),
    };
    let sums = &report.sums;
    let mut lines = vec![format!(
        "{} ({state}): {}, {} without a price, {} USD",
        report.month,
        counted(sums.requests, "request"),
        sums.unpriced,
        sums.total.amount
    )];
    if let Some(since) = report.missing_before {
        lines.push(format!("requests before {since} are no longer kept, and are missing"));
    }
    lines.extend(report.items.iter().map(line));
    lines
}

fn line(row: &ChargebackRow) -> String {
    let whose = row.name.as_ref().or(row.subject.as_ref());
    let whose = whose.map_or_else(
        || match row.kind {
            ChargebackKind::Own | ChargebackKind::Unassigned => "(nobody's)".to_owned(),
            ChargebackKind::Rest => "(all others)".to_owned(),
            ChargebackKind::Shared => "(shared teams)".to_owned(),
        },
        Clone::clone,
    );
    let sums = &row.sums;
    format!(
        "  {:>16}  {whose}: {}, {} of its own, {} shared",
        sums.total.amount,
        counted(sums.requests, "request"),
        sums.direct.amount,
        sums.shared.amount
    )
}

/// As the API says it.
const fn name(by: By) -> &'static str {
    match by {
        By::CostCentre => "cost_centre",
        By::Team => "team",
        By::Tag => "tag",
        By::User => "user",
        By::Customer => "customer",
    }
}
