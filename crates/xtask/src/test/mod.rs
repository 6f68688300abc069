//! `test`: all tests on a machine that may lack everything but cargo. Prepares (tools, dashboard, one build, throw-away
//! servers), runs the stages, and ends with one line that counts them all.

mod compile;
mod counts;
mod report;
mod runner;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use self::compile::{Built, OWN_PACKAGE, PACKAGES};
pub(crate) use self::counts::Counts;
use self::report::Report;
use self::runner::{Batch, Runner};
use crate::arguments::{Stage, TestOptions};
use crate::dashboard;
use crate::install::{self, Tool};
use crate::journeys;
use crate::process::Processes;
use crate::progress::{self, Stopwatch};
use crate::servers::postgres::Postgres;
use crate::servers::redis::Redis;
use crate::workspace::Workspace;

/// What the stages work with, once everything is prepared. Its end stops the servers.
#[derive(Debug)]
struct Prepared {
    runner: Runner,
    built: Built,
    server: PathBuf,
    postgres: Postgres,
    redis: Redis,
}

pub(crate) fn run(workspace: &Workspace, processes: &Processes, options: &TestOptions) -> Result<ExitCode> {
    let mut report = Report::default();
    let wanted = |stage: Stage| options.only.is_none_or(|only| only == stage);
    if let Some(prepared) = prepare(workspace, processes, options, &mut report) {
        for stage in Stage::ALL.into_iter().filter(|stage| wanted(*stage)) {
            progress::line(&format!("\n==> {} tests", stage.name()));
            let stopwatch = Stopwatch::start();
            match run_stage(workspace, processes, &prepared, options, stage) {
                Ok(counts) => report.ran(stage.name(), stopwatch.elapsed(), counts),
                Err(problem) => report.could_not_run(stage.name(), stopwatch.elapsed(), problem),
            }
        }
    }
    progress::line(&format!("\n{report}"));
    Ok(if report.total().failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// None when something could not be prepared; the report then says what.
fn prepare(
    workspace: &Workspace,
    processes: &Processes,
    options: &TestOptions,
    report: &mut Report,
) -> Option<Prepared> {
    let with_browser = options.only.is_none_or(|only| only == Stage::Browser);
    let mut tools = vec![Tool::Postgres, Tool::Redis];
    if with_browser {
        tools.extend([Tool::Chromium, Tool::Node]);
    }
    preparation(report, "tools", || install::ensure_tools(workspace, processes, &tools))?;
    if with_browser {
        preparation(report, "dashboard", || dashboard::build(workspace, processes))?;
    }
    let built = preparation(report, "compile", || {
        progress::step("compiling the tests and the server", || {
            compile::compile(workspace, processes, &PACKAGES)
        })
    })?;
    let server = preparation(report, "server binary", || {
        built.server.clone().context("cargo built no `gatewright`")
    })?;
    let postgres = preparation(report, "PostgreSQL", || Postgres::start(processes))?;
    let redis = preparation(report, "Redis", || Redis::start(processes))?;
    Some(Prepared {
        runner: Runner::choose(workspace, processes),
        built,
        server,
        postgres,
        redis,
    })
}

fn preparation<T>(report: &mut Report, name: &'static str, work: impl FnOnce() -> Result<T>) -> Option<T> {
    let stopwatch = Stopwatch::start();
    match work() {
        Ok(done) => {
            report.done(name, stopwatch.elapsed());
            Some(done)
        }
        Err(problem) => {
            report.could_not_run(name, stopwatch.elapsed(), problem);
            None
        }
    }
}

fn run_stage(
    workspace: &Workspace,
    processes: &Processes,
    prepared: &Prepared,
    options: &TestOptions,
    stage: Stage,
) -> Result<Counts> {
    match stage {
        Stage::Unit => unit(workspace, processes, prepared, options),
        Stage::Solo | Stage::Cluster => {
            let batch = black_box(workspace, prepared, options, stage);
            // As one program, whose tests share the servers they may share; a process per test would start them each time.
            Runner::Programs.run(workspace, processes, &batch)
        }
        Stage::Browser => journeys::run(workspace, processes, &prepared.server, &options.filters),
    }
}

fn unit(workspace: &Workspace, processes: &Processes, prepared: &Prepared, options: &TestOptions) -> Result<Counts> {
    let product = Batch {
        packages: &PACKAGES,
        filterset: "not package(gatewright-tests)",
        programs: prepared
            .built
            .programs
            .iter()
            .filter(|program| !program.is_black_box(workspace))
            .collect(),
        names: &options.filters,
        environment: environment(prepared),
    };
    let mut counts = prepared.runner.run(workspace, processes, &product)?;

    let own = compile::compile(workspace, processes, &OWN_PACKAGE)?;
    let own = Batch {
        packages: &OWN_PACKAGE,
        filterset: "all()",
        programs: own.programs.iter().collect(),
        names: &options.filters,
        environment: Vec::new(),
    };
    counts += prepared.runner.run(workspace, processes, &own)?;
    Ok(counts)
}

fn black_box<'a>(
    workspace: &Workspace,
    prepared: &'a Prepared,
    options: &'a TestOptions,
    topology: Stage,
) -> Batch<'a> {
    let mut environment = environment(prepared);
    environment.push(("GATEWRIGHT_TEST_TOPOLOGY", topology.name().to_owned()));
    // They wait for servers most of the time.
    environment.push(("RUST_TEST_THREADS", "6".to_owned()));
    Batch {
        packages: &PACKAGES,
        filterset: "package(gatewright-tests)",
        programs: prepared
            .built
            .programs
            .iter()
            .filter(|program| program.is_black_box(workspace))
            .collect(),
        names: &options.filters,
        environment,
    }
}

fn environment(prepared: &Prepared) -> Vec<(&'static str, String)> {
    vec![
        ("GATEWRIGHT_TEST_POSTGRES", prepared.postgres.url()),
        ("GATEWRIGHT_TEST_REDIS", prepared.redis.url()),
        ("GATEWRIGHT_TEST_BINARY", prepared.server.to_string_lossy().into_owned()),
    ]
}
