//! `cargo xtask`: everything that a person or CI runs, in Rust, so that a fresh machine needs only cargo. This file
//! turns the command line into a call and an error into an exit code; the work is in the modules.

mod arguments;
mod bench;
mod check;
mod dashboard;
mod fuzz;
mod golden;
mod install;
mod journeys;
mod layout;
mod migration;
mod process;
mod profile;
mod progress;
mod servers;
mod test;
mod under_load;
mod up;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;

use crate::arguments::{HELP, Task};
use crate::process::Processes;
use crate::workspace::Workspace;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let task = match arguments::parse(&arguments) {
        Ok(task) => task,
        Err(problem) => {
            progress::error(&format!("{problem}\n\n{HELP}"));
            return ExitCode::from(64);
        }
    };
    match run(task) {
        Ok(code) => code,
        Err(problem) => {
            progress::error(&format!("error: {problem:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<ExitCode> {
    let workspace = Workspace::locate();
    let processes = Processes::watching_signals()?;
    match task {
        Task::Help => {
            progress::line(HELP);
            Ok(ExitCode::SUCCESS)
        }
        Task::Up(options) => up::run(&workspace, &processes, &options),
        Task::Test(options) => test::run(&workspace, &processes, &options),
        Task::Check => check::run(&workspace, &processes),
        Task::Bench(rest) => bench::run(&workspace, &processes, &rest),
        Task::Fuzz(options) => fuzz::run(&workspace, &processes, &options),
        Task::Dashboard => dashboard::build(&workspace, &processes).map(|()| ExitCode::SUCCESS),
        Task::Profile => profile::run(&workspace, &processes),
        Task::Layout => layout::run(&workspace, &processes),
        Task::Golden => golden::run(&workspace, &processes),
        Task::Migration(name) => migration::create(&workspace, &name).map(|()| ExitCode::SUCCESS),
    }
}
