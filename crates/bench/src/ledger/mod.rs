//! What the ledger carries: millions of requests of a month go in by the store's own ingest, and then the control API is
//! asked what the dashboard asks of it.

mod disk;
mod load;
mod population;
mod questions;
mod random;
mod requests;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chrono::{TimeDelta, Utc};
use gatewright_store::{DatabaseUrl, Db};
use gatewright_types::api::{LedgerCheck, LedgerVerification, UsageSeries};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::installation::{Binary, Ground, Installation, Placement, Shape};
use crate::results::{Results, say};
use disk::Taken;
use load::{Loaded, load};
use population::Population;
use questions::Answered;
use random::Random;
use requests::Requests;

/// Counters are compared with the ledger every ten seconds, and lowered some time later.
const COUNTERS_FOLLOW: Duration = Duration::from_secs(90);

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// How many requests
    #[arg(long, default_value_t = 10_000_000)]
    rows: u64,
    /// How many days they are spread over
    #[arg(long, default_value_t = 31, value_parser = clap::value_parser!(u32).range(31..=400))]
    days: u32,
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Database::Sqlite, Database::Postgres])]
    databases: Vec<Database>,
    /// How often each question is asked again
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    times: u32,
    /// How much is verified at the end
    #[arg(long, value_enum, default_value = "day")]
    verify: Verified,
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
    #[command(flatten)]
    binary: Binary,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Verified {
    /// One in the middle, without the budgets
    Day,
    All,
}

/// That the ledger agrees with itself.
#[derive(Debug, Serialize)]
struct Verification {
    database: Database,
    /// Requests of the organization in the sums of the whole time.
    requests: u64,
    verified: u64,
    clean: bool,
}

pub(crate) async fn run(options: Options) -> Result<ExitCode> {
    ensure!(options.rows > 0, "at least one row");
    let mut results = Results::create(&options.out, "ledger")?;
    let mut all = Vec::new();
    for &database in &options.databases {
        all.extend(Box::pin(measure(&options, database, &mut results)).await?);
    }
    questions::print(&all);
    say(format_args!("written to {}", results.path().display()));
    let slow = all.iter().filter(|answered| !answered.met).count();
    if slow > 0 {
        say(format_args!("{slow} of {} questions took a second or more", all.len()));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

async fn measure(options: &Options, database: Database, results: &mut Results) -> Result<Vec<Answered>> {
    let ground = Ground::prepare(&options.binary, database.shape()).await?;
    let url = match ground.servers() {
        Some(servers) => DatabaseUrl::Postgres(servers.postgres_url.clone()),
        None => DatabaseUrl::Sqlite(ground.database_file()),
    };
    let file = ground.database_file();
    let db = Db::open(&url).await?;
    db.migrate().await?;
    let now = Utc::now();
    let from = now - TimeDelta::days(options.days.into());
    // Those of the months that are over, as an installation of that age has them.
    db.system().make_usage_parts(from).await?;

    let placement = Placement {
        shape: database.shape(),
        proxies: 0,
        proxy_core: None,
        control_core: None,
    };
    let configuration = population::configuration();
    let installation = Installation::start_on(ground, &options.binary, placement, &configuration);
    let installation = Box::pin(installation).await?;
    let population = Population::of(&installation.api, &mut Random::seeded(1)).await?;

    let mut requests = Requests::new(&population, from, options.days, options.rows);
    let loaded: Loaded = load(database, &db, &mut requests, options.rows).await?;
    results.line(&loaded)?;
    loaded.print();
    let taken = match &installation.servers {
        Some(servers) => {
            // As autovacuum leaves tables that fill over weeks.
            servers.ask("VACUUM (ANALYZE)").await?;
            Taken::by_table(servers, options.rows).await?
        }
        None => Taken::by_file(&file, options.rows)?,
    };
    results.line(&taken)?;
    taken.print();

    let mut all = Vec::new();
    for question in questions::all(&population, now)? {
        let directory = installation.directory();
        let answered = questions::answered(database, &installation.api, &question, directory, options.times).await?;
        results.line(&answered)?;
        all.push(answered);
    }
    let verification = verified(options, database, &installation).await?;
    results.line(&verification)?;
    say(format_args!(
        "{}: {} of {} requests of the big organization verified: {}",
        database.name(),
        verification.verified,
        verification.requests,
        if verification.clean { "clean" } else { "NOT CLEAN" }
    ));
    ensure!(verification.clean, "the ledger does not agree with itself");
    drop(db);
    installation.stop().await?;
    Ok(all)
}

async fn verified(options: &Options, database: Database, installation: &Installation) -> Result<Verification> {
    let written = |days: i64| (Utc::now() - TimeDelta::days(days)).format("%Y-%m-%dT00:00:00Z");
    let all = format!(
        "/usage/series?from={}&to={}",
        written(i64::from(options.days) + 1),
        written(-1)
    );
    let sums: UsageSeries = installation.api.read(&all).await?;
    let span = match options.verify {
        Verified::Day => {
            let middle = i64::from(options.days) / 2;
            format!("?from={}&to={}", written(middle), written(middle - 1))
        }
        Verified::All => String::new(),
    };
    let until = Instant::now() + COUNTERS_FOLLOW;
    let path = format!("/ledger/verification{span}");
    let verification = loop {
        let verification: LedgerVerification = installation.api.read(&path).await?;
        let mut differ = verification.checks.iter().filter(|check| check.differences > 0);
        if !differ.any(|check| check.check == LedgerCheck::Counters) || Instant::now() > until {
            break verification;
        }
        sleep(Duration::from_secs(1)).await;
    };
    for difference in verification.differences.iter().take(10) {
        say(format_args!(
            "{}: {}",
            database.name(),
            serde_json::to_string(difference).context("JSON")?
        ));
    }
    Ok(Verification {
        database,
        requests: sums.totals.requests,
        verified: verification.requests,
        clean: verification.clean,
    })
}

impl Database {
    const fn shape(self) -> Shape {
        match self {
            Self::Sqlite => Shape::Solo,
            Self::Postgres => Shape::Cluster,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}
