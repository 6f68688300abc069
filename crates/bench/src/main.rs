//! `gatewright-bench`: what the gateway costs, how fast a change reaches every node, what a key weighs, and
//! how fast a ledger of millions of requests is read. Anyone can repeat it with `cargo xtask bench`. Upstream, load generator and rival are subcommands that it runs as processes of
//! their own, so that each can be pinned and accounted for.

mod accounting;
mod clock;
mod control_api;
mod feed;
mod floor;
mod gateway;
mod histogram;
mod http;
mod installation;
mod keys;
mod ledger;
mod load;
mod memory;
mod mock;
mod processes;
mod prompt;
mod redis_watch;
mod results;
mod servers;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, Parser)]
#[command(name = "gatewright-bench", about = "Benchmarks of Gatewright", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// CPU time per request, added latency and memory beside nginx and a bare forwarder
    Gateway(gateway::Options),
    /// Time from an answer of the control API until every node honours the change
    Feed(feed::Options),
    /// Memory per key and time per change at the size that the gateway is designed for
    Keys(keys::Options),
    /// Ten million requests in each database: how fast they go in, what they take, and how fast the dashboard is answered
    Ledger(ledger::Options),
    /// The upstream of the gateway benchmark: answers like a provider, on loopback
    Mock(mock::Options),
    /// The bare forwarder of the gateway benchmark: the same libraries without the features
    Floor(floor::Options),
    /// The load generator of the gateway benchmark: prints its result as one line of JSON
    Load(load::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.command) {
        Ok(code) => code,
        Err(error) => {
            results::say(format_args!("gatewright-bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    // Of several compiled-in providers reqwest takes none by itself. A second installation is refused, which is fine.
    let _already_there = rustls::crypto::ring::default_provider().install_default();
    match command {
        Command::Keys(options) => keys::run(&options),
        Command::Floor(options) => floor::run(options).map(|()| ExitCode::SUCCESS),
        Command::Mock(options) => single_threaded()?
            .block_on(mock::run(options))
            .map(|()| ExitCode::SUCCESS),
        Command::Load(options) => single_threaded()?
            .block_on(load::run(options))
            .map(|()| ExitCode::SUCCESS),
        Command::Gateway(options) => single_threaded()?.block_on(until_stopped(Box::pin(gateway::run(options)))),
        Command::Ledger(options) => single_threaded()?.block_on(until_stopped(Box::pin(ledger::run(options)))),
        Command::Feed(options) => single_threaded()?.block_on(until_stopped(Box::pin(feed::run(options)))),
    }
}

fn single_threaded() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no runtime could be started")
}

/// Drops the work when a person presses Ctrl-C, and with it every process that it started.
async fn until_stopped(work: impl Future<Output = Result<ExitCode>>) -> Result<ExitCode> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        done = work => done,
        _ = interrupt.recv() => Ok(ExitCode::from(130)),
        _ = terminate.recv() => Ok(ExitCode::from(143)),
    }
}
