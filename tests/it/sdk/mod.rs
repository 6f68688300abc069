//! Clients nobody here wrote: the vendors' own libraries, and those that many put above them, against a running
//! installation.

mod agents;
mod clients;
mod fakes;
pub(crate) mod focus;
mod packages;
mod scripted;

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

/// Runs a program, which has to succeed.
async fn run(what: &str, command: &mut Command, limit: Duration) {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(limit, command.output())
        .await
        .unwrap_or_else(|_| panic!("{what} took longer than {limit:?}"));
    let output = output.unwrap_or_else(|error| panic!("{what} could not be started: {error}"));
    let told = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{what} failed:\n{told}");
}
