//! The command line: the server itself, and configuration as code against a running control plane.

mod arguments;
mod assertions;
mod budget_explanation;
mod chargeback;
mod client;
mod explain;
mod ledger;
mod remote;
mod report;
mod reprice;
mod serve;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser as _;

use crate::chain::Chain;
use crate::documents::{self, Secrets};
use crate::env::{self, Strings};
use arguments::{Arguments, Command};

/// How a command ended; each is an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Done,
    Failed,
    /// `plan` found something to do.
    WouldChange,
    /// The environment or the arguments are wrong.
    Usage,
}

impl Ending {
    const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::WouldChange => 2,
            Self::Usage => 64,
        }
    }
}

/// Runs what the arguments ask for.
pub fn main() -> ExitCode {
    let ending = match Arguments::try_parse() {
        Ok(arguments) => run(arguments),
        Err(error) => {
            let ending = if error.use_stderr() {
                Ending::Usage
            } else {
                Ending::Done
            };
            // Nowhere is left to tell that telling failed.
            drop(error.print());
            ending
        }
    };
    ExitCode::from(ending.code())
}

fn run(arguments: Arguments) -> Ending {
    let strings = Strings::of_process();
    match arguments.command {
        None => serve::run(&arguments.serve, strings),
        Some(Command::Serve(serve)) => serve::run(&serve, strings),
        Some(Command::Migrate(database)) => serve::migrate(&database, strings),
        Some(Command::Schema { assertions: false }) => schema(&gatewright_control::document_schema()),
        Some(Command::Schema { assertions: true }) => schema(&gatewright_control::assertions_schema()),
        Some(Command::Validate { file, assertions }) => validate(&file, assertions.as_ref()),
        Some(Command::Explain(arguments)) => explain::run(&arguments),
        Some(Command::Plan(change)) => remote::plan(&change, &strings),
        Some(Command::Apply(change)) => remote::apply(&change, &strings),
        Some(Command::Export(export)) => remote::export(&export, &strings),
        Some(Command::Ledger(command)) => ledger::run(&command, &strings),
    }
}

fn validate(file: &Path, named: Option<&PathBuf>) -> Ending {
    let checked = documents::read(file, Secrets::Left).and_then(|documents| {
        let assertions = assertions::check(file, named, &documents)?;
        Ok((documents.len(), assertions))
    });
    let (documents, held) = match checked {
        Ok(checked) => checked,
        Err(error) => return complain(&error),
    };
    let are = if documents == 1 { "is" } else { "are" };
    let valid = format!("{}: {} {are} valid", file.display(), counted(documents, "document"));
    match held {
        0 => say(valid),
        1 => say(format_args!("{valid}, 1 assertion holds")),
        several => say(format_args!("{valid}, {several} assertions hold")),
    }
    Ending::Done
}

fn schema(schema: &impl serde::Serialize) -> Ending {
    match serde_json::to_string_pretty(schema) {
        Ok(schema) => {
            say(schema);
            Ending::Done
        }
        Err(error) => complain(&error),
    }
}

/// `1 request`, `2 requests`.
fn counted(number: impl std::fmt::Display, what: &str) -> String {
    let number = number.to_string();
    let ending = if number == "1" { "" } else { "s" };
    format!("{number} {what}{ending}")
}

/// Writes a line to standard output. A reader that went away is no reason to fail.
fn say(line: impl std::fmt::Display) {
    drop(writeln!(io::stdout().lock(), "{line}"));
}

/// Tells an error with all its causes.
fn complain(error: &dyn std::error::Error) -> Ending {
    drop(writeln!(io::stderr().lock(), "gatewright: {}", Chain(error)));
    Ending::Failed
}

/// Tells every mistake in the environment, each on its line.
fn complain_of_environment(mistakes: &env::Mistakes) -> Ending {
    drop(writeln!(io::stderr().lock(), "{mistakes}"));
    Ending::Usage
}
