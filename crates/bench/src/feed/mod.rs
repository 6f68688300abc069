//! How long a change takes to reach every node: keys are made and revoked through the control API, one after another,
//! and from each answer on every proxy node is asked as fast as it answers until all of them honour the change.

mod notices;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use serde::Serialize;
use tokio::time::{Instant, timeout};

use crate::control_api::ControlApi;
use crate::histogram::{Histogram, Quantiles};
use crate::installation::{Binary, Installation, Placement, Shape, Upstream};
use crate::results::{Results, say};

/// A node that honours a change later than this never will.
const LOST: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// How many keys are made, and then revoked
    #[arg(long, default_value_t = 100)]
    changes: u32,
    #[arg(long, value_enum, default_value = "cluster")]
    shape: Shape,
    /// Proxy nodes of a cluster
    #[arg(long, default_value_t = 2)]
    proxies: usize,
    /// Cut every subscription in Redis while a change is made, so that its notice reaches nobody
    #[arg(long)]
    lose_notices: bool,
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
    #[command(flatten)]
    binary: Binary,
}

/// What becomes of the notices of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Notices {
    Delivered,
    Lost,
}

#[derive(Debug, Serialize)]
struct Outcome {
    shape: &'static str,
    nodes: usize,
    changes: u32,
    notices: Notices,
    subscriptions_cut: u64,
    created: Quantiles,
    revoked: Quantiles,
}

pub(crate) async fn run(options: Options) -> Result<ExitCode> {
    let notices = if options.lose_notices {
        Notices::Lost
    } else {
        Notices::Delivered
    };
    ensure!(
        notices == Notices::Delivered || options.shape == Shape::Cluster,
        "in one process there is no notice to lose: use the shape cluster",
    );
    ensure!(options.changes > 0 && options.proxies > 0, "at least one of each");
    let mut results = Results::create(&options.out, "feed")?;
    let placement = Placement {
        shape: options.shape,
        proxies: options.proxies,
        proxy_core: None,
        control_core: None,
    };
    let installation = Box::pin(Installation::start(&options.binary, placement, Upstream::Sandbox)).await?;
    let measured = Box::pin(measure(&installation, options.changes, notices)).await;
    let outcome = match measured {
        Ok(outcome) => outcome,
        Err(error) => return Err(error.context(last_words(&installation))),
    };
    installation.stop().await?;

    results.line(&outcome)?;
    let late = outcome.print();
    say(format_args!("written to {}", results.path().display()));
    Ok(if late { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn measure(installation: &Installation, changes: u32, notices: Notices) -> Result<Outcome> {
    let api = &installation.api;
    let nodes: Vec<_> = installation.proxies.iter().map(|node| node.address.as_str()).collect();
    let redis = installation.servers.as_ref().map(|servers| servers.redis_url.as_str());
    let mut cutter = match (notices, redis) {
        (Notices::Lost, Some(redis)) => Some(notices::Cutter::new(redis)),
        (Notices::Lost | Notices::Delivered, _) => None,
    };

    let (mut created, mut revoked) = (Histogram::new(), Histogram::new());
    let mut keys = Vec::new();
    for number in 0..changes {
        let key = notices::during(cutter.as_mut(), api.create_key(&format!("feed {number}"))).await?;
        created.record(until_honoured(api, &nodes, &key.secret, 200).await?);
        keys.push(key);
    }
    for key in keys {
        notices::during(cutter.as_mut(), api.revoke_key(key.id)).await?;
        revoked.record(until_honoured(api, &nodes, &key.secret, 401).await?);
    }

    let subscriptions_cut = cutter.map_or(0, |cutter| cutter.cut);
    ensure!(
        notices == Notices::Delivered || subscriptions_cut > 0,
        "nobody subscribes to notices in this Redis"
    );
    Ok(Outcome {
        shape: if redis.is_some() { "cluster" } else { "solo" },
        nodes: nodes.len(),
        changes,
        notices,
        subscriptions_cut,
        created: created.quantiles(),
        revoked: revoked.quantiles(),
    })
}

/// The time from now until the last of the nodes answers the key with `status`.
async fn until_honoured(api: &ControlApi, nodes: &[&str], secret: &str, status: u16) -> Result<Duration> {
    let start = Instant::now();
    let each = nodes.iter().map(|node| async move {
        while api.status_of_key(node, secret).await? != status {}
        anyhow::Ok(())
    });
    timeout(LOST, try_join_all(each))
        .await
        .with_context(|| format!("no {status} from every node in a minute"))??;
    Ok(start.elapsed())
}

fn last_words(installation: &Installation) -> String {
    let nodes = installation.proxies.iter();
    nodes.map(|node| format!("{}\n", node.running.last_words())).collect()
}

impl Outcome {
    /// Prints the times and says whether they are beyond what is promised.
    fn print(&self) -> bool {
        let Self {
            shape, nodes, changes, ..
        } = self;
        let (promise, of) = match self.notices {
            Notices::Delivered => ("p99 under 1 s", [self.created.p99, self.revoked.p99]),
            Notices::Lost => ("all within 10 s", [self.created.max, self.revoked.max]),
        };
        let limit_us = match self.notices {
            Notices::Delivered => 1e6,
            Notices::Lost => 10e6,
        };
        say(format_args!(
            "\n{changes} keys made and revoked, {shape} of {nodes}, notices {:?}",
            self.notices
        ));
        for (name, times) in [("made", &self.created), ("revoked", &self.revoked)] {
            let [p50, p99, max] = [times.p50, times.p99, times.max].map(|us| us / 1e3);
            say(format_args!(
                "  {name:<9}{p50:>9.1} ms p50 {p99:>9.1} ms p99 {max:>9.1} ms max"
            ));
        }
        let late = of.iter().any(|us| *us >= limit_us);
        say(format_args!(
            "  promised: {promise}: {}",
            if late { "BROKEN" } else { "kept" }
        ));
        late
    }
}
