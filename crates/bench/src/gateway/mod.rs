//! The benchmark of the data plane: the same workloads straight to the mock, through nginx, through a bare forwarder of
//! our own libraries and through Gatewright with everything on. The gateway has one core, mock and load generator
//! another; passes are interleaved, and a run with errors is no run.

mod measure;
mod nginx;
mod summary;
mod targets;
mod workload;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};

use crate::installation::{Binary, Caps, Shape};
use crate::processes::Core;
use crate::results::{Results, say};
use measure::Run;
use targets::{Bench, Name, Started};
use workload::Workload;

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// What to measure
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Name::ALL)]
    targets: Vec<Name>,
    /// Which workloads to run
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Workload::ALL)]
    workloads: Vec<Workload>,
    #[arg(long, default_value_t = 3)]
    passes: u32,
    /// How Gatewright is run; of a cluster the proxy node is measured
    #[arg(long, value_enum, default_value = "solo")]
    shape: Shape,
    /// The core of the gateway
    #[arg(long, default_value_t = 0)]
    gateway_core: usize,
    /// The core of everything else
    #[arg(long, default_value_t = 1)]
    other_core: usize,
    /// A hundredth of the requests, to see whether it works
    #[arg(long)]
    short: bool,
    /// Where the results file goes
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
    #[command(flatten)]
    binary: Binary,
}

pub(crate) async fn run(options: Options) -> Result<ExitCode> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    ensure!(cores >= 2, "one core for the gateway and one for the rest are needed");
    ensure!(
        options.gateway_core != options.other_core,
        "the gateway's core must be its own"
    );
    ensure!(options.passes > 0, "at least one pass");
    let directory = tempfile::Builder::new()
        .prefix("gatewright-bench-")
        .tempdir()
        .context("no directory")?;
    let mut results = Results::create(&options.out, "gateway")?;
    let bench = Bench {
        directory: directory.path(),
        gateway_core: Core(options.gateway_core),
        other_core: Core(options.other_core),
        binary: &options.binary,
        shape: options.shape,
        share: if options.short {
            workload::Share::Hundredth
        } else {
            workload::Share::Whole
        },
    };

    let mut runs = Vec::new();
    for pass in 1..=options.passes {
        for &target in &options.targets {
            say(format_args!("pass {pass} of {}: {}", options.passes, target.title()));
            for group in workload::groups(&options.workloads) {
                let caps = group.first().map_or(Caps::None, |workload| workload.caps());
                let mut started = Box::pin(bench.start(target, caps)).await?;
                for run in one_target(&bench, &mut started, &group, pass).await? {
                    results.line(&run)?;
                    run.complain();
                    runs.push(run);
                }
                started.stop().await?;
            }
        }
    }

    for row in summary::rows(&runs) {
        results.line(&row)?;
    }
    summary::print(&runs);
    say(format_args!("written to {}", results.path().display()));
    let void = runs.iter().filter(|run| !run.is_good()).count();
    if void > 0 {
        say(format_args!(
            "{void} of {} runs had errors: this is no result",
            runs.len()
        ));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

async fn one_target(bench: &Bench<'_>, started: &mut Started, workloads: &[Workload], pass: u32) -> Result<Vec<Run>> {
    for warm_up in workload::WARM_UPS {
        let report = measure::load(bench, started, warm_up).await?;
        ensure!(
            report.failed == 0,
            "{} does not work: {:?}\n{}",
            started.name.title(),
            report.errors,
            started.last_words(),
        );
        started.sent += report.good;
    }
    let mut runs = Vec::new();
    for &workload in workloads {
        runs.push(measure::run(bench, started, workload, pass).await?);
    }
    Ok(runs)
}
