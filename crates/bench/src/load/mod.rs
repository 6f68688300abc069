//! The load generator: one thread, kept-alive connections, every answer checked for status and completeness. Prints one
//! line of JSON at the end; an answer that is wrong is counted and never timed.

mod check;
mod connection;
mod pace;
mod response;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::histogram::{Histogram, Quantiles};
use crate::prompt::{self, Answer};
use connection::{Connection, Target};
use pace::{Alarm, Schedule};

/// So many wrong answers end a run: it is void anyway.
const ERRORS_ENOUGH: u64 = 100;

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Address to call: 127.0.0.1:8080
    #[arg(long)]
    target: String,
    /// Sent as a bearer
    #[arg(long)]
    key: String,
    #[arg(long, default_value = "bench")]
    model: String,
    #[arg(long, default_value_t = 64)]
    connections: u32,
    #[arg(long, default_value_t = 1000)]
    requests: u64,
    /// No request starts after this many seconds
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Requests a second, whatever the answers do; a closed loop when absent
    #[arg(long)]
    rate: Option<u32>,
    /// Size of the request body in bytes
    #[arg(long, default_value_t = 1024)]
    size: usize,
    /// Ask for a stream of this many chunks
    #[arg(long)]
    chunks: Option<u32>,
    /// Milliseconds from chunk to chunk
    #[arg(long, default_value_t = 0)]
    pause_ms: u64,
}

/// What a run gave. Times are in microseconds, of good requests only.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) good: u64,
    pub(crate) failed: u64,
    /// What was wrong, and how often.
    pub(crate) errors: BTreeMap<String, u64>,
    pub(crate) seconds: f64,
    pub(crate) latency: Quantiles,
    /// Until the first bytes of the body.
    pub(crate) first_byte: Quantiles,
    pub(crate) events: u64,
    pub(crate) connections_opened: u64,
}

/// What one connection saw.
#[derive(Debug)]
struct Tally {
    latency: Histogram,
    first_byte: Histogram,
    errors: BTreeMap<String, u64>,
    events: u64,
    connections_opened: u64,
}

pub(crate) async fn run(options: Options) -> Result<()> {
    let answer = match options.chunks {
        Some(chunks) => Answer::Stream {
            chunks,
            pause: Duration::from_millis(options.pause_ms),
        },
        None => Answer::Whole,
    };
    let body = prompt::body(&options.model, options.size, answer);
    let target = Arc::new(Target::new(options.target, &options.key, &body, answer));
    let schedule = Arc::new(Schedule::new(
        options.requests,
        Duration::from_secs(options.seconds),
        options.rate,
    ));
    let mut workers = JoinSet::new();
    for _ in 0..options.connections {
        workers.spawn(work(target.clone(), schedule.clone()));
    }
    let mut total = Tally::new();
    while let Some(tally) = workers.join_next().await {
        total.merge(tally.context("a connection's task broke")??);
    }
    crate::results::announce(&serde_json::to_string(&total.report(schedule.elapsed()))?)
}

async fn work(target: Arc<Target>, schedule: Arc<Schedule>) -> Result<Tally> {
    let mut tally = Tally::new();
    let alarm = Alarm::new()?;
    let mut connection = None;
    while let Some(from) = schedule.turn(&alarm).await? {
        let exchanged = match &mut connection {
            Some(connection) => exchange(connection, &target).await,
            slot => match Connection::open(&target).await {
                Ok(opened) => {
                    tally.connections_opened += 1;
                    exchange(slot.insert(opened), &target).await
                }
                Err(error) => Err(error),
            },
        };
        match exchanged {
            Ok(exchange) => {
                tally.latency.record(exchange.ended - from);
                tally.first_byte.record(exchange.first_byte - from);
                tally.events += exchange.events;
                if exchange.closes {
                    connection = None;
                }
            }
            Err(error) => {
                connection = None;
                *tally.errors.entry(format!("{error:#}")).or_default() += 1;
                if tally.errors.values().sum::<u64>() >= ERRORS_ENOUGH {
                    schedule.stop();
                }
            }
        }
    }
    Ok(tally)
}

async fn exchange(connection: &mut Connection, target: &Target) -> Result<connection::Exchange> {
    let limit = Duration::from_secs(30);
    tokio::time::timeout(limit, connection.exchange(target))
        .await
        .context("no whole answer in 30 s")?
}

impl Tally {
    fn new() -> Self {
        Self {
            latency: Histogram::new(),
            first_byte: Histogram::new(),
            errors: BTreeMap::new(),
            events: 0,
            connections_opened: 0,
        }
    }

    fn merge(&mut self, other: Self) {
        self.latency.merge(&other.latency);
        self.first_byte.merge(&other.first_byte);
        for (error, count) in other.errors {
            *self.errors.entry(error).or_default() += count;
        }
        self.events += other.events;
        self.connections_opened += other.connections_opened;
    }

    fn report(self, elapsed: Duration) -> Report {
        Report {
            good: self.latency.count(),
            failed: self.errors.values().sum(),
            errors: self.errors,
            seconds: elapsed.as_secs_f64(),
            latency: self.latency.quantiles(),
            first_byte: self.first_byte.quantiles(),
            events: self.events,
            connections_opened: self.connections_opened,
        }
    }
}
