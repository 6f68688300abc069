//! One workload against one target: CPU time of the process tree, peak memory, latencies, and whether every request that
//! was answered is on record.

use std::time::Duration;

use anyhow::{Context, Result};
use gatewright_types::api::Totals;
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::targets::{Bench, Name, Started};
use super::workload::{Plan, Workload};
use crate::accounting::{Precision, Snapshot};
use crate::installation::{Installation, KEY};
use crate::load::Report;
use crate::redis_watch::{RedisUse, RedisWatch};
use crate::results::say;
use crate::{memory, processes};

const RECORDS_LIMIT: Duration = Duration::from_secs(30);
const RECORDS_POLL: Duration = Duration::from_millis(250);
const LONGEST_SECONDS: u32 = 60;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Run {
    pub(crate) pass: u32,
    pub(crate) target: Name,
    pub(crate) workload: Workload,
    /// CPU microseconds of the process tree for each good request, when the last answer was there.
    pub(crate) cpu_us: f64,
    pub(crate) precision: Precision,
    /// The same when all usage was stored as well.
    pub(crate) cpu_us_settled: Option<f64>,
    pub(crate) peak_bytes: u64,
    /// For each stream while all are open, beyond what the idle process has.
    pub(crate) stream_bytes: Option<f64>,
    pub(crate) report: Report,
    pub(crate) records: Option<Records>,
    /// By all nodes of a cluster, for its good requests.
    pub(crate) redis: Option<RedisUse>,
}

/// The usage that the control plane tells of, against the good requests so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Records {
    pub(crate) sent: u64,
    pub(crate) recorded: u64,
    pub(crate) errors: u64,
    pub(crate) unpriced: u64,
    /// Requests of this workload that were to be answered from the cache, and were not.
    pub(crate) missed: u64,
}

pub(crate) async fn run(bench: &Bench<'_>, started: &mut Started, workload: Workload, pass: u32) -> Result<Run> {
    let pid = started.pid();
    let hits_before = fill(bench, started, workload).await?;
    memory::reset_peak(pid);
    let redis = match started.redis_url() {
        Some(address) => Some(RedisWatch::begin(address).await?),
        None => None,
    };
    let before = Snapshot::take(pid);
    let (report, stream_bytes) = if workload.is_of_memory() {
        let (report, bytes) = load_and_weigh(bench, started, workload.plan()).await?;
        (report, Some(bytes))
    } else {
        (load(bench, started, workload.plan()).await?, None)
    };
    let (used, precision) = Snapshot::take(pid).since(&before);
    let per_request = |used: Duration| used.as_secs_f64() * 1e6 / report.good.max(1) as f64;
    let redis = match redis {
        Some(watch) => Some(watch.end(report.good).await?),
        None => None,
    };
    started.sent += report.good;
    let (records, cpu_us_settled) = match started.installation() {
        Some(installation) => {
            let totals = settle(installation, started.sent).await?;
            let hits = hits_before.map(|before| totals.cache_hits.saturating_sub(before));
            let records = Records {
                sent: started.sent,
                recorded: totals.requests,
                errors: totals.errors,
                unpriced: totals.unpriced,
                missed: hits.map_or(0, |hits| report.good.saturating_sub(hits)),
            };
            (Some(records), Some(per_request(Snapshot::take(pid).since(&before).0)))
        }
        None => (None, None),
    };
    Ok(Run {
        pass,
        target: started.name,
        workload,
        cpu_us: per_request(used),
        precision,
        cpu_us_settled,
        peak_bytes: memory::peak(pid),
        stream_bytes,
        report,
        records,
        redis,
    })
}

/// Has the answer kept that the workload asks for. Gives the hits so far, where there are any to count.
async fn fill(bench: &Bench<'_>, started: &mut Started, workload: Workload) -> Result<Option<u64>> {
    let Some(plan) = workload.filling() else {
        return Ok(None);
    };
    started.sent += load(bench, started, plan).await?.good;
    match started.installation() {
        Some(installation) => Ok(Some(settle(installation, started.sent).await?.cache_hits)),
        None => Ok(None),
    }
}

/// Looks in the middle how much memory each of the streams takes.
async fn load_and_weigh(bench: &Bench<'_>, started: &Started, plan: Plan) -> Result<(Report, f64)> {
    let idle = memory::resident(started.pid());
    let weigh = async {
        sleep(plan.middle()).await;
        memory::resident(started.pid())
    };
    let (report, open) = tokio::join!(load(bench, started, plan), weigh);
    let streams = plan.connections.min(plan.requests(bench.share));
    Ok((report?, open.saturating_sub(idle) as f64 / f64::from(streams)))
}

pub(crate) async fn load(bench: &Bench<'_>, started: &Started, plan: Plan) -> Result<Report> {
    let mut command = bench.part("load", bench.other_core)?;
    command.args(["--target", &started.address, "--key", KEY, "--model", plan.model]);
    for (name, value) in [
        ("--connections", Some(plan.connections)),
        ("--requests", Some(plan.requests(bench.share))),
        ("--seconds", Some(LONGEST_SECONDS)),
        ("--size", Some(plan.size)),
        ("--chunks", plan.chunks),
        ("--pause-ms", Some(plan.pause_ms)),
        ("--rate", plan.rate),
    ] {
        if let Some(value) = value {
            command.arg(name).arg(value.to_string());
        }
    }
    let line = processes::output("load", command).await?;
    serde_json::from_str(&line).with_context(|| format!("the load generator said {line:?}"))
}

/// Waits until every request is on record, or long enough to say that some never will be.
async fn settle(installation: &Installation, sent: u64) -> Result<Totals> {
    let deadline = Instant::now() + RECORDS_LIMIT;
    loop {
        let totals = installation.api.recorded().await?;
        if totals.requests >= sent || Instant::now() > deadline {
            return Ok(totals);
        }
        sleep(RECORDS_POLL).await;
    }
}

impl Run {
    pub(crate) fn is_good(&self) -> bool {
        self.report.failed == 0 && self.report.good > 0 && self.records.is_none_or(Records::are_complete)
    }

    /// Tells the person who watches what was wrong.
    pub(crate) fn complain(&self) {
        let place = format!("{}, {}", self.target.title(), self.workload.title());
        if self.report.failed > 0 {
            say(format_args!(
                "{place}: {} failed: {:?}",
                self.report.failed, self.report.errors
            ));
        }
        if let Some(records) = self.records.filter(|records| !records.are_complete()) {
            say(format_args!(
                "{place}: the records are not those of the requests: {records:?}"
            ));
        }
    }
}

impl Records {
    fn are_complete(self) -> bool {
        self.recorded == self.sent && self.errors == 0 && self.unpriced == 0 && self.missed == 0
    }
}
